"""What is known of one bucket and of one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mqttbridge.dashboard.store.model import Kind, StreamKey
from mqttbridge.events import Value

NEVER: Final = -(2**63)


@dataclass(slots=True)
class Series:
    """One stream.

    Attributes:
        newest: the time of its newest value in microseconds, NEVER before the first.
        rule: what makes it, as far as told.
        interval, interval_at: its usual seconds between readings, and which value was the newest when that was found.
    """

    id: int
    key: StreamKey
    unit: str
    kind: Kind = Kind.NUMBER
    newest: int = NEVER
    value: Value = 0
    rule: str = ""
    interval: float | None = None
    interval_at: int = NEVER


@dataclass(slots=True)
class Bucket:
    """One bucket with its streams by name; `tags` is None until somebody creates it."""

    name: str | None = None
    tags: tuple[str, ...] | None = None
    streams: dict[str, Series] = field(default_factory=dict)
