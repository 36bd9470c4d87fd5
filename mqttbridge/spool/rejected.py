"""The Rejected table: what was refused and why, capped by rows and bytes, oldest out first."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mqttbridge.events import Rejected

# Enough of a payload to see what is wrong with it and, for nearly all devices, the whole of it.
MAX_PAYLOAD_BYTES: Final = 16 * 1024
MAX_DETAIL_CHARS: Final = 1000
MAX_TOPIC_CHARS: Final = 1000
# Together with the row limit and the spool's own this bounds the table to a small part of the spool, whatever is sent.
MAX_TABLE_BYTES: Final = 64 * 2**20

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rejected(
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    topic TEXT NOT NULL, payload BLOB NOT NULL, rule TEXT NOT NULL, destination TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One rejected message or event as it was kept. `at` is its time of rejection, epoch seconds."""

    id: int
    at: float
    reason: str
    detail: str
    topic: str
    payload: bytes
    rule: str
    destination: str


_SIZE: Final = "length(detail) + length(topic) + length(payload)"

# Stays below the number of variables that every SQLite in the field takes (999).
_VARIABLES_A_STATEMENT: Final = 900


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert many rows by few statements.

    Python gives the interpreter lock away at each step of SQLite, and beside a busy thread gets it back up to 5 ms
    later; `executemany` steps once a row.
    """
    if not rows:
        return
    width = len(rows[0])
    step = _VARIABLES_A_STATEMENT // width
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        values = ",".join(["(" + ",".join("?" * width) + ")"] * len(some))
        connection.execute(f"{into} VALUES {values}", [value for row in some for value in row])


class RejectedTable:
    """Writes inside the spool's transactions; the caller holds the spool's lock."""

    def __init__(self, connection: sqlite3.Connection, max_rows: int, max_bytes: int = MAX_TABLE_BYTES) -> None:
        self._connection, self._max_rows = connection, max_rows
        self._max_bytes = min(max_bytes, MAX_TABLE_BYTES)
        self.rows, self._bytes = connection.execute(
            f"SELECT count(*), ifnull(sum({_SIZE}), 0) FROM rejected"
        ).fetchone()

    def insert(self, rejected: Sequence[Rejected]) -> int:
        """Add rows and cap the table.

        Returns:
            How many of the oldest rows made room.
        """
        at = time.time()
        rows = [
            (
                at,
                str(r.reason),
                r.detail[:MAX_DETAIL_CHARS],
                r.topic[:MAX_TOPIC_CHARS],
                r.payload[:MAX_PAYLOAD_BYTES],
                r.rule,
                r.destination,
            )
            for r in rejected[-self._max_rows :]
        ]
        overflow = len(rejected) - len(rows) if self._max_rows else len(rejected)
        if not self._max_rows:
            return overflow
        self._connection.executemany(
            "INSERT INTO rejected(at, reason, detail, topic, payload, rule, destination) VALUES (?,?,?,?,?,?,?)",
            rows,
        )
        self.rows += len(rows)
        self._bytes += sum(len(row[2]) + len(row[3]) + len(row[4]) for row in rows)
        return overflow + self._cap()

    def remove(self, ids: Sequence[int]) -> None:
        """Remove these rows; those that are gone already are no matter."""
        for one in ids:
            gone = self._connection.execute(f"DELETE FROM rejected WHERE id = ? RETURNING {_SIZE}", (one,))
            for (size,) in gone.fetchall():
                self.rows -= 1
                self._bytes -= size

    def _cap(self) -> int:
        removed = 0
        while self.rows > self._max_rows or (self._bytes > self._max_bytes and self.rows > 1):
            excess = max(self.rows - self._max_rows, 1)
            oldest = self._connection.execute(
                f"SELECT id, {_SIZE} FROM rejected ORDER BY id LIMIT ?", (excess,)
            ).fetchall()
            self._connection.execute("DELETE FROM rejected WHERE id <= ?", (oldest[-1][0],))
            self.rows -= len(oldest)
            self._bytes -= sum(size for _, size in oldest)
            removed += len(oldest)
        return removed

    def list(self, limit: int, before_id: int | None) -> list[RejectedRow]:
        rows = self._connection.execute(
            "SELECT id, at, reason, detail, topic, payload, rule, destination FROM rejected "
            "WHERE id < ? ORDER BY id DESC LIMIT ?",
            (2**62 if before_id is None else before_id, limit),
        )
        return [RejectedRow(*row) for row in rows]
