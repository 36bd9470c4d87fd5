"""The embedded server."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from mqttbridge.config.listen import address_in, host_and_port
from mqttbridge.config.origins import checked_network, checked_origin
from mqttbridge.config.quantities import DAY, Duration
from mqttbridge.config.section import Section


class HttpLimitsConfig(Section):
    """What each write key may send; without keys, all who write together. Off where it is null."""

    calls: int | None = Field(None, ge=1)
    """Requests in each window of `per`; the next is answered with 429 and `Retry-After`."""
    per: Duration = Field(10.0, ge=1)
    """How long a window of `calls` is."""
    reads: int | None = Field(None, ge=1)
    """Requests to the Read API in each minute; the next is answered with 429 and `Retry-After`."""
    events: int | None = Field(None, ge=1)
    """Events in each `period`; what goes beyond is answered with 402."""
    period: Duration = Field(30 * DAY, ge=1)
    """A period begins with the first event after the last one."""


class HttpConfig(Section):
    """The embedded server: page, Events API, metrics, health."""

    enabled: bool = True
    """Whether there is a server at all."""
    listen: str = "127.0.0.1:8080"
    """Address and port. On any address but loopback everybody needs a key."""
    write_keys: tuple[SecretStr, ...] = ()
    """Access keys that may send events and change everything. Loopback needs none."""
    view_tokens: tuple[SecretStr, ...] = ()
    """Tokens that may read. The write keys read, too."""
    embed_origins: tuple[str, ...] = ()
    """Sites whose pages may show a shared board in a frame."""
    image_origins: tuple[str, ...] = ()
    """Sites whose images the page may show."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses of reverse proxies whose X-Forwarded-For is believed."""
    publish_topics: tuple[str, ...] = ()
    """Topics that controls on the dashboard may publish to, as MQTT filters; default: none."""
    max_viewers: int = Field(200, ge=1)
    """Browsers connected to the live stream at once; past it the answer is 503."""
    limits: HttpLimitsConfig = HttpLimitsConfig()

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        return host_and_port(listen)

    @field_validator("embed_origins", "image_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_origin(origin) for origin in origins)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(checked_network(network) for network in networks)

    @field_validator("publish_topics")
    @classmethod
    def _filters(cls, filters: tuple[str, ...]) -> tuple[str, ...]:
        for one in filters:
            *first, last = one.split("/")
            if not one or "#" in "/".join(first) or (last not in ("#", "+") and {"#", "+"} & set(last)):
                raise ValueError(f"expected a topic or an MQTT filter such as home/+/set (got {one!r})")
            if any("+" in level and level != "+" for level in first):
                raise ValueError(f"'+' must be a whole level (got {one!r})")
        return filters

    @property
    def address(self) -> tuple[str, int]:
        """Host (without brackets) and port."""
        return address_in(self.listen)
