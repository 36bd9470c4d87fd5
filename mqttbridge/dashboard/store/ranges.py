"""Which file holds a time: spans of event time, on a fixed grid, that never overlap.

A span is as long as about a quarter of the retention, so that unlinking whole files keeps little for longer than it
must, and there are never many: days, weeks, or four weeks, which nest in each other. What lies years back or ahead,
the work of clocks that were never set mostly, goes into spans of a year, so that no stream of odd times can
make thousands of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

DAY: Final = 86_400_000_000  # microseconds
LENGTHS: Final = (364 * DAY, 28 * DAY, 7 * DAY, DAY)
NEAR: Final = 728 * DAY


EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # only ever compared with its like
# What a file can be named after: the years 2 to 9998, so that every span begins and ends in a year there is.
FIRST: Final = (datetime(2, 1, 1) - EPOCH) // timedelta(microseconds=1)  # noqa: DTZ001
LAST: Final = (datetime(9999, 1, 1) - EPOCH) // timedelta(microseconds=1)  # noqa: DTZ001


def length_for(retention: float) -> int:
    """The length of the spans, in microseconds, for a retention in seconds; 0 is for ever."""
    if not retention:
        return LENGTHS[1]
    return next((length for length in LENGTHS[1:] if length * 4 <= retention * 1_000_000), DAY)


def span_of(time: int, length: int, now: int, taken: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Start and end of a new span around a time, of `length` or shorter, that overlaps none of those taken."""
    if not now - NEAR <= time <= now + max(length, 7 * DAY):
        length = LENGTHS[0]
    others = [(start, end) for start, end in taken if start <= time + length and end >= time - length]
    for shorter in LENGTHS:
        start = time // shorter * shorter
        if shorter <= length and all(start + shorter <= other[0] or other[1] <= start for other in others):
            return start, start + shorter
    raise ValueError("spans nest, so a day is always free where no span covers it")


def name_of(start: int, end: int) -> str:
    """The file of a span: the day it begins, and how many it has."""
    first = EPOCH + timedelta(microseconds=start)
    return f"{first:%Y-%m-%d}_{(end - start) // DAY}d.db".rjust(len("2026-01-01_7d.db"), "0")


def limits_of(name: str) -> tuple[int, int] | None:
    """Start and end of the span that a file holds; None when it is another file."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)_(\d{1,3})d\.db", name)
    if found is None:
        return None
    try:
        start = (datetime.fromisoformat(found[1]) - EPOCH) // timedelta(microseconds=1)
    except ValueError:
        return None
    return start, start + int(found[2]) * DAY
