"""One line of a stream, read: what it appends, what it overwrites, how the trace and its figure are to look.

Everything that is taken from a line is bounded here and of a known type; whatever else it holds is left out.
A text where a number should be is read as one if it is one, as Plotly's page did.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from mqttbridge.mapping.timestamps import parse_timestamp

# Plotly's own bounds of `maxpoints`, and its default.
MAX_POINTS: Final = 10_000
DEFAULT_POINTS: Final = 500

MAX_CATEGORY_CHARS: Final = 100
MAX_TITLE_CHARS: Final = 250
MAX_SIZE: Final = 100.0
_MAX_NUMBER_CHARS: Final = 40

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# Every colour of CSS without `url(` or `var(`: names, #rgb, rgb(), hsl() and the like.
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,24}|(?:rgb|hsl)a?\([\d\s.,%/-]{1,48}\)", re.ASCII)
_MODE_PARTS: Final = frozenset({"lines", "markers"})

X: TypeAlias = float | str
Y: TypeAlias = float | None


class XKind(StrEnum):
    """What a trace's x axis counts."""

    NUMBER = "number"
    DATE = "date"  # epoch seconds
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Malformed:
    """The line is no JSON object."""

    why: str


@dataclass(frozen=True, slots=True)
class Update:
    """What one line says.

    Attributes:
        x, y: as they came: a scalar, a list, or None when the line has none.
        style: `mode`, `line` and `marker` as far as a figure can show them.
        layout: `title`, `xaxis` and `yaxis`, likewise.
        token: of the form in which each line names its stream.
    """

    x: Any = None
    y: Any = None
    style: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = None


def read_update(line: bytes) -> Update | Malformed:
    """What the line says, or why it says nothing."""
    try:
        given = from_json(line)
    except ValueError as error:
        return Malformed(f"not JSON: {error}")
    if not isinstance(given, dict):
        return Malformed('expected a JSON object such as {"x": 1, "y": 2}')
    token = given.get("streamtoken")
    return Update(
        x=given.get("x"),
        y=given.get("y"),
        style=_style(given),
        layout=_layout(given.get("layout")),
        token=token if isinstance(token, str) else None,
    )


def read_x(raw: Any) -> tuple[XKind, X] | None:
    """A place on the x axis; None when it is none."""
    number = _number(raw)
    if number is not None:
        return XKind.NUMBER, number
    if not isinstance(raw, str) or not raw.strip():
        return None
    epoch = parse_timestamp(raw) if raw.strip()[0].isdigit() else None
    if epoch is not None:
        return XKind.DATE, epoch
    return XKind.CATEGORY, raw[:MAX_CATEGORY_CHARS]


def read_y(raw: Any) -> Y:
    """A height on the y axis; None is a gap."""
    return _number(raw)


def _number(raw: Any) -> float | None:
    if isinstance(raw, str):
        text = raw.strip()
        if len(text) > _MAX_NUMBER_CHARS or not _NUMBER.fullmatch(text):
            return None
        raw = float(text)
    if not isinstance(raw, bool | int | float):
        return None
    try:
        number = float(raw)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


# --- looks ------------------------------------------------------------------------------------------------


def _style(given: Mapping[str, Any]) -> dict[str, Any]:
    style: dict[str, Any] = {}
    mode = given.get("mode")
    if isinstance(mode, str) and (mode == "none" or _MODE_PARTS & set(mode.split("+"))):
        style["mode"] = "+".join(part for part in ("lines", "markers") if part in mode.split("+")) or "none"
    for part, size in (("line", "width"), ("marker", "size")):
        looks = given.get(part)
        if not isinstance(looks, dict):
            continue
        read: dict[str, Any] = {}
        colour = looks.get("color")
        if isinstance(colour, str) and _COLOUR.fullmatch(colour.strip()):
            read["color"] = colour.strip()
        number = None if isinstance(looks.get(size), bool) else _number(looks.get(size))
        if number is not None and 0 <= number <= MAX_SIZE:
            read[size] = number
        if part == "line" and looks.get("dash") in ("solid", "dot", "dash", "dashdot"):
            read["dash"] = looks["dash"]
        if read:
            style[part] = read
    return style


def _layout(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    layout: dict[str, Any] = {}
    title = _title(given.get("title"))
    if title is not None:
        layout["title"] = title
    for axis in ("xaxis", "yaxis"):
        looks = given.get(axis)
        if not isinstance(looks, dict):
            continue
        read: dict[str, Any] = {}
        title = _title(looks.get("title"))
        if title is not None:
            read["title"] = title
        if "range" in looks or looks.get("autorange") is True:
            read["range"] = _range(looks.get("range"))
        if read:
            layout[axis] = read
    return layout


def _title(given: Any) -> str | None:
    """A title as text or, since plotly 4, an object that holds it."""
    if isinstance(given, dict):
        given = given.get("text")
    return given[:MAX_TITLE_CHARS] if isinstance(given, str) else None


def _range(given: Any) -> list[float] | None:
    """Both ends, as numbers or epoch seconds; None is as far as the points reach."""
    if not isinstance(given, list) or len(given) != 2:
        return None
    ends = [place[1] for end in given if (place := read_x(end)) is not None and place[0] is not XKind.CATEGORY]
    numbers = [end for end in ends if isinstance(end, float)]
    return numbers if len(numbers) == 2 and numbers[0] != numbers[1] else None


def merged(looks: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Looks with a change to them, part by part."""
    result = dict(looks)
    for name, value in change.items():
        result[name] = {**result.get(name, {}), **value} if isinstance(value, dict) else value
    return result
