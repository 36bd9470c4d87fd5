"""What was committed last, and whoever waits for more."""

from __future__ import annotations

import threading

from mqttbridge.events import Position


class Arrivals:
    """Safe to use from any thread, without the spool's lock.

    Attributes:
        committed_seq: the last row that readers can see.
    """

    def __init__(self, committed_seq: int) -> None:
        self.committed_seq = committed_seq
        self._changed = threading.Condition()
        self._wakes = 0

    def announce(self, committed_seq: int) -> None:
        """There are rows up to this one."""
        with self._changed:
            self.committed_seq = max(self.committed_seq, committed_seq)
            self._changed.notify_all()

    def wake(self) -> None:
        """End every wait: a stop was asked for."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def wait_beyond(self, position: Position, timeout: float) -> bool:
        """Wait for a row from `position` on.

        Returns:
            False when `timeout` seconds passed or `wake` was called.
        """
        with self._changed:
            wakes = self._wakes
            wanted = position.seq + (position.offset > 0)
            self._changed.wait_for(lambda: self.committed_seq >= wanted or self._wakes != wakes, timeout)
            return self.committed_seq >= wanted
