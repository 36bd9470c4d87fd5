"""One span of time: a file of its own, with a log of what came last and the sealed chunks of all before.

A batch is one row of the log: its points as JSON, and how far into the spool they reach. That is all a commit
writes, whatever number of series it has, and it is what survives a crash. The same points are in memory (tail.py),
where readers find them, until they are sealed; sealing goes on bit by bit in the transactions of the batches that
follow. Once all points of a stretch of the log are in chunks, that stretch is deleted.

Whatever a crash interrupts, nothing is lost and nothing counts twice: what was not sealed is in the log, which is
read back at the next start, and sealing a point twice replaces it by itself.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store import chunks, files, sealing
from mqttbridge.dashboard.store.model import StreamKey
from mqttbridge.dashboard.store.tail import Points, Tail, in_order
from mqttbridge.events import Position, Value

VERSION: Final = 1

# `series` says whose the points are, so that a file explains itself when the catalogue is lost.
SCHEMA: Final = f"""
CREATE TABLE series (id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, stream TEXT NOT NULL);
CREATE TABLE log (seq INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL, spool_seq INTEGER, spool_offset INTEGER);
{chunks.SCHEMA}
"""

# Sealing keeps ahead of what comes: for each point two, and never so few that a trickle would take for ever. A series
# costs as much as some points, however few it has.
SEALED_PER_POINT: Final = 2
LEAST_SEALED: Final = 2000
COST_OF_SERIES: Final = 40
SEALED_AT_ONCE: Final = 20_000

# Times in microseconds beside values, of one series by its id.
Part = tuple[int, list[int], list[Value]]


class View(NamedTuple):
    """One state of a span: its sealed chunks as a connection shows them, and the points not sealed yet."""

    db: sqlite3.Connection
    tail: dict[int, Points]


class Span:
    """A stretch of time with its file. One thread at a time may write; any number may read.

    Args:
        path: the file.
        start, end: of the stretch, in microseconds since 1970; the end is exclusive.
        names: what the series of a number is called.
    """

    def __init__(self, path: Path, start: int, end: int, names: Callable[[int], StreamKey]) -> None:
        self.path, self.start, self.end = path, start, end
        self.position: Position | None = None
        self.tail = Tail()
        self._names = names
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._known: set[int] = set()
        self._next_chunk = 1
        self._aged_at = 0
        self._sealed_to: int | None = None  # the log up to here is in chunks
        self._trim_to: int | None = None
        self._reopen = self._log_anew = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that writes, and points in memory perhaps."""
        return self._db is not None

    @property
    def sealed(self) -> bool:
        """Whether a stretch of the log is sealed and waits for `release`."""
        return self._sealed_to is not None

    def release(self) -> None:
        """The log may go as far as it is sealed: the catalogue knows what else it said. It goes with the next batch."""
        self._trim_to, self._sealed_to = self._sealed_to, None

    def open(self) -> sqlite3.Connection:
        """The writing connection; made, and the log read back, if need be.

        Raises:
            sqlite3.Error, OSError, StoreError: see files.open_for_writing.
        """
        if self._db is not None and not self._reopen:
            return self._db
        self.close()
        db = files.open_for_writing(self.path, SCHEMA, VERSION)
        try:
            if self._log_anew:
                self._write_log_anew(db)
            self._read_back(db)
        except BaseException:
            db.close()
            raise
        self._db, self._reopen, self._log_anew = db, False, False
        self._sealed_to = self._trim_to = None
        return db

    def check(self, seconds: float) -> None:
        """Look the file over, for some seconds at most.

        Raises:
            sqlite3.DatabaseError: it is damaged.
        """
        files.check(self.open(), seconds)

    def append(self, parts: Sequence[Part], end: Position | None) -> None:
        """Store points durably, and seal some of those that came before.

        Args:
            parts: the points, each series' in the order they came.
            end: the position to which all that is stored reaches with this batch.

        Raises:
            sqlite3.Error: nothing was stored.
        """
        data = to_json(parts)
        db = self.open()
        if self.tail.due:
            self._age(db)
        ripe = self._ripe(max(LEAST_SEALED, SEALED_PER_POINT * sum(len(times) for _, times, _ in parts)))
        new = {part[0] for part in parts} - self._known

        def work() -> None:
            files.insert_many(db, "series", ((id_, *self._names(id_)) for id_ in new), 3)
            db.execute(
                "INSERT INTO log (data, spool_seq, spool_offset) VALUES (?, ?, ?)", (data, *(end or (None, None)))
            )
            if self._trim_to is not None:
                db.execute("DELETE FROM log WHERE seq <= ?", (self._trim_to,))

        self._transaction(db, work, ripe, parts, len(data))
        self._known |= new
        self._trim_to = None
        if end is not None:
            self.position = end

    def take(self, columns: Mapping[int, Points]) -> None:
        """Seal points of series, in order of time, at once."""
        db, new = self.open(), columns.keys() - self._known

        def work() -> None:
            files.insert_many(db, "series", ((id_, *self._names(id_)) for id_ in new), 3)
            self._next_chunk = sealing.seal(db, columns, self._next_chunk)

        self._transaction(db, work)
        self._known |= new

    def seal_all(self) -> None:
        """Seal everything that is in memory."""
        db = self.open()
        for _ in range(2):  # what is ageing, then what is fresh
            if not self.tail.ageing:
                self._age(db)
            while ripe := self._ripe(SEALED_AT_ONCE):
                self._transaction(db, lambda: None, ripe)
        self._sealed_to = self._aged_at

    def trim(self) -> None:
        """Delete at once what of the log is released."""
        if self._trim_to is not None:
            db, to = self.open(), self._trim_to
            self._transaction(db, lambda: db.execute("DELETE FROM log WHERE seq <= ?", (to,)))
            self._trim_to = None

    def forget(self, ids: Collection[int]) -> None:
        """Delete series with everything of them."""
        db, gone = self.open(), set(ids)

        def work() -> None:
            chunks.delete_series(db, gone)
            db.execute("DELETE FROM series WHERE id IN (SELECT value FROM json_each(?))", (to_json(gone).decode(),))

        with self._lock:
            self.tail.forget(gone)  # before, so that what is being sealed cannot bring them back
        self._transaction(db, work)
        self._known -= gone

    def sweep(self, ids: Collection[int], cutoff: int, limit: int) -> int:
        """Delete up to `limit` chunks of series that end before the cutoff; returns how many."""
        db = self.open()
        deleted = 0

        def work() -> None:
            nonlocal deleted
            deleted = chunks.delete_before(db, ids, cutoff, limit)

        self._transaction(db, work)
        return deleted

    @contextmanager
    def view(self, ids: Collection[int]) -> Iterator[View]:
        """One state of the points of series, for as long as the context lasts."""
        with self._lock:
            db = files.open_for_reading(self.path)
            try:
                db.execute("BEGIN")
                db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # the state is that of the first read
                tail = self.tail.copy(ids)
            except BaseException:
                db.close()
                raise
        try:
            yield View(db, tail)
        finally:
            db.close()

    def newest_values(self) -> Iterator[tuple[int, StreamKey, int, Value]]:
        """Of every series its number, name, and the newest point of this span."""
        db = self.open()
        (series,) = db.execute("SELECT json_group_array(json_array(id, bucket, stream)) FROM series").fetchone()
        names = {id_: (bucket, stream) for id_, bucket, stream in from_json(series)}
        last = [found[-1] for found in chunks.newest_before(db, names, self.end).values()]
        for chunk, (times, values) in chunks.load(db, last):
            yield chunk.series, names[chunk.series], times[-1], values[-1]
        for id_, (times, values) in self.tail.copy(names).items():
            yield id_, names[id_], times[-1], values[-1]

    def set_aside(self, why: str) -> None:
        """Set the damaged file aside. What is in memory goes into the log of a new one, at the next `open`."""
        self.close()
        files.set_aside(self.path, why, "its part of the history is not shown any more, the rest is")
        self._log_anew = True

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _read_back(self, db: sqlite3.Connection) -> None:
        (known,) = db.execute("SELECT json_group_array(id) FROM series").fetchone()
        (next_chunk,) = db.execute("SELECT coalesce(max(id), 0) + 1 FROM chunks").fetchone()
        (log,) = db.execute("SELECT '[' || coalesce(group_concat(data), '') || ']' FROM log").fetchone()
        row = db.execute(
            "SELECT spool_seq, spool_offset FROM log WHERE spool_seq IS NOT NULL ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        ids = set(from_json(known))
        tail = Tail()
        for parts in from_json(log):
            tail.add((part for part in parts if part[0] in ids), 0)  # the others were deleted
        tail.fresh_bytes = len(log)
        with self._lock:
            self.tail = tail
        self._known, self._next_chunk = ids, next_chunk
        self.position = self.position if row is None else Position(*row)

    def _write_log_anew(self, db: sqlite3.Connection) -> None:
        parts = [(id_, *points) for part in (self.tail.ageing, self.tail.fresh) for id_, points in part.items()]
        db.execute("BEGIN IMMEDIATE")
        files.insert_many(db, "series", ((id_, *self._names(id_)) for id_ in {part[0] for part in parts}), 3)
        db.execute(
            "INSERT INTO log (data, spool_seq, spool_offset) VALUES (?, ?, ?)",
            (to_json(parts), *(self.position or (None, None))),
        )
        db.execute("COMMIT")

    def _age(self, db: sqlite3.Connection) -> None:
        (self._aged_at,) = db.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()
        with self._lock:
            self.tail.age()

    def _ripe(self, budget: int) -> dict[int, Points]:
        """Ageing points to seal now: some series, whole."""
        ripe = {}
        for series, (times, values) in self.tail.ageing.items():
            ripe[series] = in_order(times, values)
            budget -= len(times) + COST_OF_SERIES
            if budget <= 0:
                break
        return ripe

    def _transaction(
        self,
        db: sqlite3.Connection,
        work: Callable[[], object],
        ripe: Mapping[int, Points] = MappingProxyType({}),
        parts: Sequence[Part] = (),
        size: int = 0,
    ) -> None:
        """Run `work` and seal what is ripe in one transaction; the tail changes with it, as readers see it."""
        try:
            db.execute("BEGIN IMMEDIATE")
            work()
            next_chunk = sealing.seal(db, ripe, self._next_chunk) if ripe else self._next_chunk
            if not ripe:
                db.execute("COMMIT")
            with self._lock:
                if ripe:  # a reader finds a point in the tail or in a chunk, never in both or neither
                    db.execute("COMMIT")
                self.tail.add(parts, size)
                for series in ripe:
                    self.tail.ageing.pop(series, None)
        except BaseException as error:
            # After a failed write nobody knows what the operating system kept of the file: begin from it anew.
            self._reopen = files.is_io_error(error)
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        self._next_chunk = next_chunk
        if ripe and not self.tail.ageing:
            self._sealed_to = self._aged_at
