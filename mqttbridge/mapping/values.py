"""What is made of fields' values: `map`, `counter`, `scale`, `offset`, `unit` to `to`, `round`; then derived fields.

Everything is worked out at load: a field's way is one short list of functions. All or nothing here, too: a value
that cannot be converted, or an expression that fails, makes the whole message unusable, and no counter has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from mqttbridge.events import Reason, Value
from mqttbridge.mapping.counters import CounterRule, Memory, Reading
from mqttbridge.mapping.expressions import Expression, ExpressionFailed
from mqttbridge.mapping.flatten import SCALAR, Fields, storable
from mqttbridge.mapping.unusable import Unusable, named, shown

# What a payload that is one bare value is called in `values` and in expressions.
SCALAR_NAME: Final = "value"

Step: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Labels:
    """What the values of the payload stand for; by kind, since to Python 1 and true are the same.

    Attributes:
        texts, booleans, numbers: what each of them becomes.
        otherwise: what any other becomes; None for a rejection.
    """

    texts: Mapping[str, Value]
    booleans: Mapping[bool, Value]
    numbers: Mapping[float, Value]
    otherwise: Value | None

    def __call__(self, value: Value, name: str) -> Value:
        match value:
            case str():
                found = self.texts.get(value, self.otherwise)
            case bool():
                found = self.booleans.get(value, self.otherwise)
            case _:
                found = self.numbers.get(value, self.otherwise)
        if found is None:
            known = ", ".join(map(shown, self.texts))
            raise Unusable(Reason.VALIDATION, f"{named(name)}: must be one of {known} (got {shown(value)})")
        return found


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The way of one field's values.

    Attributes:
        labels: the first step, if there is one.
        counter: how a running total is taken, if it is one.
        steps: arithmetic on numbers, in order.
        unit: what comes out is in; empty where nothing says it.
    """

    labels: Labels | None = None
    counter: CounterRule | None = None
    steps: tuple[Step, ...] = ()
    unit: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether values stay as they are."""
        return self.labels is None and self.counter is None and not self.steps

    def arithmetic(self, value: Value, name: str) -> Value:
        """The value after all steps of arithmetic.

        Raises:
            Unusable: it is no number, or too large for one.
        """
        if not self.steps:
            return value if self.counter is None else storable(value, name)
        number = number_of(value, name)
        try:
            for step in self.steps:
                number = step(number)
        except ArithmeticError:
            raise Unusable(Reason.NOT_FINITE, f"{named(name)}: {shown(value)} is too large to be converted") from None
        return storable(number, name)


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that an expression makes of others."""

    name: str
    expression: Expression
    round: Step | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """All that a rule makes of its fields.

    Attributes:
        fields: by name.
        pattern: the way of a field that is not in `fields`, by the patterns of the rule.
        derived: in the order of the configuration: each may use those before it.
    """

    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    pattern: Callable[[str], FieldValue | None] | None = None
    derived: tuple[Derived, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether fields stay as they are; there may be units all the same."""
        return self.pattern is None and not self.derived and all(way.is_plain for way in self.fields.values())

    def of(self, name: str) -> FieldValue | None:
        """The way of one field's values; None where they stay as they are."""
        found = self.fields.get(name or SCALAR_NAME)
        if found is None and self.pattern is not None:
            found = self.pattern(name or SCALAR_NAME)
        return found

    def changes(self, name: str) -> bool:
        """Whether a field's values are not what the message says, so that their unit is not either."""
        way = self.of(name)
        return (way is not None and not way.is_plain) or any(derived.name == name for derived in self.derived)

    def unit_of(self, name: str) -> str:
        """The unit of a field, empty where nothing here says it."""
        for derived in self.derived:
            if derived.name == name:
                return derived.unit
        way = self.of(name)
        return way.unit if way is not None else ""

    def apply(self, fields: Fields, epoch: float, arrival: float, counters: Memory) -> Fields:
        """Fields as they are to be stored; the given ones are changed in place where that is possible.

        Args:
            fields: as the payload or the model gave them.
            epoch: the message's time, and
            arrival: when it came, in seconds.
            counters: what the topic's counters remember; renewed.

        Raises:
            Unusable: the message is to be rejected; `counters` is as it was.
        """
        renewed: dict[str, Reading] = {}
        if self.pattern is not None:
            ways = [(name, way) for name in fields if (way := self.of(name)) is not None]
        else:
            ways = [(name, way) for name, way in self.fields.items() if name in fields]
            if SCALAR in fields and SCALAR_NAME in self.fields:
                ways.append((SCALAR, self.fields[SCALAR_NAME]))
        for name, way in ways:
            value: Value | None = fields[name]
            if way.labels is not None:
                value = way.labels(fields[name], name)
            if way.counter is not None and value is not None:
                now = Reading(number_of(value, name), epoch, arrival)
                renewed[name], value = way.counter.growth(counters.last(name), now)
            if value is None:
                del fields[name]
            else:
                fields[name] = way.arithmetic(value, name)
        for derived in self.derived:
            _derive(derived, fields)
        if renewed:
            counters.remember(renewed)
        return fields


def _derive(derived: Derived, fields: Fields) -> None:
    known = fields if SCALAR not in fields else {**fields, SCALAR_NAME: fields[SCALAR]}
    if not derived.expression.names <= known.keys():
        return
    try:
        value = derived.expression(known)
        if derived.round is not None:
            value = derived.round(number_of(value, derived.name))
    except (ExpressionFailed, ArithmeticError) as error:
        raise Unusable(Reason.EXPRESSION_FAILED, f"{named(derived.name)}: {error}") from None
    fields[derived.name] = storable(value, derived.name)


def number_of(value: Value, name: str) -> float | int:
    """The value itself where it is a number.

    Raises:
        Unusable: it is true, false or a text.
    """
    if isinstance(value, (str, bool)):
        raise Unusable(Reason.VALIDATION, f"{named(name)}: must be a number to be converted (got {shown(value)})")
    return value


def scaled(factor: float, offset: float) -> Step:
    """`value * factor + offset`."""
    if factor == 1:
        return lambda value: value + offset
    if offset == 0:
        return lambda value: value * factor
    return lambda value: value * factor + offset


def rounded(places: int) -> Step:
    """Rounded to so many decimal places, half to even."""
    return partial(_round, places)


def _round(places: int, value: float) -> float:
    return round(value, places)
