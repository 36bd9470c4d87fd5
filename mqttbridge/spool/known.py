"""What is to be known after a restart, by key: last values of topics, totals of counters, what thinning kept last."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from typing import Final

from mqttbridge.spool.rejected import insert_rows

log = logging.getLogger(__name__)

# `written` counts the times that something was written: what was written again last is the newest.
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS known(
    topic TEXT PRIMARY KEY, value TEXT NOT NULL, written INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
"""
# Enough for a fleet of some hundred thousand topics.
MAX_TABLE_BYTES: Final = 64 * 2**20
# What stays when it is full: looking for the oldest reads all of it, so it is made to be needed seldom.
_LEFT: Final = 0.75


class KnownTable:
    """Writes inside the spool's transactions; the caller holds the spool's lock.

    Topics come and go for ever and events need the room, so it has a bound, and what was written longest ago goes: a
    topic that has been silent for longest. Should it speak again, a retained value may be stored twice, a counter
    begins anew.

    Args:
        connection: the spool's.
        max_bytes: of keys and values.
    """

    def __init__(self, connection: sqlite3.Connection, max_bytes: int) -> None:
        self._connection = connection
        self._max_bytes = min(max_bytes, MAX_TABLE_BYTES)
        if "written" not in {column[1] for column in connection.execute("PRAGMA table_info(known)")}:
            connection.execute("ALTER TABLE known ADD COLUMN written INTEGER NOT NULL DEFAULT 0")
        self._bytes = self._measured()
        self._written: int = connection.execute("SELECT ifnull(max(written), 0) FROM known").fetchone()[0]

    def get(self, key: str) -> str | None:
        """What was written under a key last; None when it was forgotten, or never known."""
        row = self._connection.execute("SELECT value FROM known WHERE topic = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, known: Iterable[tuple[str, str]]) -> None:
        """Write values by their keys."""
        self._written += 1
        rows = [(key, value, self._written) for key, value in known]
        insert_rows(self._connection, "INSERT OR REPLACE INTO known", rows)
        self._bytes += sum(len(key) + len(value) for key, value, _ in rows)  # less is right where one was replaced
        if self._bytes > self._max_bytes:
            self._bytes = self._measured()
        if self._bytes > self._max_bytes:
            self._forget_oldest(self._bytes - int(self._max_bytes * _LEFT))

    def _forget_oldest(self, surplus: int) -> None:
        query = "SELECT written, sum(length(topic) + length(value)) FROM known GROUP BY written ORDER BY written"
        last = found = 0
        for written, size in self._connection.execute(query):
            last, found = written, found + size
            if found >= surplus:
                break
        forgotten = self._connection.execute("DELETE FROM known WHERE written <= ?", (last,)).rowcount
        self._bytes -= found
        log.warning("there is no room for what is known of every topic: the %d longest silent are forgotten", forgotten)

    def _measured(self) -> int:
        total: int = self._connection.execute(
            "SELECT ifnull(sum(length(topic) + length(value)), 0) FROM known"
        ).fetchone()[0]
        return total
