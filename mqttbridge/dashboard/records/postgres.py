"""Records in PostgreSQL, beside the history, so that dashboards over one database share what people make."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.records.model import KEPT_VERSIONS, Body, Conflict, Record
from mqttbridge.dashboard.store.postgres.connections import Connections, Db
from mqttbridge.dashboard.store.postgres.values import read, written

# `body` is null where a version is the deletion: the next one goes on counting from it.
_NEWEST: Final = """
    SELECT DISTINCT ON (key) kind, key, version, at, body FROM records
    WHERE kind = %s AND (%s::text IS NULL OR key = %s) ORDER BY key, version DESC"""


class PostgresRecords:
    """Records in the table of the dashboard's schema, which the store makes. See `Records`.

    Args:
        connections: the store's; it closes them.
        clock: seconds since 1970.

    Raises:
        StoreError: from the methods: they cannot be read or written now.
    """

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.time) -> None:
        self._connections, self._clock = connections, clock

    def get(self, kind: str, key: str) -> Record | None:
        with self._connections.reading() as db:
            return _present(_newest(db, kind, key))

    def all(self, kind: str) -> list[Record]:
        with self._connections.reading() as db:
            rows = db.execute(_NEWEST, (written(kind), None, None)).fetchall()
        found = [_record(row) for row in rows if row[4] is not None]
        return sorted(found, key=lambda one: one.key)

    def put(self, kind: str, key: str, body: Body, expected: int | None = None) -> Record:
        encoded = to_json(body).decode()
        with self._changing() as db:
            version = _version(db, kind, key, expected) + 1
            record = Record(kind, key, version, self._clock(), from_json(encoded))
            _write(db, record, encoded)
        return record

    def put_all(self, kind: str, bodies: Mapping[str, Body]) -> None:
        at, keys = self._clock(), [written(key) for key in bodies]
        with self._changing() as db:
            db.execute("DELETE FROM records WHERE kind = %s AND key = ANY(%s)", (written(kind), keys))
            db.execute(
                "INSERT INTO records SELECT %s, key, 1, %s, body FROM unnest(%s::text[], %s::text[]) AS b(key, body)",
                (written(kind), at, keys, [to_json(body).decode() for body in bodies.values()]),
            )

    def delete(self, kind: str, key: str, expected: int | None = None) -> bool:
        with self._changing() as db:
            version = _version(db, kind, key, expected)
            known = _present(_newest(db, kind, key))
            if known is not None:
                _write(db, Record(kind, key, version + 1, self._clock(), {}), None)
        return known is not None

    def history(self, kind: str, key: str) -> list[Record]:
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT kind, key, version, at, body FROM records"
                " WHERE kind = %s AND key = %s AND body NOTNULL ORDER BY version DESC",
                (written(kind), written(key)),
            ).fetchall()
        return [_record(row) for row in rows]

    def close(self) -> None:
        """Nothing: the store closes the connections."""

    @contextmanager
    def _changing(self) -> Iterator[Db]:
        """A transaction that no other change of records comes between; reading goes on."""
        with self._connections.writing() as db:
            db.execute("LOCK TABLE records IN SHARE ROW EXCLUSIVE MODE")
            yield db


_Row = tuple[Any, ...]


def _newest(db: Db, kind: str, key: str) -> _Row | None:
    return db.execute(_NEWEST, (written(kind), written(key), written(key))).fetchone()


def _present(row: _Row | None) -> Record | None:
    return None if row is None or row[4] is None else _record(row)


def _record(row: _Row) -> Record:
    kind, key, version, at, body = row
    return Record(read(kind), read(key), version, at, from_json(body))


def _version(db: Db, kind: str, key: str, expected: int | None) -> int:
    """The number of the newest version, deletions counted; Conflict when a record is not as `expected`."""
    row = _newest(db, kind, key)
    current = _present(row)
    if expected is not None and expected != (0 if current is None else current.version):
        raise Conflict(current)
    return 0 if row is None else int(row[2])


def _write(db: Db, record: Record, body: str | None) -> None:
    """A version; without a body it is the deletion."""
    name, version = (written(record.kind), written(record.key)), record.version
    db.execute("INSERT INTO records VALUES (%s, %s, %s, %s, %s)", (*name, version, record.at, body))
    db.execute("DELETE FROM records WHERE kind = %s AND key = %s AND version < %s", (*name, version - KEPT_VERSIONS))
