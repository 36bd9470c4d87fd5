"""The fields of a model that make events, those of the models within it too, as `values` and `derive` know them.

A field has one name there, the fields that lead to it joined by dots: `position.lat`, and `sensors.temperature`
whatever the payload calls its sensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mqttbridge.config.model import Config
from mqttbridge.config.models import FieldConfig, FieldType, ModelConfig
from mqttbridge.mapping.paths import EACH


@dataclass(frozen=True, slots=True)
class ModelField:
    """One field with a value.

    Attributes:
        name: in `values` and `derive`.
        key: the same, and unlike it no other field's: variants may have fields of one name.
        config: what the model says of it.
        is_item: whether it is an item of a list, or in one, so that the names of its events come from the payload.
    """

    name: str
    key: str
    config: FieldConfig
    is_item: bool


@dataclass(frozen=True, slots=True)
class ModelFields:
    """All of a model's.

    Attributes:
        stored: those that make events.
        checked: names of the others.
    """

    stored: tuple[ModelField, ...]
    checked: frozenset[str]

    @property
    def has_items(self) -> bool:
        """Whether names of events come from the payload."""
        return any(field.is_item for field in self.stored)

    @property
    def names_are_keys(self) -> bool:
        """Whether the name of an event's field says which field it is."""
        return all(field.key == field.name and not field.is_item for field in self.stored)


def variant_prefix(field: str, value: str) -> str:
    """What stands before the keys of a variant's fields."""
    return f"{field}={value}:"


def model_fields(config: Config, name: str | None) -> ModelFields | None:
    """The fields of a model that was built without complaint; None where the configuration does not describe it."""
    if name not in config.models:
        return None
    found = list(_fields(config.models[name], config.models, ("", ""), is_item=False))
    return ModelFields(
        stored=tuple(field for field in found if field.config.store),
        checked=frozenset(field.name for field in found if not field.config.store),
    )


def _fields(
    fields: ModelConfig, models: Mapping[str, ModelConfig], prefixes: tuple[str, str], *, is_item: bool
) -> Iterator[ModelField]:
    """Every field with a value, for these prefixes of its name and key."""
    before_name, before_key = prefixes
    for name, field in fields.items():
        own = (before_name + name, before_key + name)
        items = is_item or (EACH in (field.path or "") and field.interval is None)
        inner = field.fields if isinstance(field.type, FieldType) else models[field.type]
        if inner is not None:
            yield from _fields(inner, models, (f"{own[0]}.", f"{own[1]}."), is_item=items)
        else:
            yield ModelField(*own, field, items)
        for value, model in (field.variants or {}).items():
            key = before_key + variant_prefix(name, value)
            yield from _fields(models[model], models, (before_name, key), is_item=is_item)
