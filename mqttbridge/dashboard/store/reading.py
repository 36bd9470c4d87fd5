"""Answers from the spans: lines to draw, statistics, every point of a range.

A line of few points is read as it is. Of many, the chunks are read and M4 picks; beyond a certain number of chunks
the rollups take their place, and no point is touched. Points not sealed yet lie over the chunks: where both have a
point at one time, the newer one counts, so the answers are right before and after sealing alike.

Chunks pass through memory a few at a time, and a line is thinned while it gathers.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from itertools import islice, pairwise
from typing import Any, Final, NamedTuple

from mqttbridge.dashboard.store import chunks as sealed, codec
from mqttbridge.dashboard.store.catalogue import Series
from mqttbridge.dashboard.store.chunks import Chunk, numbers_of
from mqttbridge.dashboard.store.downsample import grid_width, m4
from mqttbridge.dashboard.store.model import MICROSECONDS, Column, Kind, Row, Statistics
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, Cell, coarser, fold, merged, virtual_points
from mqttbridge.dashboard.store.span import Span, View
from mqttbridge.dashboard.store.tail import Points, overlaid

# A text series is a log under its last value, not a chart: this many of the newest are shown.
MAX_TEXTS: Final = 200

# Of one answer: past it, each series gets fewer points rather than the browser more than it can hold.
MAX_VALUES: Final = 400_000

# How far back the beginning of the oldest text is looked for, in points.
LOOK_BACK: Final = 1000

# A line from more chunks than this is drawn from rollups: 200,000 points take some 30 ms to unpack and to thin.
RAW_CHUNKS: Final = 48
# So are the longest of many lines that have more together: half a second of a reader's thread.
RAW_POINTS: Final = 2_000_000

# Rollups by hour where a bucket of the grid holds at least two of them, else by minute.
HOURS_FROM: Final = 2 * HOUR

# Readings so close together are one burst, and this many pauses between bursts tell how often a stream speaks.
BURST: Final = 5 * MICROSECONDS
PAUSES: Final = 12
LEAST_PAUSES: Final = 3

# Points of a download in memory at a time, about.
BATCH: Final = 50_000

# Widths of statistics' cells, in microseconds: those people count in, each a multiple of what its rollups count in.
_SECOND: Final = MICROSECONDS
WIDTHS: Final = (
    *(step * power for power in (1, 10, 100, 1000, 10_000, 100_000) for step in (1, 2, 5)),
    *(step * _SECOND for step in (1, 2, 5, 10, 15, 30)),
    *(step * MINUTE for step in (1, 2, 5, 10, 15, 30)),
    *(step * HOUR for step in (1, 2, 3, 6, 12, 24, 7 * 24, 28 * 24, 364 * 24)),
)

# Enters the state of a span for some series; None where the span's file has gone.
Views = Callable[[ExitStack, Span, Collection[int]], View | None]


class _Look(NamedTuple):
    """A span as it stood when the question came, and which of its chunks lie in the window, by series."""

    view: View
    chunks: dict[int, list[Chunk]]


class Reader:
    """Reads series from spans, as long as the stack lasts.

    Args:
        spans: all of them, in order of time.
        view: how to look into one.
        floor: microseconds; what is older is past its retention, and not shown.
    """

    def __init__(self, stack: ExitStack, spans: Sequence[Span], view: Views, floor: int) -> None:
        self._stack, self._spans, self._view, self._floor = stack, spans, view, floor

    def lines(self, series: Sequence[Series], start: int, end: int, buckets: int) -> dict[str, Column]:
        """What `Store.points` gives, of a window in microseconds."""
        buckets = max(1, min(buckets, MAX_VALUES // (4 * max(1, len(series)))))
        width = grid_width(max(1, end - start), buckets)
        # Buckets that reach out of the window are whole, lest a point come and go at the edge as the window moves.
        aligned = max(start // width * width, self._floor)
        start = max(start, self._floor)
        lines = {one.id: Line(one, start, width, buckets) for one in series}
        views = self._views(lines, aligned, end)
        level, step = (HOUR, width // HOUR * HOUR) if width >= HOURS_FROM else (MINUTE, MINUTE)
        # Rollups by minute may be hardly fewer than the points, so they are no help with many lines.
        most = RAW_POINTS if level == HOUR else sys.maxsize
        wide = _wide(lines, views, aligned, end, most) if width >= MINUTE else set()
        for view in views:
            look = _look(view, wide, aligned, end, level)
            for id_ in wide:
                cells = _cells(look, id_, aligned, end, level, step)
                lines[id_].add(_split(p for p in virtual_points(cells) if aligned <= p[0] < end))
            look = _look(view, lines.keys() - wide, aligned, end)
            wanted = {
                id_: line.worth_reading(look.chunks.get(id_, [])) for id_, line in lines.items() if id_ not in wide
            }
            for id_, points, count in _thinned_pieces(look.view, wanted, aligned, end, lines):
                lines[id_].add(points, count)
        texts = {id_ for id_, line in lines.items() if line.kind is Kind.TEXT}
        before = self._before(lines.keys() - texts, aligned)
        # One connection a span for all texts: with one for each, a bucket of some hundred would use up our files.
        view_of = cache(lambda span: self._view(self._stack, span, texts))
        for id_, line in lines.items():
            line.begin(self._held_text(id_, line.edge, view_of) if id_ in texts else before.get(id_))
        return {one.key[1]: lines[one.id].column() for one in series}

    def statistics(self, series: Sequence[Series], start: int, end: int, buckets: int) -> dict[str, Statistics]:
        """What `Store.statistics` gives, of a window in microseconds."""
        width = next((width for width in WIDTHS if -(-(end - start) // width) <= max(1, buckets)), WIDTHS[-1])
        start, end = max(start // width * width, self._floor), -(-end // width) * width
        level = HOUR if width >= HOUR else min(MINUTE, width)
        ids = [one.id for one in series]
        looks = [_look(view, ids, start, end, level) for view in self._views(ids, start, end)]
        answer = {}
        for one in series:
            parts: list[Cell] = []
            for look in looks:
                level = HOUR if width >= HOUR else min(MINUTE, width)
                parts += _cells(look, one.id, start, end, level, width)
            cells = coarser(parts, width)
            columns: list[Any] = [list(column) for column in zip(*cells, strict=True)] or [[] for _ in Cell._fields]
            starts, counts, least, greatest, totals, _, firsts, _, lasts = columns
            answer[one.key[1]] = Statistics(width, one.unit, starts, counts, least, greatest, totals, firsts, lasts)
        return answer

    def rows(self, series: Sequence[Series], start: int, end: int) -> tuple[list[Row], int]:
        """Some points from `start` on in order of time, and the time from which to read on; `end` when it is done."""
        names = {one.id: one.key[1] for one in series}
        start = max(start, self._floor)
        for span in self._spans:
            if span.end <= start or span.start >= end:
                continue
            view = self._view(self._stack, span, names)
            if view is None:
                continue
            look = _look(view, names, start, min(end, span.end))
            until = _batch_end(look, start, min(end, span.end))
            if until is None:
                continue
            found = [
                (time, names[id_], value)
                for id_, points in _pieces(look.view, {id_: look.chunks.get(id_, []) for id_ in names}, start, until)
                for time, value in zip(*points, strict=True)
            ]
            found.sort(key=_time_and_stream)
            return found, until
        return [], end

    def newest_times(self, series: Sequence[Series]) -> dict[int, list[int]]:
        """Of each series the newest times, enough to tell how often it speaks if it has so many."""
        found: dict[int, list[int]] = {one.id: [] for one in series}
        for span in reversed(self._spans):
            lacking = [id_ for id_, times in found.items() if len(_pauses(times)) < PAUSES]
            view = self._view(self._stack, span, lacking) if lacking else None
            if view is None:
                continue
            for id_, (times, _) in view.tail.items():
                found[id_] = times + found[id_]
            lacking = [id_ for id_ in lacking if len(_pauses(found[id_])) < PAUSES]
            last = [chunks[-1] for chunks in sealed.newest_before(view.db, lacking, span.end).values()]
            for id_, times in sealed.load_times(view.db, last).items():
                found[id_] = sorted({*times, *found[id_]})
        return found

    def _views(self, ids: Collection[int], start: int, end: int) -> list[View]:
        within = (span for span in self._spans if span.start < end and span.end > start)
        views = (self._view(self._stack, span, ids) for span in within)
        return [view for view in views if view is not None]

    def _before(self, ids: Collection[int], edge: int) -> dict[int, tuple[int, Any]]:
        """Of each series the last point before a time."""
        found: dict[int, tuple[int, Any]] = {}
        for span in reversed(self._spans):
            if span.start >= edge or span.end <= self._floor:
                continue
            missing = [id_ for id_ in ids if id_ not in found]
            view = self._view(self._stack, span, missing) if missing else None
            if view is None:
                continue
            last = sealed.newest_before(view.db, missing, edge)
            for id_, points in _pieces(view, {id_: last.get(id_, []) for id_ in missing}, self._floor, edge):
                found[id_] = points[0][-1], points[1][-1]
        return found

    def _held_text(self, id_: int, edge: int, view_of: Callable[[Span], View | None]) -> list[tuple[int, Any]]:
        """Since when the text that held until `edge` did: its first point, after the other text's that proves it.

        A text that repeats for longer than we look back gives its last point: it was said before that.
        """
        held: tuple[int, Any] | None = None
        oldest: tuple[int, Any] | None = None
        for time, value in islice(self._backwards(id_, edge, view_of), LOOK_BACK + 1):
            if held is None or oldest is None:
                held = oldest = time, value
                if not isinstance(value, str):
                    return []
            elif value != held[1]:
                return [(time, value), oldest] if isinstance(value, str) else [held]
            else:
                oldest = time, value
        return [] if held is None else [held]

    def _backwards(self, id_: int, edge: int, view_of: Callable[[Span], View | None]) -> Iterator[tuple[int, Any]]:
        for span in reversed(self._spans):
            if span.start >= edge or span.end <= self._floor:
                continue
            view = view_of(span)
            if view is None:
                continue
            around = sealed.within(view.db, [id_], self._floor, edge).get(id_, [])
            after = edge
            while around:  # the newest chunk, with what of the tail lies in it and after it
                chunk = around.pop()
                for _, (times, values) in reversed(list(_pieces(view, {id_: [chunk]}, chunk.start, after))):
                    yield from zip(reversed(times), reversed(values), strict=True)
                after = chunk.start
            for _, (times, values) in _pieces(view, {id_: []}, self._floor, after):
                yield from zip(reversed(times), reversed(values), strict=True)


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
        times, values = _split(self._first)
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


def usual_interval(times: Sequence[int]) -> float | None:
    """Seconds between readings, as a rule, from ascending times; None if they say too little.

    The upper quartile of the last pauses: a device that reports many readings at once pauses between its bursts.
    """
    pauses = sorted(_pauses(times))
    return None if len(pauses) < LEAST_PAUSES else pauses[len(pauses) * 3 // 4] / MICROSECONDS


def still_usual(interval: float | None, since: int) -> bool:
    """Whether an interval holds until so many microseconds of readings later: until half of the pauses are others."""
    return since == 0 or (interval is not None and 0 <= since < interval * MICROSECONDS * PAUSES / 2)


def _pauses(times: Sequence[int]) -> list[int]:
    """The last pauses, from the newest time back, a burst a step."""
    bursts: list[int] = []
    at = len(times) - 1
    while at >= 0 and len(bursts) <= PAUSES:
        bursts.append(times[at])
        at = bisect_right(times, times[at] - BURST) - 1
    return [later - earlier for later, earlier in pairwise(bursts)]


def _wide(lines: dict[int, Line], views: Sequence[View], start: int, end: int, most: int) -> set[int]:
    """Series of too many points to read each of them, of all together more than `most` if need be."""
    counts: Counter[int] = Counter()
    narrow = {id_ for id_, line in lines.items() if line.kind is not Kind.TEXT}
    for view in views:
        if not narrow:
            break
        counts.update(sealed.points_within(view.db, narrow, start, end))
        narrow -= {id_ for id_, count in counts.items() if count > RAW_CHUNKS * sealed.FULL}
    bound = RAW_CHUNKS * sealed.FULL
    if counts.total() > most:
        bound = min(bound, most // len(counts))
    return {id_ for id_, count in counts.items() if count > bound}


def _look(view: View, ids: Collection[int], start: int, end: int, level: int = 0) -> _Look:
    """The chunks to read, of a window; by hour, those for which rollups do are left out."""
    if level == HOUR:
        tail = min((times[0] for times, _ in view.tail.values()), default=end)
        return _Look(view, sealed.not_hourly(view.db, ids, start, end, tail))
    return _Look(view, sealed.within(view.db, ids, start, end))


def _pieces(view: View, wanted: dict[int, list[Chunk]], start: int, end: int) -> Iterator[tuple[int, Points]]:
    """The points of each series between two times, in order of time; never an empty piece."""
    return ((id_, points) for id_, points, _ in _thinned_pieces(view, wanted, start, end, {}))


def _thinned_pieces(
    view: View, wanted: dict[int, list[Chunk]], start: int, end: int, lines: Mapping[int, Line]
) -> Iterator[tuple[int, Points, int]]:
    """Like `_pieces`; what `lines` need not have whole comes picked, beside how many points it was picked of."""
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


def _cells(  # noqa: PLR0917  # a question with all its bounds
    look: _Look, id_: int, start: int, end: int, level: int, step: int
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
        for _, points in _pieces(look.view, {id_: read}, start // level * level, end)
        for cell in fold(*numbers_of(*points), level)
    ]
    return merged(cells + folded, step) if folded else coarser(cells, step)


def _batch_end(look: _Look, start: int, end: int) -> int | None:
    """Until when to read for a batch of bounded size; None when there is nothing before `end`."""
    ends = sorted(
        [(chunk.end, chunk.points) for chunks in look.chunks.values() for chunk in chunks]
        + [(times[-1], len(times)) for times, _ in look.view.tail.values() if times[-1] >= start]
    )
    if not ends:
        return None
    first = min(
        [max(chunk.start, start) for chunks in look.chunks.values() for chunk in chunks]
        + [times[bisect_left(times, start)] for times, _ in look.view.tail.values() if times[-1] >= start]
    )
    if first >= end:
        return None
    until = min(ends[-1][0] + 1, end)
    if (count := _points_between(look, first, until)) <= BATCH:
        return end
    until = first + max(1, int((until - first) * BATCH / count))
    # Points come in bursts, too: one must not be in memory whole because little came before it.
    while until - first > 1 and (count := _points_between(look, first, until)) > 2 * BATCH:
        until = first + max(1, int((until - first) * BATCH / count))
    return until


def _points_between(look: _Look, start: int, end: int) -> float:
    """About how many points lie between two times: those of a chunk as if spread evenly over it."""
    within = (chunk for chunks in look.chunks.values() for chunk in chunks if chunk.start < end and chunk.end >= start)
    return sum(
        chunk.points * (min(chunk.end + 1, end) - max(chunk.start, start)) / (chunk.end + 1 - chunk.start)
        for chunk in within
    ) + sum(bisect_left(times, end) - bisect_left(times, start) for times, _ in look.view.tail.values())


def _split(points: Iterable[tuple[int, Any]]) -> Points:
    listed = list(points)
    return [time for time, _ in listed], [value for _, value in listed]


def _time_and_stream(row: Row) -> tuple[int, str]:
    return row[0], row[1]
