"""What the answers of every engine have in common, so that a page sees no difference: bounds, widths, pauses."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Final

from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE
from mqttbridge.events import Value

# A text series is a log under its last value, not a chart: this many of the newest are shown.
MAX_TEXTS: Final = 200

# Of one answer: past it, each series gets fewer points rather than the browser more than it can hold.
MAX_VALUES: Final = 400_000

# How far back the beginning of the oldest text is looked for, in points.
LOOK_BACK: Final = 1000

# Rollups by hour where a bucket of the grid holds at least two of them, else by minute.
HOURS_FROM: Final = 2 * HOUR

# Readings so close together are one burst, and this many pauses between bursts tell how often a stream speaks.
BURST: Final = 5 * MICROSECONDS
PAUSES: Final = 12
LEAST_PAUSES: Final = 3

# Points of a download in memory at a time, about.
BATCH: Final = 50_000

# Widths of statistics' cells, in microseconds: those people count in, each a multiple of what its rollups count in.
_SECOND: Final = MICROSECONDS
WIDTHS: Final = (
    *(step * power for power in (1, 10, 100, 1000, 10_000, 100_000) for step in (1, 2, 5)),
    *(step * _SECOND for step in (1, 2, 5, 10, 15, 30)),
    *(step * MINUTE for step in (1, 2, 5, 10, 15, 30)),
    *(step * HOUR for step in (1, 2, 3, 6, 12, 24, 7 * 24, 28 * 24, 364 * 24)),
)


def cell_width(span: int, buckets: int) -> int:
    """The width of statistics' cells, of which `buckets` at most are to cover a span; in microseconds both."""
    return next((width for width in WIDTHS if -(-span // width) <= max(1, buckets)), WIDTHS[-1])


def held_text(backwards: Iterable[tuple[int, Value]]) -> list[tuple[int, Value]]:
    """Since when the text that held did: its first point, after the other text's that proves it.

    Args:
        backwards: the points before, the newest first. A text that repeats for longer than LOOK_BACK, or than they
            reach, gives its last point: it was said before that.
    """
    held: tuple[int, Value] | None = None
    oldest: tuple[int, Value] | None = None
    for at, value in islice(backwards, LOOK_BACK + 1):
        if held is None or oldest is None:
            held = oldest = at, value
            if not isinstance(value, str):
                return []
        elif value != held[1]:
            return [(at, value), oldest] if isinstance(value, str) else [held]
        else:
            oldest = at, value
    return [] if held is None else [held]


def usual_interval(times: Sequence[int]) -> float | None:
    """Seconds between readings, as a rule, from ascending times; None if they say too little.

    The upper quartile of the last pauses: a device that reports many readings at once pauses between its bursts.
    """
    pauses = sorted(last_pauses(times))
    return None if len(pauses) < LEAST_PAUSES else pauses[len(pauses) * 3 // 4] / MICROSECONDS


def still_usual(interval: float | None, since: int) -> bool:
    """Whether an interval holds until so many microseconds of readings later: until half of the pauses are others."""
    return since == 0 or (interval is not None and 0 <= since < interval * MICROSECONDS * PAUSES / 2)


def last_pauses(times: Sequence[int]) -> list[int]:
    """The last pauses, in microseconds, from the newest time back, a burst a step."""
    bursts: list[int] = []
    at = len(times) - 1
    while at >= 0 and len(bursts) <= PAUSES:
        bursts.append(times[at])
        at = bisect_right(times, times[at] - BURST) - 1
    return [later - earlier for later, earlier in pairwise(bursts)]
