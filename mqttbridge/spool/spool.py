"""The durable queue: one SQLite file, one writer, a cursor for each destination.

Invariants:
1. `append` returns only after its transaction has been synced to disk (WAL, `synchronous=FULL`). Whoever
   acknowledges something upstream does so after `append`, never before.
2. There is one write connection, and checkpoints come from it alone (SQLite before 3.51.3 can corrupt a WAL
   file when two connections write or checkpoint at the same instant). Readers are read-only, without mmap.
3. A row goes away only when every destination has settled it, or by a stated policy, and then it is counted.
4. Row numbers never repeat, not even after a damaged file was set aside: a new file starts at the clock's
   microseconds, which no file that took less than a million commits a second can have reached.

A row is one commit's events for the same destinations, as a JSON array: at 200,000 events/s the number of rows,
not of events, is what SQLite has to carry. Cursors ride along with the next commit: delivery is at-least-once,
so a cursor that is a moment old after a crash costs duplicates, never losses.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from pydantic_core import to_json

from mqttbridge.config.spool import SpoolConfig, WhenFull
from mqttbridge.errors import SpoolError, SpoolFull
from mqttbridge.events import Batch, Position, Rejected
from mqttbridge.metrics import Metrics
from mqttbridge.spool import known as known_table, rejected as rejected_table
from mqttbridge.spool.known import KnownTable
from mqttbridge.spool.reader import MALFORMED, SpoolReader
from mqttbridge.spool.rejected import RejectedRow, RejectedTable

log = logging.getLogger(__name__)

_SCHEMA: Final = (
    """
