"""Answers from the tables: lines to draw, statistics, every point of a range.

Points are thinned by the database, which has them at hand: M4 in one pass over a window's points, as ../downsample.py
does it. Of a window with too many of them the rollups are read. A question of many series is one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mqttbridge.dashboard.store.bounds import BATCH, HOURS_FROM, LOOK_BACK, MAX_TEXTS, MAX_VALUES, cell_width
from mqttbridge.dashboard.store.downsample import grid_width, m4
from mqttbridge.dashboard.store.intervals import BURST, PAUSES
from mqttbridge.dashboard.store.model import Column, Kind, Row, Statistics
from mqttbridge.dashboard.store.postgres.catalogue import Series
from mqttbridge.dashboard.store.postgres.connections import Db
from mqttbridge.dashboard.store.postgres.values import raised
from mqttbridge.dashboard.store.postgres.writing import floored, total
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, Cell, virtual_points
from mqttbridge.dashboard.store.texts import held_text
from mqttbridge.events import Value

# A line of more points than this is drawn from rollups: so many take some 20 ms to thin.
RAW_POINTS: Final = 50_000

_Point = tuple[int, Value]


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for: times in microseconds, how many buckets to cut them into, and since when points are shown."""

    start: int
    end: int
    buckets: int
    floor: int


# The points of each of some series that a rest of SQL chooses, in its order. `edge` is a time for each of them.
_EACH: Final = """
    SELECT s.id, p.at, p.kind, p.number, p.whole, p.said
    FROM unnest(%(ids)s::integer[], %(edges)s::bigint[]) AS s(id, edge)
    CROSS JOIN LATERAL (SELECT * FROM points WHERE series = s.id AND {}) AS p"""
_BEFORE: Final = "at < s.edge AND at >= %(floor)s ORDER BY at DESC LIMIT %(most)s"

# Of each bucket of time when its first, last, least and greatest point were. `bits` is the width's logarithm; inside a
# bucket a time is small enough for a double, so that the pair of value and time can be compared at once.
_M4: Final = """
    WITH cells AS (
        SELECT series, at >> %(bits)s AS cell, min(at) AS first, max(at) AS last,
            min(ARRAY[number, at & %(mask)s]) AS least, max(ARRAY[number, -(at & %(mask)s)]) AS greatest
        FROM points WHERE series = ANY(%(ids)s) AND at >= %(start)s AND at < %(end)s AND {kinds}
        GROUP BY series, cell),
    picked AS (
        SELECT series, first AS at FROM cells UNION SELECT series, last FROM cells
        UNION SELECT series, (cell << %(bits)s) + least[2]::bigint FROM cells
        UNION SELECT series, (cell << %(bits)s) - greatest[2]::bigint FROM cells)
    SELECT p.series, p.at, p.kind, p.number, p.whole, p.said FROM picked
    JOIN points p ON p.series = picked.series AND p.at = picked.at AND p.at >= %(start)s AND p.at < %(end)s
    ORDER BY p.series, p.at"""


