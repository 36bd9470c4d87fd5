"""The rows of the queue, and up to where each destination has settled them.

A row is one commit's events for the same destinations, as a JSON array: at 200,000 events/s the number of rows, not of
events, is what SQLite has to carry.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from pydantic_core import to_json

from mqttbridge.events import Batch, Position

log = logging.getLogger(__name__)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS batch(
    seq INTEGER PRIMARY KEY, created REAL NOT NULL, events INTEGER NOT NULL, destinations TEXT, units TEXT,
    body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cursor(
    destination TEXT PRIMARY KEY, seq INTEGER NOT NULL, offset INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

# How many of the oldest rows are looked at in one step, when some are to be dropped.
_DROP_STEP_ROWS: Final = 256
# Whether a row is for the destination `:destination`, given in quotes. Names hold no quotes, so this is exact.
_ADDRESSED: Final = "(destinations IS NULL OR instr(destinations, :destination))"

# created, number of events, destinations and units as JSON where there are any, the events as JSON
NewRow: TypeAlias = tuple[float, int, str | None, str | None, bytes]


def new_rows(batches: Sequence[Batch]) -> list[NewRow]:
    """A row for each batch, of now."""
    created = time.time()
    return [
        (
            created,
            len(batch.events),
            to_json(batch.to).decode() if batch.to else None,
            _told(batch),
            to_json(batch.events),
        )
        for batch in batches
    ]


def _told(batch: Batch) -> str | None:
    """What is told of streams: their units, and behind those the rules that made them."""
    told: list[tuple[str, ...]] = [(*stream, unit) for stream, unit in batch.units.items()]
    told += [(*stream, batch.units.get(stream, ""), rule) for stream, rule in batch.rules.items()]
    return to_json(told).decode() if told else None


@dataclass(frozen=True, slots=True)
class Run:
    """Rows without a hole that are to be dropped, and how many events of them each destination loses."""

    first: int
    end: int
    lost: Mapping[str, int]


class BatchTable:
    """Writes inside the spool's transactions; the caller holds the spool's lock.

    Args:
        destinations: who has a cursor.

    Attributes:
        rows: how many there are.
        last_seq: the number of the newest row, of all that ever were.
        cursors: where each destination goes on. What it lags behind the file's is saved with the next commit.
        kept: how many events each destination has not settled.
        moved: whose cursor is to be saved.
    """

    def __init__(self, destinations: Sequence[str]) -> None:
        self.destinations = tuple(destinations)
        self.rows = self.last_seq = 0
        self.cursors: dict[str, Position] = {}
        self.kept: dict[str, int] = {}
        self.moved: set[str] = set()

    def open(self, connection: sqlite3.Connection) -> None:
        """Take up what the file holds. Neither row numbers nor cursors go back behind what was known before."""
        self._connection = connection
        self.rows = connection.execute("SELECT count(*) FROM batch").fetchone()[0]
        last = connection.execute("SELECT max(seq) FROM batch").fetchone()[0] or 0
        stored = {d: Position(seq, offset) for d, seq, offset in connection.execute("SELECT * FROM cursor")}
        # A trimmed file has no rows, but its cursors stand behind the last row it ever held.
        passed = max((position.seq - 1 for position in stored.values()), default=0)
        self.last_seq = max(self.last_seq, last, passed) or int(time.time() * 1e6)
        for gone in stored.keys() - set(self.destinations):
            log.info("destination %r is no longer configured: what waited for it is no longer kept", gone)
            connection.execute("DELETE FROM cursor WHERE destination = ?", (gone,))
        start = Position(0, 0)
        self.cursors = {d: max(self.cursors.get(d, start), stored.get(d, start)) for d in self.destinations}
        self.moved = set(self.destinations)
        self.kept = {d: self._events_between(d, self.cursors[d], self._end()) for d in self.destinations}

    def begin_anew(self) -> dict[str, int]:
        """The file is gone: go on in another one, with higher row numbers.

        Returns:
            How many events each destination lost.
        """
        lost = {d: events for d, events in self.kept.items() if events}
        self.last_seq = max(self.last_seq + 1, int(time.time() * 1e6))
        self.kept = dict.fromkeys(self.destinations, 0)
        return lost

    # --- one transaction -----------------------------------------------------------------------------------

    def state(self) -> tuple[int, int, set[str], dict[str, int], dict[str, Position]]:
        """What `restore` takes where a transaction is rolled back."""
        return self.last_seq, self.rows, set(self.moved), dict(self.kept), dict(self.cursors)

    def restore(self, state: tuple[int, int, set[str], dict[str, int], dict[str, Position]]) -> None:
        """Be as before the transaction."""
        self.last_seq, self.rows, self.moved, self.kept, self.cursors = state

    def insert(self, rows: Sequence[NewRow], batches: Sequence[Batch]) -> None:
        """Add the rows of batches."""
        for row, batch in zip(rows, batches, strict=False):  # no rows at all when the policy drops the newest
            self.last_seq += 1
            self.rows += 1
            self._connection.execute("INSERT INTO batch VALUES (?,?,?,?,?,?)", (self.last_seq, *row))
            for destination in batch.to or self.destinations:
                if destination in self.kept:
                    self.kept[destination] += len(batch.events)

    def settle(self, destination: str, position: Position) -> None:
        """Move a cursor forward."""
        before = self.cursors[destination]
        if position > before:  # else a policy dropped the rows while they were on their way
            self.kept[destination] -= self._events_between(destination, before, position)
            self._set_cursor(destination, position)

    def save_cursors(self) -> None:
        """Write those that moved."""
        for destination in self.moved:
            self._connection.execute(
                "INSERT OR REPLACE INTO cursor VALUES (?,?,?)", (destination, *self.cursors[destination])
            )
        self.moved.clear()

    def trim(self) -> None:
        """Delete the rows that every destination has settled."""
        needed = {d: self._oldest_unsettled(d) for d in self.destinations}
        settled = min(needed.values())
        self.rows -= self._connection.execute("DELETE FROM batch WHERE seq < ?", (settled,)).rowcount
        for destination, seq in needed.items():
            if self.cursors[destination].seq < seq:
                # The rows between were for others. Its cursor moves past them, so that the last row number is
                # known after a restart although no row is left.
                self._set_cursor(destination, Position(seq, 0))

    def drop(self, run: Run) -> None:
        """Delete rows that were not settled."""
        query = "DELETE FROM batch WHERE seq >= ? AND seq < ?"
        self.rows -= self._connection.execute(query, (run.first, run.end)).rowcount
        for destination, events in run.lost.items():
            self.kept[destination] -= events

    def grow_younger(self, seconds: float, after: int) -> None:
        """Move the commit time of the rows after this one by so much, never past now."""
        query = "UPDATE batch SET created = min(created + ?, ?) WHERE seq > ?"
        self._connection.execute(query, (seconds, time.time(), after))

    # --- looking -------------------------------------------------------------------------------------------

    def oldest(self) -> float | None:
        """When the oldest row was committed, in epoch seconds."""
        row = self._connection.execute("SELECT created FROM batch ORDER BY seq LIMIT 1").fetchone()
        return row[0] if row else None

    def oldest_run(self, before: float, read_ahead: Mapping[str, int]) -> Run | None:
        """Some of the oldest rows, committed before this time; None where there are none.

        Rows that a destination has under way are spared while there are others: they will be counted when they
        are settled, and nothing is to be counted twice.
        """
        under_way = [(self.cursors[d].seq, ahead) for d, ahead in read_ahead.items()]
        spared = "".join(" AND NOT (seq >= ? AND seq < ?)" for _ in under_way)
        bounds = [bound for pair in under_way for bound in pair]
        query = "SELECT seq FROM batch WHERE created < ?{} ORDER BY seq LIMIT ?"
        rows = self._connection.execute(query.format(spared), (before, *bounds, _DROP_STEP_ROWS)).fetchall()
        rows = rows or self._connection.execute(query.format(""), (before, _DROP_STEP_ROWS)).fetchall()
        if not rows:
            return None
        first, end = Position(rows[0][0], 0), Position(rows[-1][0] + 1, 0)
        # Between first and last there may be rows that are spared; only a run without a hole is dropped at once.
        for (one,), (following,) in pairwise(rows):
            if self._rows_between(one, following):
                end = Position(one + 1, 0)
                break
        lost = {d: self._events_between(d, max(first, self.cursors[d]), end) for d in self.destinations}
        return Run(first.seq, end.seq, {d: events for d, events in lost.items() if events > 0})

    def _end(self) -> Position:
        return Position(self.last_seq + 1, 0)

    def _set_cursor(self, destination: str, position: Position) -> None:
        self.cursors[destination] = position
        self.moved.add(destination)

    def _rows_between(self, first: int, last: int) -> bool:
        query = "SELECT 1 FROM batch WHERE seq > ? AND seq < ? LIMIT 1"
        return self._connection.execute(query, (first, last)).fetchone() is not None

    def _events_between(self, destination: str, start: Position, end: Position) -> int:
        """Events for a destination from `start` up to `end`."""
        total: int = self._connection.execute(
            "SELECT ifnull(sum((CASE seq WHEN :end THEN :end_offset ELSE events END)"
            " - (CASE seq WHEN :start THEN :start_offset ELSE 0 END)), 0) FROM batch"
            " WHERE seq >= :start AND (seq < :end OR (seq = :end AND :end_offset > 0))"
            f" AND {_ADDRESSED}",
            {
                "start": start.seq,
                "start_offset": start.offset,
                "end": end.seq,
                "end_offset": end.offset,
                "destination": f'"{destination}"',
            },
        ).fetchone()[0]
        return total

    def _oldest_unsettled(self, destination: str) -> int:
        """The row at which this destination has to go on; the next one to come when all is settled."""
        position = self.cursors[destination]
        row = self._connection.execute(
            "SELECT seq FROM batch WHERE seq >= :seq AND NOT (seq = :seq AND events <= :offset)"
            f" AND {_ADDRESSED} ORDER BY seq LIMIT 1",
            {"seq": position.seq, "offset": position.offset, "destination": f'"{destination}"'},
        ).fetchone()
        return row[0] if row else self._end().seq