CREATE TABLE IF NOT EXISTS batch(
    seq INTEGER PRIMARY KEY, created REAL NOT NULL, events INTEGER NOT NULL, destinations TEXT, units TEXT,
    body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cursor(
    destination TEXT PRIMARY KEY, seq INTEGER NOT NULL, offset INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS announcement(topic TEXT PRIMARY KEY, said TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
    + known_table.SCHEMA
    + rejected_table.SCHEMA
)

# A thorough check of a larger file would take longer than the 1.5 s in which the bridge is to be ready;
# damage there is noticed when it is read, and handled the same way.
_CHECK_UP_TO_BYTES: Final = 64 * 2**20
# Settled rows are deleted a second's worth at a time, not one commit at a time.
_TRIM_INTERVAL: Final = 1.0
# How often `statvfs` is asked: a second of ingest is at most a few dozen MiB, far less than min_free_disk.
_DISK_CHECK_INTERVAL: Final = 1.0
# How long a cursor waits for a commit to ride along with. It bounds what is sent twice after a crash, and while
# events come in the next commit is always sooner.
_RIDE_SECONDS: Final = 0.1
# Free pages beyond this are given back to the file system, so many at a time.
_VACUUM_BEYOND_PAGES: Final = 4096
_VACUUM_STEP_PAGES: Final = 512
# How many of the oldest rows `drop_oldest` and `max_age` look at in one step.
_DROP_STEP_ROWS: Final = 256
# A clock that gains or loses more than this on the monotonic one was set.
_CLOCK_WAS_SET: Final = 60.0
# What was last known, and what was rejected, may each take so much of `max_size` (one part in four) and no more: they
# do not go away when a destination catches up, so a spool full of them would block for ever.
_SHARE: Final = 4

_T = TypeVar("_T")

# created, number of events, destinations and units as JSON where there are any, the events as JSON
_NewRow: TypeAlias = tuple[float, int, str | None, str | None, bytes]


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """How the spool stands. `kept` counts unsettled events by destination, `oldest` is in epoch seconds."""

    rows: int
    bytes: int
    oldest: float | None
    kept: dict[str, int]
    writable: bool
    error: str
    rejected: int


class Spool:
    """See the module's text. Every method is safe to call from any thread.

    Args:
        path: the file.
        config: the `spool` section.
        metrics: counts what is stored and dropped.
        destinations: who has a cursor.
        on_rejected: told of rejected messages once they are stored.
        age_clock: the time by which events are older than `max_age`.

    Raises:
        SpoolError: the file cannot be opened or created at all.
    """

    def __init__(
        self,
        path: Path,
        config: SpoolConfig,
        metrics: Metrics,
        destinations: Sequence[str],
        *,
        on_rejected: Callable[[Sequence[Rejected]], object] = lambda _: None,
        age_clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.generation = 0
        """Grows when a damaged file was set aside and a new one begun; readers reopen then."""
        self._config, self._metrics, self._destinations = config, metrics, tuple(destinations)
        self._on_rejected, self._age_clock = on_rejected, age_clock
        self._lock = threading.Lock()
        self._appended = threading.Condition()
        self.committed_seq = 0
        """The last row that readers can see."""
        self.read_ahead: dict[str, int] = {}
        """The row up to which each destination has read; what is between its cursor and this is on its way."""
        self._last_seq = self._wakes = 0
        self._cursors: dict[str, Position] = {}
        self._kept: dict[str, int] = {}
        self._error = ""
        self._next_trim = self._next_disk_check = self._last_commit = 0.0
        self._disk_short = self._reopen = self._closed = False
        self._measured: tuple[int, float | None] = (0, None)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise SpoolError(f"cannot open the spool {path}: {error}") from error
            self._set_aside(error)
        self.committed_seq = self._first_seq = self._last_seq
        self._clock_ahead = time.time() - time.monotonic()
        self._metrics.spool_writable.set(1)

    # --- writing -------------------------------------------------------------------------------------------

    def append(
        self,
        batches: Sequence[Batch],
        rejected: Sequence[Rejected] = (),
        known: Sequence[tuple[str, str]] = (),
        *,
        source: str = "mqtt",
    ) -> None:
        """Store batches, rejected messages and what is to be known with them in one transaction and sync it.

        Args:
            batches: events.
            rejected: messages.
            known: (key, value) texts for `known`, that hold from these events on.
            source: of the events, as the metrics call it.

        Raises:
            SpoolFull: at the bound, and the policy is `block`.
            SpoolError: the disk cannot take it now. In both cases nothing was stored: call again later.
        """
        rows = _new_rows(batches)
        with self._lock:
            there_is_room = self._guarded(lambda: self._make_room(sum(len(row[4]) for row in rows)))
            stored = rows if there_is_room else []
            overflow = self._transact(lambda: self._insert_known(stored, batches, rejected, known))
            committed = self._last_seq
        self._announce(committed)
        if there_is_room:
            self._count_spooled(rows, batches, source)
        else:
            self._metrics.dropped.add(sum(row[1] for row in rows), reason="spool_full")
        self._count_rejected(rejected, overflow)

    def settle_rejected(self, ids: Sequence[int], batches: Sequence[Batch] = ()) -> None:
        """Forget rejected messages and store the events that they became after all, in one transaction.

        So a message that is replayed is either still among the rejected or its events are in the spool, never both
        and never neither.

        Raises:
            SpoolFull: there is no room for the events, whatever the policy: they are kept where they are.
            SpoolError: the disk cannot take it now. In both cases nothing was changed.
        """
        rows = _new_rows(batches)
        with self._lock:
            if rows and not self._guarded(lambda: self._make_room(sum(len(row[4]) for row in rows))):
                raise SpoolFull("the spool is full: rejected messages stay where they are")
            self._transact(lambda: self._replace(ids, rows, batches))
            committed = self._last_seq
        self._announce(committed)
        self._count_spooled(rows, batches, "replay")

    def settle(self, destination: str, position: Position, rejected: Sequence[Rejected] = ()) -> None:
        """Move a destination's cursor forward to `position`: everything before it is settled.

        The move rides along with the next commit, unless none came for a while. With `rejected` (what the
        destination refused for good) both are committed now.

        Raises:
            SpoolError: the commit failed; call again with what was rejected.
        """
        with self._lock:
            run = self._guarded  # to ride along with the next commit
            if rejected or time.monotonic() - self._last_commit > _RIDE_SECONDS:
                run = self._transact
            overflow = run(lambda: self._settle(destination, position, rejected))
        self._count_rejected(rejected, overflow)

    def maintain(self) -> None:
        """Commit what rides along when nothing else does: cursors, trimming, ageing. Called once a second."""
        with self._lock:
            try:
                if self._config.max_age:
                    self._follow_clock()
                    self._guarded(lambda: self._drop_older_than(self._age_clock() - self._config.max_age))
                if self._moved or self._error:
                    self._transact(lambda: None)
            except SpoolError as error:
                log.debug("the spool's housekeeping waits: %s", error)

    def remember(self, known: Iterable[tuple[str, str]]) -> None:
        """Keep (key, value) texts of what was last known, for the retained policy across restarts."""
        rows = list(known)
        with self._lock:
            self._transact(lambda: self._known.put(rows))

    def known(self, key: str) -> str | None:
        """What `remember` kept under this key.

        Raises:
            SpoolError: the file cannot be read now.
        """
        with self._lock:
            return self._guarded(lambda: self._known.get(key))

    def keep_announcements(self, changed: Mapping[str, str], gone: Iterable[str]) -> None:
        """Keep what devices announce by topic, and forget what they took back: what else is kept is not written."""
        with self._lock:
            self._transact(lambda: self._keep_announcements(changed, gone))

    def announcements(self) -> dict[str, str]:
        """What `keep_announcements` kept, by topic.

        Raises:
            SpoolError: the file cannot be read now.
        """
        with self._lock:
            return self._guarded(lambda: dict(self._connection.execute("SELECT topic, said FROM announcement")))

    def set_meta(self, key: str, value: str) -> None:
        with self._lock:
            self._transact(lambda: self._set_meta(key, value))

    def meta(self, key: str) -> str | None:
        query = "SELECT value FROM meta WHERE key = ?"
        with self._lock:
            row = self._guarded(lambda: self._connection.execute(query, (key,)).fetchone())
        return row[0] if row else None

    # --- reading -------------------------------------------------------------------------------------------

    def reader(self, destination: str, start: Position | None = None) -> SpoolReader:
        """A reader for one destination.

        Args:
            destination: its name in the configuration.
            start: the destination's own durable cursor, if it keeps one; it wins over the spool's.
        """
        with self._lock:
            position = self._cursors[destination]
            if start is not None and start.seq <= self._last_seq + 1:
                position = max(start, position)
            elif start is not None:
                # Its cursor is from another spool, whose rows this one does not hold.
                log.warning("destination %r stood beyond this spool's end; it starts at the oldest row", destination)
        if position != self._cursors[destination]:
            with suppress(SpoolError):  # a full disk at start: then it is settled with what comes next
                self.settle(destination, position)
        return SpoolReader(self, destination, position)

    def _announce(self, committed: int) -> None:
        """Let those who wait know of rows up to `committed`."""
        with self._appended:
            self.committed_seq = max(self.committed_seq, committed)
            self._appended.notify_all()

    def wait_beyond(self, position: Position, timeout: float) -> bool:
        """See `SpoolReader.wait`."""
        with self._appended:
            wakes = self._wakes
            wanted = position.seq + (position.offset > 0)
            self._appended.wait_for(lambda: self.committed_seq >= wanted or self._wakes != wakes, timeout)
            return self.committed_seq >= wanted

    @property
    def error(self) -> str:
        """Why nothing can be stored now, or empty."""
        return self._error

    def wake(self) -> None:
        """Wake everybody who waits for rows: a stop was asked for."""
        with self._appended:
            self._wakes += 1
            self._appended.notify_all()

    def rejected_rows(self, limit: int = 100, before_id: int | None = None) -> list[RejectedRow]:
        """Rejected messages, newest first, from below `before_id`."""
        with self._lock:
            return self._guarded(lambda: self._rejected.list(limit, before_id))

    def stats(self) -> SpoolStats:
        """How the spool stands. Size and age are those of the last time that the file could be read."""
        with self._lock:
            with suppress(SpoolError):
                self._measured = self._guarded(self._measure)
            used, oldest = self._measured
            return SpoolStats(
                rows=self._rows,
                bytes=used,
                oldest=oldest if any(self._kept.values()) else None,
                kept=dict(self._kept),
                writable=not self._error,
                error=self._error,
                rejected=self._rejected.rows,
            )

    def close(self) -> None:
        """Commit the cursors and close. Call after every reader and writer has stopped; again is harmless."""
        with self._lock:
            if self._closed:
                return
            try:
                self._transact(lambda: None)
            except SpoolError as error:
                log.warning("the spool's cursors could not be saved, some events will be sent again: %s", error)
            self._closed = True
            self._connection.close()

    def report_damage(self, error: sqlite3.DatabaseError, generation: int) -> None:
        """Called by readers: set the file aside if it is damaged.

        Raises:
            SpoolError: it is not damage but a passing failure.
        """
        if not _is_damage(error):
            raise SpoolError(f"cannot read the spool: {error}") from error

        def set_aside() -> None:
            if generation == self.generation:
                self._set_aside(error)

        with self._lock:
            self._guarded(set_aside)

    # --- inside the lock: opening --------------------------------------------------------------------------

    def _open(self) -> None:
        new = not self.path.exists()
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection = connection
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
        self._rejected = RejectedTable(connection, self._config.rejected_max_rows, self._config.max_size // _SHARE)
        self._known = KnownTable(connection, self._config.max_size // _SHARE)
        self._rows: int = connection.execute("SELECT count(*) FROM batch").fetchone()[0]
        last = connection.execute("SELECT max(seq) FROM batch").fetchone()[0] or 0
        stored = {d: Position(seq, offset) for d, seq, offset in connection.execute("SELECT * FROM cursor")}
        # A trimmed file has no rows, but its cursors stand behind the last row it ever held.
        passed = max((position.seq - 1 for position in stored.values()), default=0)
        self._last_seq = max(self._last_seq, last, passed) or int(time.time() * 1e6)
        for gone in stored.keys() - set(self._destinations):
            log.info("destination %r is no longer configured: what waited for it is no longer kept", gone)
            connection.execute("DELETE FROM cursor WHERE destination = ?", (gone,))
        start = Position(0, 0)
        self._cursors = {d: max(self._cursors.get(d, start), stored.get(d, start)) for d in self._destinations}
        self._moved = set(self._destinations)
        self._kept = {d: self._events_between(d, self._cursors[d], self._end()) for d in self._destinations}
        self._reopen = False

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        """Rename the damaged file and begin a new one; the old one stays for whoever wants to recover it."""
        self._connection.close()
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
        self._last_seq = max(self._last_seq + 1, int(time.time() * 1e6))
        self.read_ahead.clear()
        self.generation += 1
        for destination, events in self._kept.items():
            if events:
                self._metrics.dropped.add(events, reason="spool_damaged", destination=destination)
        self._kept = dict.fromkeys(self._destinations, 0)
        try:
            self._open()
        except sqlite3.DatabaseError as again:
            raise SpoolError(f"cannot begin a new spool at {self.path}: {again}") from again

    # --- inside the lock: one transaction ------------------------------------------------------------------

    def _guarded(self, work: Callable[[], _T]) -> _T:
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
                    self._connection.close()
                    self._open()
                return work()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._set_aside(error)
                return work()
        except (sqlite3.DatabaseError, OSError) as error:
            self._reopen = True
            raise self._unwritable(SpoolError(f"the spool cannot be written or read: {error}")) from error

    def _transact(self, work: Callable[[], _T]) -> _T:
        """Run `work` in a synced transaction, with the cursors that moved and the rows that are settled.

        Raises:
            SpoolError: it did not happen; everything was rolled back.
        """
        result = self._guarded(lambda: self._commit(work))
        if self._error:
            log.warning("the spool takes events again")
            self._error = ""
            self._metrics.spool_writable.set(1)
        return result

    def _commit(self, work: Callable[[], _T]) -> _T:
        execute = self._connection.execute
        before = self._last_seq, self._rows, set(self._moved), dict(self._kept), dict(self._cursors)
        try:
            execute("BEGIN IMMEDIATE")
            result = work()
            for destination in self._moved:
                execute("INSERT OR REPLACE INTO cursor VALUES (?,?,?)", (destination, *self._cursors[destination]))
            self._moved.clear()
            if time.monotonic() >= self._next_trim:
                self._trim()
            execute("COMMIT")
        except BaseException:
            self._last_seq, self._rows, self._moved, self._kept, self._cursors = before
            with suppress(sqlite3.Error):
                execute("ROLLBACK")
            raise
        self._last_commit = time.monotonic()
        return result

    def _insert(self, rows: Sequence[_NewRow], batches: Sequence[Batch], rejected: Sequence[Rejected]) -> int:
        """Returns how many rejected messages made room for these."""
        for row, batch in zip(rows, batches, strict=False):  # no rows at all when the policy drops the newest
            self._last_seq += 1
            self._rows += 1
            self._connection.execute("INSERT INTO batch VALUES (?,?,?,?,?,?)", (self._last_seq, *row))
            for destination in batch.to or self._destinations:
                if destination in self._kept:
                    self._kept[destination] += len(batch.events)
        return self._rejected.insert(rejected) if rejected else 0

    def _replace(self, ids: Sequence[int], rows: Sequence[_NewRow], batches: Sequence[Batch]) -> int:
        self._rejected.remove(ids)
        return self._insert(rows, batches, ())

    def _count_spooled(self, rows: Sequence[_NewRow], batches: Sequence[Batch], source: str) -> None:
        self._metrics.spooled.add(sum(row[1] for row in rows), source=source)
        for batch in batches:
            for destination in batch.to or self._destinations:
                self._metrics.spooled_for.add(len(batch.events), destination=destination)

    def _count_rejected(self, rejected: Sequence[Rejected], overflow: int) -> None:
        """Once they are committed, for what fails is tried again."""
        for one in rejected:
            self._metrics.rejected.add(reason=one.reason)
        if rejected:
            self._on_rejected(rejected)
        if overflow:
            self._metrics.dropped.add(overflow, reason="rejected_full")

    def _settle(self, destination: str, position: Position, rejected: Sequence[Rejected]) -> int:
        before = self._cursors[destination]
        if position > before:  # else a policy dropped the rows while they were on their way
            self._kept[destination] -= self._events_between(destination, before, position)
            self._set_cursor(destination, position)
        return self._insert([], [], rejected)

    def _insert_known(
        self,
        rows: Sequence[_NewRow],
        batches: Sequence[Batch],
        rejected: Sequence[Rejected],
        known: Sequence[tuple[str, str]],
    ) -> int:
        if known:
            self._known.put(known)
        return self._insert(rows, batches, rejected)

    def _keep_announcements(self, changed: Mapping[str, str], gone: Iterable[str]) -> None:
        self._connection.executemany("DELETE FROM announcement WHERE topic = ?", ((topic,) for topic in gone))
        self._connection.executemany("INSERT OR REPLACE INTO announcement VALUES (?,?)", changed.items())

    def _set_meta(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    def _trim(self) -> None:
        """Delete the rows that every destination has settled."""
        self._next_trim = time.monotonic() + _TRIM_INTERVAL
        needed = {d: self._oldest_unsettled(d) for d in self._destinations}
        settled = min(needed.values())
        self._rows -= self._connection.execute("DELETE FROM batch WHERE seq < ?", (settled,)).rowcount
        for destination, seq in needed.items():
            if self._cursors[destination].seq < seq:
                # The rows between were for others. Its cursor moves past them, so that the last row number is
                # known after a restart although no row is left.
                self._set_cursor(destination, Position(seq, 0))
        free = self._pragma("freelist_count")
        if free > _VACUUM_BEYOND_PAGES:
            self._connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_STEP_PAGES})").fetchall()

    # --- inside the lock: bounds ---------------------------------------------------------------------------

    def _make_room(self, size: int) -> bool:
        """Whether `size` bytes may be added, after dropping the oldest rows where that is the policy.

        Raises:
            SpoolFull: they may not, and the policy is `block`.
        """
        while problem := self._shortage(size):
            if self._config.when_full is WhenFull.DROP_NEWEST:
                return False
            if self._config.when_full is WhenFull.BLOCK or not self._drop_oldest("spool_full"):
                self._next_trim = 0.0
                raise self._unwritable(SpoolFull(problem))
        return True

    def _shortage(self, size: int) -> str:
        free_pages = self._pragma("freelist_count")
        used = (self._pragma("page_count") - free_pages) * self._page_size
        # What would not fit into an empty spool goes into an empty one, or it would be waited for for ever.
        too_large = size > self._config.max_size // 2 and not any(self._kept.values())
        if used + size > self._config.max_size and not too_large:
            return (
                f"the spool is full: {used / 2**20:.1f} MiB of spool.max_size = {self._config.max_size / 2**20:.1f} MiB"
            )
        if free_pages * self._page_size > 2 * size:
            return ""  # the file need not grow
        now = time.monotonic()
        if now >= self._next_disk_check or self._disk_short:
            self._next_disk_check = now + _DISK_CHECK_INTERVAL
            disk = os.statvfs(self.path.parent)
            free = disk.f_bavail * disk.f_frsize
            self._disk_short = free < self._config.min_free_disk + size
            if self._disk_short:
                return (
                    f"the disk of the spool is nearly full: {free / 2**20:.1f} MiB free, "
                    f"spool.min_free_disk = {self._config.min_free_disk / 2**20:.1f} MiB"
                )
        return ""

    def _drop_oldest(self, reason: str, before: float = float("inf")) -> bool:
        """Drop some of the oldest rows (created before `before`), counting what was not settled.

        Rows that a destination has under way are spared while there are others: they will be counted when they
        are settled, and nothing is to be counted twice.
        """
        under_way = [(self._cursors[d].seq, ahead) for d, ahead in self.read_ahead.items()]
        spared = "".join(" AND NOT (seq >= ? AND seq < ?)" for _ in under_way)
        bounds = [bound for pair in under_way for bound in pair]
        query = "SELECT seq FROM batch WHERE created < ?{} ORDER BY seq LIMIT ?"
        rows = self._connection.execute(query.format(spared), (before, *bounds, _DROP_STEP_ROWS)).fetchall()
        rows = rows or self._connection.execute(query.format(""), (before, _DROP_STEP_ROWS)).fetchall()
        if not rows:
            return False
        first, end = Position(rows[0][0], 0), Position(rows[-1][0] + 1, 0)
        # Between first and last there may be rows that are spared; only a run without a hole is dropped at once.
        for (one,), (following,) in pairwise(rows):
            if self._rows_between(one, following):
                end = Position(one + 1, 0)
                break
        dropped = {d: self._events_between(d, max(first, self._cursors[d]), end) for d in self._destinations}
        dropped = {d: events for d, events in dropped.items() if events > 0}
        self._transact(lambda: self._delete(first, end, dropped))
        for destination, events in dropped.items():
            self._metrics.dropped.add(events, reason=reason, destination=destination)
        log.warning("dropped undelivered events, oldest first (%s): %s", reason, dropped)
        return True

    def _rows_between(self, first: int, last: int) -> bool:
        query = "SELECT 1 FROM batch WHERE seq > ? AND seq < ? LIMIT 1"
        return self._connection.execute(query, (first, last)).fetchone() is not None

    def _delete(self, first: Position, end: Position, dropped: Mapping[str, int]) -> None:
        query = "DELETE FROM batch WHERE seq >= ? AND seq < ?"
        self._rows -= self._connection.execute(query, (first.seq, end.seq)).rowcount
        for destination, events in dropped.items():
            self._kept[destination] -= events

    def _follow_clock(self) -> None:
        """Where the clock was set, what was committed since the start is as old as it was.

        A board without a clock of its own learns the time some minutes after it started, and may have been off for
        months: by its first time, events of a minute ago would be older than `max_age`.
        """
        ahead = time.time() - time.monotonic()
        if abs(gain := ahead - self._clock_ahead) > _CLOCK_WAS_SET:
            log.warning("the clock was set by %+.0f s", gain)
            query = "UPDATE batch SET created = min(created + ?, ?) WHERE seq > ?"
            self._transact(lambda: self._connection.execute(query, (gain, time.time(), self._first_seq)))
        self._clock_ahead = ahead

    def _drop_older_than(self, epoch: float) -> None:
        oldest = self._connection.execute("SELECT created FROM batch ORDER BY seq LIMIT 1").fetchone()
        if oldest and oldest[0] < epoch:
            self._drop_oldest("spool_age", epoch)

    # --- inside the lock: small things ---------------------------------------------------------------------

    def _end(self) -> Position:
        return Position(self._last_seq + 1, 0)

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
        position = self._cursors[destination]
        row = self._connection.execute(
            "SELECT seq FROM batch WHERE seq >= :seq AND NOT (seq = :seq AND events <= :offset)"
            f" AND {_ADDRESSED} ORDER BY seq LIMIT 1",
            {"seq": position.seq, "offset": position.offset, "destination": f'"{destination}"'},
        ).fetchone()
        return row[0] if row else self._end().seq

    def _set_cursor(self, destination: str, position: Position) -> None:
        self._cursors[destination] = position
        self._moved.add(destination)

    def _measure(self) -> tuple[int, float | None]:
        """Bytes in use, and when the oldest row was committed."""
        oldest = self._connection.execute("SELECT created FROM batch ORDER BY seq LIMIT 1").fetchone()
        used = (self._pragma("page_count") - self._pragma("freelist_count")) * self._page_size
        return used, oldest[0] if oldest else None

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _unwritable(self, error: SpoolError) -> SpoolError:
        """Note and log, once a change of state, that nothing can be stored now."""
        if not self._error:
            log.error("%s; nothing is acknowledged until there is room", error)
            self._metrics.spool_writable.set(0)
        self._error = str(error)
        return error


def _new_rows(batches: Sequence[Batch]) -> list[_NewRow]:
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


# Whether a row is for the destination `:destination`, given in quotes. Names hold no quotes, so this is exact.
_ADDRESSED: Final = "(destinations IS NULL OR instr(destinations, :destination))"


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or str(error).startswith(MALFORMED)
