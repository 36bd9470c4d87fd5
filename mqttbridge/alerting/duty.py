"""Whose it is to watch: of the bridges over one database one evaluates the rules and tells, and the others look on.

Who watches holds a lease and renews it. When it dies, or cannot reach the database for as long as the lease lasts,
another takes over. What is kept of alerts is written only by who holds the lease, checked in the transaction that
writes; so one that was cut off and comes back cannot overwrite what its successor wrote. Each time that it has to take
the lease, instead of keeping it, is another term: what it knows of may be long over by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from mqttbridge.dashboard.records import Hold, Records

LEASE: Final = "alerts"
LEASE_SECONDS: Final = 15.0
_RENEWED_EACH: Final = 5.0


class Duty:
    """The lease, as far as we know. Used under its owner's lock.

    Args:
        records: has the lease.
        wanted: whether we may watch at all.
        clock: monotonic seconds.
    """

    def __init__(self, records: Records, *, wanted: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._records, self._wanted, self._clock = records, wanted, clock
        self._ours = False
        self._term = 1
        self._asked: float | None = None

    def ask(self) -> int:
        """Which of our terms this is; 0 when it is not ours to watch, as of a few seconds ago at most.

        Raises:
            StoreError: it cannot be asked now; nothing changes.
        """
        now = self._clock()
        if self._wanted and (self._asked is None or now - self._asked >= _RENEWED_EACH):
            hold = self._records.hold(LEASE, LEASE_SECONDS)
            self._ours = hold is not Hold.OTHERS
            self._term += hold is Hold.TAKEN
            self._asked = now  # from before the lease began: it ends here before it ends there
        return self._term if self._ours else 0

    def doubt(self) -> None:
        """Ask anew the next time."""
        self._asked = None

    @property
    def is_sure(self) -> bool:
        """Whether nobody else can have taken over yet."""
        return self._ours and self._asked is not None and self._clock() - self._asked < LEASE_SECONDS

    def end(self) -> None:
        """Let others take over at once.

        Raises:
            StoreError: not now; they do when the lease ends.
        """
        if self._ours:
            self._ours = False
            self._records.release(LEASE)
