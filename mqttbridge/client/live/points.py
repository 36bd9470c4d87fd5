"""Points of a bucket's streams: read from the server's JSON, and the newest of a stream kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from mqttbridge.events import Value

MICROSECONDS: Final = 1_000_000
# Nanoseconds of 64 bits, as tables have them, reach to 2262. A device's clock that says more is left out.
_MAX_EPOCH: Final = 9.2e9


@dataclass(frozen=True, slots=True)
class Column:
    """Points of one stream, at least one, oldest first, each time once.

    Attributes:
        kind: `number`, `boolean` or `text`; of all the values.
        times: microseconds since 1970.
        values: as many.
    """

    kind: str
    times: Sequence[int]
    values: Sequence[Value]

    def newest(self, count: int) -> Column:
        """The last `count` points."""
        return Column(self.kind, self.times[-count:], self.values[-count:])


@dataclass(frozen=True, slots=True)
class _Series:
    kind: str
    epochs: list[FiniteFloat]
    values: list[Value]


@dataclass(frozen=True, slots=True)
class _Answer:
    series: dict[str, _Series]


@dataclass(frozen=True, slots=True)
class _Last:
    value: Value
    epoch: FiniteFloat


@dataclass(frozen=True, slots=True)
class _Stream:
    stream: str
    last: _Last
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Streams:
    streams: list[_Stream]


_ANSWER: Final = TypeAdapter(_Answer)
_STREAMS: Final = TypeAdapter(_Streams)


@dataclass(frozen=True, slots=True)
class Malformed:
    """These are no points."""

    why: str


@dataclass(frozen=True, slots=True)
class Latest:
    """A stream's newest value. `time` is in microseconds since 1970."""

    stream: str
    unit: str
    value: Value
    time: int


def read_latest(data: bytes) -> list[Latest] | Malformed:
    """The streams of a bucket, each with its newest value."""
    try:
        streams = _STREAMS.validate_json(data).streams
    except ValidationError as error:
        return Malformed(_why(error))
    return [
        Latest(one.stream, one.unit, one.last.value, round(one.last.epoch * MICROSECONDS))
        for one in streams
        if abs(one.last.epoch) <= _MAX_EPOCH
    ]


def read_points(data: bytes) -> dict[str, Column] | Malformed:
    """The series in a snapshot or a live frame, by stream; those without points are left out."""
    try:
        series = _ANSWER.validate_json(data).series
    except ValidationError as error:
        return Malformed(_why(error))
    columns = {}
    for stream, one in series.items():
        if len(one.epochs) != len(one.values):
            return Malformed("a series of more times than values, or fewer")
        # The newest of one time stays; in order, whatever the server's order was.
        points = {
            round(epoch * MICROSECONDS): value
            for epoch, value in zip(one.epochs, one.values, strict=True)
            if abs(epoch) <= _MAX_EPOCH
        }
        if points:
            times = sorted(points)
            columns[stream] = Column(one.kind, times, [points[time] for time in times])
    return columns


def _why(error: ValidationError) -> str:
    return f"{error.errors(include_input=False, include_url=False)[0]['msg']:.200}"


@dataclass(frozen=True, slots=True)
class Merged:
    """What was new to a window.

    Attributes:
        fresh: points that the window had not, or had another value at; maybe none.
        begun_anew: whether all that it held before is gone, since the stream is of another kind now.
    """

    fresh: Column
    begun_anew: bool


class Window:
    """The newest points of one stream, each time once.

    Args:
        size: how many points are kept at least.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kind = ""
        self._times: list[int] = []
        self._values: list[Value] = []

    def newest(self, count: int) -> Column:
        """The last `count` points, as they stand now."""
        return Column(self._kind, self._times[-count:], self._values[-count:])

    def merge(self, column: Column, *, history: bool = False) -> Merged:
        """Take points in.

        Args:
            column: the points.
            history: they are from a snapshot, which may be older than what came live: of two values of one time
                the one that is here stays.
        """
        begun_anew = column.kind != self._kind and bool(self._times)
        if begun_anew and column.times[-1] <= self._times[-1]:
            return Merged(Column(self._kind, (), ()), begun_anew=False)  # what the stream was before
        if begun_anew:
            self._times, self._values = [], []
        self._kind = column.kind
        if not self._times or (column.times and column.times[0] > self._times[-1]):
            fresh = column
            self._times += column.times
            self._values += column.values
        else:
            fresh = self._mix(column, history=history)
        if len(self._times) > 2 * self.size:
            del self._times[: -self.size], self._values[: -self.size]
        return Merged(fresh, begun_anew)

    def _mix(self, column: Column, *, history: bool) -> Column:
        known = dict(zip(self._times, self._values, strict=True))
        new = {
            time: value
            for time, value in zip(column.times, column.values, strict=True)
            if time not in known or (not history and known[time] != value)
        }
        if new:
            known |= new
            self._times = sorted(known)
            self._values = [known[time] for time in self._times]
        return Column(column.kind, list(new), list(new.values()))
