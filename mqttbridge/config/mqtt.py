"""The broker and our session there."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from mqttbridge.config.broker_url import checked_broker_url
from mqttbridge.config.quantities import DAY, MIB, MINUTE, Duration, Size
from mqttbridge.config.section import Section


class RetainedPolicy(StrEnum):
    CHANGED = "changed"
    ACCEPT = "accept"
    IGNORE = "ignore"


class TlsConfig(Section):
    """How to check the broker's certificate, and which one to show."""

    ca_file: str | None = None
    """Certificates to trust; default: the system's."""
    cert_file: str | None = None
    """Our own certificate, for brokers that ask for one."""
    key_file: str | None = None
    """The key of `cert_file`."""
    key_password: SecretStr | None = None
    """Password of `key_file`."""
    verify: bool = True
    """Whether the broker's certificate and name are checked. Turning this off is for tests alone."""

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both or none")
        return self


class ReconnectConfig(Section):
    """Pauses between attempts to reach the broker: doubled each time, fully jittered."""

    min: Duration = Field(1.0, gt=0)
    """The first pause's upper end."""
    max: Duration = Field(2 * MINUTE, gt=0)
    """No pause is longer."""


class MqttConfig(Section):
    """The broker and our session there."""

    url: str = "mqtt://localhost:1883"
    """Where the broker is: mqtt://, mqtts://, ws://, wss:// or unix:///path/to/socket."""
    client_id: str = Field("mqttbridge", min_length=1, max_length=128)
    """Fixed, so that the broker keeps our session while we are away. Unique at the broker."""
    username: str | None = None
    """Who we say we are; null: we do not introduce ourselves."""
    password: SecretStr | None = None
    """The password that goes with `username`; better `${NAME}` or `!file path` than the word itself."""
    protocol: Literal["5", "3.1.1"] = "5"
    """MQTT version; 5 falls back to 3.1.1 by itself when the broker refuses it."""
    qos: Literal[0, 1] = 1
    """QoS of our subscriptions. QoS 2 is not offered: see docs/architecture.md."""
    keep_alive: Duration = Field(MINUTE, gt=0)
    """How often, at least, the broker and we hear from each other."""
    session_expiry: Duration = 7 * DAY
    """How long the broker keeps our session while we are away (MQTT 5)."""
    receive_maximum: int = Field(8192, ge=1, le=65535)
    """How many unacknowledged messages the broker may send ahead (MQTT 5)."""
    max_payload: Size = 1 * MIB
    """Longer payloads are rejected (kept cut, with the reason)."""
    retained: RetainedPolicy = RetainedPolicy.CHANGED
    """What to do with retained messages: `changed` stores one only if it differs from the last known value."""
    availability_topic: str | None = "mqttbridge/{client_id}/availability"
    """Where `online` and, by last will, `offline` is published, retained; null publishes nothing."""
    tls: TlsConfig = TlsConfig()
    reconnect: ReconnectConfig = ReconnectConfig()

    @field_validator("url")
    @classmethod
    def _broker_url(cls, url: str) -> str:
        return checked_broker_url(url)

    @property
    def own_topic(self) -> str | None:
        """Where the bridge says whether it is there; None where it does not."""
        return self.availability_topic and self.availability_topic.replace("{client_id}", self.client_id)
