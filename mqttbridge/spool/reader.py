"""One destination's view of the spool: its rows in order, from wherever it stands."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Final

from pydantic_core import from_json

from mqttbridge.errors import SpoolError
from mqttbridge.events import EventTuple, Position
from mqttbridge.spool.arrivals import Arrivals
from mqttbridge.spool.file import MALFORMED, SpoolFile

# Rows are read a few at a time so that a backlog of small rows costs one query, not one each, and a backlog
# of large ones (an ingest read is up to a few thousand events) does not fill memory.
_ROWS_A_QUERY: Final = 64


@dataclass(frozen=True, slots=True)
class Row:
    """What one commit addressed to this destination, less what is settled of it already.

    The i-th event (from 0) ends at `Position(start.seq, start.offset + i + 1)`.
    """

    created: float
    events: list[EventTuple]
    units: dict[tuple[str, str], str]
    start: Position
    end: Position
    rules: dict[tuple[str, str], str] = field(default_factory=dict)


class SpoolReader:
    """Reads for one destination on a connection of its own; used by one thread."""

    def __init__(self, file: SpoolFile, arrivals: Arrivals, destination: str, position: Position) -> None:
        self._file, self._arrivals = file, arrivals
        self._destination = destination
        self._connection: sqlite3.Connection | None = None
        self._generation = -1
        self._nothing_up_to = -1
        self.position = position

    def read(self, after: Position, max_events: int) -> list[Row]:
        """Rows after `after`, oldest first, until they hold `max_events`; a single row may hold more.

        Returns:
            An empty list when there is nothing; rows for other destinations are passed over.

        Raises:
            SpoolError: the file cannot be read now.
        """
        try:
            return self._read(after, max_events)
        except sqlite3.DatabaseError as error:
            self._file.report_damage(error, self._generation)
        try:
            return self._read(after, max_events)
        except sqlite3.DatabaseError as error:
            raise SpoolError(f"cannot read the spool: {error}") from error

    def _read(self, after: Position, max_events: int) -> list[Row]:
        connection = self._connect()
        committed = self._arrivals.committed_seq
        rows: list[Row] = []
        count, seq = 0, max(after.seq, self._nothing_up_to + 1)
        while count < max_events:
            # One row answers for all: Python gives the interpreter lock away at each row that SQLite returns.
            found = from_json(
                connection.execute(
                    "SELECT json_group_array(json_array(seq, created, events, destinations, units)) FROM ("
                    "SELECT seq, created, events, destinations, units FROM batch WHERE seq >= ? ORDER BY seq LIMIT ?)",
                    (seq, _ROWS_A_QUERY),
                ).fetchone()[0]
            )
            for seq, created, size, destinations, units in found:
                if count and count + size > max_events:
                    return self._noted(rows)
                if destinations is not None and self._destination not in from_json(destinations):
                    continue
                offset = after.offset if seq == after.seq else 0
                if offset >= size:
                    continue
                body = connection.execute("SELECT body FROM batch WHERE seq = ?", (seq,)).fetchone()
                if body is None:  # trimmed or dropped between the two queries
                    continue
                told = from_json(units) if units else ()
                rows.append(
                    Row(
                        created=created,
                        events=_events(seq, body[0])[offset:],
                        units={(b, s): unit for b, s, unit, *_ in told if unit},
                        start=Position(seq, offset),
                        end=Position(seq + 1, 0),
                        rules={(b, s): rule for b, s, _, *rules in told for rule in rules},
                    )
                )
                count += size - offset
            if len(found) < _ROWS_A_QUERY:
                break
            seq += 1
        if not rows:
            self._nothing_up_to = committed  # rows for others, be they many, are not looked through again
        return self._noted(rows)

    def _noted(self, rows: list[Row]) -> list[Row]:
        if rows:
            self._file.read_ahead[self._destination] = rows[-1].end.seq
        return rows

    def wait(self, after: Position, timeout: float) -> bool:
        """Wait until something newer than `after`, and than what `read` found not to be ours, was appended.

        Returns:
            False when `timeout` seconds passed or `Spool.wake` was called.
        """
        return self._arrivals.wait_beyond(max(after, Position(self._nothing_up_to + 1, 0)), timeout)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None or self._generation != self._file.generation:
            self.close()
            self._generation = self._file.generation
            # Read-only and without mmap: SQLite before 3.51.3 can corrupt a WAL file when two connections
            # write or checkpoint at the same instant, so there is one connection that ever does.
            self._connection = sqlite3.connect(
                f"{self._file.path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30,
                check_same_thread=False,
            )  # fmt: skip
        return self._connection


def _events(seq: int, body: bytes) -> list[EventTuple]:
    """A row's events.

    Raises:
        sqlite3.DatabaseError: they cannot be read. SQLite checks its own pages and not what is in them.
    """
    try:
        return [tuple(event) for event in from_json(body)]
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"{MALFORMED}: row {seq} cannot be read: {error}") from error
