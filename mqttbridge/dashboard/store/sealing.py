"""Sealing: which chunks points become, alone or together with those that are there.

Points that follow all others make a chunk at the end, and take small ones before it along; points that came late
rewrite the chunk that they fall into. See chunks.py for what a chunk is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from mqttbridge.dashboard.store import chunks, codec
from mqttbridge.dashboard.store.chunks import Chunk, numbers_of
from mqttbridge.dashboard.store.files import insert_many
from mqttbridge.dashboard.store.rollup import HOUR, LEAST_POINTS, MINUTE, Cell, coarser, fold, pack
from mqttbridge.dashboard.store.tail import Points, overlaid

# Small chunks are combined when so many of one size have gathered, or when they fill a chunk: each point is sealed
# three or four times at most, and a series has few chunks, however slowly its points come.
FAN_IN: Final = 16

# A smaller chunk has no rollups: its points are quickly read, and it will be part of a larger one.
LEAST_ROLLED: Final = 512


class _Job(NamedTuple):
    """Points to be sealed, together with those of chunks that they replace."""

    series: int
    replaced: list[Chunk]
    points: Points


def seal(db: sqlite3.Connection, columns: Mapping[int, Points], next_id: int) -> int:
    """Seal points in order of time by series, in the transaction of the caller; returns the next chunk's id."""
    trailing = chunks.trailing(db, columns)
    jobs: list[_Job] = []
    for series, points in columns.items():
        last = trailing.get(series, [])
        if not last or last[-1].end < points[0][0]:
            jobs.append(_Job(series, _to_combine(last, len(points[0])), points))
        else:
            around = chunks.within(db, [series], points[0][0], points[0][-1] + 1).get(series, [])
            jobs += _late(series, points, around)
    replaced = [chunk for job in jobs for chunk in job.replaced]
    if replaced:
        old = {chunk.id: points for chunk, points in chunks.load(db, replaced)}
        chunks.delete(db, list(old))
        jobs = [job._replace(points=_together(job, old)) for job in jobs]
    made, cells = [], []
    for job in jobs:
        for times, values in _cut(job.points):
            packed, hourly = _rollups(times, values)
            made.append(
                (
                    next_id,
                    job.series,
                    times[0],
                    times[-1],
                    len(times),
                    int(hourly is not None),
                    int(packed is not None),
                    packed or b"",
                    codec.pack_times(times),
                    codec.pack_values(values),
                )
            )
            cells += [(job.series, cell.start // HOUR, next_id, *cell[1:]) for cell in hourly or ()]
            next_id += 1
    insert_many(db, "chunks", made, 10)
    insert_many(db, "hours", cells, 11)
    return next_id


def _to_combine(trailing: Sequence[Chunk], count: int) -> list[Chunk]:
    """Which of the newest small chunks to combine with `count` points that follow them."""
    small = [chunk for chunk in trailing if chunk.points < chunks.FULL]
    if count + sum(chunk.points for chunk in small) >= chunks.FULL:
        return small
    taken = 0
    while True:
        size = _size(count)
        alike = 0
        while taken + alike < len(small) and _size(small[-1 - taken - alike].points) <= size:
            alike += 1
        if alike + 1 < FAN_IN:
            return small[len(small) - taken :]
        count += sum(chunk.points for chunk in small[len(small) - taken - alike : len(small) - taken])
        taken += alike


def _size(count: int) -> int:
    return (count.bit_length() - 1) // 4


def _late(series: int, points: Points, around: Sequence[Chunk]) -> list[_Job]:
    """Points that came late, beside the chunks they fall into; those that fall between chunks make new ones."""
    jobs = []
    times, values = points
    at = 0
    for chunk in around:
        between = at
        while at < len(times) and times[at] < chunk.start:
            at += 1
        if at > between:
            jobs.append(_Job(series, [], (times[between:at], values[between:at])))
        inside = at
        while at < len(times) and times[at] <= chunk.end:
            at += 1
        if at > inside:
            jobs.append(_Job(series, [chunk], (times[inside:at], values[inside:at])))
    if at < len(times):
        jobs.append(_Job(series, [], (times[at:], values[at:])))
    return jobs


def _together(job: _Job, old: Mapping[int, Points]) -> Points:
    below: Points = ([], [])
    for chunk in job.replaced:
        times, values = old[chunk.id]
        below[0].extend(times)
        below[1].extend(values)
    return overlaid(below, job.points)


def _cut(points: Points) -> Iterator[Points]:
    """The points in chunks of chunks.FULL to twice as many, all alike; fewer make one small chunk."""
    times, values = points
    parts = max(1, len(times) // chunks.FULL)
    edges = [len(times) * part // parts for part in range(parts + 1)]
    for start, end in pairwise(edges):
        yield times[start:end], values[start:end]


def _rollups(times: list[int], values: list[Any]) -> tuple[bytes | None, list[Cell] | None]:
    """A chunk's cells by minute, packed, and by hour; None where the points themselves are hardly more."""
    if len(times) < LEAST_ROLLED:
        return None, None
    at, numbers = numbers_of(times, values)
    if not at:
        return b"", []
    by_minute = fold(at, numbers, MINUTE)
    by_hour = coarser(by_minute, HOUR)
    return (
        pack(by_minute, MINUTE) if len(by_minute) * LEAST_POINTS <= len(at) else None,
        by_hour if len(by_hour) * LEAST_POINTS <= len(at) else None,
    )
