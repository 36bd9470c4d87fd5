"""Answers from the spans: lines to draw, statistics, every point of a range.

A line of few points is read as it is. Of many, the chunks are read and M4 picks; beyond a certain number of chunks
the rollups take their place, and no point is touched. Chunks pass through memory a few at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, Final

from mqttbridge.dashboard.store import chunks as sealed
from mqttbridge.dashboard.store.batches import batch_end
from mqttbridge.dashboard.store.bounds import HOURS_FROM, MAX_VALUES, cell_width
from mqttbridge.dashboard.store.downsample import grid_width
from mqttbridge.dashboard.store.intervals import PAUSES, pauses
from mqttbridge.dashboard.store.line import Line, split
from mqttbridge.dashboard.store.look import cells_of, look_at, pieces, thinned_pieces
from mqttbridge.dashboard.store.model import Column, Kind, Row, Statistics
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, Cell, coarser, virtual_points
from mqttbridge.dashboard.store.series import Series
from mqttbridge.dashboard.store.span import Span, View
from mqttbridge.dashboard.store.texts import held_text

# A line from more chunks than this is drawn from rollups: 200,000 points take some 30 ms to unpack and to thin.
RAW_CHUNKS: Final = 48
# So are the longest of many lines that have more together, by hour: half a second of a reader's thread.
RAW_POINTS: Final = 2_000_000


# Enters the state of a span for some series; None where the span's file has gone.
Views = Callable[[ExitStack, Span, Collection[int]], View | None]


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
        counts = _counts(lines, views, aligned, end) if width >= MINUTE else Counter()
        # Rollups by minute may be hardly fewer than the points, so they are no help with many lines.
        many = width >= HOUR and sum(count for count in counts.values() if count <= _most()) > RAW_POINTS
        wide = {id_ for id_, count in counts.items() if count > (RAW_POINTS // len(counts) if many else _most())}
        level, step = (HOUR, width // HOUR * HOUR) if many or width >= HOURS_FROM else (MINUTE, MINUTE)
        for view in views:
            look = look_at(view, wide, aligned, end, level)
            for id_ in wide:
                cells = cells_of(look, id_, aligned, end, level, step)
                lines[id_].add(split(p for p in virtual_points(cells) if aligned <= p[0] < end))
            look = look_at(view, lines.keys() - wide, aligned, end)
            wanted = {
                id_: line.worth_reading(look.chunks.get(id_, [])) for id_, line in lines.items() if id_ not in wide
            }
            for id_, points, count in thinned_pieces(look.view, wanted, aligned, end, lines):
                lines[id_].add(points, count)
        texts = {id_ for id_, line in lines.items() if line.kind is Kind.TEXT}
        before = self._before(lines.keys() - texts, aligned)
        # One connection a span for all texts: with one for each, a bucket of some hundred would use up our files.
        view_of = cache(lambda span: self._view(self._stack, span, texts))
        for id_, line in lines.items():
            line.begin(held_text(self._backwards(id_, line.edge, view_of)) if id_ in texts else before.get(id_))
        return {one.key[1]: lines[one.id].column() for one in series}

    def statistics(self, series: Sequence[Series], start: int, end: int, buckets: int) -> dict[str, Statistics]:
        """What `Store.statistics` gives, of a window in microseconds."""
        width = cell_width(end - start, buckets)
        start, end = max(start // width * width, self._floor), -(-end // width) * width
        level = HOUR if width >= HOUR else min(MINUTE, width)
        ids = [one.id for one in series]
        looks = [look_at(view, ids, start, end, level) for view in self._views(ids, start, end)]
        answer = {}
        for one in series:
            parts: list[Cell] = []
            for look in looks:
                level = HOUR if width >= HOUR else min(MINUTE, width)
                parts += cells_of(look, one.id, start, end, level, width)
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
            look = look_at(view, names, start, min(end, span.end))
            until = batch_end(look, start, min(end, span.end))
            if until is None:
                continue
            wanted = {id_: [one for one in look.chunks.get(id_, ()) if one.start < until] for id_ in names}
            found = [
                (time, names[id_], value)
                for id_, points in pieces(look.view, wanted, start, until)
                for time, value in zip(*points, strict=True)
            ]
            found.sort(key=_time_and_stream)
            return found, until
        return [], end

    def newest_times(self, series: Sequence[Series]) -> dict[int, list[int]]:
        """Of each series the newest times, enough to tell how often it speaks if it has so many."""
        found: dict[int, list[int]] = {one.id: [] for one in series}
        for span in reversed(self._spans):
            lacking = [id_ for id_, times in found.items() if len(pauses(times)) < PAUSES]
            view = self._view(self._stack, span, lacking) if lacking else None
            if view is None:
                continue
            for id_, (times, _) in view.tail.items():
                found[id_] = times + found[id_]
            lacking = [id_ for id_ in lacking if len(pauses(found[id_])) < PAUSES]
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
            for id_, points in pieces(view, {id_: last.get(id_, []) for id_ in missing}, self._floor, edge):
                found[id_] = points[0][-1], points[1][-1]
        return found

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
                for _, (times, values) in reversed(list(pieces(view, {id_: [chunk]}, chunk.start, after))):
                    yield from zip(reversed(times), reversed(values), strict=True)
                after = chunk.start
            for _, (times, values) in pieces(view, {id_: []}, self._floor, after):
                yield from zip(reversed(times), reversed(values), strict=True)


def _counts(lines: dict[int, Line], views: Sequence[View], start: int, end: int) -> Counter[int]:
    """How many points there are of each series but texts, or more than are read of any."""
    counts: Counter[int] = Counter()
    narrow = {id_ for id_, line in lines.items() if line.kind is not Kind.TEXT}
    for view in views:
        if not narrow:
            break
        counts.update(sealed.points_within(view.db, narrow, start, end))
        narrow -= {id_ for id_, count in counts.items() if count > _most()}
    return counts


def _most() -> int:
    return RAW_CHUNKS * sealed.FULL


def _time_and_stream(row: Row) -> tuple[int, str]:
    return row[0], row[1]
