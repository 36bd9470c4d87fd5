"""The shapes of stored points: a page of rows, and what sums them up."""

from __future__ import annotations

from mqttbridge.dashboard.schemas import Epoch, Last, Model, Scalar


class StoredRows(Model):
    """Points as they were stored, a page of them."""

    now: Epoch
    rows: list[tuple[Epoch, str, Scalar]]
    """Time, stream, value; in the order asked for."""
    units: dict[str, str]
    """Of the streams that are in `rows` and have one."""
    next: str | None
    """Pass it as `cursor` for what follows; null when there is no more. Before that a page may be short, even empty."""


class StreamSummary(Model):
    """One stream's points in a range. Booleans count as 0 and 1; null: it held no number."""

    count: int
    least: Scalar | None
    mean: float | None
    greatest: Scalar | None
    first: Last | None
    last: Last | None


class Summary(Model):
    """Each stream that has a point in the range."""

    now: Epoch
    streams: dict[str, StreamSummary]
