"""What a structured model gathers from one message: fields, and points before and after its time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from mqttbridge.events import MAX_NAME_CHARS, Reason, Value
from mqttbridge.mapping.flatten import MAX_FIELDS, Fields
from mqttbridge.mapping.models import Points
from mqttbridge.mapping.paths import Path
from mqttbridge.mapping.unusable import Unusable, named

# Items may be null, and lists within lists empty: this bounds the work where nothing comes of it.
MAX_ITEMS: Final = 10 * MAX_FIELDS


class FieldName(str):
    """The name of a field, which may come from the payload, and which of the model's fields it is.

    Attributes:
        key: of the field, as in `ModelField`.
        unit: that the model says its values have; empty for none.
    """

    __slots__ = ("key", "unit")
    key: str
    unit: str

    @classmethod
    def of(cls, name: str, key: str, unit: str) -> FieldName:
        """The name of a field of the model."""
        made = cls(name)
        made.key = key
        made.unit = unit
        return made


class Place(NamedTuple):
    """Where in a message a model is being read.

    Attributes:
        document: what stands there.
        path: from the payload's root.
        prefix: of the names of the fields found there.
        key: of their keys.
        plain: the model's plain fields there, validated.
    """

    document: Any
    path: Path = ()
    prefix: str = ""
    key: str = ""
    plain: Fields = {}  # noqa: RUF012  # never written to


@dataclass(frozen=True, slots=True)
class Period:
    """How the items of a list lie in time.

    Attributes:
        interval: seconds from one to the next.
        from_last: whether the message's time is that of the last item; else of the first.
    """

    interval: float
    from_last: bool

    def times(self, values: list[Value], epoch: float) -> list[tuple[float, Value]]:
        """Each value with its time."""
        before = len(values) - 1 if self.from_last else 0
        return [(epoch + (index - before) * self.interval, value) for index, value in enumerate(values)]


@dataclass(slots=True)
class Harvest:
    """What a message has brought so far."""

    payload: bytes
    fields: Fields = field(default_factory=dict)
    series: dict[FieldName, tuple[list[Value], Period]] = field(default_factory=dict)
    _points: int = 0
    _items: int = 0

    def put(self, name: str, key: str, value: Value, unit: str) -> None:
        """Add a field: its event's name, and its key in the model.

        Raises:
            Unusable: it is there already, there are too many, or its name is too long.
        """
        self._check(name)
        self.fields[FieldName.of(name, key, unit)] = value
        if len(self.fields) > MAX_FIELDS:
            raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_FIELDS} fields")

    def put_series(self, name: str, key: str, values: list[Value], period: Period, unit: str) -> None:
        """Add points over a period.

        Raises:
            Unusable: see `put`.
        """
        self._check(name)
        self.series[FieldName.of(name, key, unit)] = (values, period)
        self._points += len(values)
        if self._points > MAX_FIELDS:
            raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_FIELDS} points")

    def count_item(self) -> None:
        """Note that an item was looked at, be there a value or not.

        Raises:
            Unusable: there were too many.
        """
        self._items += 1
        if self._items > MAX_ITEMS:
            raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_ITEMS} items of lists")

    def points(self, fields: Fields, epoch: float) -> Points:
        """These fields at the message's time, and the points before and after it, in the order of time."""
        points = {epoch: fields} if fields else {}
        for name, (values, period) in self.series.items():
            for time, value in period.times(values, epoch):
                points.setdefault(time, {})[name] = value
        return [(points[time], time) for time in sorted(points)]

    def _check(self, name: str) -> None:
        if name in self.fields or name in self.series:
            raise Unusable(Reason.DUPLICATE_KEYS, f"{named(name)} stands in the payload twice")
        if len(name) > MAX_NAME_CHARS:
            raise Unusable(Reason.BAD_NAME, f"{named(name)}: more than {MAX_NAME_CHARS} characters")
