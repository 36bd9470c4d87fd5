"""What the store takes and gives: columns of points, and what is known of buckets and streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from mqttbridge.events import EventTuple, Value

StreamKey: TypeAlias = tuple[str, str]  # bucket, stream

MICROSECONDS: Final = 1_000_000

# A time further ahead of ours is a clock's mistake: it shows, and the stream's next reading takes its place as the
# latest, whatever time that has. Else one point of the year 2099 would be the latest until then.
AHEAD_SECONDS: Final = 60.0


class Kind(StrEnum):
    """How a stream is drawn. A stream has the kind of its newest value; points of another kind stay stored."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"


def kind_of(value: Value) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


@dataclass(slots=True)
class Column:
    """Points of one stream: times in microseconds since 1970 (UTC) beside their values.

    Times are whole microseconds because they are half of the primary key: floats would make two points of one.
    """

    times: list[int]
    values: list[Value]
    kind: Kind = Kind.NUMBER
    unit: str = ""

    @property
    def epochs(self) -> list[float]:
        """The times in seconds since 1970."""
        return [time / MICROSECONDS for time in self.times]


# One point of a download: time in microseconds since 1970, stream, value.
Row: TypeAlias = tuple[int, str, Value]


@dataclass(slots=True)
class Statistics:
    """What cells of time hold of one stream: columns of equal length, a row a cell that holds a number.

    Attributes:
        width: of every cell, in microseconds.
        starts: where each cell begins, in microseconds since 1970; multiples of `width`, ascending.
        counts: how many numbers (booleans count as 0 and 1) it holds.
        minima, maxima, sums, firsts, lasts: of them; first and last by time.
    """

    width: int
    unit: str = ""
    starts: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    minima: list[float] = field(default_factory=list)
    maxima: list[float] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    lasts: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BucketInfo:
    """One bucket: how many streams it has, when (epoch seconds) its newest point was, and how it is tagged."""

    key: str
    name: str
    streams: int
    last: float | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of a stream."""

    value: Value
    epoch: float


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of a bucket with its newest value."""

    stream: str
    kind: Kind
    unit: str
    last: Latest


def columns_of(events: Iterable[EventTuple]) -> dict[StreamKey, Column]:
    """The events by stream, each stream's in the order they came; kinds are those of the newest value.

    Runs for every event that is stored, so its loop does the least that can be done.
    """
    columns: dict[StreamKey, Column] = {}
    get = columns.get
    for bucket, stream, value, epoch in events:
        key = bucket, stream
        column = get(key)
        if column is None:
            columns[key] = Column([int(epoch * 1e6 + 0.5)], [value])
        else:
            column.times.append(int(epoch * 1e6 + 0.5))
            column.values.append(value)
    for column in columns.values():
        column.kind = kind_of(column.values[newest(column.times)])
    return columns


def newest(times: list[int]) -> int:
    """Index of the newest time; of equal ones the last, since it is the one that is kept."""
    last = len(times) - 1
    if not last:
        return 0
    top = max(times)
    return last if times[-1] == top else last - times[::-1].index(top)


def latest(times: list[int], ahead: int) -> int:
    """Index of the time to show as the latest: the newest, or where that is past `ahead` the one that came last."""
    at = newest(times)
    return at if times[at] <= ahead else len(times) - 1


def ahead_of(now: float) -> int:
    """The time, in microseconds, past which a point is ahead of the clock; `now` is in epoch seconds."""
    return int((now + AHEAD_SECONDS) * MICROSECONDS)
