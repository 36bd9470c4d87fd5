"""Streams side by side: rows by time, a column a stream. Pure.

A message's values have one time, but streams of several devices have not: a row holds, for each column, the newest
value known by its time, so that lines have no holes; or, unfilled, nothing where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mqttbridge.client.live.points import Column

Cell: TypeAlias = float | str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in order of time.

    Attributes:
        times: microseconds since 1970, each once.
        columns: by name, as many cells as times: numbers (a boolean is 1.0 or 0.0) or texts, None for nothing.
    """

    times: Sequence[int]
    columns: Mapping[str, Sequence[Cell]]


class Sheet:
    """The rows that one who looks on has, or rather their end: what comes next goes on from there.

    Args:
        columns: name of a column -> stream.
        backlog: how many rows are kept.
        fill: whether a row holds what was known by its time, or only what has its very time.
    """

    def __init__(self, columns: Mapping[str, str], backlog: int, *, fill: bool) -> None:
        self._columns, self._backlog, self._fill = dict(columns), backlog, fill
        self._last: int | None = None
        self._held: dict[str, Cell] = dict.fromkeys(columns)

    def begin(self, streams: Mapping[str, Iterable[Column]]) -> Rows:
        """All rows, made of all points there are."""
        self._last, self._held = None, dict.fromkeys(self._columns)
        return self._rows(streams)

    def append(self, streams: Mapping[str, Iterable[Column]]) -> Rows | None:
        """The rows that come after those there are; None when some do not: then begin anew."""
        first = min((part.times[0] for parts in streams.values() for part in parts), default=None)
        if first is not None and self._last is not None and first <= self._last:
            return None
        return self._rows(streams)

    def _rows(self, streams: Mapping[str, Iterable[Column]]) -> Rows:
        cells = {
            name: {
                time: _cell(value)
                for part in streams.get(stream, ())
                for time, value in zip(part.times, part.values, strict=True)
            }
            for name, stream in self._columns.items()
        }
        times = sorted(set().union(*cells.values()))
        columns = {name: self._column(name, known, times) for name, known in cells.items()}
        if times:
            self._last = times[-1]
        return Rows(times[-self._backlog :], {name: column[-self._backlog :] for name, column in columns.items()})

    def _column(self, name: str, known: Mapping[int, Cell], times: Iterable[int]) -> list[Cell]:
        if not self._fill:
            return [known.get(time) for time in times]
        column, held = [], self._held[name]
        for time in times:
            held = known.get(time, held)
            column.append(held)
        self._held[name] = held
        return column


def _cell(value: float | str) -> Cell:
    return value if isinstance(value, str) else float(value)
