"""Models with more than one value a field: items of lists, models within models, variants, points over a period.

What is plain in them stays one compiled validator (`FlatModel`); each of the rest is a part, which finds its values in
the payload, validates and names them. A message is harvested whole or rejected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from mqttbridge.events import Reason
from mqttbridge.mapping.extras import Extras
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.harvest import FieldName, Harvest, Place
from mqttbridge.mapping.models import FlatModel, Points
from mqttbridge.mapping.paths import Path
from mqttbridge.mapping.unusable import Unusable, shown
from mqttbridge.mapping.validation import location


class Part(Protocol):
    """What a structured model has beside its plain fields."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where in the payload it stands, or all of it does."""

    @property
    def has_points(self) -> bool:
        """Whether it makes points at other times than the message's."""

    @property
    def needs_properties(self) -> bool:
        """Whether it takes anything from a message's MQTT 5 properties."""

    def reap(self, place: Place, harvest: Harvest) -> None:
        """Add what the part finds at a place to the harvest.

        Raises:
            Unusable: the message is to be rejected.
        """


@dataclass(frozen=True, slots=True)
class StructuredModel:
    """A model of the configuration that has parts.

    Attributes:
        flat: its plain fields, if it has any, those that are not stored among them: parts may go by them.
        unstored: the names of those.
        parts: the others.
        sole_field: the field's name, if there is one only and its name does not come from the payload.
    """

    flat: FlatModel | None
    unstored: frozenset[str]
    parts: tuple[Part, ...]
    sole_field: str | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where in the payload its fields stand."""
        return (*(self.flat.paths if self.flat else ()), *(path for part in self.parts for path in part.paths))

    @property
    def has_points(self) -> bool:
        """Whether a message makes points at several times, so that `points` is to be asked and not `fields`."""
        return any(part.has_points for part in self.parts)

    @property
    def needs_properties(self) -> bool:
        """Whether it takes anything from a message's MQTT 5 properties."""
        return any(part.needs_properties for part in self.parts)

    def unit_of(self, field: str) -> str:
        return field.unit if isinstance(field, FieldName) else ""

    def fields(self, document: Any, payload: bytes) -> Fields:
        return self._harvest(document, payload).fields

    def points(self, document: Any, payload: bytes, epoch: float, extras: Extras | None = None) -> Points:
        """The fields of a message whose time is `epoch`, and its points before and after, in the order of time.

        Raises:
            Unusable: the model says no, or what it does not name is to be rejected.
        """
        harvest = self._harvest(document, payload)
        fields = harvest.fields if extras is None else extras.added(harvest.fields, document)
        return harvest.points(fields, epoch)

    def reap(self, place: Place, harvest: Harvest) -> None:
        """Add what the model finds at a place to the harvest.

        Raises:
            Unusable: the model says no.
        """
        if type(place.document) is not dict:
            what = f"{location(place.path)}: must be an object (got {shown(place.document)})"
            raise Unusable(Reason.VALIDATION, what)
        plain: Fields = {}
        if self.flat is not None:
            plain = self.flat.fields(place.document, harvest.payload, place.path)
            for name, value in plain.items():
                if name not in self.unstored:
                    harvest.put(place.prefix + name, place.key + name, value, self.flat.unit_of(name))
        if self.parts:
            place = Place(place.document, place.path, place.prefix, place.key, plain)
            for part in self.parts:
                part.reap(place, harvest)

    def _harvest(self, document: Any, payload: bytes) -> Harvest:
        harvest = Harvest(payload)
        self.reap(Place(document), harvest)
        return harvest


def structured_model(flat: FlatModel | None, parts: tuple[Part, ...], sole_field: str | None) -> StructuredModel:
    """A model of these plain fields and parts."""
    if flat is None:
        return StructuredModel(None, frozenset(), parts, sole_field)
    return StructuredModel(replace(flat, unstored=()), frozenset(flat.unstored), parts, sole_field)


def wrapped(model: FlatModel | StructuredModel) -> StructuredModel:
    """The model as a structured one, to be part of another."""
    return model if isinstance(model, StructuredModel) else structured_model(model, (), model.sole_field)
