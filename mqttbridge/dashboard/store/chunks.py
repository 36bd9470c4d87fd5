"""A span's sealed points: compressed chunks, each with its rollups, found by a small directory.

The chunks of a series never overlap in time, so a series is its chunks one after the other. A chunk is written once,
with all that belongs to it, and is replaced as a whole: when points that came late fall into it, or when it is
small and is combined with its neighbours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store import codec
from mqttbridge.dashboard.store.downsample import picks
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, Cell, unpack
from mqttbridge.dashboard.store.tail import Points

# Apart from the blobs, `by_time` holds all that decides which chunks to read, so looking for them touches no data.
SCHEMA: Final = """
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    count INTEGER NOT NULL, hourly INTEGER NOT NULL, minutely INTEGER NOT NULL,
    minutes BLOB NOT NULL, times BLOB NOT NULL, vals BLOB NOT NULL
);
CREATE INDEX by_time ON chunks (series, end, start, count, hourly, minutely);
CREATE TABLE hours (
    series INTEGER NOT NULL, hour INTEGER NOT NULL, chunk INTEGER NOT NULL, count INTEGER NOT NULL,
    least, greatest, total REAL NOT NULL, first_at INTEGER NOT NULL, first, last_at INTEGER NOT NULL, last,
    PRIMARY KEY (series, hour, chunk)
) WITHOUT ROWID;
"""

# A full chunk of numbers is some 5 KB: more points would compress hardly better, and reading one hour of a reading a
# second would take longer; at 1,024 the pages of the file are left half empty, and a year has four times the chunks.
FULL: Final = 4096

# Chunks read in one statement: 32 full ones are 2 MB while they are hexadecimal text.
PER_READ: Final = 32


class Chunk(NamedTuple):
    """What the directory says of a chunk; `hourly` and `minutely` tell whether rollups stand for its points."""

    series: int
    id: int
    start: int
    end: int
    points: int
    hourly: int
    minutely: int


_LISTED: Final = (
    "SELECT '[' || coalesce(group_concat('[' || series || ',' || id || ',' || start || ',' || end || ',' || count"
    " || ',' || hourly || ',' || minutely || ']'), '') || ']' FROM ({chunks})"
)
_COLUMNS: Final = "c.series, c.id, c.start, c.end, c.count, c.hourly, c.minutely"
_WITHIN: Final = _LISTED.format(
    chunks=f"SELECT {_COLUMNS} FROM json_each(:ids) AS s CROSS JOIN chunks AS c"
    " ON c.series = s.value AND c.end >= :start AND c.start < :end ORDER BY c.series, c.end"
)
# Those for which no rollups by hour stand, or that points not sealed yet may lie over.
_NOT_HOURLY: Final = _WITHIN.replace("c.start < :end", "c.start < :end AND (NOT c.hourly OR c.end >= :tail)")
_POINTS_WITHIN: Final = (
    "SELECT json_group_array(json_array(series, points)) FROM (SELECT c.series, sum(c.count) AS points"
    " FROM json_each(:ids) AS s CROSS JOIN chunks AS c"
    " ON c.series = s.value AND c.end >= :start AND c.start < :end GROUP BY c.series)"
)
_TRAILING: Final = _LISTED.format(
    chunks=f"SELECT {_COLUMNS} FROM json_each(:ids) AS s CROSS JOIN chunks AS c ON c.series = s.value"
    f" AND c.end >= coalesce((SELECT f.end FROM chunks AS f WHERE f.series = s.value AND f.count >= :full"
    f" ORDER BY f.end DESC LIMIT 1), {-(2**63)}) ORDER BY c.series, c.end"
)
_NEWEST_BEFORE: Final = _LISTED.format(
    chunks=f"SELECT {_COLUMNS} FROM json_each(:ids) AS s CROSS JOIN chunks AS c ON c.id = ("
    "SELECT n.id FROM chunks AS n WHERE n.series = s.value AND n.start < :end ORDER BY n.end DESC LIMIT 1)"
)
_POINTS: Final = (
    "SELECT '[' || coalesce(group_concat('[' || id || ',\"' || hex(times) || '\",\"' || hex(vals) || '\"]'), '') || ']'"
    " FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
)
_TIMES: Final = _POINTS.replace("hex(vals)", "''")
_MINUTES: Final = (
    "SELECT '[' || coalesce(group_concat('\"' || hex(minutes) || '\"'), '') || ']'"
    " FROM (SELECT minutes FROM chunks WHERE id IN (SELECT value FROM json_each(?)) ORDER BY start)"
)
# From cell to cell by the key, so that nothing is sorted; which row had the first and the last value is then looked up
# by its hour. Hours before 1970 are negative, and SQLite rounds towards zero.
_CELL_OF: Final = (
    "SELECT (hour - (:width - 1) * (hour < 0)) / :width FROM hours"
    " WHERE series = :series AND hour >= {start} AND hour < :end ORDER BY hour LIMIT 1"
)
_VALUE_AT: Final = (
    "(SELECT quote(v.{which}) FROM hours AS v WHERE v.series = :series"
    f" AND v.hour BETWEEN a.{{which}}_at / {HOUR} - 1 AND a.{{which}}_at / {HOUR} AND v.{{which}}_at = a.{{which}}_at)"
)
_HOURS: Final = (
    f"WITH RECURSIVE g (cell) AS (SELECT * FROM ({_CELL_OF.format(start=':start')}) UNION ALL"
    f" SELECT ({_CELL_OF.format(start='(g.cell + 1) * :width')}) FROM g WHERE g.cell IS NOT NULL) "
    "SELECT '[' || coalesce(group_concat((SELECT '[' || g.cell || ',' || a.count || ',' || quote(a.least) || ',' ||"
    f" quote(a.greatest) || ',' || quote(a.total) || ',' || a.first_at || ',' || {_VALUE_AT.format(which='first')}"
    f" || ',' || a.last_at || ',' || {_VALUE_AT.format(which='last')} || ']' FROM ("
    "SELECT sum(h.count) AS count, min(h.least) AS least, max(h.greatest) AS greatest,"
    " sum(h.total) AS total, min(h.first_at) AS first_at, max(h.last_at) AS last_at"
    " FROM hours AS h WHERE h.series = :series"
    " AND h.hour >= max(:start, g.cell * :width) AND h.hour < min(:end, (g.cell + 1) * :width)"
    " AND h.chunk NOT IN (SELECT value FROM json_each(:without))) AS a WHERE a.count)), '') || ']' FROM g"
    " WHERE g.cell IS NOT NULL"
)


def within(db: sqlite3.Connection, ids: Collection[int], start: int, end: int) -> dict[int, list[Chunk]]:
    """The chunks of each series that have a point between the times, or may have, in order of time."""
    return _listed(db, _WITHIN, ids, {"start": start, "end": end})


def not_hourly(db: sqlite3.Connection, ids: Collection[int], start: int, end: int, tail: int) -> dict[int, list[Chunk]]:
    """Of the chunks `within` tells those whose points are to be read, where rollups by hour do for the others.

    From the time `tail` on there are points that are not sealed.
    """
    return _listed(db, _NOT_HOURLY, ids, {"start": start, "end": end, "tail": tail})


def points_within(db: sqlite3.Connection, ids: Collection[int], start: int, end: int) -> dict[int, int]:
    """How many points the chunks that `within` tells have, by series."""
    (text,) = db.execute(_POINTS_WITHIN, {"ids": _json(list(ids)), "start": start, "end": end}).fetchone()
    return dict(from_json(text))


def trailing(db: sqlite3.Connection, ids: Collection[int]) -> dict[int, list[Chunk]]:
    """Of each series its newest full chunk, and the small ones after it."""
    return _listed(db, _TRAILING, ids, {"full": FULL})


def newest_before(db: sqlite3.Connection, ids: Collection[int], end: int) -> dict[int, list[Chunk]]:
    """Of each series the last chunk that begins before `end`."""
    return _listed(db, _NEWEST_BEFORE, ids, {"end": end})


def load(db: sqlite3.Connection, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Points]]:
    """The points of chunks, in the order of the chunks given; some of them in memory at a time."""
    for chunk, times, values in load_packed(db, chunks):
        yield chunk, (codec.unpack_times(times), codec.unpack_values(values))


def load_packed(db: sqlite3.Connection, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, bytes, bytes]]:
    """Like `load`, times and values as codec.py packed them."""
    left = iter(chunks)
    while some := list(islice(left, PER_READ)):
        (text,) = db.execute(_POINTS, (_json([chunk.id for chunk in some]),)).fetchone()
        data = {id_: (times, values) for id_, times, values in from_json(text)}
        for chunk in some:
            times, values = data.pop(chunk.id)
            yield chunk, bytes.fromhex(times), bytes.fromhex(values)


def picked(times: bytes, values: bytes, width: int) -> Points | None:
    """What M4 picks of a chunk of numbers on a grid of `width`; the others are never unpacked as a whole.

    None for other chunks.
    """
    scaled = codec.scaled_values(values)
    if scaled is None:
        return None
    numbers, power = scaled
    counted, unit = codec.counted_times(times)
    kept = picks(counted, numbers, width, unit)
    return [counted[n] * unit for n in kept], [numbers[n] / power if power else numbers[n] for n in kept]


def load_times(db: sqlite3.Connection, chunks: Sequence[Chunk]) -> dict[int, list[int]]:
    """The times of one chunk a series, by series."""
    found: dict[int, list[int]] = {}
    for at in range(0, len(chunks), PER_READ):
        some = {chunk.id: chunk.series for chunk in chunks[at : at + PER_READ]}
        (text,) = db.execute(_TIMES, (_json(list(some)),)).fetchone()
        found |= {some[id_]: codec.unpack_times(bytes.fromhex(times)) for id_, times, _ in from_json(text)}
    return found


def minutes(db: sqlite3.Connection, chunks: Sequence[Chunk]) -> list[Cell]:
    """The rollups by minute of chunks that have them, in order of time; a minute that chunks share comes twice."""
    (text,) = db.execute(_MINUTES, (_json([chunk.id for chunk in chunks if chunk.minutely]),)).fetchone()
    return [cell for packed in from_json(text) if packed for cell in unpack(bytes.fromhex(packed), MINUTE)]


def hours(  # noqa: PLR0917  # a question with all its bounds
    db: sqlite3.Connection, series: int, start: int, end: int, width: int, without: Iterable[Chunk] = ()
) -> list[Cell]:
    """The rollups by hour between two times, combined into cells of `width` by where the hour begins."""
    window = {"series": series, "start": start // HOUR, "end": -(-end // HOUR), "width": max(1, width // HOUR)}
    (text,) = db.execute(_HOURS, window | {"without": _json([chunk.id for chunk in without])}).fetchone()
    step = window["width"] * HOUR
    return sorted(Cell(cell * step, *rest) for cell, *rest in from_json(text))


# Where the rows of a chunk's hours are, by their key: a chunk knows which hours it covers.
_HOURS_OF: Final = (
    "SELECT h.series, h.hour, h.chunk FROM json_each(?) AS g CROSS JOIN chunks AS c ON c.id = g.value"
    f" CROSS JOIN hours AS h ON h.series = c.series AND h.hour BETWEEN c.start / {HOUR} - 1 AND c.end / {HOUR}"
    " AND h.chunk = c.id"
)


def delete(db: sqlite3.Connection, ids: Sequence[int]) -> int:
    """Delete chunks with all that belongs to them; returns how many."""
    gone = _json(ids)
    db.execute("DELETE FROM hours WHERE (series, hour, chunk) IN (" + _HOURS_OF + ")", (gone,))
    return db.execute("DELETE FROM chunks WHERE id IN (SELECT value FROM json_each(?))", (gone,)).rowcount


def delete_series(db: sqlite3.Connection, ids: Collection[int]) -> None:
    """Delete everything of the series."""
    for table in ("chunks", "hours"):
        db.execute(f"DELETE FROM {table} WHERE series IN (SELECT value FROM json_each(?))", (_json(list(ids)),))


def delete_before(db: sqlite3.Connection, ids: Collection[int], cutoff: int, limit: int) -> int:
    """Delete up to `limit` chunks of the series that end before the cutoff; returns how many."""
    (gone,) = db.execute(
        "SELECT json_group_array(id) FROM (SELECT c.id FROM json_each(?) AS s CROSS JOIN chunks AS c"
        " ON c.series = s.value AND c.end < ? LIMIT ?)",
        (_json(list(ids)), cutoff, limit),
    ).fetchone()
    return delete(db, from_json(gone))


def size(db: sqlite3.Connection, ids: Collection[int]) -> int:
    """Bytes of the series' chunks."""
    (total,) = db.execute(
        "SELECT coalesce(sum(length(minutes) + length(times) + length(vals)), 0) FROM chunks"
        " WHERE series IN (SELECT value FROM json_each(?))",
        (_json(list(ids)),),
    ).fetchone()
    return int(total)


def numbers_of(times: list[int], values: list[Any]) -> tuple[list[int], list[Any]]:
    """The numbers among the points, booleans as 0 and 1."""
    types = set(map(type, values))
    if types <= {int, float}:
        return times, values
    kept = [n for n, value in enumerate(values) if not isinstance(value, str)]
    return [times[n] for n in kept], [+values[n] for n in kept]


def _listed(
    db: sqlite3.Connection, question: str, ids: Collection[int], bounds: dict[str, int]
) -> dict[int, list[Chunk]]:
    found: dict[int, list[Chunk]] = {}
    if not ids:
        return found
    (text,) = db.execute(question, {"ids": _json(list(ids))} | bounds).fetchone()
    for row in from_json(text):
        found.setdefault(row[0], []).append(Chunk(*row))
    return found


def _json(ids: Sequence[int]) -> str:
    return to_json(ids).decode()
