"""Records in one SQLite file: written rarely, small, so one connection under a lock serves everybody."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.records.model import KEPT_VERSIONS, Body, Conflict, Hold, Record
from mqttbridge.errors import StoreError

# `body` is null where a version is the deletion: the next one goes on counting from it.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, at REAL NOT NULL, body TEXT,
    PRIMARY KEY (kind, key, version)) WITHOUT ROWID
"""
_NEWEST: Final = "SELECT kind, key, max(version), at, body FROM records WHERE kind = ?"
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteRecords:
    """Records in a file of their own.

    Args:
        path: the file; created when missing, set aside when damaged.
        clock: seconds since 1970.

    Raises:
        StoreError: it cannot be opened; from the methods: it cannot be read or written now.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._lock = clock, threading.Lock()
        with _store_errors():
            try:
                self._db = _open(path)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode not in _DAMAGE:
                    raise
                _set_aside(path, clock())
                self._db = _open(path)

    def get(self, kind: str, key: str) -> Record | None:
        with self._reading() as db:
            return _get(db, kind, key)

    def all(self, kind: str) -> list[Record]:
        with self._reading() as db:
            rows = db.execute(f"{_NEWEST} GROUP BY key ORDER BY key", (kind,)).fetchall()
        return [_record(row) for row in rows if row[4] is not None]

    def put(self, kind: str, key: str, body: Body, expected: int | None = None) -> Record:
        encoded = to_json(body).decode()
        with self._writing() as db:
            version = _version(db, kind, key, expected) + 1
            record = Record(kind, key, version, self._clock(), from_json(encoded))
            db.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", (kind, key, version, record.at, encoded))
            _trim(db, kind, key, version)
        return record

    def put_all(self, kind: str, bodies: Mapping[str, Body], *, holding: str | None = None) -> None:  # noqa: ARG002
        at = self._clock()
        rows = [(kind, key, at, to_json(body).decode()) for key, body in bodies.items()]
        with self._writing() as db:
            db.executemany("DELETE FROM records WHERE kind = ? AND key = ?", [row[:2] for row in rows])
            db.executemany("INSERT INTO records VALUES (?, ?, 1, ?, ?)", rows)

    def delete(self, kind: str, key: str, expected: int | None = None) -> bool:
        with self._writing() as db:
            version = _version(db, kind, key, expected)
            known = _get(db, kind, key)
            if known is None:
                return False
            db.execute("INSERT INTO records VALUES (?, ?, ?, ?, NULL)", (kind, key, version + 1, self._clock()))
            _trim(db, kind, key, version + 1)
        return True

    def drop(self, kind: str, keys: Collection[str]) -> None:
        with self._writing() as db:
            db.executemany("DELETE FROM records WHERE kind = ? AND key = ?", [(kind, key) for key in keys])

    def history(self, kind: str, key: str) -> list[Record]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT * FROM records WHERE kind = ? AND key = ? AND body NOT NULL ORDER BY version DESC", (kind, key)
            ).fetchall()
        return [_record(row) for row in rows]

    def watch(self, kind: str, changed: Callable[[], None]) -> None:
        """Nothing: this file has no other writer."""

    def hold(self, what: str, seconds: float) -> Hold:  # noqa: ARG002
        """Always ours."""
        return Hold.KEPT

    def release(self, what: str) -> None:
        """Nothing: there is nobody else."""

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _store_errors():
            yield self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _store_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        # The rollback journal: this file is written a few times an hour, and then it must be on the disk.
        db.execute("PRAGMA synchronous = FULL")
        db.execute(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _set_aside(path: Path, now: float) -> None:
    path.rename(path.with_name(f"{path.name}.damaged-{int(now)}"))


def _get(db: sqlite3.Connection, kind: str, key: str) -> Record | None:
    row = db.execute(f"{_NEWEST} AND key = ?", (kind, key)).fetchone()
    return None if row[4] is None else _record(row)


def _record(row: tuple[str, str, int, float, str]) -> Record:
    kind, key, version, at, body = row
    return Record(kind, key, version, at, from_json(body))


def _version(db: sqlite3.Connection, kind: str, key: str, expected: int | None) -> int:
    """The number of the newest version, deletions counted; Conflict when a record is not as `expected`."""
    row = db.execute(f"{_NEWEST} AND key = ?", (kind, key)).fetchone()
    newest, present = row[2] or 0, 0 if row[4] is None else row[2]
    if expected is not None and expected != present:
        raise Conflict(_get(db, kind, key))
    return int(newest)


def _trim(db: sqlite3.Connection, kind: str, key: str, version: int) -> None:
    db.execute("DELETE FROM records WHERE kind = ? AND key = ? AND version < ?", (kind, key, version - KEPT_VERSIONS))


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the dashboard's records cannot be read or written now: {error}") from error
