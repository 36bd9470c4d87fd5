"""What of a stream's writes is history: values with a time, which the store keeps beyond the figure's window.

A point appended is an event: at its x if that is a time, else when it came. A list is a picture that the next
one overwrites; its points are events where their x are times, and nothing else has a time for them.
"""

from __future__ import annotations

import math
from typing import Any

from pydantic_core import to_json

from mqttbridge.dashboard.events.pushed import FARTHEST_AHEAD, OLDEST, Problem, as_value
from mqttbridge.dashboard.plotly.update import Update, XKind, read_x
from mqttbridge.events import MAX_TEXT_CHARS, EventTuple, Reason, Rejected
from mqttbridge.mapping.timestamps import parse_timestamp


def events_of(update: Update, bucket: str, stream: str, arrival: float) -> list[EventTuple | Rejected]:
    """The events in one line, in its order; a value that no store can hold is a `Rejected`.

    Args:
        update: the line, read.
        bucket: the figure.
        stream: the trace.
        arrival: epoch seconds.
    """
    x, y = update.x, update.y
    if isinstance(x, list) and isinstance(y, list):
        pairs = [(_time(at, arrival), value) for at, value in zip(x, y, strict=False)]
        return [
            event
            for epoch, value in pairs
            if epoch is not None and (event := _event(bucket, stream, value, epoch)) is not None
        ]
    if isinstance(x, list) or isinstance(y, list):
        return []
    epoch = _time(x, arrival)
    event = _event(bucket, stream, y, arrival if epoch is None else epoch)
    return [] if event is None else [event]


def _time(x: Any, arrival: float) -> float | None:
    """Epoch seconds of an x that is a time near enough to now to be one; None for any other."""
    place = read_x(x)
    if place is None or place[0] is XKind.CATEGORY:
        return None
    epoch = place[1] if place[0] is XKind.DATE else parse_timestamp(place[1])
    if not isinstance(epoch, float) or not arrival - OLDEST <= epoch <= arrival + FARTHEST_AHEAD:
        return None
    return epoch


def _event(bucket: str, stream: str, raw: Any, epoch: float) -> EventTuple | Rejected | None:
    value = as_value(raw)
    if isinstance(value, Problem):
        if not isinstance(raw, str):
            return None  # null is a gap, and no value
        value = Reason.TEXT_TOO_LONG
    if isinstance(value, Reason):
        shown = str(raw)[:MAX_TEXT_CHARS] if not isinstance(raw, float) or math.isfinite(raw) else repr(raw)
        event = {"bucket": bucket, "stream": stream, "value": shown, "epoch": epoch}
        return Rejected(value, f"streamed as {raw!s:.100}", f"{bucket}/{stream}", to_json(event), "Plotly stream")
    return (bucket, stream, value, epoch)
