"""What a request for stored points asks for: a range of time, streams, and what a row must be like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from mqttbridge.dashboard.store import Row
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.events import Value

# Later than any time a browser can show; an open end, since devices' clocks may run ahead.
MAX_EPOCH: Final = 1e11
MAX_TEXT: Final = 200
MAX_NUMBER_CHARS: Final = 40


class BadQuery(ValueError):  # noqa: N818  # the caller's, not ours
    """The parameters make no sense; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Range:
    """Streams of a bucket (all when none is named) from `after` to before `before`, in epoch seconds."""

    bucket: str
    streams: tuple[str, ...]
    after: float
    before: float


@dataclass(frozen=True, slots=True)
class Filter:
    """What a row must be like.

    Attributes:
        text: a part of the stream's name or of the value, in whatever case; empty: any.
        least, most: bounds of a number; a text is in none. None: any.
    """

    text: str = ""
    least: float | None = None
    most: float | None = None

    def accepts(self, row: Row) -> bool:
        _, stream, value = row
        if self.least is not None or self.most is not None:
            if isinstance(value, str):
                return False
            if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
                return False
        return not self.text or self.text in stream.casefold() or self.text in words_of(value).casefold()


def words_of(value: Value) -> str:
    """A value as people would look for it."""
    if isinstance(value, bool):
        return "true on" if value else "false off"
    return str(value)


def range_of(bucket: str, params: QueryParams, now: float) -> Range:
    """`stream`, `after` and `before` of a query. Without `after` the range begins with the first point.

    A `before` that is not positive is relative to now; a negative `after` is relative to `before`, or else to now.

    Raises:
        BadQuery: they make no sense.
    """
    before = number(params, "before")
    if before is not None and before <= 0:
        before += now
    after = number(params, "after")
    if after is None:
        after = 0.0
    elif after < 0:
        after += now if before is None else before
    if abs(after) > MAX_EPOCH or (before is not None and abs(before) > MAX_EPOCH):
        raise BadQuery("after and before are in seconds")
    if before is not None and after >= before:
        raise BadQuery("after must be earlier than before")
    return Range(bucket, tuple(params.getlist("stream")), after, MAX_EPOCH if before is None else before)


def filter_of(params: QueryParams) -> Filter:
    """`text`, `least` and `most` of a query.

    Raises:
        BadQuery: they make no sense.
    """
    text = params.get("text", "")
    if len(text) > MAX_TEXT:
        raise BadQuery(f"text has more than {MAX_TEXT} characters")
    return Filter(text.casefold(), number(params, "least"), number(params, "most"))


def number(params: QueryParams, name: str) -> float | None:
    """A parameter as a number; None when it is not there or empty.

    Raises:
        BadQuery: it is something else.
    """
    given = params.get(name, "")
    if not given:
        return None
    try:
        found = float(given[:MAX_NUMBER_CHARS])
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadQuery(f"{name} must be a number")
    return found


def whole(params: QueryParams, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`; larger ones become `most`.

    Raises:
        BadQuery: it is something else.
    """
    found = number(params, name)
    if found is None:
        return default
    if found < 1 or found != int(found):
        raise BadQuery(f"{name} must be a whole number from 1")
    return min(int(found), most)


def choice(params: QueryParams, name: str, *allowed: str) -> str:
    """One of the words allowed; the first where nothing is said.

    Raises:
        BadQuery: it is another.
    """
    given = params.get(name) or allowed[0]
    if given not in allowed:
        raise BadQuery(f"{name} is one of {', '.join(allowed)}")
    return given


def microseconds(epoch: float) -> int:
    return round(epoch * MICROSECONDS)
