"""The newest points, in memory until they are sealed. The log in the span's file holds them, too.

Points gather in `fresh` until they are many enough to be worth sealing; then they become `ageing`, and a part of
them is sealed with every batch that follows, so that no batch waits for all of them. Of one series, what is ageing
came before what is fresh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import lt
from typing import Final, TypeAlias

from mqttbridge.events import Value

# Times in microseconds beside their values.
Points: TypeAlias = tuple[list[int], list[Value]]

# What log a generation of points may have: some 40,000 numbers, 3 MiB of memory.
GENERATION_BYTES: Final = 2**20


class Tail:
    """Points by the id of their series. Its owner has the lock."""

    def __init__(self) -> None:
        self.fresh: dict[int, Points] = {}
        self.ageing: dict[int, Points] = {}
        self.fresh_bytes = 0

    def add(self, points: Iterable[tuple[int, list[int], list[Value]]], size: int) -> None:
        """Points in the order they came; `size` is that of their log."""
        fresh = self.fresh
        for series, times, values in points:
            known = fresh.get(series)
            if known is None:
                fresh[series] = list(times), list(values)
            else:
                known[0].extend(times)
                known[1].extend(values)
        self.fresh_bytes += size

    @property
    def due(self) -> bool:
        """Whether the fresh points are to be sealed, and can."""
        return not self.ageing and self.fresh_bytes >= GENERATION_BYTES

    def age(self) -> None:
        """What is fresh is ageing from now on."""
        self.ageing, self.fresh, self.fresh_bytes = self.fresh, {}, 0

    def forget(self, series: Iterable[int]) -> None:
        for one in series:
            self.fresh.pop(one, None)
            self.ageing.pop(one, None)

    def copy(self, wanted: Collection[int]) -> dict[int, Points]:
        """Points of the wanted series, each ordered by time, of one time only the last that came."""
        copied = {}
        for series in wanted:
            old, new = self.ageing.get(series), self.fresh.get(series)
            if old and new:
                copied[series] = in_order(old[0] + new[0], old[1] + new[1])
            elif old or new:
                copied[series] = in_order(*(old or new))  # type: ignore[misc]  # one of them is not None
        return copied


def in_order(times: list[int], values: list[Value]) -> Points:
    """New lists of the points by time; of one time the last that came stays."""
    if all(map(lt, times, times[1:])):
        return times[:], values[:]
    last = dict(zip(times, values, strict=True))
    times = sorted(last)
    return times, [last[time] for time in times]


def overlaid(below: Points, above: Points) -> Points:
    """Two columns in order of time as one; of one time the value of `above` stays."""
    if not below[0] or not above[0] or below[0][-1] < above[0][0]:
        return below[0] + above[0], below[1] + above[1]
    return in_order(below[0] + above[0], below[1] + above[1])
