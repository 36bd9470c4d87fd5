"""The parts of structured models: how each finds its values in the payload, checks and names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic_core import SchemaValidator, ValidationError

from mqttbridge.events import Reason, Value
from mqttbridge.mapping.harvest import Harvest, Period, Place
from mqttbridge.mapping.item_names import ItemNamer
from mqttbridge.mapping.model_fields import variant_prefix
from mqttbridge.mapping.paths import EACH, Path, find, find_each
from mqttbridge.mapping.properties import properties_of
from mqttbridge.mapping.structured import StructuredModel
from mqttbridge.mapping.unusable import Unusable, shown
from mqttbridge.mapping.validation import location, unusable


@dataclass(frozen=True, slots=True)
class Content:
    """One value of a field: how it is checked, and what if it is not there."""

    validator: SchemaValidator
    optional: bool
    default: Value | None
    unit: str

    def read(self, value: Any, path: Path) -> Value | None:
        """The value; None when there is none, and that is in order.

        Raises:
            Unusable: it is missing, or the model says no.
        """
        if value is None:
            if self.default is None and not self.optional:
                raise missing(path)
            return self.default
        try:
            found: Value = self.validator.validate_python(value)
        except ValidationError as error:
            raise unusable(error, path) from None
        return found


@dataclass(frozen=True, slots=True)
class FromProperty:
    """A field whose value is one of the message's MQTT 5 properties."""

    name: str
    key: str
    content: Content
    store: bool
    paths: ClassVar[tuple[Path, ...]] = ()
    has_points: ClassVar = False
    needs_properties: ClassVar = True

    def reap(self, place: Place, harvest: Harvest) -> None:
        value = self.content.read(properties_of(harvest.payload).get(self.key), ("property", self.key))
        if value is not None and self.store:
            harvest.put(place.prefix + self.name, place.key + self.name, value, self.content.unit)


@dataclass(frozen=True, slots=True)
class Inner:
    """A field that is an object with a model of its own."""

    name: str
    path: Path
    model: StructuredModel
    optional: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple((*self.path, *path) for path in self.model.paths)

    @property
    def has_points(self) -> bool:
        return self.model.has_points

    @property
    def needs_properties(self) -> bool:
        return self.model.needs_properties

    def reap(self, place: Place, harvest: Harvest) -> None:
        path = (*place.path, *self.path)
        document = find(place.document, self.path)
        if document is not None:
            inner = Place(document, path, f"{place.prefix}{self.name}.", f"{place.key}{self.name}.")
            self.model.reap(inner, harvest)
        elif not self.optional:
            raise missing(path)


@dataclass(frozen=True, slots=True)
class Items:
    """A field for each item of a list, or of an object: a value, or a model's fields."""

    path: Path
    content: Content | StructuredModel
    name_of: ItemNamer
    optional: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        inner = self.content.paths if isinstance(self.content, StructuredModel) else ((),)
        return (*((*self.path, *path) for path in inner), *self.name_of.beside)

    @property
    def has_points(self) -> bool:
        return isinstance(self.content, StructuredModel) and self.content.has_points

    @property
    def needs_properties(self) -> bool:
        return isinstance(self.content, StructuredModel) and self.content.needs_properties

    def reap(self, place: Place, harvest: Harvest) -> None:
        key = place.key + self.name_of.field
        inner_key = key + "."
        for path, item in found_items(place, self.path, harvest, optional=self.optional):
            name = place.prefix + self.name_of(place.document, path)
            where = (*place.path, *path)
            if isinstance(self.content, StructuredModel):
                if item is not None:
                    self.content.reap(Place(item, where, f"{name}.", inner_key), harvest)
                elif not self.optional:
                    raise missing(where)
            elif (value := self.content.read(item, where)) is not None:
                harvest.put(name, key, value, self.content.unit)


@dataclass(frozen=True, slots=True)
class Series:
    """A field whose items are points over a period."""

    name: str
    path: Path
    content: Content
    period: Period
    has_points: ClassVar = True
    needs_properties: ClassVar = False

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def reap(self, place: Place, harvest: Harvest) -> None:
        values: list[Value] = []
        for path, item in found_items(place, self.path, harvest, optional=self.content.optional):
            value = self.content.read(item, (*place.path, *path))
            if value is None:
                raise missing((*place.path, *path))
            values.append(value)
        name, key = place.prefix + self.name, place.key + self.name
        harvest.put_series(name, key, values, self.period, self.content.unit)


@dataclass(frozen=True, slots=True)
class Variants:
    """A field whose value says which model the rest of the object has."""

    name: str
    models: Mapping[str, StructuredModel]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for model in self.models.values() for path in model.paths)

    @property
    def has_points(self) -> bool:
        return any(model.has_points for model in self.models.values())

    @property
    def needs_properties(self) -> bool:
        return any(model.needs_properties for model in self.models.values())

    def reap(self, place: Place, harvest: Harvest) -> None:
        value = place.plain.get(self.name)
        if value is not None:
            chosen = str(value)
            key = place.key + variant_prefix(self.name, chosen)
            self.models[chosen].reap(Place(place.document, place.path, place.prefix, key), harvest)


def found_items(place: Place, path: Path, harvest: Harvest, *, optional: bool) -> Iterator[tuple[Path, Any]]:
    """Everything that stands at a path with `[*]`, with the path to each.

    Raises:
        Unusable: there is no list where one is needed, or there are too many items.
    """
    for found, item in find_each(place.document, path):
        harvest.count_item()
        if found[-1] != EACH and len(found) == len(path):
            yield found, item
        elif item in ([], {}):
            continue
        elif item is not None:
            where = location((*place.path, *found[:-1]))
            raise Unusable(Reason.VALIDATION, f"{where}: must be a list or an object (got {shown(item)})")
        elif not optional:
            raise missing((*place.path, *found[:-1]))


def missing(path: Path) -> Unusable:
    """The rejection of a message in which something is missing."""
    return Unusable(Reason.VALIDATION, f"{location(path)} is missing")
