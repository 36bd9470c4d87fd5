"""The durable queue: one SQLite file, one writer, a cursor for each destination.

Invariants:
1. `append` returns only after its transaction has been synced to disk (WAL, `synchronous=FULL`). Whoever
   acknowledges something upstream does so after `append`, never before.
2. There is one write connection, and checkpoints come from it alone (see `file.py`).
3. A row goes away only when every destination has settled it, or by a stated policy (`bounds.py`), and then it is
   counted.
4. Row numbers never repeat, not even after a damaged file was set aside: a new file starts at the clock's
   microseconds, which no file that took less than a million commits a second can have reached.

Cursors ride along with the next commit: delivery is at-least-once, so a cursor that is a moment old after a crash costs
duplicates, never losses.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mqttbridge.config.spool import SpoolConfig
from mqttbridge.errors import SpoolError, SpoolFull
from mqttbridge.events import Batch, Position, Rejected
from mqttbridge.metrics import Metrics
from mqttbridge.spool.arrivals import Arrivals
from mqttbridge.spool.batches import NewRow, new_rows
from mqttbridge.spool.bounds import Bounds
from mqttbridge.spool.file import SpoolFile
from mqttbridge.spool.reader import SpoolReader
from mqttbridge.spool.rejected import RejectedRow

log = logging.getLogger(__name__)

# How long a cursor waits for a commit to ride along with. It bounds what is sent twice after a crash, and while
# events come in the next commit is always sooner.
_RIDE_SECONDS: Final = 0.1


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
        self._metrics, self._on_rejected = metrics, on_rejected
        self._file = SpoolFile(path, config, metrics, destinations)
        self._lock, self._batches = self._file.lock, self._file.batches
        self._bounds = Bounds(self._file, config, metrics, age_clock)
        self._arrivals = Arrivals(self._batches.last_seq)
        self._measured: tuple[int, float | None] = (0, None)

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
        rows = new_rows(batches)
        with self._lock:
            there_is_room = self._has_room(rows)
            stored = rows if there_is_room else []
            overflow = self._file.transact(lambda: self._store(stored, batches, rejected, known))
            committed = self._batches.last_seq
        self._arrivals.announce(committed)
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
        rows = new_rows(batches)
        with self._lock:
            if rows and not self._has_room(rows):
                raise SpoolFull("the spool is full: rejected messages stay where they are")
            self._file.transact(lambda: self._replace(ids, rows, batches))
            committed = self._batches.last_seq
        self._arrivals.announce(committed)
        self._count_spooled(rows, batches, "replay")

    def settle(self, destination: str, position: Position, rejected: Sequence[Rejected] = ()) -> None:
        """Move a destination's cursor forward to `position`: everything before it is settled.

        The move rides along with the next commit, unless none came for a while. With `rejected` (what the
        destination refused for good) both are committed now.

        Raises:
            SpoolError: the commit failed; call again with what was rejected.
        """
        with self._lock:
            run = self._file.guarded  # to ride along with the next commit
            if rejected or time.monotonic() - self._file.last_commit > _RIDE_SECONDS:
                run = self._file.transact
            overflow = run(lambda: self._settle(destination, position, rejected))
        self._count_rejected(rejected, overflow)

    def maintain(self) -> None:
        """Commit what rides along when nothing else does: cursors, trimming, ageing. Called once a second."""
        with self._lock:
            try:
                self._bounds.drop_aged()
                if self._batches.moved or self._file.error:
                    self._file.transact(lambda: None)
            except SpoolError as error:
                log.debug("the spool's housekeeping waits: %s", error)

    def remember(self, known: Iterable[tuple[str, str]]) -> None:
        """Keep (key, value) texts of what was last known, for the retained policy across restarts."""
        rows = list(known)
        with self._lock:
            self._file.transact(lambda: self._file.known.put(rows))

    def known(self, key: str) -> str | None:
        """What `remember` kept under this key.

        Raises:
            SpoolError: the file cannot be read now.
        """
        with self._lock:
            return self._file.guarded(lambda: self._file.known.get(key))

    def keep_announcements(self, changed: Mapping[str, str], gone: Iterable[str]) -> None:
        """Keep what devices announce by topic, and forget what they took back: what else is kept is not written."""
        with self._lock:
            self._file.transact(lambda: self._file.notes.put_announcements(changed, gone))

    def announcements(self) -> dict[str, str]:
        """What `keep_announcements` kept, by topic.

        Raises:
            SpoolError: the file cannot be read now.
        """
        with self._lock:
            # Not the bound method: a file that is opened anew has new tables.
            return self._file.guarded(lambda: self._file.notes.announcements())  # noqa: PLW0108

    def set_meta(self, key: str, value: str) -> None:
        """Keep a text of the bridge's own."""
        with self._lock:
            self._file.transact(lambda: self._file.notes.put(key, value))

    def meta(self, key: str) -> str | None:
        """What `set_meta` kept under this key."""
        with self._lock:
            return self._file.guarded(lambda: self._file.notes.get(key))

    def close(self) -> None:
        """Commit the cursors and close. Call after every reader and writer has stopped; again is harmless."""
        with self._lock:
            self._file.close()

    # --- reading -------------------------------------------------------------------------------------------

    def reader(self, destination: str, start: Position | None = None) -> SpoolReader:
        """A reader for one destination.

        Args:
            destination: its name in the configuration.
            start: the destination's own durable cursor, if it keeps one; it wins over the spool's.
        """
        with self._lock:
            kept = position = self._batches.cursors[destination]
            if start is not None and start.seq <= self._batches.last_seq + 1:
                position = max(start, kept)
            elif start is not None:
                # Its cursor is from another spool, whose rows this one does not hold.
                log.warning("destination %r stood beyond this spool's end; it starts at the oldest row", destination)
        if position != kept:
            with suppress(SpoolError):  # a full disk at start: then it is settled with what comes next
                self.settle(destination, position)
        return SpoolReader(self._file, self._arrivals, destination, position)

    def wake(self) -> None:
        """Wake everybody who waits for rows: a stop was asked for."""
        self._arrivals.wake()

    @property
    def committed_seq(self) -> int:
        """The last row that readers can see."""
        return self._arrivals.committed_seq

    @property
    def error(self) -> str:
        """Why nothing can be stored now, or empty."""
        return self._file.error

    def rejected_rows(self, limit: int = 100, before_id: int | None = None) -> list[RejectedRow]:
        """Rejected messages, newest first, from below `before_id`."""
        with self._lock:
            return self._file.guarded(lambda: self._file.rejected.list(limit, before_id))

    def stats(self) -> SpoolStats:
        """How the spool stands. Size and age are those of the last time that the file could be read."""
        with self._lock:
            with suppress(SpoolError):
                self._measured = self._file.guarded(lambda: (self._file.usage()[0], self._batches.oldest()))
            used, oldest = self._measured
            return SpoolStats(
                rows=self._batches.rows,
                bytes=used,
                oldest=oldest if any(self._batches.kept.values()) else None,
                kept=dict(self._batches.kept),
                writable=not self._file.error,
                error=self._file.error,
                rejected=self._file.rejected.rows,
            )

    # --- inside the lock -----------------------------------------------------------------------------------

    def _has_room(self, rows: Sequence[NewRow]) -> bool:
        return self._file.guarded(lambda: self._bounds.make_room(sum(len(row[4]) for row in rows)))

    def _store(
        self,
        rows: Sequence[NewRow],
        batches: Sequence[Batch],
        rejected: Sequence[Rejected],
        known: Sequence[tuple[str, str]],
    ) -> int:
        """Returns how many rejected messages made room for these."""
        if known:
            self._file.known.put(known)
        self._batches.insert(rows, batches)
        return self._file.rejected.insert(rejected) if rejected else 0

    def _replace(self, ids: Sequence[int], rows: Sequence[NewRow], batches: Sequence[Batch]) -> None:
        self._file.rejected.remove(ids)
        self._batches.insert(rows, batches)

    def _settle(self, destination: str, position: Position, rejected: Sequence[Rejected]) -> int:
        self._batches.settle(destination, position)
        return self._file.rejected.insert(rejected) if rejected else 0

    # --- once it is committed, for what fails is tried again -----------------------------------------------

    def _count_spooled(self, rows: Sequence[NewRow], batches: Sequence[Batch], source: str) -> None:
        self._metrics.spooled.add(sum(row[1] for row in rows), source=source)
        for batch in batches:
            for destination in batch.to or self._batches.destinations:
                self._metrics.spooled_for.add(len(batch.events), destination=destination)

    def _count_rejected(self, rejected: Sequence[Rejected], overflow: int) -> None:
        for one in rejected:
            self._metrics.rejected.add(reason=one.reason)
        if rejected:
            self._on_rejected(rejected)
        if overflow:
            self._metrics.dropped.add(overflow, reason="rejected_full")
