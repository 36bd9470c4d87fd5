"""The sections of sources beside the broker: JSON APIs that are polled."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from mqttbridge.config.quantities import Duration, Size
from mqttbridge.config.section import Section

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_TEXT: Final = re.compile(r"[\t\x20-\x7e]*")
# What a level of a topic may not hold, and control characters, which no topic should.
_NO_LEVEL: Final = re.compile(r"[/+#\x00-\x1f\x7f-\x9f]")
_NO_TOPIC: Final = re.compile(r"[+#\x00-\x1f\x7f-\x9f]")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}|[{}]")
# MQTT's bound is 65,535 bytes; names of this length leave room in it for any template somebody means.
_MAX_TOPIC_CHARS: Final = 500


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("a header's name is letters, digits and '-'")
    return name


def header_text(text: str | SecretStr) -> Any:
    """The same text, which may stand in a header; ValueError when it may not."""
    # A line end would end the header, and what follows it would be a header of its own.
    if not _HEADER_TEXT.fullmatch(text.get_secret_value() if isinstance(text, SecretStr) else text):
        raise ValueError("a header holds printable ASCII on one line")
    return text


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderText = Annotated[str, AfterValidator(header_text)]
Parameter: TypeAlias = str | int | float | bool
Parameters: TypeAlias = dict[str, Parameter]


class HttpAuthConfig(Section):
    """What the API knows us by. All of it is masked in logs, the status page and whatever the API says back."""

    username: str | None = None
    """With `password`: HTTP basic authentication."""
    password: SecretStr | None = None
    """Of `username`."""
    bearer: SecretStr | None = None
    """A token for `Authorization: Bearer`."""
    query: dict[str, SecretStr] = Field(default_factory=dict)
    """Query parameters that are secret, such as an API key."""
    headers: dict[HeaderName, SecretStr] = Field(default_factory=dict)
    """Headers that are secret."""

    @field_validator("bearer")
    @classmethod
    def _bearer_on_one_line(cls, bearer: SecretStr | None) -> SecretStr | None:
        return None if bearer is None else header_text(bearer)

    @field_validator("headers")
    @classmethod
    def _headers_on_one_line(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        return {name: header_text(text) for name, text in headers.items()}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or none")
        if self.username is not None and self.bearer is not None:
            raise ValueError("give either username and password or bearer")
        if self.username is not None and ":" in self.username:
            raise ValueError("a username for HTTP has no ':'")
        return self


class RetryConfig(Section):
    """Pauses after failures: doubled each time, jittered. A server's `Retry-After` counts where it is longer."""

    min: Duration = Field(5.0, gt=0)
    """The first pause, at most."""
    max: Duration = Field(15 * 60.0, gt=0)
    """No pause of our own is longer."""


class HttpPollConfig(Section):
    """An HTTP API that is asked now and then; its answers are messages like any from the broker."""

    type: Literal["http_poll"]
    """The kind of source."""
    url: str
    """What to GET. Secrets go to `auth`, not here."""
    every: Duration = Field(60.0, ge=0.1)
    """How often each target is asked."""
    topic: str | None = None
    """Topic of the messages, with {source} and {target}; default: http/{source}/{target}."""
    params: Parameters = Field(default_factory=dict)
    """Query parameters of every request."""
    targets: dict[str, Parameters] = Field(default_factory=dict, max_length=1000)
    """Query parameters beside those, by a name for each set; default: one request without any."""
    headers: dict[HeaderName, HeaderText] = Field(default_factory=dict)
    """Sent with each request; secret ones belong into `auth`."""
    auth: HttpAuthConfig = HttpAuthConfig()
    expect: Parameters = Field(default_factory=dict)
    """What a good answer has at these payload paths; one that has not is an error, whatever its status."""
    jitter: Duration = 1.0
    """Each request waits up to so long, at random, so that not all come at once."""
    timeout: Duration = Field(10.0, gt=0)
    """How long an answer may take, from connecting to its last byte."""
    max_size: Size = Field(2**20, ge=1)
    """Longer answers are rejected."""
    retry: RetryConfig = RetryConfig()

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        from urllib.parse import urlsplit  # noqa: PLC0415  # keeps `--version` quick

        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected http:// or https:// and a host")
        _ = parts.port  # raises ValueError when it is not a port
        if parts.username or parts.password:
            raise ValueError("put the user name and password into auth, not the URL")
        if parts.fragment or re.search(r"[\x00-\x20\x7f]", url):
            raise ValueError("expected a URL without spaces and without '#'")
        return url

    @field_validator("targets")
    @classmethod
    def _levels_of_a_topic(cls, targets: dict[str, Parameters]) -> dict[str, Parameters]:
        for name in targets:
            if not name or len(name) > 100 or _NO_LEVEL.search(name):
                raise ValueError(
                    f"a target's name is a level of its topic: at most 100 characters, no '/+#' (got {name!r})"
                )
        return targets

    @field_validator("expect")
    @classmethod
    def _payload_paths(cls, expect: Parameters) -> Parameters:
        for path in expect:
            if not all(path.split(".")):
                raise ValueError(f"a payload path is keys and list indexes joined by '.' (got {path!r})")
        return expect

    @model_validator(mode="after")
    def _topic_tells_targets_apart(self) -> Self:
        topic = self.topic
        if topic is None:
            return self
        unknown = [found[0] for found in _PLACEHOLDER.finditer(topic) if found[1] not in {"source", "target"}]
        if unknown:
            raise ValueError(f"topic: {unknown[0]!r} is not known, only {{source}} and {{target}} are")
        if not topic or len(topic) > _MAX_TOPIC_CHARS or _NO_TOPIC.search(topic):
            raise ValueError(f"topic: expected 1 to {_MAX_TOPIC_CHARS} characters, without '+' and '#'")
        if len(self.targets) > 1 and "{target}" not in topic:
            raise ValueError("topic: needs {target}, since there are several targets")
        if not self.targets and "{target}" in topic:
            raise ValueError("topic: there are no targets to put in for {target}")
        return self

    def topic_of(self, source: str, target: str) -> str:
        """The topic of a target's messages; `target` is empty where there are none."""
        template = self.topic or ("http/{source}/{target}" if target else "http/{source}")
        return template.replace("{source}", source).replace("{target}", target)
