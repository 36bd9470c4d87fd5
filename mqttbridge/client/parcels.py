"""What is sent in one request: events of one bucket, already as the Events API takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from mqttbridge.events import Value


class Bucket(NamedTuple):
    """One dashboard: its key, and the name that is shown."""

    key: str
    name: str


# bucket, stream, value, epoch in seconds: as `log` queues it, a plain tuple since it is made most often.
Logged = tuple[Bucket, str, Value, float]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Events of one bucket, oldest first.

    Attributes:
        bucket: whose they are.
        events: how many.
        body: a JSON array of `{"key", "value", "epoch"}`. It is made once, and kept and sent as it is.
    """

    bucket: Bucket
    events: int
    body: bytes = field(repr=False)

    @classmethod
    def pack(cls, events: Sequence[Logged]) -> Parcel:
        """Of queued events, at least one, all of one bucket."""
        body = to_json([{"key": stream, "value": value, "epoch": epoch} for _, stream, value, epoch in events])
        return cls(events[0][0], len(events), body)

    @classmethod
    def of(cls, bucket: Bucket, events: Sequence[Any]) -> Parcel:
        """Of events as the API has them."""
        return cls(bucket, len(events), to_json(events))

    def opened(self) -> list[Any]:
        """The events as the API has them."""
        return list(from_json(self.body))

    def halves(self) -> tuple[Parcel, Parcel]:
        """Two parcels of half the events each. There must be two events at least."""
        events = self.opened()
        middle = len(events) // 2
        return Parcel.of(self.bucket, events[:middle]), Parcel.of(self.bucket, events[middle:])
