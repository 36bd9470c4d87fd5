"""Positions from two streams, one of latitudes and one of longitudes, joined by time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from mqttbridge.alerting.conditions import number_of
from mqttbridge.alerting.matching import Part
from mqttbridge.events import Value

# Halves that are further apart than this are of different places.
PAIR_SECONDS: Final = 10.0

Point: TypeAlias = tuple[float, Value]
"""Epoch and value."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The newest half of either kind, with its time.

    Attributes:
        exact: whether halves of one time were ever seen: then none of different times are put together.
    """

    latitude: tuple[float, float] | None = None
    longitude: tuple[float, float] | None = None
    exact: bool = False


def join(pair: Pair, points: Sequence[tuple[float, Part, Value]]) -> tuple[Pair, list[Point]]:
    """Positions, as `lat,lon` texts, that halves in order of time make together with those before."""
    made: list[Point] = []
    for index, (epoch, part, value) in enumerate(points):
        number = number_of(value)
        if number is None:
            continue
        half = (epoch, number)
        pair = replace(pair, latitude=half) if part is Part.LATITUDE else replace(pair, longitude=half)
        latitude, longitude = pair.latitude, pair.longitude
        if index + 1 < len(points) and points[index + 1][0] == epoch:
            continue  # its other half is next
        if latitude is None or longitude is None:
            continue
        apart = abs(latitude[0] - longitude[0])
        pair = replace(pair, exact=pair.exact or apart == 0)
        if apart == 0 or (not pair.exact and apart <= PAIR_SECONDS):
            made.append((epoch, f"{latitude[1]!r},{longitude[1]!r}"))
    return pair, made
