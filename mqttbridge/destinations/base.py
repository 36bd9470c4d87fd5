"""The one small protocol that every destination speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mqttbridge.delivery.settlement import Settlement
from mqttbridge.events import EventTuple, Position


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` requests in any `per` seconds, together with every destination of the same account.

    `account` tells accounts apart and is never shown: it is made from a key.
    """

    calls: int
    per: float
    account: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is full, how long one that is not may wait (seconds), and how often one may be sent."""

    max_events: int
    max_bytes: int
    max_wait: float
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One batch on its way to a destination.

    Attributes:
        events: in spool order; all of one bucket where the destination asks for that.
        units: units of streams met for the first time, by (bucket, stream).
        rules: the rules that made such streams, where some rule says how long its streams are kept.
        end: the spool position after the last event; meaningful only where `one_bucket` is false, since then
            batches are contiguous.
    """

    events: Sequence[EventTuple]
    end: Position
    units: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rules: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Destination(Protocol):
    """Where events go. Used by one thread, its uploader's; `open` and `close` frame all calls."""

    name: str
    limits: BatchLimits
    one_bucket: bool
    """Whether a batch may hold events of one bucket only."""

    def open(self) -> Position | None:
        """Make ready. Returns the destination's own durable cursor where it keeps one, else None.

        Never fails because a server is away: that is what `Kept` is for.
        """
        ...

    def send(self, delivery: Delivery) -> Settlement:
        """Try once to hand the batch over, by one request at most.

        Does not raise for what a server or network does.
        """
        ...

    def close(self) -> None:
        """Release what `open` took."""
        ...
