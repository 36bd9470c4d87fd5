"""Events as clients of the Events API push them: from JSON or URL parameters to event tuples, or what is wrong.

A request that breaks the API's contract (a missing key, a value that is an object, a text too long) is refused
whole: nothing of it is stored, and each bad event is named. A value that a sound client sends when its sensor
has none (NaN, an infinity, an integer beyond 64 bits) makes that event alone a `Rejected`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import from_json, to_json

from mqttbridge.events import (
    INT64_MAX,
    INT64_MIN,
    MAX_NAME_CHARS,
    MAX_TEXT_CHARS,
    EventTuple,
    Reason,
    Rejected,
    Value,
)

# Times further back get the server's, as the hosted API documents; so do times further ahead than a clock can
# honestly be wrong.
OLDEST: Final = 3650 * 86400.0
FARTHEST_AHEAD: Final = 86400.0
# In seconds this is the year 5138: whoever sends more counts in milliseconds, and would lose every time if it
# were silently replaced.
NOT_SECONDS: Final = 1e11

MAX_TAGS: Final = 100

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MAX_NUMBER_CHARS: Final = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """How an event breaks the API's contract."""

    text: str


@dataclass(slots=True)
class Pushed:
    """What one request brought.

    Attributes:
        problems: what breaks the contract, by the event's place in the request; with any, nothing is stored.
    """

    events: list[EventTuple] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    problems: list[tuple[int, Problem]] = field(default_factory=list)

    def take(self, index: int, one: EventTuple | Rejected | Problem) -> None:
        """Sort in what has been made of the request's event at `index`."""
        if isinstance(one, Problem):
            self.problems.append((index, one))
        elif isinstance(one, Rejected):
            self.rejected.append(one)
        else:
            self.events.append(one)


def from_body(body: bytes, bucket: str, now: float) -> Pushed | Problem:
    """Events of a JSON object or array of objects; a Problem when it is no such thing."""
    try:
        parsed = from_json(body)
    except ValueError as error:
        return Problem(f"the body is not JSON: {error}")
    pushed = Pushed()
    for index, one in enumerate(parsed if isinstance(parsed, list) else [parsed]):
        if isinstance(one, dict):
            pushed.take(index, _event(bucket, one.get("key"), one.get("value"), as_epoch(one, now)))
        else:
            pushed.take(index, Problem("expected an object with key and value"))
    return pushed


def from_parameters(parameters: Iterable[tuple[str, str]], bucket: str, now: float) -> Pushed:
    """One event for each parameter: its name is the stream, the time is the server's."""
    pushed = Pushed()
    for index, (name, text) in enumerate(parameters):
        pushed.take(index, _event(bucket, name, text, now))
    return pushed


def as_value(value: Any) -> Value | Reason | Problem:
    """The value to store; a Reason when it cannot be stored; a Problem when it breaks the contract.

    Many clients send every value as a string, so a string that reads as a number is that number.
    """
    match value:
        case bool():
            return value
        case int():
            return value if INT64_MIN <= value <= INT64_MAX else Reason.INTEGER_TOO_LARGE
        case float():
            return value if math.isfinite(value) else Reason.NOT_FINITE
        case str() if len(value) > MAX_TEXT_CHARS:
            return Problem(f"value is longer than {MAX_TEXT_CHARS} characters")
        case str():
            return _number_in(value)
        case None:
            return Problem("value is missing")
        case _:
            return Problem("value must be a string, a number or a boolean")


def as_epoch(event: dict[str, Any], now: float) -> float | Problem:
    """The event's time in epoch seconds: `epoch` wins over `iso8601`, without either it is `now`."""
    epoch, iso = event.get("epoch"), event.get("iso8601")
    if epoch is not None:
        if isinstance(epoch, str) and _NUMBER.fullmatch(epoch.strip()):
            epoch = float(epoch)
        if isinstance(epoch, bool) or not isinstance(epoch, int | float):
            return Problem("epoch must be a number of seconds")
        if isinstance(epoch, float) and not math.isfinite(epoch):  # an int may be too large to be asked
            return Problem("epoch must be a number of seconds")
        if epoch >= NOT_SECONDS:
            return Problem("epoch must be in seconds (this looks like milliseconds)")
    elif iso is not None:
        try:
            at = datetime.fromisoformat(iso.strip())
            epoch = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (ValueError, AttributeError, OverflowError):
            return Problem("iso8601 must be a time such as 2015-10-08T07:54:00+06:00")
    else:
        return now
    return float(epoch) if now - OLDEST <= epoch <= now + FARTHEST_AHEAD else now


def name_problem(what: str, name: Any) -> Problem | None:
    """What is wrong with a name of a bucket or stream."""
    if name is None or name == "":
        return Problem(f"{what} is missing")
    if not isinstance(name, str):
        return Problem(f"{what} must be a string")
    if len(name) > MAX_NAME_CHARS:
        return Problem(f"{what} is longer than {MAX_NAME_CHARS} characters")
    return None


def as_tags(tags: Any) -> tuple[str, ...] | Problem:
    """A bucket's tags; none when they are null, as clients send them that have none."""
    if tags is None:
        return ()
    if not isinstance(tags, list) or len(tags) > MAX_TAGS:
        return Problem(f"tags must be an array of at most {MAX_TAGS} strings")
    problem = next((wrong for tag in tags if (wrong := name_problem("a tag", tag))), None)
    return problem or tuple(tags)


def _event(bucket: str, key: Any, raw: Any, epoch: float | Problem) -> EventTuple | Rejected | Problem:
    problem = name_problem("key", key)
    if problem is not None:
        return problem
    value = as_value(raw)
    if isinstance(value, Problem):
        return value
    if isinstance(epoch, Problem):
        return epoch
    if isinstance(value, Reason):
        event = {"bucket": bucket, "stream": key, "value": str(raw)[:MAX_TEXT_CHARS], "epoch": epoch}
        return Rejected(value, f"pushed as {raw!s:.100}", f"{bucket}/{key}", to_json(event), "Events API")
    return (bucket, key, value, epoch)


def _number_in(text: str) -> Value:
    stripped = text.strip()
    if len(stripped) > _MAX_NUMBER_CHARS or not _NUMBER.fullmatch(stripped):
        return text
    # A serial number of 20 digits is a name, not a quantity; 1e999 is not a number at all.
    if stripped.lstrip("+-").isdigit():
        whole = int(stripped)
        return whole if INT64_MIN <= whole <= INT64_MAX else text
    number = float(stripped)
    return number if math.isfinite(number) else text
