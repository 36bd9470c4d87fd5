"""Records in PostgreSQL, beside the history, so that dashboards over one database share what people make."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.records.model import KEPT_VERSIONS, LEASES, Body, Conflict, Hold, NotHeld, Record
from mqttbridge.dashboard.store.postgres import changes, schema
from mqttbridge.dashboard.store.postgres.connections import Connections, Db
from mqttbridge.dashboard.store.postgres.values import read, written

# `body` is null where a version is the deletion: the next one goes on counting from it.
_NEWEST: Final = """
    SELECT DISTINCT ON (key) kind, key, version, at, body FROM records
    WHERE kind = %s AND (%s::text IS NULL OR key = %s) ORDER BY key, version DESC"""

# A lease is a record of one version: `at` is when it ends, by the server's clock, and its body names who holds it.
_HOLD: Final = """
    INSERT INTO records VALUES (%(kind)s, %(what)s, 1, extract(epoch FROM clock_timestamp()) + %(seconds)s, %(ours)s)
    ON CONFLICT (kind, key, version) DO UPDATE SET at = excluded.at, body = excluded.body
    WHERE records.body = excluded.body OR records.at <= extract(epoch FROM clock_timestamp())"""


class PostgresRecords:
    """Records in the table of the dashboard's schema, which the store makes. See `Records`.

    Args:
        connections: the store's; it closes them.
        writer: the name of this bridge, which no other has.
        clock: seconds since 1970.

    Raises:
        StoreError: from the methods: they cannot be read or written now.
    """

    def __init__(self, connections: Connections, writer: str, clock: Callable[[], float] = time.time) -> None:
        self._connections, self._writer, self._clock = connections, writer, clock
        self._ours = to_json({"holder": writer}).decode()
        self._watching: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)

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
        with self._changing(kind) as db:
            version = _version(db, kind, key, expected) + 1
            record = Record(kind, key, version, self._clock(), from_json(encoded))
            _write(db, record, encoded)
        return record

    def put_all(self, kind: str, bodies: Mapping[str, Body], *, holding: str | None = None) -> None:
        at, keys = self._clock(), [written(key) for key in bodies]
        with self._changing(kind) as db:
            if holding is not None and not self._is_held(db, holding):
                raise NotHeld(f"another bridge has taken over: {holding}")
            _drop(db, kind, bodies)
            db.execute(
                "INSERT INTO records SELECT %s, key, 1, %s, body FROM unnest(%s::text[], %s::text[]) AS b(key, body)",
                (written(kind), at, keys, [to_json(body).decode() for body in bodies.values()]),
            )

    def delete(self, kind: str, key: str, expected: int | None = None) -> bool:
        with self._changing(kind) as db:
            version = _version(db, kind, key, expected)
            known = _present(_newest(db, kind, key))
            if known is not None:
                _write(db, Record(kind, key, version + 1, self._clock(), {}), None)
        return known is not None

    def drop(self, kind: str, keys: Collection[str]) -> None:
        with self._changing(kind) as db:
            _drop(db, kind, keys)

    def history(self, kind: str, key: str) -> list[Record]:
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT kind, key, version, at, body FROM records"
                " WHERE kind = %s AND key = %s AND body NOTNULL ORDER BY version DESC",
                (written(kind), written(key)),
            ).fetchall()
        return [_record(row) for row in rows]

    def watch(self, kind: str, changed: Callable[[], None]) -> None:
        self._watching[kind].append(changed)

    def changed(self, kind: str | None = None) -> None:
        """Tell those who watch a kind, or all of them, that others may have changed it. StoreError: not all know."""
        kinds = list(self._watching) if kind is None else [kind]
        for watcher in [one for each in kinds for one in self._watching.get(each, ())]:
            watcher()

    def hold(self, what: str, seconds: float) -> Hold:
        with self._locked() as db:
            before = self._is_held(db, what)
            db.execute("SET LOCAL synchronous_commit = off")  # a lease that a crash takes back only ends sooner
            given = {"kind": LEASES, "what": written(what), "seconds": seconds, "ours": self._ours}
            held = db.execute(_HOLD, given).rowcount > 0
        return Hold.OTHERS if not held else Hold.KEPT if before else Hold.TAKEN

    def release(self, what: str) -> None:
        with self._changing(LEASES) as db:
            db.execute(
                "DELETE FROM records WHERE kind = %s AND key = %s AND body = %s", (LEASES, written(what), self._ours)
            )

    def close(self) -> None:
        """Nothing: the store closes the connections."""

    @contextmanager
    def _changing(self, kind: str) -> Iterator[Db]:
        """A transaction that changes records of a kind, and tells the others so."""
        with self._locked() as db:
            yield db
            changes.tell_of_records(db, self._connections.schema, self._writer, kind)

    @contextmanager
    def _locked(self) -> Iterator[Db]:
        """A transaction that no other writer comes between; reading goes on."""
        with self._connections.writing() as db:
            schema.lock(db, self._connections.schema)
            yield db

    def _is_held(self, db: Db, what: str) -> bool:
        """Whether we took it and nobody else did since, be its time over or not."""
        question = "SELECT FROM records WHERE kind = %s AND key = %s AND body = %s"
        return db.execute(question, (LEASES, written(what), self._ours)).fetchone() is not None


_Row = tuple[Any, ...]


def _drop(db: Db, kind: str, keys: Collection[str]) -> None:
    names = [written(key) for key in keys]
    db.execute("DELETE FROM records WHERE kind = %s AND key = ANY(%s)", (written(kind), names))


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
