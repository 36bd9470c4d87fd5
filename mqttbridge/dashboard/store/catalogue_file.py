"""The catalogue's file: its tables, the one connection that writes, and all of it read at once at the start."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store import files
from mqttbridge.dashboard.store.model import Kind
from mqttbridge.dashboard.store.series import NEVER, Bucket, Series
from mqttbridge.events import Position

VERSION: Final = 1

# AUTOINCREMENT: the number of a series that was deleted is never given to another, whose points in a log
# would then seem to be its own. `tags` has a row once somebody created the bucket, tags or none.
SCHEMA: Final = """
CREATE TABLE buckets (key TEXT PRIMARY KEY, name TEXT, created REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE tags (bucket TEXT PRIMARY KEY, tags TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, stream TEXT NOT NULL, unit TEXT NOT NULL DEFAULT '',
    UNIQUE (bucket, stream)
);
CREATE TABLE latest (series INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, value);
CREATE TABLE cursor (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, offset INTEGER NOT NULL);
"""

# Which rule makes a series, where some rule says how long its streams are kept: apart, for files made before.
RULES: Final = "CREATE TABLE IF NOT EXISTS rules (series INTEGER PRIMARY KEY, rule TEXT NOT NULL)"


class Contents(NamedTuple):
    """All that the file holds: buckets, streams, the cursor, and the number that the next stream gets."""

    buckets: Mapping[str, Bucket]
    series: Collection[Series]
    cursor: Position | None
    next_id: int


class CatalogueFile:
    """The file's one connection.

    Args:
        path: the file; made when it is missing.
        known: all that is in memory, for the file that takes a damaged one's place.
    """

    def __init__(self, path: Path, known: Callable[[], Contents]) -> None:
        self.path = path
        self._known = known
        self._db: sqlite3.Connection | None = None
        self._reopen = self._write_anew = False

    def open(self) -> sqlite3.Connection:
        """The connection, made if need be.

        Raises:
            sqlite3.Error, OSError, StoreError: see files.open_for_writing.
        """
        if self._db is None or self._reopen:
            self.close()
            self._db = files.open_for_writing(self.path, SCHEMA, VERSION)
            self._db.execute(RULES)
            self._reopen = False
            if self._write_anew:
                write_all(self._db, self._known())
                self._write_anew = False
        return self._db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what the context writes, or nothing."""
        db = self.open()
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except BaseException as error:
            # After a failed write nobody knows what the operating system kept of the file: begin from it anew.
            self._reopen = files.is_io_error(error)
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise

    def set_aside(self, why: str) -> None:
        """Set the damaged file aside and write what is in memory to a new one.

        Raises:
            sqlite3.Error, OSError: it cannot be written now; it is tried again with the next write.
        """
        self.close()
        files.set_aside(self.path, why, "names, units and tags said before may be missing")
        self._write_anew = True
        self.open()

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def read_all(db: sqlite3.Connection) -> Contents:
    """What the file holds."""
    # One step for each table: see files.insert_many.
    (buckets,) = db.execute(
        "SELECT json_group_array(json_array(key, name, json(tags)))"
        " FROM buckets LEFT JOIN tags ON tags.bucket = buckets.key"
    ).fetchone()
    known = {key: Bucket(name, None if tags is None else tuple(tags)) for key, name, tags in from_json(buckets)}
    (series,) = db.execute(
        "SELECT '[' || coalesce(group_concat('[' || id || ',' || json_quote(bucket) || ',' || json_quote(stream)"
        " || ',' || json_quote(unit) || ',' || json_quote(coalesce(kind, 'number')) || ',' ||"
        f" coalesce(ts, {NEVER}) || ',' ||"
        " iif(typeof(value) = 'text', json_quote(value), quote(coalesce(value, 0)))"
        " || ',' || json_quote(coalesce(rule, '')) || ']'), '') || ']'"
        " FROM series LEFT JOIN latest ON latest.series = series.id LEFT JOIN rules ON rules.series = series.id"
    ).fetchone()
    found = []
    for id_, bucket, stream, unit, kind, newest, value, rule in from_json(series):
        shown: Any = bool(value) if kind == Kind.BOOLEAN else value
        found.append(Series(id_, (bucket, stream), unit, Kind(kind), newest, shown, rule))
    row = db.execute("SELECT seq, offset FROM cursor").fetchone()
    cursor = None if row is None else Position(*row)
    (highest,) = db.execute(
        "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'series'), 0),"
        " (SELECT coalesce(max(id), 0) FROM series))"
    ).fetchone()
    return Contents(known, found, cursor, highest + 1)


def write_all(db: sqlite3.Connection, contents: Contents) -> None:
    """Write all that is known into a new file."""
    now = time.time()
    db.execute("BEGIN IMMEDIATE")
    files.insert_many(db, "buckets", ((key, one.name, now) for key, one in contents.buckets.items()), 3)
    tags = ((key, to_json(one.tags).decode()) for key, one in contents.buckets.items() if one.tags is not None)
    files.insert_many(db, "tags", tags, 2)
    rows = ((one.id, *one.key, one.unit) for one in contents.series)
    files.insert_many(db, "series (id, bucket, stream, unit)", rows, 4)
    files.insert_many(db, "rules", ((one.id, one.rule) for one in contents.series if one.rule), 2)
    newest = ((one.id, one.newest, one.kind, one.value) for one in contents.series if one.newest != NEVER)
    files.insert_many(db, "latest", newest, 4)
    if contents.cursor is not None:
        db.execute("INSERT INTO cursor VALUES (1, ?, ?)", contents.cursor)
    db.execute("COMMIT")
