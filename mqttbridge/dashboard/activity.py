"""How much comes into each bucket: points of the last minute, counted as they are stored."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from mqttbridge.dashboard.store.model import Column, StreamKey

_SLOT_SECONDS: Final = 10.0
_SLOTS: Final = 6


class Activity:
    """Counts by bucket in slots of ten seconds; what is silent for a minute is forgotten.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._lock = threading.Lock()
        self._slots: deque[tuple[float, dict[str, int]]] = deque(maxlen=_SLOTS + 1)

    def note(self, columns: Mapping[StreamKey, Column]) -> None:
        """Points have been stored."""
        now = self._clock()
        with self._lock:
            if not self._slots or now - self._slots[-1][0] >= _SLOT_SECONDS:
                self._slots.append((now, {}))
            counts = self._slots[-1][1]
            for (bucket, _), column in columns.items():
                counts[bucket] = counts.get(bucket, 0) + len(column.times)

    def rates(self) -> dict[str, float]:
        """Points a second, of the last minute, by bucket; those where nothing came lack."""
        now = self._clock()
        since = now - _SLOT_SECONDS * _SLOTS
        with self._lock:
            lately = [(began, dict(counts)) for began, counts in self._slots if began >= since]
        totals: dict[str, int] = {}
        for _, counts in lately:
            for bucket, count in counts.items():
                totals[bucket] = totals.get(bucket, 0) + count
        seconds = min(_SLOT_SECONDS * _SLOTS, max(now - self._began, 1.0))
        return {bucket: count / seconds for bucket, count in totals.items()}
