"""How far to read, of every point of a range, for a batch that fits into memory."""

from __future__ import annotations

from bisect import bisect_left

from mqttbridge.dashboard.store import bounds
from mqttbridge.dashboard.store.look import Look


def batch_end(look: Look, start: int, end: int) -> int | None:
    """Until when to read for a batch of bounded size; None when there is nothing before `end`."""
    ends = sorted(
        [(chunk.end, chunk.points) for chunks in look.chunks.values() for chunk in chunks]
        + [(times[-1], len(times)) for times, _ in look.view.tail.values() if times[-1] >= start]
    )
    if not ends:
        return None
    first = min(
        [max(chunk.start, start) for chunks in look.chunks.values() for chunk in chunks]
        + [times[bisect_left(times, start)] for times, _ in look.view.tail.values() if times[-1] >= start]
    )
    if first >= end:
        return None
    until = min(ends[-1][0] + 1, end)
    if (count := _points_between(look, first, until)) <= bounds.BATCH:
        return end
    until = first + max(1, int((until - first) * bounds.BATCH / count))
    # Points come in bursts, too: one must not be in memory whole because little came before it.
    while until - first > 1 and (count := _points_between(look, first, until)) > 2 * bounds.BATCH:
        until = first + max(1, int((until - first) * bounds.BATCH / count))
    return until


def _points_between(look: Look, start: int, end: int) -> float:
    """About how many points lie between two times: those of a chunk as if spread evenly over it."""
    within = (chunk for chunks in look.chunks.values() for chunk in chunks if chunk.start < end and chunk.end >= start)
    return sum(
        chunk.points * (min(chunk.end + 1, end) - max(chunk.start, start)) / (chunk.end + 1 - chunk.start)
        for chunk in within
    ) + sum(bisect_left(times, end) - bisect_left(times, start) for times, _ in look.view.tail.values())
