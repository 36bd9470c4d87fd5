"""One batch into the tables: its points, and with them the newest values and the rollups, all in one transaction.

Points that are new are added to their cells of the rollups. Those that are there already change nothing when they
are the same, as in a replay; where the value differs, the cells they lie in are made anew from the points. So rollups
agree with their points after late, repeated and corrected data alike, and a batch of new points, which is what there
mostly is, reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mqttbridge.dashboard.store.model import Column, latest
from mqttbridge.dashboard.store.postgres.connections import Db
from mqttbridge.dashboard.store.postgres.values import laid
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, MOST_TOTAL

BATCH: Final = """CREATE TEMPORARY TABLE batch (
    series integer NOT NULL, at bigint NOT NULL, kind smallint NOT NULL,
    number double precision, whole bigint, said text) ON COMMIT DELETE ROWS"""
_COPY: Final = "COPY batch FROM STDIN (FORMAT BINARY)"
_TYPES: Final = ("int4", "int8", "int2", "float8", "int8", "text")


def floored(column: str, width: int) -> str:
    """SQL of the cell that a time lies in. Division alone would round times before 1970 up."""
    return f"({column} - (({column} %% {width}) + {width}) %% {width})"


def bounded(number: str) -> str:
    """SQL of a number within what a total may be: PostgreSQL refuses a sum that leaves the doubles, and its batch."""
    return f"least(greatest({number}, -{MOST_TOTAL}::float8), {MOST_TOTAL}::float8)"


def total(numbers: str) -> str:
    """SQL of the sum of numbers, which no number can make fail."""
    return bounded(f"sum({bounded(numbers)})")


def _cells(width: int, source: str) -> str:
    """SQL of the cells of points."""
    cell = floored("at", width)
    return f"""
        SELECT series, {cell} AS cell, count(*), min(number), max(number), {total("number")},
            min(at), (array_agg(number ORDER BY at))[1], max(at), (array_agg(number ORDER BY at DESC))[1]
        FROM {source} WHERE kind < 3 GROUP BY series, cell"""


def _added(table: str, width: int) -> str:
    """SQL that adds the points of `fresh`, none of which was known, to the rollups."""
    return f"""
        INSERT INTO {table} AS t {_cells(width, "fresh")} ORDER BY 1, 2
        ON CONFLICT (series, at) DO UPDATE SET
            points = t.points + excluded.points, total = {bounded(f"{bounded('t.total')} + excluded.total")},
            least = least(t.least, excluded.least), greatest = greatest(t.greatest, excluded.greatest),
            first = CASE WHEN excluded.first_at < t.first_at THEN excluded.first ELSE t.first END,
            first_at = least(t.first_at, excluded.first_at),
            last = CASE WHEN excluded.last_at > t.last_at THEN excluded.last ELSE t.last END,
            last_at = greatest(t.last_at, excluded.last_at)"""


_INSERT: Final = """
    INSERT INTO points SELECT series, at, kind, number, whole, said FROM batch ORDER BY series, at
    ON CONFLICT (series, at) DO NOTHING RETURNING series, at, kind, number"""

# With rollups of our own, or without: TimescaleDB makes its own.
ADD: Final = f"""
    WITH fresh AS ({_INSERT}), by_minute AS ({_added("minutes", MINUTE)}), by_hour AS ({_added("hours", HOUR)})
    SELECT count(*) FROM fresh"""
ADD_POINTS: Final = f"WITH fresh AS ({_INSERT}) SELECT count(*) FROM fresh"

_CORRECT: Final = """
    UPDATE points p SET kind = b.kind, number = b.number, whole = b.whole, said = b.said FROM batch b
    WHERE p.series = b.series AND p.at = b.at AND p.at BETWEEN %s AND %s
        AND (p.kind, p.number, p.whole, p.said) IS DISTINCT FROM (b.kind, b.number, b.whole, b.said)
    RETURNING p.series, p.at"""

_NEWEST: Final = """
    UPDATE series s SET newest = b.at, kind = b.kind, number = b.number, whole = b.whole, said = b.said
    FROM batch b JOIN unnest(%(ids)s::integer[], %(times)s::bigint[]) AS chosen(series, at) USING (series, at)
    WHERE s.id = b.series AND (s.newest IS NULL OR b.at >= s.newest OR s.newest > %(ahead)s)"""


def store(db: Db, columns: Mapping[int, Column], *, rollups: bool, ahead: int) -> None:
    """Store points by series' number. In a transaction of a connection that has the table `batch`.

    Args:
        db: the connection.
        columns: the points.
        rollups: whether they are kept here.
        ahead: microseconds; a newest value past it is a clock's mistake, which the series' next reading replaces.
    """
    count, low, high = 0, None, None
    with db.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            write = copy.write_row
            for id_, column in columns.items():
                # Of two values at one time the later one stays.
                for at, value in dict(zip(column.times, column.values, strict=True)).items():
                    write((id_, at, *laid(value)))
                    count += 1
                first, last = min(column.times), max(column.times)
                low, high = first if low is None else min(low, first), last if high is None else max(high, last)
        if not count:
            return
        (fresh,) = cursor.execute((ADD if rollups else ADD_POINTS).replace("%%", "%").encode()).fetchone() or (0,)
        if fresh < count:
            changed = cursor.execute(_CORRECT, (low, high)).fetchall()
            if changed and rollups:
                remake(db, {(id_, at // HOUR * HOUR) for id_, at in changed})
        times = [column.times[latest(column.times, ahead)] for column in columns.values()]
        cursor.execute(_NEWEST, {"ids": list(columns), "times": times, "ahead": ahead})


def remake(db: Db, hours: set[tuple[int, int]]) -> None:
    """Make the cells of these hours (series, start) anew from their points."""
    ids, starts = [id_ for id_, _ in hours], [start for _, start in hours]
    given = {"ids": ids, "starts": starts, "hour": HOUR, "low": min(starts), "high": max(starts) + HOUR}
    inside = """FROM unnest(%(ids)s::integer[], %(starts)s::bigint[]) AS h(id, start)
        WHERE t.series = h.id AND t.at >= h.start AND t.at < h.start + %(hour)s
            AND t.at >= %(low)s AND t.at < %(high)s"""
    points = f"(SELECT t.* {inside.replace('FROM', 'FROM points t,', 1)}) AS inside"
    for table, width in (("minutes", MINUTE), ("hours", HOUR)):
        db.execute(f"DELETE FROM {table} t USING {inside.removeprefix('FROM ')}".encode(), given)
        db.execute(f"INSERT INTO {table} {_cells(width, points)}".encode(), given)
