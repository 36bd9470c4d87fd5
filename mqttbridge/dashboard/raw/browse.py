"""Stored points page by page, in either order of time, with a filter.

A page goes on from a row, not from a number of rows: what comes in meanwhile moves nothing. A filter that hardly
anything passes must not make one request read the whole history, so a page ends after so many rows looked at as
well, and the next one goes on there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from mqttbridge.dashboard.raw.query import BadQuery, Filter, Range, microseconds
from mqttbridge.dashboard.store import Row, StreamInfo
from mqttbridge.dashboard.store.model import MICROSECONDS

MAX_LOOKED_AT: Final = 100_000

# Backwards, a slice of time with more rows than this is cut smaller: it has to be read before it is turned round.
_SLICE_ROWS: Final = 20_000
_FIRST_WIDTH: Final = 10 * MICROSECONDS
_GROWTH: Final = 4
_CUT: Final = 8


class Rows(Protocol):
    """The part of the store that is needed here."""

    def rows(self, bucket: str, streams: Sequence[str], after: float, before: float) -> Iterable[Sequence[Row]]:
        """Every point in order of time, then of stream, in batches."""
        ...

    def streams(self, bucket: str) -> Sequence[StreamInfo]:
        """The bucket's streams, each with its newest value."""
        ...


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row that has been seen: the next page begins after it. As text `<microseconds>:<stream>`."""

    time: int
    stream: str

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises BadQuery when it is none."""
        time, colon, stream = text.partition(":")
        if not colon or not time.removeprefix("-").isdecimal() or len(time) > 18:  # 64 bits
            raise BadQuery("cursor is not one of this address's answers")
        return cls(int(time), stream)

    def __str__(self) -> str:
        return f"{self.time}:{self.stream}"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows that passed, in the order asked for, and where to go on; None: there are no more."""

    rows: list[Row]
    next: Cursor | None


def page(store: Rows, asked: Range, wanted: Filter, limit: int, cursor: Cursor | None, *, newest_first: bool) -> Page:
    """The next rows of a range.

    Raises:
        StoreError: the store cannot be read now.
    """
    found: list[Row] = []
    looked_at = 0
    for batch in _newest_first(store, asked, cursor) if newest_first else _oldest_first(store, asked, cursor):
        for row in batch:
            if wanted.accepts(row):
                found.append(row)
                if len(found) == limit:
                    return Page(found, Cursor(*row[:2]))
        looked_at += len(batch)
        if looked_at >= MAX_LOOKED_AT:
            return Page(found, Cursor(*batch[-1][:2]))
    return Page(found, None)


def _oldest_first(store: Rows, asked: Range, cursor: Cursor | None) -> Iterator[Sequence[Row]]:
    start, end = microseconds(asked.after), microseconds(asked.before)
    if cursor is not None:
        start = max(start, cursor.time)
    for batch in _between(store, asked, start, end):
        rest = batch if cursor is None else [row for row in batch if row[:2] > (cursor.time, cursor.stream)]
        if rest:
            yield rest


def _newest_first(store: Rows, asked: Range, cursor: Cursor | None) -> Iterator[Sequence[Row]]:
    start, end = microseconds(asked.after), microseconds(asked.before)
    if cursor is not None:
        end = min(end, cursor.time + 1)
    width = _FIRST_WIDTH
    # From an open end, thousands of years may lie before the newest row.
    ends = [one.last.epoch for one in store.streams(asked.bucket) if not asked.streams or one.stream in asked.streams]
    end = min(end, microseconds(max(ends, default=0.0)) + 1)
    while end > start:
        edge = max(start, end - width)
        batch = _at_most(_between(store, asked, edge, end), _SLICE_ROWS)
        if batch is None and width > 1:
            width = max(1, width // _CUT)
            continue
        if batch is None:  # more streams than that spoke in one microsecond
            batch = [row for part in _between(store, asked, edge, end) for row in part]
        if cursor is not None:
            batch = [row for row in batch if row[:2] < (cursor.time, cursor.stream)]
        if batch:
            batch.reverse()
            yield batch
        end = edge
        width = width * _GROWTH if len(batch) <= _SLICE_ROWS // _CUT else width


def _between(store: Rows, asked: Range, start: int, end: int) -> Iterator[Sequence[Row]]:
    # A microsecond more on either side, since seconds as floats may round the wrong way.
    for batch in store.rows(asked.bucket, asked.streams, (start - 1) / MICROSECONDS, (end + 1) / MICROSECONDS):
        if inside := [row for row in batch if start <= row[0] < end]:
            yield inside


def _at_most(batches: Iterable[Sequence[Row]], most: int) -> list[Row] | None:
    """All rows; None when there are more than `most`."""
    rows: list[Row] = []
    for batch in batches:
        rows += batch
        if len(rows) > most:
            return None
    return rows
