"""What bounds an answer, whichever engine gives it, and the widths that statistics count in."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE

# A text series is a log under its last value, not a chart: this many of the newest are shown.
MAX_TEXTS: Final = 200

# Of one answer: past it, each series gets fewer points rather than the browser more than it can hold.
MAX_VALUES: Final = 400_000

# How far back the beginning of the oldest text is looked for, in points.
LOOK_BACK: Final = 1000

# Rollups by hour where a bucket of the grid holds at least two of them, else by minute.
HOURS_FROM: Final = 2 * HOUR

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
