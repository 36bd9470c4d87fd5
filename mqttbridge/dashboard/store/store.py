"""The store as others see it: one writer under a lock, readers on connections of their own.

There is exactly one connection that writes and checkpoints, since two at the same instant can corrupt a file
of SQLite before 3.51.3 (its WAL-reset bug). Readers open the file read-only for one question each: that takes a
fifth of a millisecond, and no reader is left behind on a file that was set aside.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from mqttbridge.dashboard.store import reader, rows, schema
from mqttbridge.dashboard.store.model import MICROSECONDS, BucketInfo, Column, Row, StreamInfo, StreamKey, columns_of
from mqttbridge.dashboard.store.retention import Retention
from mqttbridge.dashboard.store.writer import Writer
from mqttbridge.errors import StoreError
from mqttbridge.events import EventTuple, Position

T = TypeVar("T")


class Store:
    """The embedded dashboard's history. Every method may be called from any thread.

    Args:
        path: the file; it is created when missing, and set aside when damaged.
        retention: how long points are kept, in seconds; 0 keeps them for ever.
        clock: seconds since 1970.

    Raises:
        StoreError: the file cannot be opened or created; from the methods: it cannot be read or written now.
    """

    def __init__(self, path: Path, retention: float = 0.0, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._retention = Retention(retention)
        self._lock = threading.Lock()
        self._db = schema.open_for_writing(path)
        self._writer: Writer | None = None
        self._reopen = self._closed = False
        self._generation = 0

    @property
    def cursor(self) -> Position | None:
        """How far into the spool the stored points reach; None while nothing was ever stored from one."""
        with self._lock, _store_errors("read"):
            row = self._db.execute("SELECT seq, offset FROM cursor").fetchone()
        return None if row is None else Position(*row)

    def append(
        self,
        events: Sequence[EventTuple],
        units: Mapping[StreamKey, str] | None = None,
        end: Position | None = None,
    ) -> dict[StreamKey, Column]:
        """Store the events and the cursor in one synced transaction; doing it twice changes nothing.

        Of two events of one stream at one microsecond the later one stays.

        Returns:
            What was stored, by stream, for those who watch.

        Raises:
            StoreError: nothing was stored.
            ValueError, OverflowError: an event cannot be stored ever; nothing was.
        """
        columns = columns_of(events)

        def work(writer: Writer) -> None:
            now = self._clock()
            writer.append(columns, units or {}, end, now)
            writer.forget(self._retention.sweep(self._db, len(events), now))

        self._write(work)
        return columns

    def create_bucket(self, key: str, name: str | None = None, tags: Sequence[str] = ()) -> bool:
        """Make a bucket, or name and tag one that events made. False when it exists: the first name and tags win."""
        return self._write(lambda writer: writer.create_bucket(key, name, tags, self._clock()))

    def buckets(self) -> list[BucketInfo]:
        """Every bucket, that with the newest point first."""
        with self._reading() as db:
            return reader.buckets(db)

    def bucket_name(self, bucket: str) -> str | None:
        """The name a bucket is shown by; None when there is no such bucket."""
        with self._reading() as db:
            return reader.bucket_name(db, bucket)

    def streams(self, bucket: str) -> list[StreamInfo]:
        """The bucket's streams by name, each with its newest value; none when there is no such bucket."""
        with self._reading() as db:
            return reader.streams(db, bucket)

    def intervals(self, bucket: str) -> dict[str, float]:
        """The usual seconds between a stream's readings, by stream; those that said too little to tell lack."""
        with self._reading() as db:
            return reader.intervals(db, bucket)

    def points(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Column]:
        """Points of streams (all when none is named) between two times in epoch seconds, by M4.

        Each series is cut into at most `buckets` buckets of time, of four points at most. The point before
        `after` comes along; without `before` so do points stamped in the future.
        """
        end = self._clock() if before is None else before
        window = reader.Window(int(after * MICROSECONDS), int(end * MICROSECONDS), before is None, buckets)
        with self._reading() as db:
            return reader.points(db, bucket, streams, window)

    def rows(self, bucket: str, streams: Collection[str], after: float, before: float) -> Iterator[Sequence[Row]]:
        """Every point from `after` to before `before`, in order of time, then of stream; in batches of bounded size.

        Nothing is held between two batches but where the reading stands, so a download may take its time.
        """
        span = rows.Span(round(after * MICROSECONDS), round(before * MICROSECONDS))
        place: rows.Place | None = rows.Place(span.start)
        while place is not None:
            with self._reading() as db:
                batch, place = rows.read(db, bucket, streams, span, place)
            if batch:
                yield batch

    def close(self) -> None:
        """Fold the write-ahead log back and close."""
        with self._lock:
            self._closed = True
            self._db.close()

    def _write(self, work: Callable[[Writer], T]) -> T:
        """Run `work` in one transaction; on a file that proves damaged, set it aside and run it on a new one."""
        with self._lock, _store_errors("written"):
            if self._reopen and not self._closed:
                self._open_again()
            try:
                return self._transaction(work)
            except sqlite3.DatabaseError as error:
                # After a failed write nobody knows what the operating system kept of the file: begin from it anew.
                self._reopen = schema.is_io_error(error)
                if not schema.is_damage(error):
                    raise
                self._replace(error)
                return self._transaction(work)

    def _replace(self, damage: sqlite3.Error) -> None:
        """Set the file aside and begin a new one, at the next write if it cannot be had now."""
        self._reopen = True
        self._db.close()
        schema.set_aside(self.path, str(damage))
        self._generation += 1
        self._open_again()

    def _open_again(self) -> None:
        self._writer = None
        self._db.close()
        self._db = schema.open_for_writing(self.path)
        self._reopen = False

    def _transaction(self, work: Callable[[Writer], T]) -> T:
        if self._writer is None:
            self._writer = Writer(self._db)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._writer)
            self._db.execute("COMMIT")
        except BaseException:
            self._writer = None  # what it knows may be of the transaction that is undone here
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        return result

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        generation = self._generation
        with _store_errors("read"):
            try:
                db = schema.open_for_reading(self.path)
                try:
                    yield db
                finally:
                    db.close()
            except sqlite3.DatabaseError as error:
                if schema.is_damage(error):  # which the writer may never come across
                    with self._lock:
                        if generation == self._generation and not self._closed:
                            self._replace(error)
                raise


@contextmanager
def _store_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the dashboard's store cannot be {what} now: {error}") from error
