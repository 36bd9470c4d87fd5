"""How often a stream speaks, as a rule, told from the times of its newest readings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from mqttbridge.dashboard.store.model import MICROSECONDS

# Readings so close together are one burst, and this many pauses between bursts tell how often a stream speaks.
BURST: Final = 5 * MICROSECONDS
PAUSES: Final = 12
LEAST_PAUSES: Final = 3


def usual_interval(times: Sequence[int]) -> float | None:
    """Seconds between readings, as a rule, from ascending times; None if they say too little.

    The upper quartile of the last pauses: a device that reports many readings at once pauses between its bursts.
    """
    found = sorted(pauses(times))
    return None if len(found) < LEAST_PAUSES else found[len(found) * 3 // 4] / MICROSECONDS


def still_usual(interval: float | None, since: int) -> bool:
    """Whether an interval holds until so many microseconds of readings later: until half of the pauses are others."""
    return since == 0 or (interval is not None and 0 <= since < interval * MICROSECONDS * PAUSES / 2)


def pauses(times: Sequence[int]) -> list[int]:
    """The last pauses, from the newest time back, a burst a step."""
    bursts: list[int] = []
    at = len(times) - 1
    while at >= 0 and len(bursts) <= PAUSES:
        bursts.append(times[at])
        at = bisect_right(times, times[at] - BURST) - 1
    return [later - earlier for later, earlier in pairwise(bursts)]
