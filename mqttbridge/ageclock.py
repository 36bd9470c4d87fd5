"""The time by which data is old enough to go: the clock's, unless it has just jumped.

A clock that a wrong time server sets to 2038 for a minute would make all of history older than its retention, and what
is deleted does not come back with the right time. So a clock that is far from what it said before, and what has passed
since, is believed for deleting only after it has gone on saying so for a day. Until then what was believed goes on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

# A night's or a weekday's rest is no jump. It is also what a jump costs at most: a day of the oldest data.
FAR_SECONDS: Final = 86_400.0
CONFIRMED_SECONDS: Final = 86_400.0
"""How long a clock that jumped is to say so before it is believed; of running time, over restarts."""
SAVE_SECONDS: Final = 3600.0


class AgeClock:
    """Call it for the time, in seconds since 1970. From any thread.

    Args:
        path: where what is believed is kept across restarts; a file that cannot be read is none.
        wall: what may be set.
        monotonic: what nothing sets, but which begins anew with the machine.
    """

    def __init__(
        self,
        path: Path,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._wall, self._monotonic = path, wall, monotonic
        self._lock = threading.Lock()
        self._looked, self._saved = monotonic(), -float("inf")
        self._said = self._believed = wall()
        self._doubted = 0.0
        with suppress(OSError, ValueError, TypeError, KeyError, OverflowError):
            kept = json.loads(path.read_text())
            self._believed, self._doubted = float(kept["believed"]), float(kept["doubted"])

    def __call__(self) -> float:
        """The clock's time, or what is believed where that is earlier."""
        with self._lock:
            wall, now = self._wall(), self._monotonic()
            passed, self._looked = max(0.0, now - self._looked), now
            self._believed += passed
            jumped = abs(wall - self._said - passed) > FAR_SECONDS
            self._said = wall
            if abs(wall - self._believed) <= FAR_SECONDS:
                self._believed, self._doubted = wall, 0.0
            elif self._doubted + passed >= CONFIRMED_SECONDS and not jumped:
                log.warning("the clock has said so for a day: data goes by its time from now on")
                self._believed, self._doubted = wall, 0.0
            else:
                if jumped or not self._doubted:
                    days = (wall - self._believed) / 86_400
                    log.warning(
                        "the clock jumped by %+.1f days: nothing is deleted by it before it said so for a day", days
                    )
                self._doubted = 1e-3 if jumped else self._doubted + max(passed, 1e-3)
            return min(wall, self._believed)

    def save_when_due(self) -> None:
        """Save it at the start and once an hour."""
        if self._monotonic() - self._saved >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Save it for the next start. Not synced: what a crash loses of it is an hour, which is not far."""
        self._saved = self._monotonic()
        self()
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps({"believed": self._believed, "doubted": self._doubted}))
            fresh.replace(self._path)
        except OSError as error:
            log.debug("what is believed of the clock cannot be saved: %s", error)
