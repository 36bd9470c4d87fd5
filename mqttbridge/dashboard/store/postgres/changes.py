"""What other bridges store, for those who watch here: each batch lies in a table for a while, and a notice says so.

The batch is written in the transaction of its points, and batches are numbered in the order of their commits, since
writers take turns. So whoever follows gets each batch exactly once and after it is stored, which is what the live hub
asks of the one that publishes. A follower that lost its connection goes on after the last batch that it saw; when
that is no longer there, it says that something was missed, and those who watch take a new snapshot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

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


def tell(db: Db, schema: str, writer: str, columns: Mapping[StreamKey, Column]) -> None:
    """Tell followers of a batch, in the transaction that stores it."""
    batch = [(*key, one.times, one.values, one.kind, one.unit) for key, one in columns.items()]
    db.execute("INSERT INTO changes (writer, events) VALUES (%s, %s)", (writer, to_json(batch)))
    db.execute("SELECT pg_notify(%s, '')", (schema,))


def trim(db: Db) -> None:
    """Forget batches that every follower has seen long since."""
    db.execute("DELETE FROM changes WHERE written < now() - make_interval(secs => %s)", (KEPT_SECONDS,))


class Follower:
    """Hands on what others store, on a thread of its own.

    Args:
        connections: to the schema.
        writer: whose batches to leave out: ours, which the destination publishes itself.
        publish: takes points that have just been stored.
        lost: called when some may have been missed.
    """

    def __init__(self, connections: Connections, writer: str, publish: Publish, lost: Callable[[], None]) -> None:
        self._connections, self._writer = connections, writer
        self._publish, self._lost = publish, lost
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
            except psycopg.Error as error:
                if not self._stop.is_set() and self._following.is_set():
                    self._following.clear()
                    log.warning("what other bridges store is not shown live now: %s", words(error))
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
            self._seen = 0 if newest is None else newest[0]
            if missed:
                self._lost()
            return missed
        return False

    def _hand_on(self, db: Db) -> bool:
        """Publish some batches that were not yet. False when that was all."""
        rows = db.execute(
            "SELECT id, CASE WHEN writer <> %s THEN events END FROM changes WHERE id > %s ORDER BY id LIMIT %s",
            (self._writer, self._seen, _AT_ONCE),
            binary=True,
        ).fetchall()
        for id_, batch in rows:
            if batch is not None:
                self._publish(_columns(batch))
            self._seen = id_
        return len(rows) == _AT_ONCE


def _columns(batch: bytes) -> dict[StreamKey, Column]:
    return {
        (bucket, stream): Column(times, values, Kind(kind), unit)
        for bucket, stream, times, values, kind, unit in from_json(batch)
    }
