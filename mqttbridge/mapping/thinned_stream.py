"""What thinning remembers of one stream: the last event kept, and the intervals that are open.

All times are those of events, but for one question, whether an interval is over although nothing more came: it is once
as much time has passed as the stream's own clock would have needed to reach its end.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from math import floor
from typing import Final, Generic, TypeAlias, TypeVar

from pydantic_core import from_json, to_json

from mqttbridge.config.thinning import Take
from mqttbridge.events import EventTuple, Value
from mqttbridge.mapping.memory import Memory
from mqttbridge.mapping.thinning import Thinned, Thinning

# Intervals of a stream that are open at once, beyond those that wait for late events: only wrong times open more.
_SPARE_INTERVALS: Final = 16

# What the caller wants to know again with an event that passes, such as where in the spool it stands.
Claim = TypeVar("Claim")
# An event with the claims of the first and the last that came of those that it stands for.
Passed: TypeAlias = list[tuple[EventTuple, Claim, Claim]]


class Ledger(Generic[Claim]):
    """What the streams of one thinner write down together.

    Attributes:
        dropped: events that were not kept.
        opened: the open intervals, in the order in which they began.
        over: first and last claims of those that are over; None where nobody asks.
        memory: keeps each stream's last event kept across restarts; None where nobody does.
        name: what that is under there, before the stream's.
    """

    __slots__ = ("dropped", "memory", "name", "opened", "over")

    def __init__(self, *, note_over: bool, memory: Memory | None = None, name: str = "") -> None:
        self.memory, self.name = memory, name
        self.dropped: Counter[Thinned] = Counter()
        self.opened: OrderedDict[Interval[Claim], None] = OrderedDict()
        self.over: list[tuple[Claim, Claim]] | None = [] if note_over else None

    def close(self, interval: Interval[Claim]) -> None:
        del self.opened[interval]
        if self.over is not None:
            self.over.append((interval.claim, interval.last_claim))


class ThinnedStream(Generic[Claim]):
    """What is remembered of one stream: the last event kept, and its open intervals by their number."""

    __slots__ = ("_intervals", "_kept_epoch", "_kept_value", "_key", "_ledger", "_mark", "_marked_at", "_over_below",
                 "is_scheduled", "thinning")  # fmt: skip

    def __init__(self, thinning: Thinning, ledger: Ledger[Claim], key: tuple[str, str]) -> None:
        self.thinning, self._key = thinning, key
        self.is_scheduled = False
        self._ledger = ledger
        self._kept_value: Value | None = None
        self._kept_epoch = 0.0
        self._intervals: dict[int, Interval[Claim]] | None = {} if thinning.every else None
        if ledger.memory is not None and (kept := ledger.memory.recall(self._memory_key)):
            self._recall(kept)
        self._mark = self._marked_at = self._over_below = float("-inf")
        """How far the stream's own time has come, when that was, and below which number intervals are over."""

    # --- one event at a time

    def admits(self, value: Value, epoch: float) -> bool:
        """Whether an event is kept, after the last one that was."""
        kept, thinning = self._kept_value, self.thinning
        if kept is not None:
            # Either way round: a clock that was set back, or had been wrong, does not silence the stream.
            age = abs(epoch - self._kept_epoch)
            if age < thinning.apart:
                self._ledger.dropped[Thinned.THROTTLE] += 1
                return False
            if (
                thinning.by_value is not None
                and not _differs(value, kept, thinning)
                and (thinning.at_least_every is None or age < thinning.at_least_every)
            ):
                self._ledger.dropped[thinning.by_value] += 1
                return False
        self._kept_value, self._kept_epoch = value, epoch
        if self._ledger.memory is not None:
            self._ledger.memory.note(self._memory_key, self)
        return True

    @property
    def _memory_key(self) -> str:
        return "\n".join(("thin", self._ledger.name, *self._key))

    def remembered(self) -> str:
        """The last event kept, as JSON."""
        return to_json((self._kept_value, self._kept_epoch)).decode()

    def forget(self) -> None:
        """It is about to go."""
        if self._ledger.memory is not None:
            self._ledger.memory.freeze(self._memory_key)

    def _recall(self, kept: str) -> None:
        try:
            value, epoch = from_json(kept)
            self._kept_value, self._kept_epoch = value, float(epoch)
        except (ValueError, TypeError):
            self._kept_value = None  # not written by us, or not whole: as if nothing were known

    # --- one event an interval

    @property
    def _open(self) -> dict[int, Interval[Claim]]:
        return self._intervals if self._intervals is not None else {}

    @property
    def is_open(self) -> bool:
        return bool(self._intervals)

    @property
    def due(self) -> float:
        """When, by the clock of the arrivals, its oldest interval is over if nothing more comes."""
        end = (min(self._open) + 1) * self.thinning.every + self.thinning.lateness
        return self._marked_at + end - self._mark

    def collect(self, event: EventTuple, arrival: float, claim: Claim) -> Passed[Claim]:
        """Put an event into its interval. Returns the events of those that are over by it."""
        thinning, intervals, epoch = self.thinning, self._open, event[3]
        number = floor(epoch / thinning.every)
        if number < self._over_below:
            self._ledger.dropped[Thinned.LATE] += 1
            return []
        interval = intervals.get(number)
        if interval is None:
            interval = intervals[number] = Interval(event, claim)
            self._ledger.opened[interval] = None
        else:
            interval.add(event, claim)
        # A time that is still to come is no sign that the time before it has passed.
        mark = min(epoch, arrival)
        if mark > self._mark:
            self._mark, self._marked_at = mark, arrival
        return self._close_below(floor((self._mark - thinning.lateness) / thinning.every))

    def advance(self, now: float) -> Passed[Claim]:
        """The events of the intervals that are over at `now`, the stream's own time going on meanwhile."""
        mark = self._mark + max(0.0, now - self._marked_at)
        return self._close_below(floor((mark - self.thinning.lateness) / self.thinning.every))

    def close(self) -> Passed[Claim]:
        return self._close_below(max(self._open) + 1) if self._open else []

    def _close_below(self, number: int) -> Passed[Claim]:
        intervals, thinning = self._open, self.thinning
        room = _SPARE_INTERVALS + thinning.lateness / thinning.every
        if len(intervals) > room:
            number = max(number, min(intervals) + 1)
        if number <= self._over_below:
            return []
        self._over_below = number
        passed: Passed[Claim] = []
        for over in sorted(each for each in intervals if each < number):
            interval = intervals.pop(over)
            self._ledger.close(interval)
            self._ledger.dropped[thinning.interval] += interval.count - 1
            event = interval.event(thinning.take)
            if self.admits(event[2], event[3]):
                passed.append((event, interval.claim, interval.last_claim))
        return passed


