"""How much may wait in the spool, on the disk and in time, and what goes when it is more."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Final

from mqttbridge.config.spool import SpoolConfig, WhenFull
from mqttbridge.errors import SpoolFull
from mqttbridge.metrics import Metrics
from mqttbridge.spool.file import SpoolFile

log = logging.getLogger(__name__)

# How often `statvfs` is asked: a second of ingest is at most a few dozen MiB, far less than min_free_disk.
_DISK_CHECK_INTERVAL: Final = 1.0
# A clock that gains or loses more than this on the monotonic one was set.
_CLOCK_WAS_SET: Final = 60.0


class Bounds:
    """Whoever calls holds the file's lock, and is not in a transaction.

    Args:
        file: what is bounded.
        config: the bounds, and what is done at them.
        metrics: counts what is dropped.
        age_clock: the time by which events are older than `max_age`.
    """

    def __init__(self, file: SpoolFile, config: SpoolConfig, metrics: Metrics, age_clock: Callable[[], float]) -> None:
        self._file, self._config, self._metrics, self._age_clock = file, config, metrics, age_clock
        self._first_seq = file.batches.last_seq
        self._clock_ahead = time.time() - time.monotonic()
        self._next_disk_check = 0.0
        self._disk_short = False

    def make_room(self, size: int) -> bool:
        """Whether `size` bytes may be added, after dropping the oldest rows where that is the policy.

        Raises:
            SpoolFull: they may not, and the policy is `block`.
        """
        while problem := self._shortage(size):
            if self._config.when_full is WhenFull.DROP_NEWEST:
                return False
            if self._config.when_full is WhenFull.BLOCK or not self._drop_oldest("spool_full"):
                self._file.trim_soon()
                raise self._file.unwritable(SpoolFull(problem))
        return True

    def drop_aged(self) -> None:
        """Drop some of what is older than `max_age`, where that is set."""
        if self._config.max_age:
            self._follow_clock()
            self._file.guarded(lambda: self._drop_older_than(self._age_clock() - self._config.max_age))

    def _shortage(self, size: int) -> str:
        file, most = self._file, self._config.max_size
        used, free = file.usage()
        # What would not fit into an empty spool goes into an empty one, or it would be waited for for ever.
        too_large = size > most // 2 and not any(file.batches.kept.values())
        if used + size > most and not too_large:
            return f"the spool is full: {used / 2**20:.1f} MiB of spool.max_size = {most / 2**20:.1f} MiB"
        if free > 2 * size:
            return ""  # the file need not grow
        now = time.monotonic()
        if now >= self._next_disk_check or self._disk_short:
            self._next_disk_check = now + _DISK_CHECK_INTERVAL
            disk = os.statvfs(file.path.parent)
            available = disk.f_bavail * disk.f_frsize
            self._disk_short = available < self._config.min_free_disk + size
            if self._disk_short:
                return (
                    f"the disk of the spool is nearly full: {available / 2**20:.1f} MiB free, "
                    f"spool.min_free_disk = {self._config.min_free_disk / 2**20:.1f} MiB"
                )
        return ""

    def _follow_clock(self) -> None:
        """Where the clock was set, what was committed since the start is as old as it was.

        A board without a clock of its own learns the time some minutes after it started, and may have been off for
        months: by its first time, events of a minute ago would be older than `max_age`.
        """
        ahead = time.time() - time.monotonic()
        if abs(gain := ahead - self._clock_ahead) > _CLOCK_WAS_SET:
            log.warning("the clock was set by %+.0f s", gain)
            self._file.transact(lambda: self._file.batches.grow_younger(gain, self._first_seq))
        self._clock_ahead = ahead

    def _drop_older_than(self, epoch: float) -> None:
        oldest = self._file.batches.oldest()
        if oldest is not None and oldest < epoch:
            self._drop_oldest("spool_age", epoch)

    def _drop_oldest(self, reason: str, before: float = float("inf")) -> bool:
        """Drop some of the oldest rows (created before `before`), counting what was not settled."""
        batches = self._file.batches
        run = batches.oldest_run(before, self._file.read_ahead)
        if run is None:
            return False
        self._file.transact(lambda: batches.drop(run))
        for destination, events in run.lost.items():
            self._metrics.dropped.add(events, reason=reason, destination=destination)
        log.warning("dropped undelivered events, oldest first (%s): %s", reason, run.lost)
        return True
