"""Which events of a stream are enough: by value (deadband, changed), by time (throttle), or one for an interval.

What an event's time is compared with are times of events. A clock is only asked, by `tick`, when no more events come:
an interval ends for a stream once as much time has passed as its own clock would have needed to reach the end.

What always holds, and tests/mapping/test_thinning.py checks:
- What passes is what came, or for `mean` and `count` made of one interval of it; never outside its least and most.
- Of one stream, intervals come out in order, and single events in the order in which they came.
- What does not pass by a deadband is no further from the last event that did than the deadband.
- Each event that is not kept is counted once, by reason; so what came = what passed + what was counted.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from heapq import heappop, heappush
from itertools import count, islice
from math import floor
from typing import Final, Generic, TypeAlias, TypeVar

from mqttbridge.config.thinning import Keep, Take, ThinConfig
from mqttbridge.events import EventTuple, Value

# Streams of one thinner that are remembered, about 100 MiB of them: names come from the network. Past it the older
# half is forgotten: open intervals end there, and of each stream the next event passes.
MAX_STREAMS: Final = 200_000
# Intervals of a stream that are open at once, beyond those that wait for late events: only wrong times open more.
_SPARE_INTERVALS: Final = 16

# What the caller wants to know again with an event that passes, such as where in the spool it stands.
Claim = TypeVar("Claim")
# An event with the claims of the first and the last that came of those that it stands for.
Passed: TypeAlias = list[tuple[EventTuple, Claim, Claim]]


class Thinned(StrEnum):
    """Why an event was not kept; also the metric's label."""

    DEADBAND = "thinned_deadband"
    CHANGED = "thinned_changed"  # it had not
    THROTTLE = "thinned_throttle"
    SAMPLE = "thinned_sample"  # it is part of the event of its interval
    LATE = "thinned_late"  # its interval was over
    REPEATED = "thinned_repeated"  # read again after a restart, and delivered before it


@dataclass(frozen=True, slots=True)
class Thinning:
    """One entry of `thin`, compiled.

    Attributes:
        pattern: of the streams' names.
        by_value: why an event is not kept that does not differ; None where it need not.
        band, fraction: by how much it has to differ, as a number and of the last value kept.
        at_least_every: seconds after which it need not.
        apart: seconds from the last event kept, at least; 0 for none.
        every: seconds of an interval; 0 for none.
        take: what an interval is worth.
        lateness: seconds that an interval waits for late events.
        interval: why an event is not kept when another one stands for its interval.
    """

    pattern: re.Pattern[str]
    by_value: Thinned | None = None
    band: float = 0.0
    fraction: float = 0.0
    at_least_every: float | None = None
    apart: float = 0.0
    every: float = 0.0
    take: Take = Take.LAST
    lateness: float = 0.0
    interval: Thinned = Thinned.SAMPLE


def compile_thinning(configs: Iterable[ThinConfig]) -> tuple[Thinning, ...]:
    """The entries of a `thin` section, in order."""
    return tuple(map(_compile, configs))


def _compile(config: ThinConfig) -> Thinning:
    by_value = Thinned.CHANGED if config.changed else Thinned.DEADBAND if config.by_value else None
    band, fraction = config.band
    apart = every = lateness = 0.0
    take, interval = Take.LAST, Thinned.THROTTLE
    if config.sample is not None:
        every, take, lateness = config.sample.every, config.sample.take, config.sample.lateness
        interval = Thinned.SAMPLE
    elif config.throttle is not None and config.throttle.keep is Keep.LAST:
        every, lateness = config.throttle.every, config.throttle.lateness
    elif config.throttle is not None:
        apart = config.throttle.every
    return Thinning(
        pattern=re.compile(translate(config.streams)),
        by_value=by_value,
        band=band,
        fraction=fraction,
        at_least_every=config.at_least_every,
        apart=apart,
        every=every,
        take=take,
        lateness=lateness,
        interval=interval,
    )


