"""Which events of a stream are enough: by value (deadband, changed), by time (throttle), or one for an interval.

What always holds, and tests/mapping/test_thinner.py checks:
- What passes is what came, or for `mean` and `count` made of one interval of it; never outside its least and most.
- Of one stream, intervals come out in order, and single events in the order in which they came.
- What does not pass by a deadband is no further from the last event that did than the deadband.
- Each event that is not kept is counted once, by reason; so what came = what passed + what was counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count, islice
from typing import Final, Generic

from mqttbridge.events import EventTuple
from mqttbridge.mapping.memory import Memory
from mqttbridge.mapping.thinned_stream import Claim, Ledger, Passed, ThinnedStream
from mqttbridge.mapping.thinning import Thinned, Thinning

# Streams of one thinner that are remembered: their names come from the network. At 210 bytes for a deadband and 770
# with an open interval (CPython 3.11, names apart) they take 40 to 150 MiB. Past it the older half is forgotten: open
# intervals end there, and of each stream the next event passes.
MAX_STREAMS: Final = 200_000


class Thinner(Generic[Claim]):
    """Thins the streams of one rule, or of one destination; for one thread.

    Args:
        thinnings: the entries; the first whose pattern matches a stream's name is the stream's.
        note_over: whether `take_over` is asked.
        memory: keeps the last event of each stream across restarts, under the thinner's name.
        name: see there.
    """

    def __init__(
        self, thinnings: Sequence[Thinning], *, note_over: bool = False, memory: Memory | None = None, name: str = ""
    ) -> None:
        self._thinnings = thinnings
        self._ledger = Ledger[Claim](note_over=note_over, memory=memory, name=name)
        self._streams: dict[tuple[str, str], ThinnedStream[Claim] | None] = {}
        self._due: list[tuple[float, int, ThinnedStream[Claim]]] = []
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
                    stream.forget()
        thinning = next((each for each in self._thinnings if each.pattern.fullmatch(key[1])), None)
        self._streams[key] = None if thinning is None else ThinnedStream(thinning, self._ledger, key)
        return forgotten

    def _schedule(self, stream: ThinnedStream[Claim], not_before: float = 0.0) -> None:
        stream.is_scheduled = True
        # A moment later than now, should rounding have it that it is due and not over yet.
        heappush(self._due, (max(stream.due, not_before + 1e-3), next(self._numbers), stream))
