"""Running totals, as meters send them, become their growth: `delta`, or `rate` for its growth in time.

A total that falls was reset to 0, or has wrapped where the rule says at what number it does. Nothing of the growth
is counted twice or lost: what comes late says nothing that the sample after it has not said already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from pydantic_core import from_json, to_json

from mqttbridge.mapping.room import Room

# A reading with its three numbers and its place among the others; the name is that of a field, and counted apart.
_READING_BYTES: Final = 280


class Reading(NamedTuple):
    """A total as it was at a time; what a counter remembers between two messages."""

    total: float | int
    epoch: float
    arrival: float


@dataclass(frozen=True, slots=True)
class CounterRule:
    """How a total's growth is worked out.

    Attributes:
        per: seconds that a rate is given in; None for the growth itself.
        wraps_at: the number that the total goes on from 0 at, if it does.
    """

    per: float | None = None
    wraps_at: int | None = None

    def growth(self, before: Reading | None, now: Reading) -> tuple[Reading, float | int | None]:
        """What to remember, and the growth since; no growth with the first sample and with a late one.

        A late sample is not newer than the one before it, and changes nothing. Where it was the one before that
        had the wrong time, one that is still to come, the arrivals count.
        """
        if before is None:
            return now, None
        elapsed = now.epoch - before.epoch
        if elapsed <= 0:
            if before.epoch <= now.arrival:
                return before, None
            elapsed = now.arrival - before.arrival
            if elapsed <= 0:
                return before, None
        grown = self._grown(before.total, now.total)
        return now, grown if self.per is None else grown / elapsed * self.per

    def _grown(self, before: float, now: float) -> float | int:
        if now >= before:
            return now - before
        if self.wraps_at is not None:
            wrapped = now + self.wraps_at - before
            # A counter that wraps comes from near its end to near its beginning; after a reset it comes from anywhere.
            if 0 <= wrapped <= self.wraps_at / 2:
                return wrapped
        return max(now, 0)


class Memory(Protocol):
    """Where readings are remembered from one sample to the next."""

    def last(self, field: str) -> Reading | None:
        """The reading before; None for a field that comes first."""

    def remember(self, readings: Mapping[str, Reading]) -> None:
        """Take these in place of those before."""


class Counters:
    """What the counters of one topic remember, by field.

    Args:
        room: what is remembered counts against it. Without room a field that is new is forgotten at once, and so
            makes no events.
        key: names them in the room's memory, across restarts.
    """

    __slots__ = ("_is_recalled", "_key", "_readings", "_room")

    def __init__(self, room: Room, key: str = "") -> None:
        self._readings: dict[str, Reading] = {}
        self._room, self._key = room, key
        self._is_recalled = False

    def last(self, field: str) -> Reading | None:
        """The reading before; None for a field that comes first."""
        if not self._is_recalled:
            self._recall()
        return self._readings.get(field)

    def remember(self, readings: Mapping[str, Reading]) -> None:
        """Take these in place of those before."""
        self._take(readings)
        self._room.memory.note(self._key, self)

    def remembered(self) -> str:
        """All readings as JSON."""
        return to_json(self._readings).decode()

    def forget(self) -> None:
        """Forget all of them and give their room back."""
        self._room.memory.freeze(self._key)
        self._room.left += sum(_READING_BYTES + len(field) for field in self._readings)
        self._readings, self._is_recalled = {}, False

    def _take(self, readings: Mapping[str, Reading]) -> None:
        for field, reading in readings.items():
            if field not in self._readings:
                if self._room.left <= 0:
                    continue
                self._room.left -= _READING_BYTES + len(field)
            self._readings[field] = reading

    def _recall(self) -> None:
        self._is_recalled = True
        if kept := self._room.memory.recall(self._key):
            try:
                self._take({field: Reading(*reading) for field, reading in from_json(kept).items()})
            except (ValueError, TypeError, AttributeError):
                self._readings = {}  # not written by us, or not whole: as if nothing were known


class Draft:
    """What counters are to remember of a message with several samples, all of which may still be rejected."""

    __slots__ = ("_counters", "_readings")

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._readings: dict[str, Reading] = {}

    def last(self, field: str) -> Reading | None:
        """As `Counters.last`, the samples of this message among them."""
        return self._readings.get(field) or self._counters.last(field)

    def remember(self, readings: Mapping[str, Reading]) -> None:
        """Take these in place of those before, for this message."""
        self._readings.update(readings)

    def settle(self) -> None:
        """Have the counters remember it."""
        self._counters.remember(self._readings)


class Drafts:
    """Drafts of all the counters that one message is about."""

    __slots__ = ("_drafts",)

    def __init__(self) -> None:
        self._drafts: dict[Counters, Draft] = {}

    def of(self, counters: Counters) -> Draft:
        """The draft of these counters, a new one at first."""
        draft = self._drafts.get(counters)
        if draft is None:
            draft = self._drafts[counters] = Draft(counters)
        return draft

    def settle(self) -> None:
        """Have all the counters remember theirs."""
        for draft in self._drafts.values():
            draft.settle()
