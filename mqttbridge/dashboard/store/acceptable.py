"""What no store can ever take, so that the event at fault is found and rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import TypeVar

from mqttbridge.dashboard.store.model import Column, StreamKey
from mqttbridge.dashboard.store.ranges import FIRST, LAST
from mqttbridge.events import INT64_MAX, INT64_MIN, Value

T = TypeVar("T")


def check(columns: Mapping[StreamKey, Column]) -> None:
    """Raises what `append` says of events that cannot be stored ever."""
    every = columns.values()
    try:
        # All at once, since there may be thousands of streams of a point each, and mostly nothing is wrong.
        _check("", _joined(column.values for column in every), _joined(column.times for column in every))
    except (ValueError, OverflowError):
        for (_, stream), column in columns.items():
            _check(stream, column.values, column.times)
        raise


def _check(stream: str, values: Sequence[Value], times: Sequence[int]) -> None:
    types = set(map(type, values))
    if float in types and not all(map(isfinite, (one for one in values if type(one) is float))):
        raise ValueError(f"{stream} is not a finite number")
    if int in types and any(not INT64_MIN <= one <= INT64_MAX for one in values if type(one) is int):
        raise OverflowError(f"{stream} does not fit 64 bits")
    if str in types:
        "".join(one for one in values if type(one) is str).encode()
    if times and not (min(times) >= FIRST and max(times) < LAST):
        raise OverflowError(f"{stream} has a time that no calendar has")


def _joined(parts: Iterable[list[T]]) -> list[T]:
    return list(chain.from_iterable(parts))
