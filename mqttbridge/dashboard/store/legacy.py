"""The single file that the store was in earlier versions, read into that of today at the first start.

Nothing is deleted: the old file is renamed once all of it is sealed in the new ones. A crash before that begins
the reading anew, which changes nothing, since a point sealed twice replaces itself.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.dashboard.store import files
from mqttbridge.dashboard.store.model import Column, Kind, StreamKey, kind_of
from mqttbridge.dashboard.store.sqlite import SqliteStore
from mqttbridge.dashboard.store.tail import Points
from mqttbridge.errors import StoreError
from mqttbridge.events import EventTuple, Position

log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 50_000
LATEST_AT_ONCE: Final = 5000
RENAMED: Final = ".read-into-the-new-store"

_VALUE: Final = "iif(typeof(value) = 'text', json_quote(value), quote(value))"
_POINTS: Final = (
    f"SELECT '[' || coalesce(group_concat(ts || ',' || {_VALUE}), '') || ']' FROM"
    " (SELECT ts, value FROM points WHERE series = ? AND ts > ? ORDER BY ts LIMIT ?)"
)
_SERIES: Final = "SELECT id, bucket, stream, unit, kind, ts, value FROM series JOIN latest ON latest.series = series.id"


def read_old_file(path: Path, store: SqliteStore) -> None:
    """Read an old file into the store, if there is one. A damaged one is left where it is, with a word to the log.

    Raises:
        StoreError: the new store cannot be written; the old file is as it was.
    """
    if not path.exists():
        return
    began = time.monotonic()
    log.info("the dashboard's history moves into its new store, once. file=%s bytes=%d", path, files.size(path))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as old:
            points = _move(old, store)
    except sqlite3.Error as error:
        if not files.is_damage(error):
            raise StoreError(f"cannot move the dashboard's history from {path}: {error}") from error
        files.set_aside(path, str(error), "what could be read of it is in the new store")
        return
    for suffix in files.SUFFIXES:
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(path.with_name(path.name + RENAMED + suffix))
    log.info(
        "the dashboard's history has moved; the old file may be deleted. points=%d seconds=%.1f file=%s",
        points,
        time.monotonic() - began,
        path.with_name(path.name + RENAMED),
    )


def _move(old: sqlite3.Connection, store: SqliteStore) -> int:
    tags = {}
    if old.execute("SELECT 1 FROM sqlite_master WHERE name = 'tags'").fetchone():
        tags = {bucket: from_json(said) for bucket, said in old.execute("SELECT bucket, tags FROM tags")}
    for key, name in old.execute("SELECT key, name FROM buckets").fetchall():
        if name is not None or key in tags:
            store.create_bucket(key, name, tags.get(key, ()))
    bulk = _Bulk(store)
    newest: list[EventTuple] = []
    units: dict[StreamKey, str] = {}
    for id_, bucket, stream, unit, kind, ts, value in old.execute(_SERIES).fetchall():
        last: Any = bool(value) if kind == Kind.BOOLEAN else value
        for points in _points(old, id_, boolean=kind == Kind.BOOLEAN):
            bulk.add((bucket, stream), unit, points)
        newest.append((bucket, stream, last, ts / 1e6))
        units |= {(bucket, stream): unit} if unit else {}
    bulk.write()
    for at in range(0, len(newest), LATEST_AT_ONCE):
        some = newest[at : at + LATEST_AT_ONCE]
        store.append(some, {key: units[key] for one in some if (key := (one[0], one[1])) in units})
    row = old.execute("SELECT seq, offset FROM cursor").fetchone()
    if row is not None:
        store.append([], {}, Position(*row))
    return bulk.moved


class _Bulk:
    """Points of many series on their way: a transaction each, at a tired card's pace, would take hours for a fleet."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._columns: dict[StreamKey, Column] = {}
        self._units: dict[StreamKey, str] = {}
        self._gathered = self.moved = 0

    def add(self, key: StreamKey, unit: str, points: Points) -> None:
        """The next points of a series, in order of time."""
        if key in self._columns or self._gathered >= ROWS_AT_ONCE:
            self.write()
        times, values = points
        self._columns[key] = Column(times, values, kind_of(values[-1]))
        if unit:
            self._units[key] = unit
        self._gathered += len(times)

    def write(self) -> None:
        """Have all of it in the store, durably."""
        if self._columns:
            self._store.take(self._columns, self._units)
        self.moved += self._gathered
        self._columns, self._units, self._gathered = {}, {}, 0


def _points(old: sqlite3.Connection, series: int, *, boolean: bool) -> Iterator[Points]:
    after = -(2**63)
    while True:
        (text,) = old.execute(_POINTS, (series, after, ROWS_AT_ONCE)).fetchone()
        flat = from_json(text)
        if not flat:
            return
        times, values = flat[::2], flat[1::2]
        after = times[-1]
        yield times, [bool(value) if boolean and value in (0, 1) else value for value in values]
