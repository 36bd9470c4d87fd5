"""A destination's own thinning: what of the spool's rows goes into its window.

Nothing is lost by a restart, and no state has to be saved: the cursor stays before the first event of the oldest open
interval, so the next process reads all of it again and comes to the same. Only what a deadband compares with is
forgotten: of each stream the first event passes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mqttbridge.delivery.window import Pick, Window
from mqttbridge.events import Position
from mqttbridge.mapping.thinning import Passed, Thinned, Thinner, Thinning
from mqttbridge.spool import Row


class Intake:
    """Between the spool's reader and the window of one destination; used by its uploader's thread.

    Args:
        thinnings: the destination's `thin`, compiled.
    """

    def __init__(self, thinnings: Sequence[Thinning]) -> None:
        self._thinner: Thinner[Position] = Thinner(thinnings)
        self._units: dict[tuple[str, str], str] = {}
        """Of rows none of whose events passed: the next one that does takes them along."""

    def take(self, row: Row, window: Window) -> None:
        """Put what passes of a row into the window."""
        passed: list[Pick] = []
        seq, offset = row.start
        for index, event in enumerate(row.events):
            # The commit's time stands for the arrival, so that reading a backlog comes to the same as live.
            of_event = self._thinner.offer(event, row.created, Position(seq, offset + index))
            passed += [(index, kept, claim) for kept, claim in of_event]
        self._add(row, passed, window)

    def tick(self, now: float, window: Window) -> None:
        """Put the events of intervals that are over into the window. Only for when there are no more rows to read.

        Args:
            now: epoch seconds, read before it was found that there are none.
            window: what they go into.
        """
        if passed := self._thinner.tick(now):
            self._add(_moment(now, window.tail), _after(passed), window)

    def take_thinned(self) -> Counter[Thinned]:
        """How many events were thinned out since the last call, by reason."""
        return self._thinner.take_dropped()

    def _add(self, row: Row, passed: list[Pick], window: Window) -> None:
        self._units |= row.units
        units: dict[tuple[str, str], str] = {}
        if passed:
            units, self._units = self._units, units
        window.add_thinned(replace(row, units=units), passed, self._thinner.oldest_claim)


def _after(passed: Passed[Position]) -> list[Pick]:
    return [(0, event, claim) for event, claim in passed]


def _moment(now: float, position: Position) -> Row:
    """A row of no events, at a time at which nothing was read."""
    return Row(created=now, events=[], units={}, start=position, end=position)