class Thinner(Generic[Claim]):
    """Thins the streams of one rule, or of one destination; for one thread.

    Args:
        thinnings: the entries; the first whose pattern matches a stream's name is the stream's.
        note_over: whether `take_over` is asked.
    """

    def __init__(self, thinnings: Sequence[Thinning], *, note_over: bool = False) -> None:
        self._thinnings = thinnings
        self._ledger = _Ledger[Claim](note_over=note_over)
        self._streams: dict[tuple[str, str], _Stream[Claim] | None] = {}
        self._due: list[tuple[float, int, _Stream[Claim]]] = []
        """A heap of the streams with open intervals, by when to look at them if no more events come."""
        self._numbers = count()

    @property
    def has_intervals(self) -> bool:
        """Whether there is anything that `tick` is needed for."""
        return any(thinning.every for thinning in self._thinnings)

    @property
    def oldest_claim(self) -> Claim | None:
        """The claim of the open interval that began first, None where none is open."""
        opened = self._ledger.opened
        return next(iter(opened)).claim if opened else None

    def offer(self, event: EventTuple, arrival: float, claim: Claim) -> Passed[Claim]:
        """The events that pass now that this one came: itself, or those of intervals that are over.

        Args:
            event: the next one, of any stream.
            arrival: when it came, in epoch seconds; never less than before.
            claim: given back with the event that it becomes part of, if it is the first or the last in there.
        """
        key = event[:2]
        try:
            stream = self._streams[key]
        except KeyError:
            if forgotten := self._meet(key):
                return [*forgotten, *self.offer(event, arrival, claim)]
            stream = self._streams[key]
        if stream is None:
            return [(event, claim, claim)]
        if not stream.thinning.every:
            return [(event, claim, claim)] if stream.admits(event[2], event[3]) else []
        passed = stream.collect(event, arrival, claim)
        if stream.is_open and not stream.is_scheduled:
            self._schedule(stream)
        return passed

    def tick(self, now: float) -> Passed[Claim]:
        """The events of intervals that are over although nothing more came.

        Args:
            now: epoch seconds, by the clock of the arrivals.
        """
        passed: Passed[Claim] = []
        while self._due and self._due[0][0] <= now:
            stream = heappop(self._due)[2]
            stream.is_scheduled = False
            passed += stream.advance(now)
            if stream.is_open:
                self._schedule(stream, not_before=now)
        return passed

    def flush(self) -> Passed[Claim]:
        """The events of all intervals as they are; what still comes for them is late."""
        passed: Passed[Claim] = []
        for _, _, stream in sorted(self._due):
            stream.is_scheduled = False
            passed += stream.close()
        self._due = []
        return passed

    def take_dropped(self) -> Counter[Thinned]:
        """How many events were not kept since the last call, by reason."""
        taken, self._ledger.dropped = self._ledger.dropped, Counter()
        return taken

    def take_over(self) -> list[tuple[Claim, Claim]]:
        """First and last claim of the intervals that are over since the last call, whether or not they passed."""
        over, self._ledger.over = self._ledger.over, None if self._ledger.over is None else []
        return over or []

    def _meet(self, key: tuple[str, str]) -> Passed[Claim]:
        """Remember a new stream. Returns the events of the intervals that end for want of room."""
        forgotten: Passed[Claim] = []
        if len(self._streams) >= MAX_STREAMS:
            for old in list(islice(self._streams, (MAX_STREAMS + 1) // 2)):
                if (stream := self._streams.pop(old)) is not None:
                    forgotten += stream.close()
        thinning = next((each for each in self._thinnings if each.pattern.fullmatch(key[1])), None)
        self._streams[key] = None if thinning is None else _Stream(thinning, self._ledger)
        return forgotten

    def _schedule(self, stream: _Stream[Claim], not_before: float = 0.0) -> None:
        stream.is_scheduled = True
        # A moment later than now, should rounding have it that it is due and not over yet.
        heappush(self._due, (max(stream.due, not_before + 1e-3), next(self._numbers), stream))


class _Ledger(Generic[Claim]):
    """What the streams of one thinner write down together.

    Attributes:
        dropped: events that were not kept.
        opened: the open intervals, in the order in which they began.
        over: first and last claims of those that are over; None where nobody asks.
    """

    __slots__ = ("dropped", "opened", "over")

    def __init__(self, *, note_over: bool) -> None:
        self.dropped: Counter[Thinned] = Counter()
        self.opened: OrderedDict[_Interval[Claim], None] = OrderedDict()
        self.over: list[tuple[Claim, Claim]] | None = [] if note_over else None

    def close(self, interval: _Interval[Claim]) -> None:
        del self.opened[interval]
        if self.over is not None:
            self.over.append((interval.claim, interval.last_claim))


class _Stream(Generic[Claim]):
    """What is remembered of one stream: the last event kept, and its open intervals by their number."""

    __slots__ = ("_intervals", "_kept_epoch", "_kept_value", "_ledger", "_mark", "_marked_at", "_over_below",
                 "is_scheduled", "thinning")  # fmt: skip

    def __init__(self, thinning: Thinning, ledger: _Ledger[Claim]) -> None:
        self.thinning = thinning
        self.is_scheduled = False
        self._ledger = ledger
        self._kept_value: Value | None = None
        self._kept_epoch = 0.0
        self._intervals: dict[int, _Interval[Claim]] | None = {} if thinning.every else None
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
        return True

    # --- one event an interval

    @property
    def _open(self) -> dict[int, _Interval[Claim]]:
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
            interval = intervals[number] = _Interval(event, claim)
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


class _Interval(Generic[Claim]):
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
