"""A destination's own thinning: what of the spool's rows goes into its window.

Nothing is lost by a restart, and no interval is made of a part of its events, though none of its state is saved but
one position, `settled`: before it, every event was delivered, by itself or as a part of another, or thinned out.

- `settled` is before the first event of the oldest open interval, and of every event on its way.
- The cursor is where the next process begins to read: before the first event of every interval that reaches across
  `settled`. So that process makes those intervals whole again, which at most repeats them. Of those that end before
  `settled` it may see a part only, but they were delivered, and it passes them over.

Only what a deadband compares with is forgotten, where that is older.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import Final

from mqttbridge.delivery.window import Pick, Window
from mqttbridge.events import Position
from mqttbridge.mapping.thinned_stream import Passed
from mqttbridge.mapping.thinner import Thinner
from mqttbridge.mapping.thinning import Thinned, Thinning
from mqttbridge.spool import Row, Spool

_KEY: Final = "thinned up to"


class Intake:
    """Between the spool's reader and the window of one destination; used by its uploader's thread.

    Args:
        thinnings: the destination's `thin`, compiled.
        destination: its name.
        spool: where `settled` is kept.
    """

    def __init__(self, thinnings: Sequence[Thinning], destination: str, spool: Spool) -> None:
        self._thinner: Thinner[Position] = Thinner(thinnings, note_over=True)
        self._spool, self._key = spool, f"{_KEY} {destination}"
        self._saved = self._settled = self._start = _parse(spool.meta(self._key))
        self._spans: list[tuple[Position, Position]] = []
        """A heap of the intervals that are over, by where their first and their last event stand."""
        self._repeated = 0
        self._units: dict[tuple[str, str], str] = {}
        self._rules: dict[tuple[str, str], str] = {}
        """Of rows none of whose events passed: the next one that does takes them along."""

    def take(self, row: Row, window: Window) -> None:
        """Put what passes of a row into the window."""
        passed: list[Pick] = []
        seq, offset = row.start
        for index, event in enumerate(row.events):
            # The commit's time stands for the arrival, so that reading a backlog comes to the same as live.
            found = self._thinner.offer(event, row.created, Position(seq, offset + index))
            if found:
                passed += self._picks(index, found)
        self._add(row, passed, window)

    def tick(self, now: float, window: Window) -> None:
        """Put the events of intervals that are over into the window. Only for when there are no more rows to read.

        Args:
            now: epoch seconds, read before it was found that there are none.
            window: what they go into.
        """
        if found := self._thinner.tick(now):
            moment = Row(created=now, events=[], units={}, start=window.tail, end=window.tail)
            self._add(moment, self._picks(0, found), window)

    def cursor(self, position: Position) -> Position:
        """Where the next process has to begin, once everything before the window's `position` is settled."""
        self._settled = max(self._start, position)
        spans = self._spans
        while spans and spans[0][1] < self._settled:
            heappop(spans)
        begin = min(position, self._settled)
        return min(begin, spans[0][0]) if spans else begin

    def save(self) -> None:
        """Keep `settled` for the next process: before the cursor moves, since with an older cursor it is right, too.

        Raises:
            SpoolError: the disk cannot take it now.
        """
        if self._settled != self._saved:
            self._spool.set_meta(self._key, f"{self._settled.seq} {self._settled.offset}")
            self._saved = self._settled

    def take_thinned(self) -> Counter[str]:
        """How many events were thinned out since the last call, by reason."""
        thinned: Counter[str] = Counter({str(reason): n for reason, n in self._thinner.take_dropped().items()})
        if self._repeated:
            thinned[Thinned.REPEATED], self._repeated = self._repeated, 0
        return thinned

    def _picks(self, index: int, passed: Passed[Position]) -> list[Pick]:
        picks: list[Pick] = []
        for event, first, last in passed:
            if last < self._start:
                self._repeated += 1
            else:
                picks.append((index, event, first))
        return picks

    def _add(self, row: Row, passed: list[Pick], window: Window) -> None:
        self._units |= row.units
        self._rules |= row.rules
        units: dict[tuple[str, str], str] = {}
        rules: dict[tuple[str, str], str] = {}
        if passed:
            units, self._units = self._units, units
            rules, self._rules = self._rules, rules
        for span in self._thinner.take_over():
            heappush(self._spans, span)
        window.add_thinned(replace(row, units=units, rules=rules), passed, self._thinner.oldest_claim)


def _parse(saved: str | None) -> Position:
    """The position as it was saved; the beginning where there is none."""
    try:
        seq, offset = map(int, (saved or "").split())
    except ValueError:
        return Position(0, 0)
    return Position(seq, offset)
