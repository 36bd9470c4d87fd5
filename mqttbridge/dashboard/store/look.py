"""What one look into a span shows: its sealed chunks, and over them the points that are not sealed yet.

Where both have a point at one time the newer one counts, so the answers are right before and after sealing alike.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from mqttbridge.dashboard.store import chunks as sealed, codec
from mqttbridge.dashboard.store.chunks import Chunk, numbers_of
from mqttbridge.dashboard.store.line import Line
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, Cell, coarser, fold, merged
from mqttbridge.dashboard.store.span import View
from mqttbridge.dashboard.store.tail import Points, overlaid


class Look(NamedTuple):
    """A span as it stood when the question came, and which of its chunks lie in the window, by series."""

    view: View
    chunks: dict[int, list[Chunk]]


def look_at(view: View, ids: Collection[int], start: int, end: int, level: int = 0) -> Look:
    """The chunks to read, of a window; by hour, those for which rollups do are left out."""
    if level == HOUR:
        tail = min((times[0] for times, _ in view.tail.values()), default=end)
        return Look(view, sealed.not_hourly(view.db, ids, start, end, tail))
    return Look(view, sealed.within(view.db, ids, start, end))


def pieces(view: View, wanted: dict[int, list[Chunk]], start: int, end: int) -> Iterator[tuple[int, Points]]:
    """The points of each series between two times, in order of time; never an empty piece."""
    return ((id_, points) for id_, points, _ in thinned_pieces(view, wanted, start, end, {}))


def thinned_pieces(
    view: View, wanted: dict[int, list[Chunk]], start: int, end: int, lines: Mapping[int, Line]
) -> Iterator[tuple[int, Points, int]]:
    """Like `pieces`; what `lines` need not have whole comes picked, beside how many points it was picked of."""
    loaded = sealed.load_packed(view.db, [chunk for chunks in wanted.values() for chunk in chunks])
    for id_, chunks in wanted.items():
        tail: Points = view.tail.get(id_, ([], []))
        line = lines.get(id_)
        at = 0
        for chunk in chunks:
            _, times, values = next(loaded)
            until = bisect_right(tail[0], chunk.end, at)
            width = 0 if line is None or until > at else line.picks_from(chunk, end)
            if width and (picked := sealed.picked(times, values, width)):
                yield id_, picked, chunk.points
                continue
            points: Points = codec.unpack_times(times), codec.unpack_values(values)
            if until > at:
                points = overlaid(points, (tail[0][at:until], tail[1][at:until]))
                at = until
            if clipped := _clipped(points, start, end):
                yield id_, clipped, 0
        if clipped := _clipped((tail[0][at:], tail[1][at:]), start, end):
            yield id_, clipped, 0


def _clipped(points: Points, start: int, end: int) -> Points | None:
    times, values = points
    if not times or times[-1] < start or times[0] >= end:
        return None
    if start <= times[0] and times[-1] < end:
        return points
    first, last = bisect_left(times, start), bisect_left(times, end)
    return (times[first:last], values[first:last]) if first < last else None


def cells_of(  # noqa: PLR0917  # a question with all its bounds
    look: Look, id_: int, start: int, end: int, level: int, step: int
) -> list[Cell]:
    """A series' cells: from rollups where they are right, else folded from the points. Of hours, cells of `step`."""
    tail = look.view.tail.get(id_, ([], []))[0]
    direct: list[Chunk] = []
    read: list[Chunk] = []
    for chunk in look.chunks.get(id_, ()):
        under_tail = bool(tail) and bisect_left(tail, chunk.start) < bisect_right(tail, chunk.end)
        stands = chunk.hourly if level == HOUR else chunk.minutely if level == MINUTE else False
        (direct if stands and not under_tail else read).append(chunk)
    cells: list[Cell] = []
    if level == HOUR:
        cells += sealed.hours(look.view.db, id_, start, end, step, read)
    elif direct:
        cells += (cell for cell in sealed.minutes(look.view.db, direct) if start <= cell.start < end)
    folded = [
        cell
        for _, points in pieces(look.view, {id_: read}, start // level * level, end)
        for cell in fold(*numbers_of(*points), level)
    ]
    return merged(cells + folded, step) if folded else coarser(cells, step)
