"""The spool's file and its one write connection: opened and checked, written in transactions, set aside if damaged.

SQLite before 3.51.3 can corrupt a WAL file when two connections write or checkpoint at the same instant, so there is
one that ever does. Readers are read-only, without mmap.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from mqttbridge.config.spool import SpoolConfig
from mqttbridge.errors import SpoolError
from mqttbridge.metrics import Metrics
from mqttbridge.spool import batches, known, notes, rejected
from mqttbridge.spool.batches import BatchTable
from mqttbridge.spool.known import KnownTable
from mqttbridge.spool.notes import Notes
from mqttbridge.spool.rejected import RejectedTable

log = logging.getLogger(__name__)

_SCHEMA: Final = batches.SCHEMA + known.SCHEMA + notes.SCHEMA + rejected.SCHEMA

# How SQLite says that a file is damaged.
MALFORMED: Final = "database disk image is malformed"
# A thorough check of a larger file would take longer than the 1.5 s in which the bridge is to be ready;
# damage there is noticed when it is read, and handled the same way.
_CHECK_UP_TO_BYTES: Final = 64 * 2**20
# Settled rows are deleted a second's worth at a time, not one commit at a time.
_TRIM_INTERVAL: Final = 1.0
# Free pages beyond this are given back to the file system, so many at a time.
_VACUUM_BEYOND_PAGES: Final = 4096
_VACUUM_STEP_PAGES: Final = 512
# What was last known, and what was rejected, may each take so much of `max_size` (one part in four) and no more: they
# do not go away when a destination catches up, so a spool full of them would block for ever.
_SHARE: Final = 4

_T = TypeVar("_T")


class SpoolFile:
    """Whoever calls holds `lock`, but for what says otherwise.

    Attributes:
        batches, known, notes, rejected: the tables, made anew with each connection but for the first.
        connection: the one that writes.
        generation: grows when a damaged file was set aside and a new one begun; readers reopen then.
        read_ahead: the row up to which each destination has read; what is between its cursor and this is on its way.
        last_commit: when it was, by the monotonic clock.
        error: why nothing can be stored now, or empty.

    Raises:
        SpoolError: the file cannot be opened or created at all.
    """

    connection: sqlite3.Connection
    known: KnownTable
    notes: Notes
    rejected: RejectedTable

    def __init__(self, path: Path, config: SpoolConfig, metrics: Metrics, destinations: Sequence[str]) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.batches = BatchTable(destinations)
        self.read_ahead: dict[str, int] = {}
        self.generation = 0
        self.last_commit = 0.0
        self.error = ""
        self._config, self._metrics = config, metrics
        self._next_trim = 0.0
        self._reopen = self._closed = False
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise SpoolError(f"cannot open the spool {path}: {error}") from error
            self._set_aside(error)
        metrics.spool_writable.set(1)

    def guarded(self, work: Callable[[], _T]) -> _T:
        """Run `work`, which uses the file: every use goes through here, so that no fault of it ends a thread.

        Raises:
            SpoolError: the file cannot be used now. One that is damaged was set aside, and `work` run on a new one.
        """
        if self._closed:
            raise SpoolError("the spool is closed")
        try:
            try:
                if self._reopen:
                    # After a failed write or sync nobody knows what the operating system kept of the file, so
                    # SQLite starts again from what is really on disk.
                    self.connection.close()
                    self._open()
                return work()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._set_aside(error)
                return work()
        except (sqlite3.DatabaseError, OSError) as error:
            self._reopen = True
            raise self.unwritable(SpoolError(f"the spool cannot be written or read: {error}")) from error

    def transact(self, work: Callable[[], _T]) -> _T:
        """Run `work` in a synced transaction, with the cursors that moved and the rows that are settled.

        Raises:
            SpoolError: it did not happen; everything was rolled back.
        """
        result = self.guarded(lambda: self._commit(work))
        if self.error:
            log.warning("the spool takes events again")
            self.error = ""
            self._metrics.spool_writable.set(1)
        return result

    def unwritable(self, error: SpoolError) -> SpoolError:
        """Note and log, once a change of state, that nothing can be stored now."""
        if not self.error:
            log.error("%s; nothing is acknowledged until there is room", error)
            self._metrics.spool_writable.set(0)
        self.error = str(error)
        return error

    def trim_soon(self) -> None:
        """Have the next commit delete what is settled."""
        self._next_trim = 0.0

    def usage(self) -> tuple[int, int]:
        """Bytes of it that hold something, and bytes that can be stored before it grows."""
        free = self._pragma("freelist_count")
        return (self._pragma("page_count") - free) * self._page_size, free * self._page_size

    def report_damage(self, error: sqlite3.DatabaseError, generation: int) -> None:
        """Called by readers, without the lock: set the file aside if it is damaged.

        Raises:
            SpoolError: it is not damage but a passing failure.
        """
        if not _is_damage(error):
            raise SpoolError(f"cannot read the spool: {error}") from error

        def set_aside() -> None:
            if generation == self.generation:
                self._set_aside(error)

        with self.lock:
            self.guarded(set_aside)

    def close(self) -> None:
        """Commit the cursors and close; again is harmless."""
        if self._closed:
            return
        try:
            self.transact(lambda: None)
        except SpoolError as error:
            log.warning("the spool's cursors could not be saved, some events will be sent again: %s", error)
        self._closed = True
        self.connection.close()

    def _open(self) -> None:
        new = not self.path.exists()
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        self.connection = connection
        if new:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        if not new and self.path.stat().st_size <= _CHECK_UP_TO_BYTES:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(f"{MALFORMED}: {verdict}")
        self._page_size: int = connection.execute("PRAGMA page_size").fetchone()[0]
        self.rejected = RejectedTable(connection, self._config.rejected_max_rows, self._config.max_size // _SHARE)
        self.known = KnownTable(connection, self._config.max_size // _SHARE)
        self.notes = Notes(connection)
        self.batches.open(connection)
        self._reopen = False

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Rename the damaged file and begin a new one; the old one stays for whoever wants to recover it."""
        self.connection.close()
        self._reopen = True  # until there is a new one
        aside = next(name for n in count(1) if not (name := Path(f"{self.path}.damaged-{n}")).exists())
        log.error(
            "the spool %s is damaged (%s): it was set aside as %s and a new one begun. What was not delivered "
            "yet is in that file; `sqlite3 %s .recover` may bring it back",
            self.path, error, aside.name, aside.name,
        )  # fmt: skip
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{self.path}{suffix}")
            if part.exists():
                part.rename(f"{aside}{suffix}")
        self.read_ahead.clear()
        self.generation += 1
        for destination, events in self.batches.begin_anew().items():
            self._metrics.dropped.add(events, reason="spool_damaged", destination=destination)
        try:
            self._open()
        except sqlite3.DatabaseError as again:
            raise SpoolError(f"cannot begin a new spool at {self.path}: {again}") from again

    def _commit(self, work: Callable[[], _T]) -> _T:
        before = self.batches.state()
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            result = work()
            self.batches.save_cursors()
            if time.monotonic() >= self._next_trim:
                self._trim()
            self.connection.execute("COMMIT")
        except BaseException:
            self.batches.restore(before)
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            raise
        self.last_commit = time.monotonic()
        return result

    def _trim(self) -> None:
        self._next_trim = time.monotonic() + _TRIM_INTERVAL
        self.batches.trim()
        if self._pragma("freelist_count") > _VACUUM_BEYOND_PAGES:
            self.connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_STEP_PAGES})").fetchall()

    def _pragma(self, name: str) -> int:
        value: int = self.connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or str(error).startswith(MALFORMED)
