"""The reading half of the store: every question is one statement that answers in one row.

For the reason told in writer.py: a row a step is slow beside a busy thread, and so is anything Python does
for each of 100,000 points. So SQLite picks the M4 points itself, without the interpreter lock, and hands them
over as JSON text in one step. Numbers are written by `quote`, which is exact, where the JSON functions of
older SQLite round to 15 digits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store.downsample import grid_width
from mqttbridge.dashboard.store.model import MICROSECONDS, BucketInfo, Column, Kind, Latest, StreamInfo

# A text series is a log under its last value, not a chart: this many of the newest are shown.
MAX_TEXTS: Final = 200

# Of one answer: past it, each series gets fewer points rather than the browser more than it can hold.
MAX_VALUES: Final = 400_000

# How far back the beginning of the oldest text is looked for, in points.
LOOK_BACK: Final = 1000

# Readings so close together are one burst, and this many pauses between bursts tell how often a stream speaks.
BURST: Final = 5 * MICROSECONDS
PAUSES: Final = 12
LEAST_PAUSES: Final = 3

_JSON_VALUE: Final = "iif(typeof(value) = 'text', json_quote(value), quote(value))"
# A column is one flat list: time, value, time, value.
_FLAT: Final = f"SELECT group_concat(ts || ',' || {_JSON_VALUE}) FROM ({{points}})"
_IN_WINDOW: Final = "series = {series} AND ts >= :start AND ts < :end AND {kind}"
# SQLite orders every number before every text; booleans are 0 and 1.
_OF_KIND: Final = {
    Kind.NUMBER: "value < ''",
    Kind.BOOLEAN: "value IN (0, 1)",
    Kind.TEXT: "value >= ''",
}
# Where the line comes from: the point before the window, if it is of the kind that is drawn.
_BEFORE: Final = (
    "SELECT ts, value FROM (SELECT ts, value FROM points WHERE series = {series} AND ts < :start"
    " ORDER BY ts DESC LIMIT 1) WHERE {kind}"
)
_ALL: Final = (
    f"SELECT ts, value FROM ({_BEFORE}) UNION ALL"
    f" SELECT * FROM (SELECT ts, value FROM points WHERE {_IN_WINDOW} ORDER BY ts LIMIT :limit)"
)
_NEWEST: Final = (
    f"SELECT ts, value FROM (SELECT ts, value FROM points WHERE {_IN_WINDOW} ORDER BY ts DESC LIMIT :limit) ORDER BY ts"
)
_HELD: Final = "SELECT ts, value FROM points WHERE series = ? AND ts < ? ORDER BY ts DESC LIMIT 1"
_OTHER: Final = (
    "SELECT ts, value FROM (SELECT ts, value FROM points WHERE series = ? AND ts < ? ORDER BY ts DESC LIMIT ?)"
    " WHERE value IS NOT ? LIMIT 1"
)
_FIRST: Final = "SELECT ts, value FROM points WHERE series = ? AND ts > ? ORDER BY ts LIMIT 1"
# From a stream's newest reading back, a burst a step: a few seeks, however many points there are.
_PAUSES: Final = f"""
SELECT '[' || coalesce(group_concat(
    '[' || json_quote(stream) || ',' || (
        WITH RECURSIVE burst(ts) AS (
            SELECT latest.ts UNION ALL
            SELECT (SELECT max(p.ts) FROM points AS p WHERE p.series = series.id AND p.ts <= burst.ts - {BURST})
            FROM burst WHERE burst.ts IS NOT NULL LIMIT {PAUSES + 1})
        SELECT group_concat(ts) FROM burst) || ']'), '') || ']'
