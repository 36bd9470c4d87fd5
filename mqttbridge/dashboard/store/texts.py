"""Since when a text held, told from the points before."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from mqttbridge.dashboard.store.bounds import LOOK_BACK
from mqttbridge.events import Value


def held_text(backwards: Iterable[tuple[int, Value]]) -> list[tuple[int, Value]]:
    """Since when the text that held did: its first point, after the other text's that proves it.

    Args:
        backwards: the points before, the newest first. A text that repeats for longer than LOOK_BACK, or than they
            reach, gives its last point: it was said before that.
    """
    held: tuple[int, Value] | None = None
    oldest: tuple[int, Value] | None = None
    for at, value in islice(backwards, LOOK_BACK + 1):
        if held is None or oldest is None:
            held = oldest = at, value
            if not isinstance(value, str):
                return []
        elif value != held[1]:
            return [(at, value), oldest] if isinstance(value, str) else [held]
        else:
            oldest = at, value
    return [] if held is None else [held]