class Interval(Generic[Claim]):
    """The events of one interval so far, and the claims of the first and the last that came."""

    __slots__ = ("_are_numbers", "_last", "_least", "_most", "_total", "claim", "count", "last_claim")

    def __init__(self, event: EventTuple, claim: Claim) -> None:
        self.claim = self.last_claim = claim
        self.count = 1
        self._last = self._least = self._most = event
        value = event[2]
        self._are_numbers = _is_number(value)
        self._total = float(value) if _is_number(value) else 0.0

    def add(self, event: EventTuple, claim: Claim) -> None:
        self.last_claim = claim
        self.count += 1
        value = event[2]
        if event[3] >= self._last[3]:
            self._last = event
        if not self._are_numbers:
            return
        if not _is_number(value):
            self._are_numbers = False
            return
        self._total += float(value)
        if value < self._least[2]:  # type: ignore[operator]  # all are numbers
            self._least = event
        elif value > self._most[2]:  # type: ignore[operator]
            self._most = event

    def event(self, take: Take) -> EventTuple:
        """The one event that stands for all of them; its time is that of one of them."""
        bucket, stream, _, epoch = self._last
        if take is Take.COUNT:
            return bucket, stream, self.count, epoch
        if take is Take.LAST or not self._are_numbers:
            return self._last
        if take is Take.MIN:
            return self._least
        if take is Take.MAX:
            return self._most
        least, most = float(self._least[2]), float(self._most[2])
        # The bounds are for rounding, and for totals beyond what a float can hold.
        return bucket, stream, min(max(self._total / self.count, least), most), epoch


def _is_number(value: Value) -> bool:
    return isinstance(value, (float, int)) and not isinstance(value, bool)


def _differs(value: Value, kept: Value, thinning: Thinning) -> bool:
    if isinstance(value, str) or isinstance(kept, str) or isinstance(value, bool) or isinstance(kept, bool):
        return type(value) is not type(kept) or value != kept
    return abs(value - kept) > (thinning.band or thinning.fraction * abs(kept))
