"""What one live frame holds: pending points gathered, thinned to what a chart can show, and encoded once."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import to_json

from mqttbridge.dashboard.store.downsample import grid_width, m4
from mqttbridge.dashboard.store.model import MICROSECONDS, Column, Kind, kind_of

# Points of one series in one frame beyond which it is thinned. A quarter of a second at full flood is then cut
# into four cells: 64 points a second and series are more than a chart can show.
PLENTY: Final = 16
# A backlog covers minutes or days in a frame; cells of a second, or 64 of them, keep its shape.
CELLS: Final = 4
BACKLOG_CELLS: Final = 64
# Gathered points of one series that are thinned before the frame is due, so that memory stays bounded.
MOST_PENDING: Final = 4096


def merge(pending: dict[str, Column], stream: str, column: Column) -> None:
    """Add a column to what waits for the next frame."""
    waiting = pending.get(stream)
    if waiting is None:
        pending[stream] = column
        return
    waiting.times += column.times
    waiting.values += column.values
    waiting.kind, waiting.unit = column.kind, column.unit
    if len(waiting.times) > MOST_PENDING:
        pending[stream] = thin(waiting)


def thin(column: Column) -> Column:
    """The column in order of time, of one kind, each time once, and by M4 when it has plenty of points."""
    times, values, kind = column.times, column.values, column.kind
    if not _of_kind(values, kind):
        kept = [(time, value) for time, value in zip(times, values, strict=True) if kind_of(value) is kind]
        times, values = [time for time, _ in kept], [value for _, value in kept]
    if any(map(int.__ge__, times, times[1:])):
        newest = dict(zip(times, values, strict=True))  # of one time the last value stays, as in the store
        times = sorted(newest)
        values = [newest[time] for time in times]
    ordered = Column(times, values, kind, column.unit)
    if len(times) <= PLENTY:
        return ordered
    span = times[-1] - times[0] + 1
    return m4(ordered, grid_width(max(span // BACKLOG_CELLS, min(span // CELLS, MICROSECONDS)), 1))


def series_of(column: Column) -> dict[str, Any]:
    """A column as the page gets it."""
    return {"kind": column.kind, "unit": column.unit, "epochs": column.epochs, "values": column.values}


def encode(event: str, data: dict[str, Any], frame_id: str | None) -> bytes:
    """One event of the stream `text/event-stream`; JSON has no bare line breaks, so it is one `data` line."""
    head = f"event: {event}\n" if frame_id is None else f"id: {frame_id}\nevent: {event}\n"
    return b"%bdata: %b\n\n" % (head.encode(), to_json(data))


def _of_kind(values: list[Any], kind: Kind) -> bool:
    types = set(map(type, values))
    if kind is Kind.NUMBER:
        return types <= {int, float}
    return types == ({bool} if kind is Kind.BOOLEAN else {str})
