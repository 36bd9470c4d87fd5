"""The events of one bucket that wait in line, and how many of them a batch takes."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from mqttbridge.destinations.base import BatchLimits
from mqttbridge.events import EventTuple, Position

# `{"key":"","value":,"epoch":1700000000.123456},` and the longest number.
_EVENT_OVERHEAD: Final = 48
_NUMBER: Final = 24


def approximate_size(event: EventTuple) -> int:
    """Bytes an event takes in a body of JSON, but for escapes; a destination checks the body it really made."""
    _, stream, value, _ = event
    size = _EVENT_OVERHEAD + (len(stream) if stream.isascii() else len(stream.encode()))
    if type(value) is not str:
        return size + _NUMBER
    return size + (len(value) if value.isascii() else len(value.encode()))


class Lane:
    """Events that wait in line; columns of the same length, oldest first."""

    __slots__ = ("bucket", "bytes", "claims", "created", "events", "indexes", "pieces", "sizes")

    def __init__(self, bucket: str | None) -> None:
        self.bucket = bucket
        self.events: list[EventTuple] = []
        self.indexes: list[int] = []
        self.created: list[float] = []
        self.sizes: list[int] = []
        self.claims: list[Position] = []
        """Where the first event stands that each one stands for; empty where nothing is thinned out."""
        self.bytes = 0
        self.pieces: list[int] = []
        """Sizes of the next parcels while a refused one is bisected, the next one last."""

    def __lt__(self, other: Lane) -> bool:
        return id(self) < id(other)  # where two heads have one index: any order will do

    def begins_at(self, index: int) -> bool:
        """Whether this is the index of its first event."""
        return bool(self.indexes) and self.indexes[0] == index

    def is_full(self, limits: BatchLimits) -> bool:
        """Whether it can fill a batch."""
        return bool(self.pieces) or len(self.events) >= limits.max_events or self.bytes >= limits.max_bytes

    def next_size(self, limits: BatchLimits) -> int:
        """How many events go into the next parcel."""
        if self.pieces:
            return self.pieces[-1]
        count = min(len(self.events), limits.max_events)
        if self.bytes > limits.max_bytes:
            running = list(accumulate(self.sizes[:count]))
            count = max(1, bisect_right(running, limits.max_bytes))  # an event beyond it goes alone
        return count

    def drop(self, count: int) -> int:
        """Forget the first `count` events. Returns their bytes."""
        freed = sum(self.sizes[:count])
        for column in (self.events, self.indexes, self.created, self.sizes, self.claims):
            del column[:count]
        self.bytes -= freed
        return freed
