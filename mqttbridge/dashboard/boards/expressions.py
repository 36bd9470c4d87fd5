"""Expressions in a tile, such as `=[kitchen.temperature]*1.8+32`: values worked out of a bucket's streams.

The form is Initial State's: `=`, and names of streams in brackets. What stands between is the mapping language's, and
its evaluator is the only one there is: history and live values are both worked out here, never in the browser.

Streams are joined by time: at each point of any of them, with the last value of the others before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from operator import itemgetter
from typing import Final

from mqttbridge.config.dashboards import MAX_NAME
from mqttbridge.dashboard.store.downsample import grid_width, m4
from mqttbridge.dashboard.store.model import Column, Kind, kind_of
from mqttbridge.events import Value
from mqttbridge.mapping.expressions import Expression, ExpressionFailed, InvalidExpression, parse_expression

MAX_INPUTS: Final = 10

# Texts are left alone; what stands in brackets is a stream's name.
_TEXT_OR_NAME: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\[([^\[\]]*)\]""")


def parse(text: str) -> Expression:
    """An expression as a tile has it, beginning with `=`.

    Raises:
        InvalidExpression: with what is wrong in plain words.
    """
    if not text.startswith("="):
        raise InvalidExpression("an expression begins with =")
    if len(text) > MAX_NAME:
        raise InvalidExpression(f"too long: at most {MAX_NAME} characters")
    try:
        parsed = parse_expression(_TEXT_OR_NAME.sub(_as_field, text[1:]))
    except InvalidExpression as error:
        # Where it is wrong is counted in another text than the one that was written.
        raise InvalidExpression(re.sub(r" at character \d+$| \(<unknown>, line \d+\)$", "", str(error))) from None
    if not parsed.names:
        raise InvalidExpression("it names no stream: write [name]")
    if len(parsed.names) > MAX_INPUTS:
        raise InvalidExpression(f"it names more than {MAX_INPUTS} streams")
    return parsed


def _as_field(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name is None else f"field({name.strip()!r})"


def unknown_streams(expression: Expression, known: Collection[str]) -> str:
    """What to say of streams that are not there; "" when all are."""
    missing = sorted(expression.names - set(known))
    if not missing:
        return ""
    close = get_close_matches(missing[0], known, n=1)
    return f"there is no stream [{missing[0]}]" + (f"; did you mean [{close[0]}]?" if close else " yet")


class Evaluation:
    """One expression over values that come in order of time. It remembers the last of each stream.

    Attributes:
        problem: why the newest values gave none, in words; "" when they did.
    """

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.problem = ""
        self._last: dict[str, Value] = {}

    def seed(self, stream: str, value: Value) -> None:
        """A stream's last value, unless a newer one has come already. From any thread."""
        if stream in self.expression.names:
            self._last.setdefault(stream, value)

    def over(self, columns: Mapping[str, Column]) -> Column:
        """The values at every time of these columns, each in order of time."""
        changes = [
            (time, name, value)
            for name in self.expression.names & columns.keys()
            for time, value in zip(columns[name].times, columns[name].values, strict=True)
        ]
        changes.sort(key=itemgetter(0))
        times: list[int] = []
        values: list[Value] = []
        needed = len(self.expression.names)
        for at, (time, name, value) in enumerate(changes):
            self._last[name] = value
            if len(self._last) < needed or (at + 1 < len(changes) and changes[at + 1][0] == time):
                continue  # of several streams that speak at one time, all are heard first
            result = self._now()
            if result is not None:
                times.append(time)
                values.append(result)
        return _of_one_kind(times, values)

    def _now(self) -> Value | None:
        try:
            value = self.expression(self._last)
            # A product of whole numbers has no bound; what is beyond a float is beyond a chart, too.
            value = float(value) if type(value) is int else value
        except (ExpressionFailed, OverflowError) as error:
            self.problem = str(error)
            return None
        if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
            self.problem = "the result is no finite number"
            return None
        self.problem = ""
        return value


def _of_one_kind(times: list[int], values: list[Value]) -> Column:
    if not values:
        return Column([], [])
    kind = kind_of(values[-1])
    if all(kind_of(value) is kind for value in values):
        return Column(times, values, kind)
    kept = [(time, value) for time, value in zip(times, values, strict=True) if kind_of(value) is kind]
    return Column([time for time, _ in kept], [value for _, value in kept], kind)


def window_of(column: Column, start: int, end: int, buckets: int) -> Column:
    """What a chart needs of a column: a point before `start` (microseconds), and few enough points after it."""
    first = next((index for index, time in enumerate(column.times) if time >= start), len(column.times))
    first = max(first - 1, 0)
    cut = Column(column.times[first:], column.values[first:], column.kind, column.unit)
    if len(cut.times) <= 2 * buckets or column.kind is Kind.TEXT:
        return cut
    return m4(cut, grid_width(max(end - start, 1), buckets))
