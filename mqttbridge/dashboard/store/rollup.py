"""Rollups: what a minute or an hour holds of a series, so that a year is drawn without touching its points.

Every sealed chunk has rollups of its own points, written and deleted in the transaction that writes and deletes
the chunk, so they agree with their points by construction: after a crash, a late point, a duplicate, a deletion.
A cell that several chunks share is the combination of their parts, which is made when it is read; the chunks of a
series never overlap in time, so every column of a cell can be combined: sums add, the first is that of the
earlier part. Times are microseconds since 1970, and cells lie on an absolute grid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import isnan
from operator import sub
from typing import Any, Final, NamedTuple

from mqttbridge.dashboard.store import codec

MINUTE: Final = 60_000_000
HOUR: Final = 3_600_000_000

# With fewer points than this a cell, a rollup would be hardly smaller than its points: they are read instead.
LEAST_POINTS: Final = 4

# Totals end here: sums of the largest numbers are infinite, of infinities no number at all, and a file that takes
# neither would take nothing any more. What is added up further, by SQLite, stays finite, too.
MOST_TOTAL: Final = 1e300


class Cell(NamedTuple):
    """One cell of time that holds numbers: where it begins, how many, and when the first and the last of them were."""

    start: int
    points: int
    least: float
    greatest: float
    total: float
    first_at: int
    first: float
    last_at: int
    last: float


def fold(times: Sequence[int], numbers: Sequence[Any], width: int) -> list[Cell]:
    """The cells of points in ascending order of time."""
    cells = []
    at, count = 0, len(times)
    while at < count:
        start = times[at] // width * width
        end = bisect_left(times, start + width, at)
        inside = numbers[at:end]
        cells.append(
            Cell(
                start,
                end - at,
                min(inside),
                max(inside),
                _bounded(float(sum(inside))),
                times[at],
                inside[0],
                times[end - 1],
                inside[-1],
            )
        )
        at = end
    return cells


def coarser(cells: Iterable[Cell], width: int) -> list[Cell]:
    """Cells, ordered by their first point, combined into those of a multiple of their width."""
    combined: list[Cell] = []
    for cell in cells:
        start = cell.start // width * width
        if combined and combined[-1].start == start:
            combined[-1] = _both(combined[-1], cell)
        else:
            combined.append(cell if cell.start == start else cell._replace(start=start))
    return combined


def merged(parts: Iterable[Cell], width: int) -> list[Cell]:
    """Cells of any number of sources, in whatever order, combined."""
    return coarser(sorted(parts, key=lambda cell: (cell.start // width, cell.first_at)), width)


def pack(cells: Sequence[Cell], width: int) -> bytes:
    """Cells as bytes; times are kept as places inside the cell."""
    starts, counts, least, greatest, totals, first_at, firsts, last_at, lasts = zip(*cells, strict=True)
    numbers = [start // width for start in starts]
    columns = (
        numbers[0].to_bytes(8, "little", signed=True) + codec.pack_ints(list(map(sub, numbers[1:], numbers))),
        codec.pack_ints(counts),
        codec.pack_values(least),
        codec.pack_values(greatest),
        codec.pack_values(totals),
        codec.pack_ints(list(map(sub, first_at, starts))),
        codec.pack_values(firsts),
        codec.pack_ints(list(map(sub, last_at, starts))),
        codec.pack_values(lasts),
    )
    return b"".join(len(column).to_bytes(4, "little") + column for column in columns)


def unpack(data: bytes, width: int) -> list[Cell]:
    """What `pack` packed."""
    columns = list(_columns(data))
    numbers = accumulate(
        codec.unpack_ints(columns[0][8:]), initial=int.from_bytes(columns[0][:8], "little", signed=True)
    )
    starts = [number * width for number in numbers]
    return list(
        map(
            Cell,
            starts,
            codec.unpack_ints(columns[1]),
            *map(codec.unpack_values, columns[2:5]),
            map(int.__add__, starts, codec.unpack_ints(columns[5])),
            codec.unpack_values(columns[6]),
            map(int.__add__, starts, codec.unpack_ints(columns[7])),
            codec.unpack_values(columns[8]),
        )
    )


def virtual_points(cells: Iterable[Cell]) -> Iterator[tuple[int, float]]:
    """Points that draw like those a cell was made of: first and last where they were, the extremes between them."""
    for cell in cells:
        yield cell.first_at, cell.first
        if cell.points > 2:
            third = (cell.last_at - cell.first_at) // 3
            if third and cell.least != cell.greatest:
                yield cell.first_at + third, cell.least
                yield cell.last_at - third, cell.greatest
        if cell.last_at > cell.first_at:
            yield cell.last_at, cell.last


def _both(earlier: Cell, later: Cell) -> Cell:
    last = earlier if earlier.last_at > later.last_at else later
    return Cell(
        earlier.start,
        earlier.points + later.points,
        min(earlier.least, later.least),
        max(earlier.greatest, later.greatest),
        _bounded(earlier.total + later.total),
        earlier.first_at,
        earlier.first,
        last.last_at,
        last.last,
    )


def _bounded(total: float) -> float:
    if isnan(total):
        return 0.0
    return max(-MOST_TOTAL, min(total, MOST_TOTAL))


def _columns(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        yield data[at + 4 : end]
        at = end
