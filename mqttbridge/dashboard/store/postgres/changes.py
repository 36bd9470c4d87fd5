"""What other bridges change, for those who watch here: each change lies in a table for a while, and a notice says so.

A change is a batch of points, or the kind of the records that were changed: readers of records look for themselves.
It is written in the transaction of what it tells of, and changes are numbered in the order of their commits, since
writers take turns. So whoever follows gets each batch exactly once and after it is stored, which is what the live hub
asks of the one that publishes. A follower that lost its connection goes on after the last change that it saw; when
that is no longer there, it says that something was missed, and those who watch take a new snapshot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store.model import Column, Kind, StreamKey
from mqttbridge.dashboard.store.postgres.connections import Connections, Db, words
from mqttbridge.errors import StoreError

log = logging.getLogger(__name__)

# How long a batch is kept for followers that were cut off. Longer only matters to who reconnects later than that.
KEPT_SECONDS: Final = 30
# Batches read at a time; one holds 5,000 points at most.
_AT_ONCE: Final = 20
_WAIT_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 1.0

Publish = Callable[[Mapping[StreamKey, Column]], None]


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told of what other bridges change; on a thread of the store's.

    Attributes:
        publish: takes points that were just stored.
        changed: takes the kind of records that were just changed. After StoreError it is told again.
        lost: called when something of both may have been missed. After StoreError likewise.
    """

    publish: Publish
    changed: Callable[[str], None]
    lost: Callable[[], None]


def tell(db: Db, schema: str, writer: str, columns: Mapping[StreamKey, Column]) -> None:
    """Tell followers of a batch, in the transaction that stores it, under the writers' lock."""
    _tell(db, schema, writer, [(*key, one.times, one.values, one.kind, one.unit) for key, one in columns.items()])


def tell_of_records(db: Db, schema: str, writer: str, kind: str) -> None:
    """Tell followers which records are others now, in the transaction that changes them, under the writers' lock."""
    _tell(db, schema, writer, kind)
    trim(db)  # where nothing else is stored, nobody else does


def _tell(db: Db, schema: str, writer: str, what: object) -> None:
    db.execute("INSERT INTO changes (writer, events) VALUES (%s, %s)", (writer, to_json(what)))
    db.execute("SELECT pg_notify(%s, '')", (schema,))


def trim(db: Db) -> None:
    """Forget changes that every follower has seen long since."""
    db.execute("DELETE FROM changes WHERE written < now() - make_interval(secs => %s)", (KEPT_SECONDS,))


class Follower:
    """Hands on what others change, on a thread of its own.

    Args:
        connections: to the schema.
        writer: whose changes to leave out: ours, which we know of.
        listener: who is told.
    """

    def __init__(self, connections: Connections, writer: str, listener: Listener) -> None:
        self._connections, self._writer, self._listener = connections, writer, listener
        self._seen: int | None = None
        self._stop = threading.Event()
        self._following = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-changes", daemon=True)

    def start(self) -> None:
        """Follow from now on.

        Raises:
            StoreError: not within the time that a connection may take.
        """
        self._thread.start()
        if not self._following.wait(2 * _WAIT_SECONDS):
            self.close()
            raise StoreError("the dashboard's store cannot be followed now: the database does not answer")

    def close(self) -> None:
        """Stop. Needs the connections, to wake the thread at once."""
        self._stop.set()
        with suppress(StoreError), self._connections.writing() as db:
            db.execute("SELECT pg_notify(%s, '')", (self._connections.schema,))
        self._thread.join(_WAIT_SECONDS + 1)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                db = self._connections.connect()
                try:
                    self._follow(db)
                finally:
                    db.close()
            except (psycopg.Error, StoreError) as error:
                if not self._stop.is_set() and self._following.is_set():
                    self._following.clear()
                    said = words(error) if isinstance(error, psycopg.Error) else error
                    log.warning("what other bridges store is not shown live now: %s", said)
            self._stop.wait(_RETRY_SECONDS)

    def _follow(self, db: Db) -> None:
        name = f"mqttbridge changes of {self._connections.schema}"
        db.execute("SELECT set_config('application_name', %s, false)", (name,))  # for who looks at pg_stat_activity
        db.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._connections.schema)))
        if self._resume(db):
            log.info("what other bridges store is shown again; those who watch take a new snapshot")
        self._following.set()
        while not self._stop.is_set():
            while self._hand_on(db):
                pass
            for _ in db.notifies(timeout=_WAIT_SECONDS, stop_after=1):
                pass

    def _resume(self, db: Db) -> bool:
        """Go on after the last batch that was seen, if it is still there to tell which are new; else true."""
        known = db.execute("SELECT FROM changes WHERE id = %s", (self._seen,)).fetchone() is not None
        if not known:
            newest = db.execute("SELECT coalesce(max(id), 0) FROM changes").fetchone()
            missed = self._seen is not None
            if missed:
                self._listener.lost()
            self._seen = 0 if newest is None else newest[0]
            return missed
        return False

    def _hand_on(self, db: Db) -> bool:
        """Tell some changes that were not told yet. False when that was all."""
        rows = db.execute(
            "SELECT id, CASE WHEN writer <> %s THEN events END FROM changes WHERE id > %s ORDER BY id LIMIT %s",
            (self._writer, self._seen, _AT_ONCE),
            binary=True,
        ).fetchall()
        for id_, told in rows:
            change = None if told is None else from_json(told)
            if isinstance(change, str):
                self._listener.changed(change)
            elif change is not None:
                self._listener.publish(_columns(change))
            self._seen = id_
        return len(rows) == _AT_ONCE


def _columns(batch: list[Any]) -> dict[StreamKey, Column]:
    return {
        (bucket, stream): Column(times, values, Kind(kind), unit) for bucket, stream, times, values, kind, unit in batch
    }