FROM series JOIN latest ON latest.series = series.id WHERE bucket = :bucket
"""
# For each bucket of the grid the times of its first, least, greatest and last point; UNION makes them distinct
# and ordered.
_CELL: Final = "series = {series} AND ts >= at AND ts < at + :width AND {kind}"
_M4: Final = f"""
SELECT ts, value FROM ({_BEFORE}) UNION ALL SELECT * FROM (
WITH RECURSIVE grid(at) AS (
    SELECT :start UNION ALL SELECT at + :width FROM grid WHERE at + :width < :end),
picked AS MATERIALIZED (SELECT
    (SELECT min(ts) FROM points WHERE {_CELL}) AS first,
    (SELECT ts FROM points WHERE {_CELL} ORDER BY value, ts LIMIT 1) AS least,
    (SELECT ts FROM points WHERE {_CELL} ORDER BY value DESC, ts LIMIT 1) AS greatest,
    (SELECT max(ts) FROM points WHERE {_CELL}) AS last FROM grid),
chosen(ts) AS (
    SELECT first FROM picked UNION SELECT least FROM picked
    UNION SELECT greatest FROM picked UNION SELECT last FROM picked)
SELECT p.ts, p.value FROM chosen JOIN points AS p ON p.series = {{series}} AND p.ts = chosen.ts ORDER BY p.ts)
"""


def buckets(db: sqlite3.Connection) -> list[BucketInfo]:
    """Every bucket, that with the newest point first."""
    (rows,) = db.execute(
        "SELECT json_group_array(json_array(key, name, streams, last, json(tags))) FROM ("
        " SELECT key, coalesce(name, key) AS name, count(id) AS streams, max(ts) AS last,"
        " coalesce(max(tags), '[]') AS tags FROM buckets LEFT JOIN tags ON tags.bucket = buckets.key"
        " LEFT JOIN series ON series.bucket = buckets.key LEFT JOIN latest ON latest.series = series.id"
        " GROUP BY key ORDER BY last DESC NULLS LAST, key)"
    ).fetchone()
    return [
        BucketInfo(key, name, streams, None if last is None else last / MICROSECONDS, tuple(tags))
        for key, name, streams, last, tags in from_json(rows)
    ]


def bucket_name(db: sqlite3.Connection, bucket: str) -> str | None:
    """The name a bucket is shown by; None when there is no such bucket."""
    row = db.execute("SELECT coalesce(name, key) FROM buckets WHERE key = ?", (bucket,)).fetchone()
    return None if row is None else row[0]


def streams(db: sqlite3.Connection, bucket: str) -> list[StreamInfo]:
    """The bucket's streams by name, each with its newest value."""
    return [
        StreamInfo(stream, Kind(kind), unit, Latest(_value(kind, value), ts / MICROSECONDS))
        for _, stream, unit, kind, ts, value in _series(db, bucket)
    ]


