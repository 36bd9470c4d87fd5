"""What no store can ever take, so that the event at fault is found and rejected."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from mqttbridge.dashboard.store.model import Column, StreamKey
from mqttbridge.dashboard.store.ranges import FIRST, LAST
from mqttbridge.events import INT64_MAX, INT64_MIN


def check(columns: Mapping[StreamKey, Column]) -> None:
    """Raises what `append` says of events that cannot be stored ever."""
    for key, column in columns.items():
        values = column.values
        types = set(map(type, values))
        if float in types and not all(map(isfinite, (one for one in values if type(one) is float))):
            raise ValueError(f"{key[1]} is not a finite number")
        if int in types and any(not INT64_MIN <= one <= INT64_MAX for one in values if type(one) is int):
            raise OverflowError(f"{key[1]} does not fit 64 bits")
        if str in types:
            for one in values:
                if type(one) is str:
                    one.encode()
        if not min(column.times) >= FIRST or not max(column.times) < LAST:
            raise OverflowError(f"{key[1]} has a time that no calendar has")
