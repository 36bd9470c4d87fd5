"""Whom an alert is told to, and how."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from mqttbridge.config.quantities import DAY, Duration
from mqttbridge.config.section import Section
from mqttbridge.config.sources import HeaderName, header_text
from mqttbridge.config.texts import Line
from mqttbridge.config.web_addresses import checked_web_address

_ADDRESS: Final = re.compile(r"[^\s@<>,;:\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}")
_NO_TOPIC: Final = re.compile(r"[+#\x00-\x1f\x7f-\x9f]")


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
        checked_web_address(url.get_secret_value())
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
