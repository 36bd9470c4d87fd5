"""What a condition says of one value. Pure; what it must remember of earlier values is a `Memory` it is given."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, TypeAlias

from mqttbridge.config.alert_conditions import (
    Change,
    Circle,
    Condition,
    Equality,
    Match,
    Silence,
    Threshold,
    expression_of,
)
from mqttbridge.events import Value

# The window of `changes_by` is kept as so many slots of a lowest and a highest value each.
SLOTS: Final = 60
EARTH_METRES: Final = 6_371_008.8

Slot: TypeAlias = tuple[int, float, float]
"""Which slot of time since 1970, the lowest and the highest value in it."""


class Verdict(Enum):
    TRUE = auto()
    FALSE = auto()
    BETWEEN = auto()
    """Not true any more, and not yet over."""
    UNKNOWN = auto()
    """The value is not of a kind that the condition can judge."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a condition knows of the values before.

    Attributes:
        armed: of a circle: whether a position on the other side of its edge was seen.
        slots: of `changes_by`: the window.
        previous: of `changes_by` without a window: the value before.
    """

    armed: bool = False
    slots: tuple[Slot, ...] = ()
    previous: float | None = None


BLANK: Final = Memory()


def judge(condition: Condition, memory: Memory, epoch: float, value: Value, *, firing: bool) -> tuple[Verdict, Memory]:
    """What the condition says of a value, and what it knows after it.

    Args:
        condition: of the rule.
        memory: what it knew before.
        epoch: the value's time, later than those before.
        value: the value.
        firing: whether the rule fires now: then it is over only beyond `clear` or `margin`.
    """
    match condition:
        case Threshold():
            return _threshold(condition, value, firing=firing), memory
        case Equality():
            return _equality(condition, value), memory
        case Match():
            return _match(condition, value), memory
        case Change():
            return _change(condition, memory, epoch, value)
        case Silence():
            return Verdict.FALSE, memory  # something came
        case Circle():
            return _circle(condition, memory, value, firing=firing)


def position_of(value: Value) -> tuple[float, float] | None:
    """Latitude and longitude of a text such as `52.5,13.4`; None for any other value."""
    if not isinstance(value, str) or len(value) > 100:
        return None
    first, comma, second = value.partition(",")
    try:
        lat, lon = float(first), float(second)
    except ValueError:
        return None
    return (lat, lon) if comma and abs(lat) <= 90 and abs(lon) <= 180 else None


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Along the surface of the earth, taken for a sphere; positions are latitude and longitude in degrees."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(half)))


def number_of(value: Value) -> float | None:
    """The value as a number: true and false count as 1 and 0; None for a text."""
    if isinstance(value, str):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _threshold(condition: Threshold, value: Value, *, firing: bool) -> Verdict:
    number = number_of(value)
    if number is None:
        return Verdict.UNKNOWN
    if _holds(condition.is_, number, condition.value):
        return Verdict.TRUE
    if firing and condition.clear is not None and condition.clear != condition.value:
        back = number <= condition.clear if condition.is_.startswith(">") else number >= condition.clear
        return Verdict.FALSE if back else Verdict.BETWEEN
    return Verdict.FALSE


def _holds(comparison: str, number: float, bound: float) -> bool:
    match comparison:
        case ">":
            return number > bound
        case ">=":
            return number >= bound
        case "<":
            return number < bound
        case _:
            return number <= bound


def _equality(condition: Equality, value: Value) -> Verdict:
    wanted = condition.value
    if isinstance(wanted, str) != isinstance(value, str):
        return Verdict.UNKNOWN
    return Verdict.TRUE if (value == wanted) == (condition.is_ == "=") else Verdict.FALSE


def _match(condition: Match, value: Value) -> Verdict:
    if not isinstance(value, str):
        return Verdict.UNKNOWN
    if condition.text is not None:
        found = condition.text.casefold() in value.casefold()
    else:
        found = expression_of(condition.pattern or "").isinstance_python(value)
    return Verdict.TRUE if found else Verdict.FALSE


def _change(condition: Change, memory: Memory, epoch: float, value: Value) -> tuple[Verdict, Memory]:
    number = number_of(value)
    if number is None:
        return Verdict.UNKNOWN, memory
    if condition.within is None:
        before = number if memory.previous is None else memory.previous
        moved = abs(number - before)
        return _moved(condition, moved), replace(memory, previous=number)
    slot = math.floor(epoch / condition.within * SLOTS)
    kept = [one for one in memory.slots if one[0] > slot - SLOTS]
    if kept and kept[-1][0] == slot:
        kept[-1] = (slot, min(kept[-1][1], number), max(kept[-1][2], number))
    else:
        kept.append((slot, number, number))
    moved = max(one[2] for one in kept) - min(one[1] for one in kept)
    return _moved(condition, moved), replace(memory, slots=tuple(kept))


def _moved(condition: Change, by: float) -> Verdict:
    return Verdict.TRUE if by >= condition.value else Verdict.FALSE


def _circle(condition: Circle, memory: Memory, value: Value, *, firing: bool) -> tuple[Verdict, Memory]:
    position = position_of(value)
    if position is None:
        return Verdict.UNKNOWN, memory
    distance = metres_between(position, (condition.lat, condition.lon))
    entering = condition.is_ == "enters"
    there = distance <= condition.radius if entering else distance > condition.radius
    if there:
        return (Verdict.TRUE if memory.armed else Verdict.FALSE), memory
    inwards = -condition.margin if not entering else condition.margin
    edge = max(0.0, condition.radius + inwards)
    back = distance > edge if entering else distance <= edge
    if firing and not back:
        return Verdict.BETWEEN, memory
    return Verdict.FALSE, replace(memory, armed=True)
