"""One series on its way to being drawn: its points gather here, and are thinned while they do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from mqttbridge.dashboard.store.bounds import MAX_TEXTS
from mqttbridge.dashboard.store.chunks import Chunk, numbers_of
from mqttbridge.dashboard.store.downsample import m4
from mqttbridge.dashboard.store.model import Column, Kind
from mqttbridge.dashboard.store.series import Series
from mqttbridge.dashboard.store.tail import Points


class Line:
    """One series' points while they gather: thinned by M4 once they are more than are shown as they are."""

    def __init__(self, series: Series, start: int, width: int, buckets: int) -> None:
        self.kind = series.kind
        self._unit, self._start, self._width = series.unit, start, width
        self._few = min(buckets, MAX_TEXTS) if self.kind is Kind.TEXT else 2 * buckets
        self._thin_at = 2 * self._few + 10_000
        self._inside = 0
        self._times: list[int] = []
        self._values: list[Any] = []
        self._first: list[tuple[int, Any]] = []

    @property
    def edge(self) -> int:
        """The time of the first point that is shown, or where the window begins."""
        self._cut_texts()
        return self._times[0] if self._times else self._start

    def worth_reading(self, chunks: list[Chunk]) -> list[Chunk]:
        """Of a span's chunks those that can change the line: for texts, the newest."""
        if self.kind is not Kind.TEXT:
            return chunks
        count, at = 0, len(chunks)
        while at and count < 8 * self._few:
            at -= 1
            count += chunks[at].points
        return chunks[at:]

    def picks_from(self, chunk: Chunk, end: int) -> int:
        """The width of the grid by which to pick from a chunk that is thinned anyway; 0: read it all."""
        alone = self.kind is Kind.NUMBER and chunk.points > self._few and self._start <= chunk.start and chunk.end < end
        return self._width if alone else 0

    def add(self, points: Points, picked_of: int = 0) -> None:
        """The next points in order of time; those of another kind are left out.

        Args:
            points: times and values.
            picked_of: how many there were, where the points are what was picked of them.
        """
        times, values = self._of_kind(*points)
        self._inside += picked_of or len(times) - bisect_left(times, self._start)
        self._times += times
        self._values += values
        if len(self._times) > self._thin_at:
            if self.kind is Kind.TEXT:
                self._cut_texts()
            elif self._inside > self._few:
                self._thin()
                self._thin_at = 2 * len(self._times) + 10_000

    def begin(self, before: tuple[int, Any] | list[tuple[int, Any]] | None) -> None:
        """Where the line comes from: a point before the window, or the text that held then."""
        if isinstance(before, list):
            self._first = before
        elif before is not None:
            times, values = self._of_kind([before[0]], [before[1]])
            self._first = list(zip(times, values, strict=True))

    def column(self) -> Column:
        if self.kind is Kind.TEXT:
            self._cut_texts()
        elif self._inside > self._few:
            self._thin()
        else:
            at = bisect_left(self._times, self._start)
            if at:  # between the edge of the grid and that of the window
                self._first = [(self._times[at - 1], self._values[at - 1])]
                del self._times[:at], self._values[:at]
        times, values = split(self._first)
        return Column(times + self._times, values + self._values, self.kind, self._unit)

    def _of_kind(self, times: list[int], values: list[Any]) -> Points:
        if self.kind is Kind.TEXT:
            kept = [n for n, value in enumerate(values) if isinstance(value, str)]
        elif self.kind is Kind.NUMBER:
            return numbers_of(times, values)
        else:
            kept = [n for n, value in enumerate(values) if value in (0, 1)]
            return [times[n] for n in kept], [bool(values[n]) for n in kept]
        return [times[n] for n in kept], [values[n] for n in kept]

    def _cut_texts(self) -> None:
        if self.kind is Kind.TEXT:
            start = max(bisect_left(self._times, self._start), len(self._times) - self._few)
            del self._times[:start], self._values[:start]

    def _thin(self) -> None:
        thinned = m4(Column(self._times, self._values, self.kind), self._width, ordered=True)
        self._times, self._values = thinned.times, thinned.values


def split(points: Iterable[tuple[int, Any]]) -> Points:
    """Points one by one as columns."""
    listed = list(points)
    return [time for time, _ in listed], [value for _, value in listed]