def intervals(db: sqlite3.Connection, bucket: str) -> dict[str, float]:
    """Seconds between the readings of each of the bucket's streams of late, as a rule; those that said too little lack.

    The upper quartile of the last pauses: a device that reports many readings at once pauses between its bursts.
    """
    (rows,) = db.execute(_PAUSES, {"bucket": bucket}).fetchone()
    usual = {}
    for stream, *times in from_json(rows):
        pauses = sorted(later - earlier for later, earlier in pairwise(times))
        if len(pauses) >= LEAST_PAUSES:
            usual[stream] = pauses[len(pauses) * 3 // 4] / MICROSECONDS
    return usual


@dataclass(frozen=True, slots=True)
class Window:
    """What part of time to read, in microseconds, and how finely.

    Attributes:
        start: the beginning. One point before it comes along if there is one, for the line to come from.
        end: the end, exclusive.
        open: whether points stamped after `end` come along too: those of devices whose clock runs ahead.
        buckets: how many buckets of time each series is cut into at most; each gives up to four points.
    """

    start: int
    end: int
    open: bool
    buckets: int


def points(db: sqlite3.Connection, bucket: str, wanted: Collection[str], window: Window) -> dict[str, Column]:
    """Points of the wanted streams (of all when none is named), by name of stream."""
    db.execute("BEGIN")  # one state of the file for all series
    try:
        known = {row[0]: row for row in _series(db, bucket) if not wanted or row[1] in wanted}
        buckets = max(1, min(window.buckets, MAX_VALUES // (4 * max(1, len(known)))))
        answer = {}
        for kind in Kind:
            ids = [row[0] for row in known.values() if row[3] == kind]
            newest = max((known[id_][4] for id_ in ids), default=0)
            end = max(window.end, newest + 1) if window.open else window.end
            for id_, flat in _flat_columns(db, ids, kind, Window(window.start, end, False, buckets)):
                _, stream, unit, *_ = known[id_]
                values = list(map(bool, flat[1::2])) if kind is Kind.BOOLEAN else flat[1::2]
                answer[stream] = Column(flat[::2], values, kind, unit)
    finally:
        db.execute("COMMIT")
    return dict(sorted(answer.items()))


def _flat_columns(
    db: sqlite3.Connection, ids: list[int], kind: Kind, window: Window
) -> Iterator[tuple[int, list[Any]]]:
    """Each series' column: all of its points if they are few, else those that M4 picks."""
    if not ids:
        return
    start, end = window.start, window.end
    few = min(window.buckets, MAX_TEXTS) if kind is Kind.TEXT else 2 * window.buckets
    limit = few if kind is Kind.TEXT else few + 1  # one more tells whether there are more
    points = (_NEWEST if kind is Kind.TEXT else _ALL).format(series="id", kind=_OF_KIND[kind])
    (columns,) = db.execute(
        f"SELECT '[' || group_concat('[' || coalesce(({_FLAT.format(points=points)}), '') || ']') || ']'"
        " FROM (SELECT value AS id FROM json_each(:ids))",
        {"ids": to_json(ids).decode(), "start": start, "end": end, "limit": limit},
    ).fetchone()
    width = grid_width(end - start, window.buckets)
    grid = {"start": start // width * width, "end": end, "width": width}
    m4 = f"SELECT '[' || ({_FLAT.format(points=_M4.format(series=':series', kind=_OF_KIND[kind]))}) || ']'"
    for id_, flat in zip(ids, from_json(columns), strict=True):
        inside = len(flat) // 2 - (bool(flat) and flat[0] < start)
        if kind is Kind.TEXT:
            yield id_, _held_text(db, id_, flat[0] if flat else start) + flat
        elif inside <= few:
            yield id_, flat
        else:
            yield id_, from_json(db.execute(m4, grid | {"series": id_}).fetchone()[0])


def _held_text(db: sqlite3.Connection, series: int, edge: int) -> list[Any]:
    """Since when the text that held until `edge` did: its first point, after the other text's that proves it.

    A text that repeats for longer than we look back gives its last point: it was said before that.
    """
    held = db.execute(_HELD, (series, edge)).fetchone()
    if held is None or not isinstance(held[1], str):
        return []
    other = db.execute(_OTHER, (series, edge, LOOK_BACK, held[1])).fetchone()
    if other is None or not isinstance(other[1], str):
        return list(held)
    return [*other, *db.execute(_FIRST, (series, other[0])).fetchone()]


def _series(db: sqlite3.Connection, bucket: str) -> list[Any]:
    """id, stream, unit, kind, newest time, newest value: in the order of the streams' names."""
    (rows,) = db.execute(
        "SELECT '[' || group_concat('[' || id || ',' || json_quote(stream) || ',' || json_quote(unit) || ',' ||"
        f" json_quote(kind) || ',' || ts || ',' || {_JSON_VALUE} || ']') || ']' FROM ("
        "SELECT * FROM series JOIN latest ON latest.series = series.id WHERE bucket = ? ORDER BY stream)",
        (bucket,),
    ).fetchone()
    return [] if rows is None else list(from_json(rows))


def _value(kind: str, value: Any) -> Any:
    return bool(value) if kind == Kind.BOOLEAN else value
