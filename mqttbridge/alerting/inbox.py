"""Points on their way from who stores them to who judges them: bounded, and past the bound only what is to be read."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mqttbridge.alerting.matching import StreamKey
from mqttbridge.alerting.positions import Point

# Points that wait for evaluation; past it they are read back from the store, thinned, when there is time.
MAX_WAITING: Final = 200_000


@dataclass(frozen=True, slots=True)
class Heard:
    """Points of one stream that some rule watches."""

    key: StreamKey
    points: Sequence[Point]


class Inbox:
    """What came since it was emptied. From any thread."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []
        self._points = 0
        self._behind: dict[StreamKey, float] = {}
        self._lock = threading.Lock()

    def put(self, heard: Sequence[Heard]) -> None:
        """Take points, or note that they are to be read back."""
        count = sum(len(one.points) for one in heard)
        with self._lock:
            if self._points + count > MAX_WAITING:
                self._fall_behind((one.key, min(epoch for epoch, _ in one.points)) for one in heard if one.points)
            else:
                self._heard += heard
                self._points += count

    def fall_behind(self, since: Iterable[tuple[StreamKey, float]]) -> None:
        """Note what is to be read back, from when on."""
        with self._lock:
            self._fall_behind(since)

    def take(self) -> tuple[list[Heard], dict[StreamKey, float]]:
        """Empty it.

        Returns:
            What can be judged as it came, and since when what else came is to be read back. Of a stream that has a gap
            all is read back, since what is judged closes it.
        """
        with self._lock:
            heard, self._heard, self._points = self._heard, [], 0
            behind, self._behind = self._behind, {}
        for one in heard:
            if one.key in behind and one.points:
                behind[one.key] = min(behind[one.key], *(epoch for epoch, _ in one.points))
        return [one for one in heard if one.key not in behind], behind

    def _fall_behind(self, since: Iterable[tuple[StreamKey, float]]) -> None:
        for key, epoch in since:
            self._behind[key] = min(epoch, self._behind.get(key, epoch))
