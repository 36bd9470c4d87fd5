"""What streams held between two times: how many points, the least, mean and greatest value, the first and last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from mqttbridge.dashboard.raw.query import Range
from mqttbridge.dashboard.store import Kind, Statistics, Store
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.errors import StoreError
from mqttbridge.events import Value

# A reader's thread is not to be held for longer: others want it too.
MAX_SECONDS: Final = 5.0

# What is worth to be summed up by cells: of hours at least, and more than the two at the ends, which are read.
HOUR: Final = 3600 * MICROSECONDS
LEAST_CELLS: Final = 8


@dataclass(slots=True)
class Summary:
    """Of one stream. Booleans count as 0 and 1; `least`, `mean` and `greatest` are None without a number."""

    count: int = 0
    numbers: int = 0
    total: float = 0.0
    least: float | None = None
    greatest: float | None = None
    first: tuple[float, Value] | None = None
    last: tuple[float, Value] | None = None

    @property
    def mean(self) -> float | None:
        return self.total / self.numbers if self.numbers else None

    def add(self, epoch: float, value: Value) -> None:
        self.count += 1
        self.last = (epoch, value)
        if self.first is None:
            self.first = self.last
        if isinstance(value, str):
            return
        self.numbers += 1
        self.total += value
        self.least = value if self.least is None or value < self.least else self.least
        self.greatest = value if self.greatest is None or value > self.greatest else self.greatest

    def add_cells(self, cells: Statistics) -> None:
        """The cells between the first and the last; points are added before and after, so first and last are theirs."""
        inner = slice(1, -1)
        numbers = sum(cells.counts[inner])
        if not numbers:
            return
        self.count += numbers
        self.numbers += numbers
        self.total += sum(cells.sums[inner])
        least, greatest = min(cells.minima[inner]), max(cells.maxima[inner])
        self.least = least if self.least is None else min(self.least, least)
        self.greatest = greatest if self.greatest is None else max(self.greatest, greatest)


class TooMany(StoreError):  # noqa: N818  # a state of the store, like SpoolFull
    """There are more points than can be read in the time there is."""


def summaries(store: Store, asked: Range, clock: Callable[[], float] = time.monotonic) -> dict[str, Summary]:
    """One for each stream that has a point in the range, by name.

    From every point, so the figures are exact. In long ranges of numbers whole cells of the store's statistics stand
    for the points between the first hours and the last: exact as well, but texts among the numbers are not counted.

    Raises:
        StoreError: the store cannot be read now.
        TooMany: the range is too long.
    """
    found: dict[str, Summary] = {}
    deadline = clock() + MAX_SECONDS
    at_once: list[str] = []
    for stream in store.streams(asked.bucket):
        if asked.streams and stream.stream not in asked.streams:
            continue
        cells = None if stream.kind is Kind.TEXT else _cells(store, asked, stream.stream)
        if cells is None:
            at_once.append(stream.stream)
            continue
        summary = found[stream.stream] = Summary()
        first, last = _inner(cells)
        _add_rows(store, replace(asked, streams=(stream.stream,), before=first), found, clock, deadline)
        summary.add_cells(cells)
        _add_rows(store, replace(asked, streams=(stream.stream,), after=last), found, clock, deadline)
    if at_once:
        _add_rows(store, replace(asked, streams=tuple(at_once)), found, clock, deadline)
    return dict(sorted((stream, one) for stream, one in found.items() if one.count))


def _cells(store: Store, asked: Range, stream: str) -> Statistics | None:
    """What a stream's range holds, in cells of an hour at least; None where it is short enough to be read."""
    after, before, width = asked.after, asked.before, 0
    while True:
        cells = store.statistics(asked.bucket, [stream], after, before).get(stream)
        if cells is None or len(cells.starts) < LEAST_CELLS:
            if cells is None or not cells.starts or cells.width == width:
                return None
        elif cells.width < HOUR:
            return None
        elif cells.width == width or (after, before) == _around(cells, asked):
            return cells
        # An open end reaches far beyond the points; the cells of their own time are finer.
        width, (after, before) = cells.width, _around(cells, asked)


def _around(cells: Statistics, asked: Range) -> tuple[float, float]:
    first, last = cells.starts[0] / MICROSECONDS, (cells.starts[-1] + cells.width) / MICROSECONDS
    return max(asked.after, first), min(asked.before, last)


def _inner(cells: Statistics) -> tuple[float, float]:
    """Where the cells between the first and the last begin and end: those two may reach out of the range."""
    return (cells.starts[0] + cells.width) / MICROSECONDS, cells.starts[-1] / MICROSECONDS


def _add_rows(
    store: Store, asked: Range, found: dict[str, Summary], clock: Callable[[], float], deadline: float
) -> None:
    for batch in store.rows(asked.bucket, asked.streams, asked.after, asked.before):
        for at, stream, value in batch:
            summary = found.get(stream)
            if summary is None:
                summary = found[stream] = Summary()
            summary.add(at / MICROSECONDS, value)
        if clock() > deadline:
            raise TooMany("there are too many points between these times to sum up: choose a shorter range")
