"""What streams held between two times: how many points, the least, mean and greatest value, the first and last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mqttbridge.dashboard.raw.browse import Rows
from mqttbridge.dashboard.raw.query import Range
from mqttbridge.errors import StoreError
from mqttbridge.events import Value

# A reader's thread is not to be held for longer: others want it too.
MAX_SECONDS: Final = 5.0


@dataclass(slots=True)
class Summary:
    """Of one stream. Booleans count as 0 and 1; `least`, `mean` and `greatest` are None without a number."""

    count: int = 0
    numbers: int = 0
    total: float = 0.0
    least: float | None = None
    greatest: float | None = None
    first: tuple[float, Value] | None = None
    last: tuple[float, Value] | None = None

    @property
    def mean(self) -> float | None:
        return self.total / self.numbers if self.numbers else None

    def add(self, epoch: float, value: Value) -> None:
        self.count += 1
        self.last = (epoch, value)
        if self.first is None:
            self.first = self.last
        if isinstance(value, str):
            return
        self.numbers += 1
        self.total += value
        self.least = value if self.least is None or value < self.least else self.least
        self.greatest = value if self.greatest is None or value > self.greatest else self.greatest


class TooMany(StoreError):  # noqa: N818  # a state of the store, like SpoolFull
    """There are more points than can be read in the time there is."""


def summaries(store: Rows, asked: Range, clock: Callable[[], float] = time.monotonic) -> dict[str, Summary]:
    """One for each stream that has a point in the range, by name. From every point, so the figures are exact.

    Raises:
        StoreError: the store cannot be read now.
        TooMany: the range is too long.
    """
    found: dict[str, Summary] = {}
    deadline = clock() + MAX_SECONDS
    for batch in store.rows(asked.bucket, asked.streams, asked.after, asked.before):
        for at, stream, value in batch:
            summary = found.get(stream)
            if summary is None:
                summary = found[stream] = Summary()
            summary.add(at / 1e6, value)
        if clock() > deadline:
            raise TooMany("there are too many points between these times to sum up: choose a shorter range")
    return dict(sorted(found.items()))
