"""Where events go."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from mqttbridge.config.quantities import DAY, HOUR, Duration, Size
from mqttbridge.config.section import Section
from mqttbridge.config.stores import SqliteStoreConfig, StoreConfig
from mqttbridge.config.thinning import ThinConfig


class EmbeddedConfig(Section):
    """The dashboard and its store."""

    type: Literal["embedded"]
    """The dashboard of this process; there can be one."""
    retention: Duration = 30 * DAY
    """Older points are deleted; 0 keeps them for ever."""
    retention_by: dict[str, Duration] = Field(default_factory=dict)
    """How long for the buckets of a pattern (`*` any characters, `?` one); the first that matches counts."""
    store: StoreConfig = SqliteStoreConfig()
    """Where history and dashboards are kept."""


class Transport(StrEnum):
    JSON = "json"
    URL = "url"


class RateLimit(Section):
    """At most `calls` requests in any `per`."""

    calls: int = Field(30, ge=1)
    """How many requests."""
    per: Duration = Field(10.0, gt=0)
    """In how long."""


class BatchConfig(Section):
    """When a batch is sent: as soon as it is full by count or bytes, at latest after `max_wait`."""

    max_events: int = Field(10, ge=1, le=100_000)
    """How many events make a batch full."""
    max_size: Size = Field(900_000, ge=1024)
    """Bytes of one request's body; the Events API refuses more than 1 MB."""
    max_wait: Duration = 1.0
    """How long the first event of a batch waits for others."""


class InitialStateConfig(Section):
    """Initial State's Events API, or any server that speaks it."""

    type: Literal["initialstate"]
    """Initial State, or any server that speaks its Events API, such as ours."""
    url: str = "https://groker.init.st/api"
    """Where the API is."""
    access_key: SecretStr
    """The account's access key; better `${NAME}` or `!file path` than the key itself."""
    transport: Transport = Transport.JSON
    """`json` posts batches; `url` sends one event a request by URL parameters (no timestamps: the server's clock)."""
    rate_limit: RateLimit = RateLimit()
    """Shared by all destinations with the same url and access_key."""
    batch: BatchConfig = BatchConfig()
    timeout: Duration = Field(30.0, gt=0)
    """How long to wait for an answer."""
    quota_pause: Duration = HOUR
    """How long to pause after 402 (the plan's events are used up); everything is kept meanwhile."""
    bucket_prefix: str = ""
    """Put before each bucket key, to keep several bridges of one account apart."""
    thin: tuple[ThinConfig, ...] = ()
    """Which events are enough for this destination; default: all."""

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("expected http:// or https://")
        return url.rstrip("/")


DestinationConfig = Annotated[EmbeddedConfig | InitialStateConfig, Field(discriminator="type")]