def lines(db: Db, series: Sequence[Series], window: Window) -> dict[str, Column]:
    """What `Store.points` gives."""
    buckets = max(1, min(window.buckets, MAX_VALUES // (4 * max(1, len(series)))))
    window = replace(window, buckets=buckets)
    shown = _texts(db, [one.id for one in series if one.kind is Kind.TEXT], window)
    for kind in (Kind.NUMBER, Kind.BOOLEAN):
        shown |= _numbers(db, [one.id for one in series if one.kind is kind], kind, window)
    return {one.stream: _column(shown[one.id], one) for one in series}


def statistics(db: Db, series: Sequence[Series], window: Window) -> dict[str, Statistics]:
    """What `Store.statistics` gives."""
    width = cell_width(window.end - window.start, window.buckets)
    start, end = max(window.start // width * width, window.floor), -(-window.end // width) * width
    answer = {one.stream: Statistics(width, one.unit) for one in series}
    names = {one.id: one.stream for one in series}
    for id_, cell in _cells(db, list(names), start, end, width):
        one = answer[names[id_]]
        one.starts.append(cell.start)
        one.counts.append(cell.points)
        one.minima.append(cell.least)
        one.maxima.append(cell.greatest)
        one.sums.append(cell.total)
        one.firsts.append(cell.first)
        one.lasts.append(cell.last)
    return answer


def rows(db: Db, series: Sequence[Series], start: int, end: int, step: int) -> tuple[list[Row], int, int]:
    """Some points from `start` on in order of time, the time from which to read on, and how far to look then.

    The times are microseconds; `end` when it is done.
    """
    names = {one.id: one.stream for one in series}
    next_ones = _each(db, "at >= s.edge AND at < %(end)s ORDER BY at LIMIT 1", _of(names, start, end))
    first = min((points[0][0] for points in next_ones.values() if points), default=end)
    if first >= end:
        return [], end, step
    while True:
        until = min(first + step, end)
        found = db.execute(
            "SELECT at, series, kind, number, whole, said FROM points"
            " WHERE series = ANY(%(ids)s) AND at >= %(start)s AND at < %(end)s LIMIT %(most)s",
            _of(names, first, until) | {"most": 2 * BATCH},
            binary=True,
        ).fetchall()
        if len(found) < 2 * BATCH or step == 1:
            break
        step = max(1, step // 4)
    listed = [(at, names[id_], raised(*value)) for at, id_, *value in found]
    listed.sort(key=lambda row: row[:2])
    return listed, until, step * 2 if len(found) < BATCH // 2 else step


def bursts(db: Db, ids: Collection[int], floor: int) -> dict[int, list[int]]:
    """Of each series when its newest bursts of readings ended, in order of time: enough to tell how often it speaks."""
    found = db.execute(
        """WITH RECURSIVE burst (series, at, n) AS (
            SELECT id, newest, 0 FROM series WHERE id = ANY(%(ids)s) AND newest >= %(floor)s
            UNION ALL
            SELECT series, (SELECT p.at FROM points p WHERE p.series = burst.series AND p.at >= %(floor)s
                AND p.at <= burst.at - %(pause)s ORDER BY p.at DESC LIMIT 1), n + 1
            FROM burst WHERE at NOTNULL AND n <= %(most)s)
        SELECT series, array_agg(at ORDER BY at) FROM burst WHERE at NOTNULL GROUP BY series""",
        {"ids": list(ids), "floor": floor, "pause": BURST, "most": PAUSES},
    ).fetchall()
    return dict(found)


def _numbers(db: Db, ids: Collection[int], kind: Kind, window: Window) -> dict[int, list[_Point]]:
    """Lines of numbers or booleans: few points as they are, many thinned, very many from rollups."""
    if not ids:
        return {}
    start, end = max(window.start, window.floor), window.end
    width = grid_width(max(1, end - start), window.buckets)
    # Buckets that reach out of the window are whole, lest a point come and go at the edge as the window moves.
    aligned = max(window.start // width * width, window.floor)
    kinds = "kind < 3 AND number IN (0, 1)" if kind is Kind.BOOLEAN else "kind < 3"
    many = _beyond(db, ids, kinds, start, end, 2 * window.buckets)
    wide = _wide(db, many, aligned, end) if many and width >= MINUTE and kind is Kind.NUMBER else []
    given = {"ids": list(ids), "edges": [aligned if id_ in many else start for id_ in ids], "floor": window.floor}
    found = _each(db, _BEFORE, given | {"most": 1})
    few = [id_ for id_ in ids if id_ not in many]
    for id_, points in _each(
        db, f"at >= s.edge AND at < %(end)s AND {kinds} ORDER BY at", _of(few, start, end)
    ).items():
        found[id_] += points
    dense = [id_ for id_ in many if id_ not in wide]
    bits = width.bit_length() - 1
    question = _M4.format(kinds=kinds)
    for id_, points in _fetch(db, question, _of(dense, aligned, end) | {"bits": bits, "mask": width - 1}).items():
        found[id_] += points
    found = {id_: _as(kind, points) for id_, points in found.items()}
    step = width // HOUR * HOUR if width >= HOURS_FROM else MINUTE
    drawn: dict[int, Column] = {id_: Column([], [], kind) for id_ in wide}
    for id_, cell in _cells(db, wide, aligned, end, step):
        for at, value in virtual_points([cell]):
            if aligned <= at < end:
                drawn[id_].times.append(at)
                drawn[id_].values.append(value)
    for id_, column in drawn.items():
        thinned = m4(column, width, ordered=True)
        found[id_] += zip(thinned.times, thinned.values, strict=True)
    return found


def _beyond(  # noqa: PLR0917  # a question with all its bounds
    db: Db, ids: Collection[int], kinds: str, start: int, end: int, few: int
) -> list[int]:
    """Series of more points than a few."""
    found = db.execute(
        "SELECT s.id FROM unnest(%(ids)s::integer[]) AS s(id) CROSS JOIN LATERAL (SELECT count(*) FROM (SELECT FROM"
        f" points WHERE series = s.id AND at >= %(start)s AND at < %(end)s AND {kinds} LIMIT %(most)s) AS few)"
        " AS c(count) WHERE c.count = %(most)s".encode(),
        _of(ids, start, end) | {"most": few + 1},
    ).fetchall()
    return [id_ for (id_,) in found]


def _wide(db: Db, ids: Collection[int], start: int, end: int) -> list[int]:
    """Series of too many points to read each of them."""
    found = db.execute(
        "SELECT series FROM hours WHERE series = ANY(%s) AND at >= %s AND at < %s"
        " GROUP BY series HAVING sum(points) > %s",
        (list(ids), start // HOUR * HOUR, end, RAW_POINTS),
    ).fetchall()
    return [id_ for (id_,) in found]


def _cells(db: Db, ids: Collection[int], start: int, end: int, width: int) -> Iterator[tuple[int, Cell]]:
    """The cells of series, in order of time: from rollups where those are as fine."""
    if not ids:
        return
    inside = "WHERE series = ANY(%(ids)s) AND at >= %(start)s AND at < %(end)s"
    cell = floored("at", width)
    if width < MINUTE:
        question = f"""
            SELECT series, {cell}, count(*), min(number), max(number), {total("number")},
                min(at), (array_agg(number ORDER BY at))[1], max(at), (array_agg(number ORDER BY at DESC))[1]
            FROM points {inside} AND kind < 3 GROUP BY 1, 2 ORDER BY 1, 2"""
    else:
        table, level = ("hours", HOUR) if width >= HOUR else ("minutes", MINUTE)
        start = start // level * level
        question = f"""
            SELECT series, {cell}, sum(points)::bigint, min(least), max(greatest), {total("total")},
                min(first_at), (array_agg(first ORDER BY at))[1], max(last_at), (array_agg(last ORDER BY at DESC))[1]
            FROM {table} {inside} GROUP BY 1, 2 ORDER BY 1, 2"""
    for id_, *columns in db.execute(question.encode(), _of(ids, start, end), binary=True):
        yield id_, Cell(*columns)


def _texts(db: Db, ids: Collection[int], window: Window) -> dict[int, list[_Point]]:
    """The newest texts of a window, each series' after the point where the first of them was said."""
    if not ids:
        return {}
    start = max(window.start, window.floor)
    given = _of(ids, start, window.end) | {"most": min(window.buckets, MAX_TEXTS)}
    inside = "at >= s.edge AND at < %(end)s AND kind = 3"
    shown = _each(db, f"{inside} ORDER BY at DESC LIMIT %(most)s", given)
    edges = [points[-1][0] if points else start for points in shown.values()]
    before = {"ids": list(shown), "edges": edges, "floor": window.floor, "most": LOOK_BACK + 1}
    held = _each(db, _BEFORE, before)
    return {id_: held_text(held[id_]) + points[::-1] for id_, points in shown.items()}


def _each(db: Db, rest: str, given: dict[str, Any]) -> dict[int, list[_Point]]:
    """Of each of the series `ids` the points that `rest` chooses, in its order; also of those that have none."""
    return {id_: [] for id_ in given["ids"]} | _fetch(db, _EACH.format(rest), given)


def _fetch(db: Db, question: str, given: dict[str, Any]) -> dict[int, list[_Point]]:
    found: dict[int, list[_Point]] = {}
    for id_, at, kind, number, whole, said in db.execute(question.encode(), given, binary=True):
        found.setdefault(id_, []).append((at, raised(kind, number, whole, said)))
    return found


def _of(ids: Collection[int], start: int, end: int) -> dict[str, Any]:
    """Series and their window, as questions name them."""
    return {"ids": list(ids), "edges": [start] * len(ids), "start": start, "end": end}


def _as(kind: Kind, points: Iterable[tuple[int, Any]]) -> list[_Point]:
    """Points of a line of one kind: booleans among numbers are numbers, and 0 and 1 among booleans booleans."""
    if kind is Kind.BOOLEAN:
        return [(at, bool(value)) for at, value in points if value in (0, 1)]
    return [(at, +value) for at, value in points if not isinstance(value, str)]


def _column(points: Sequence[_Point], series: Series) -> Column:
    return Column([at for at, _ in points], [value for _, value in points], series.kind, series.unit)
