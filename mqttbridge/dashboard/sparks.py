"""The shelf's small lines: of each bucket the last hour of its most telling stream.

They are read through the store's own questions and kept for a while, and an answer works out only so many anew: a shelf
of a thousand buckets fills over some requests, and none of them is slow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from mqttbridge.dashboard.store import Store
from mqttbridge.dashboard.store.model import BucketInfo, Kind, StreamInfo

SPAN_SECONDS: Final = 3600.0
# Buckets of time in a line; each gives up to four points.
_CELLS: Final = 24
_FRESH_SECONDS: Final = 10.0
_NEW_A_REQUEST: Final = 40
_MAX_KEPT: Final = 2000

# What people look at first, by a word of a stream's name or by its unit.
_TELLING: Final = ("temperature", "power", "humidity", "co2", "moisture", "level", "speed", "voltage", "pressure")
_UNITS: Final = ("°C", "°F", "W", "kW", "%", "ppm")
# What is about the device rather than what it measures.
_DULL: Final = (
    "rssi",
    "linkquality",
    "uptime",
    "battery",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "_id",
    "heap",
    "version",
)


@dataclass(frozen=True, slots=True)
class _Spark:
    made: float
    last: float | None
    line: dict[str, Any] | None


class Sparks:
    """Makes and keeps them; for the threads that read.

    Args:
        store: whose buckets.
        clock: epoch seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._known: dict[str, _Spark] = {}

    def of(self, buckets: Iterable[BucketInfo], since: float) -> dict[str, dict[str, Any]]:
        """The lines of these buckets that were made after `since` (epoch seconds), by bucket.

        Raises:
            StoreError: the store cannot be read now.
        """
        with self._lock:
            now, room = self._clock(), _NEW_A_REQUEST
            found = {}
            for bucket in buckets:
                known = self._known.get(bucket.key)
                stale = known is None or (now - known.made >= _FRESH_SECONDS and known.last != bucket.last)
                if stale and room:
                    room -= 1
                    known = self._known[bucket.key] = _Spark(now, bucket.last, self._line(bucket.key, now))
                if known is not None and known.line is not None and known.made > since:
                    found[bucket.key] = known.line
            while len(self._known) > _MAX_KEPT:
                del self._known[next(iter(self._known))]
            return found

    def _line(self, bucket: str, now: float) -> dict[str, Any] | None:
        chosen = most_telling(self._store.streams(bucket), now)
        if chosen is None:
            return None
        column = self._store.points(bucket, [chosen.stream], now - SPAN_SECONDS, None, _CELLS).get(chosen.stream)
        if column is None:
            return None
        return {
            "made": now,
            "stream": chosen.stream,
            "kind": column.kind,
            "unit": column.unit,
            "value": chosen.last.value,
            "epochs": [round(epoch, 1) for epoch in column.epochs],
            "values": column.values,
        }


def most_telling(streams: Iterable[StreamInfo], now: float) -> StreamInfo | None:
    """The stream that says most of its bucket: a number that comes, of a kind that people look at."""
    drawn = [one for one in streams if one.kind is not Kind.TEXT]
    return min(drawn, key=lambda one: (-_score(one, now), one.stream), default=None)


def _score(one: StreamInfo, now: float) -> int:
    name = one.stream.lower().rpartition(".")[2]
    score = 40 if one.kind is Kind.NUMBER else 0
    score += 30 if now - one.last.epoch < SPAN_SECONDS else 0
    score += next((20 - place for place, word in enumerate(_TELLING) if word in name), 0)
    score += 10 if one.unit in _UNITS else 0
    return score - (35 if any(word == name or (len(word) > 3 and word in name) for word in _DULL) else 0)
