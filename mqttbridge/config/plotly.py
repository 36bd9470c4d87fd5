"""The listener for programs that speak Plotly's streaming API."""

from __future__ import annotations

from pydantic import Field, field_validator

from mqttbridge.config.listen import host_and_port
from mqttbridge.config.quantities import MIB, MINUTE, Duration, Size
from mqttbridge.config.section import Section


class PlotlyConfig(Section):
    """The listener for programs that speak Plotly's streaming API. Who may stream: `mqttbridge token`."""

    listen: str | None = None
    """Address and port; null is off. Any address will do: every stream needs a token."""
    idle: Duration = Field(MINUTE, gt=0)
    """A stream that is silent for so long, heartbeats included, is ended with 408."""
    max_connections: int = Field(1000, ge=1, le=100_000)
    """Streams connected at once; past it the answer is 503."""
    max_line: Size = Field(1 * MIB, ge=1024, le=16 * MIB)
    """The longest line, such as one that overwrites a trace by lists."""

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str | None) -> str | None:
        return listen if listen is None else host_and_port(listen)
