"""The sections of alerts: what to watch, and whom to tell. Rules made on the page have the same shape."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_core import SchemaError, SchemaValidator, core_schema

from mqttbridge.config.quantities import Duration
from mqttbridge.config.section import Section
from mqttbridge.config.sources import HeaderName, header_text

HOUR, DAY = 3600.0, 86400.0
MAX_PATTERN_CHARS: Final = 250
# Enough for names that nest, few enough that a match is quick whatever a device calls itself.
MAX_STARS: Final = 8

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESS: Final = re.compile(r"[^\s@<>,;:\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}")
_NO_TOPIC: Final = re.compile(r"[+#\x00-\x1f\x7f-\x9f]")


def _finite(number: float) -> float:
    if not isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _pattern(text: str) -> str:
    if text.count("*") > MAX_STARS:
        raise ValueError(f"at most {MAX_STARS} '*'")
    return text


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("no line ends or control characters")
    return text


def _origin(url: str) -> str:
    if url == "*":
        return url
    found = origin_of(url)
    if found is None or urlsplit(url).path not in ("", "/"):
        raise ValueError("expected an origin such as https://ntfy.sh, or '*' for any")
    return found


def _web_address(url: str) -> str:
    if origin_of(url) is None:
        raise ValueError("expected http:// or https:// and a host, without user and password")
    return url


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address as one text; None for anything that is not plainly one."""
    if any(character.isspace() or character == "\\" or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in (None, 443 if scheme == "https" else 80) else f"{scheme}://{shown}:{port}"


@lru_cache(maxsize=512)
def expression_of(pattern: str) -> SchemaValidator:
    """Finds a regular expression in texts in linear time, by an engine without back-tracking.

    Raises:
        ValueError: not a regular expression, or one that linear time does not allow.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        raise ValueError(
            f"not a regular expression (look-around and back-references are not offered): {pattern!r}"
        ) from None


Finite = Annotated[float, AfterValidator(_finite)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS), AfterValidator(_pattern)]
Line = Annotated[str, AfterValidator(_one_line)]
WebAddress = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
Origin = Annotated[str, AfterValidator(_origin)]


# -- what to watch for -------------------------------------------------------------------------------------------


class Threshold(Section):
    """A number is on one side of a bound."""

    is_: Literal[">", ">=", "<", "<="] = Field(alias="is")
    """The comparison, as in `{is: ">", value: 30}`."""
    value: Finite
    """The bound."""
    clear: Finite | None = None
    """It is over only when the number is back at this, on the other side of the bound; default: the bound."""

    @model_validator(mode="after")
    def _clear_is_beyond(self) -> Self:
        if self.clear is not None and (
            self.clear > self.value if self.is_.startswith(">") else self.clear < self.value
        ):
            side = "above" if self.is_.startswith(">") else "below"
            raise ValueError(f"clear ({self.clear:g}) may not be {side} value ({self.value:g}): it would never be over")
        return self


class Equality(Section):
    """A value is, or is not, a given one."""

    is_: Literal["=", "!="] = Field(alias="is")
    """`=` or `!=`."""
    value: bool | Finite | Annotated[str, Field(max_length=2000)]
    """Compared as it is: number with number, text with text, on and off with true and false."""


class Match(Section):
    """A text holds something."""

    is_: Literal["matches"] = Field(alias="is")
    """`matches`, with `text` or `pattern`."""
    text: str | None = Field(None, min_length=1, max_length=500)
    """What the text contains, in any case of letters."""
    pattern: str | None = Field(None, min_length=1, max_length=500)
    """Or a regular expression that is found in it, without look-around and back-references."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) == (self.pattern is None):
            raise ValueError("give either text or pattern")
        if self.pattern is not None:
            expression_of(self.pattern)
        return self


class Change(Section):
    """A number moves."""

    is_: Literal["changes_by"] = Field(alias="is")
    """`changes_by` a `value`."""
    value: Annotated[Finite, Field(gt=0)]
    """By so much at least, up or down: from the lowest to the highest of `within`, or since the value before."""
    within: Duration | None = Field(None, gt=0, le=7 * DAY)
    """In how long, to a sixtieth of it; null: from one value to the next."""


class Silence(Section):
    """Nothing comes."""

    is_: Literal["no_data"] = Field(alias="is")
    """`no_data`, `after` so long."""
    after: Duration = Field(gt=0)
    """For so long."""


class Circle(Section):
    """A position enters or leaves a circle. The first position that is known only says where it begins."""

    is_: Literal["enters", "leaves"] = Field(alias="is")
    """`enters` fires while it is inside, having been outside; `leaves` the other way round."""
    lat: Annotated[Finite, Field(ge=-90, le=90)]
    """The circle's centre, in degrees."""
    lon: Annotated[Finite, Field(ge=-180, le=180)]
    """Likewise."""
    radius: Annotated[Finite, Field(gt=0, le=2.1e7)]
    """In metres."""
    margin: Annotated[Finite, Field(ge=0, le=1e6)] = 0.0
    """It has come back only when it is so many metres on the other side of the edge: positions jitter."""
    longitude: Pattern | None = None
    """The stream of longitudes where `stream` is one of latitudes, as `*.longitude`; null: `lat,lon` in one text."""


Condition: TypeAlias = Annotated[Threshold | Equality | Match | Change | Silence | Circle, Field(discriminator="is_")]


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertRuleConfig(Section):
    """One thing to watch over."""

    name: Annotated[Line, Field(min_length=1, max_length=100)]
    """Shown on the page and in what is sent; unique."""
    bucket: Pattern = "*"
    """The bucket's name; `*` in it stands for anything."""
    stream: Pattern
    """The stream's name, likewise. Each stream that it takes has a state of its own."""
    when: Condition
    """What must be true of its values."""
    for_: Duration = Field(0.0, alias="for", le=30 * DAY)
    """How long it must have been true, in the time of the values, before it fires."""
    level: Level = Level.WARNING
    """info, warning or critical."""
    message: Annotated[Line, Field(max_length=500)] = ""
    """What is sent in place of our own words; may hold {name}, {bucket}, {stream}, {value}, {level} and {for}."""
    actions: tuple[Annotated[str, Field(max_length=100)], ...] = Field((), max_length=20)
    """Names of `actions`: whom to tell."""
    tell_when_over: bool = True
    """Whether they are also told when it is over."""
    enabled: bool = True
    """False keeps the rule and does not watch."""

    @model_validator(mode="after")
    def _stars_go_together(self) -> Self:
        if isinstance(self.when, Circle) and self.when.longitude is not None:
            if self.when.longitude.count("*") != self.stream.count("*"):
                raise ValueError("when.longitude needs as many '*' as stream: each stands for the same text in both")
            if self.when.longitude == self.stream:
                raise ValueError("when.longitude is the same stream as stream")
        return self


class PageRule(AlertRuleConfig):
    """A rule as it is made on the page."""

    webhook: WebAddress | None = None
    """Its own webhook, at one of the origins of `alerts.page_webhooks`."""


# -- whom to tell ------------------------------------------------------------------------------------------------


class ActionSection(Section):
    """What all actions have in common."""

    per_minute: int = Field(30, ge=1, le=6000)
    """At most so many a minute; more wait for their turn."""
    expire: Duration = Field(DAY, gt=0)
    """How long to go on trying to deliver one."""


class WebhookAction(ActionSection):
    """An HTTP POST of JSON."""

    type: Literal["webhook"]
    """An HTTP POST of JSON, with the firing's id as `Idempotency-Key`."""
    url: SecretStr
    """Where to; a secret, since many services have their token in it."""
    headers: dict[HeaderName, SecretStr] = Field(default_factory=dict)
    """Headers, such as `Authorization`; secret, too."""
    fields: dict[str, str] = Field(default_factory=dict, max_length=50)
    """The JSON object to send in place of ours, its values templates: `{text: "{text}"}` suits Slack."""
    timeout: Duration = Field(10.0, gt=0, le=60)
    """How long to wait for the answer."""

    @field_validator("url")
    @classmethod
    def _web(cls, url: SecretStr) -> SecretStr:
        _web_address(url.get_secret_value())
        return url

    @field_validator("headers")
    @classmethod
    def _headers_on_one_line(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        return {name: header_text(text) for name, text in headers.items()}


class MqttAction(ActionSection):
    """A message by the bridge's own connection to the broker."""

    type: Literal["mqtt"]
    """A message to the broker of `mqtt`."""
    topic: str = Field(min_length=1, max_length=500)
    """A template, as `alerts/{bucket}/{stream}`; what would be a wildcard in a name becomes `_`."""
    payload: str | None = Field(None, max_length=2000)
    """A template; null: the JSON that webhooks get."""
    qos: Literal[0, 1] = 1
    """1: until the broker has confirmed it."""
    retain: bool = False
    """Whether the broker keeps it for those who subscribe later."""

    @field_validator("topic")
    @classmethod
    def _no_wildcards(cls, topic: str) -> str:
        if _NO_TOPIC.search(topic):
            raise ValueError("no wildcards or control characters in a topic to publish to")
        return topic


def _mail_address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("expected an address such as me@example.org")
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class EmailAction(ActionSection):
    """A mail, by the server of `smtp`."""

    type: Literal["email"]
    """A mail, by the server of `alerts.smtp`."""
    to: tuple[MailAddress, ...] = Field(min_length=1, max_length=50)
    """Whom to."""


class AppriseAction(ActionSection):
    """Any of the services that apprise knows."""

    type: Literal["apprise"]
    """Needs the extra of that name: pip install 'mqttbridge[apprise]'."""
    url: SecretStr
    """In apprise's form, such as `ntfy://topic`; a secret. One, so that none is told twice for the sake of another."""


ActionConfig: TypeAlias = Annotated[
    WebhookAction | MqttAction | EmailAction | AppriseAction, Field(discriminator="type")
]


class SmtpConfig(Section):
    """The mail server that takes what we send."""

    host: Annotated[Line, Field(min_length=1, max_length=253)]
    """Its name."""
    port: int = Field(587, ge=1, le=65535)
    """587 with starttls, 465 with tls, 25 with neither, as a rule."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` sends all in the clear, password included."""
    username: str | None = None
    """With `password`, where it asks for them."""
    password: SecretStr | None = None
    """Of `username`."""
    sender: MailAddress
    """Whom the mails are from."""
    timeout: Duration = Field(10.0, gt=0, le=60)
    """How long to wait for each of its answers."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or none")
        return self


class AlertsConfig(Section):
    """What to watch over in the dashboard's streams, and whom to tell."""

    actions: dict[str, ActionConfig] = Field(default_factory=dict)
    """Whom to tell, by a name of yours; rules of the page may name them too."""
    smtp: SmtpConfig | None = None
    """For actions of type email."""
    rules: tuple[AlertRuleConfig, ...] = ()
    """What to watch over. More can be made on the page; these are read-only there."""
    evaluate: bool = True
    """Of several bridges over one database one evaluates the rules and tells; false: never this one."""
    page_webhooks: tuple[Origin, ...] = ()
    """Origins that rules made on the page may send webhooks to, as `https://ntfy.sh`; none by default."""

    @field_validator("actions")
    @classmethod
    def _plain_names(cls, actions: dict[str, Any]) -> dict[str, Any]:
        for name in actions:
            if not 0 < len(name) <= 100 or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"an action's name is letters, digits, '-' and '_' (got {name!r})")
        return actions

    @model_validator(mode="after")
    def _what_is_named_is_there(self) -> Self:
        names = [rule.name for rule in self.rules]
        for index, rule in enumerate(self.rules):
            if rule.name in names[:index]:
                raise ValueError(f"two rules are called {rule.name!r}")
            for action in rule.actions:
                if action not in self.actions:
                    known = ", ".join(self.actions) or "none"
                    raise ValueError(
                        f"rule {rule.name!r} names the action {action!r}, which is not there (are: {known})"
                    )
        for name, one in self.actions.items():
            if isinstance(one, EmailAction) and self.smtp is None:
                raise ValueError(f"action {name!r} sends mail, and there is no smtp")
        return self
