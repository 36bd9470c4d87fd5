"""M4 downsampling: of each bucket of time its first, least, greatest and last point.

A line chart drawn from them looks as if drawn from all points, once a bucket is a pixel or less: order and
spikes survive, which averages would flatten. Buckets lie on an absolute grid, `floor(time / width)`, and
widths are powers of two microseconds: the same window asked again a second later gives the same line, and
zooming in by two cuts every bucket exactly in half.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import gt
from typing import Any

from mqttbridge.dashboard.store.model import Column, Kind


def grid_width(span: int, buckets: int) -> int:
    """The grid's width in microseconds that cuts `span` into at most `buckets` (and more than half as many)."""
    wanted = max(1, -(-span // max(1, buckets)))
    return 1 << (wanted - 1).bit_length()


def m4(column: Column, width: int, *, ordered: bool = False) -> Column:
    """The first, least, greatest and last point of each bucket, in order of time; texts: the last alone.

    `ordered` says that the column is in order of time already.
    """
    times, values = column.times, column.values
    if not ordered and any(map(gt, times, times[1:])):
        order = sorted(range(len(times)), key=times.__getitem__)
        times, values = [times[i] for i in order], [values[i] for i in order]
    kept = _ends(times, width) if column.kind is Kind.TEXT else picks(times, values, width)
    return Column([times[i] for i in kept], [values[i] for i in kept], column.kind, column.unit)


def picks(times: Sequence[int], values: Sequence[Any], width: int, unit: int = 1) -> list[int]:
    """Which points M4 picks of numbers in ascending order of time, counted in so many microseconds.

    Picking again from what was picked of a column's parts gives what the whole column gives.
    """
    kept: list[int] = []
    start = 0
    for last in _ends(times, width, unit):
        inside = values[start : last + 1]
        least, greatest = inside.index(min(inside)), inside.index(max(inside))
        kept += sorted({start, start + least, start + greatest, last})
        start = last + 1
    return kept


def _ends(times: Sequence[int], width: int, unit: int = 1) -> list[int]:
    """The last point of each bucket."""
    ends: list[int] = []
    start, count = 0, len(times)
    while start < count:
        edge = (times[start] * unit // width + 1) * width
        start = bisect_left(times, -(-edge // unit), start)
        ends.append(start - 1)
    return ends
