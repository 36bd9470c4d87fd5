"""Models: what a payload must hold, and the fields that it makes.

A model of the configuration is one compiled pydantic validator for all its plain fields (here), and for the rest,
lists and models within models, what structured.py makes of them. A model takes what it describes; what becomes of the
payload's other keys is the rule's to say (extras.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pydantic_core import SchemaValidator, ValidationError, core_schema

from mqttbridge.config.models import FieldConfig
from mqttbridge.events import Value
from mqttbridge.mapping.fieldtypes import FieldProblem, default_of, may_be_missing, value_schema
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.paths import Path, parse_path
from mqttbridge.mapping.payload import LONG_JSON
from mqttbridge.mapping.validation import unusable

Points: TypeAlias = Sequence[tuple[Fields, float]]
"""Fields and their time, in epoch seconds, in the order of time."""


class Model(Protocol):
    """What a rule needs of a model, of the configuration or of the user's own code."""

    @property
    def sole_field(self) -> str | None:
        """Name of the field when there is only one: then the stream needs no field in its name."""

    def unit_of(self, field: str) -> str:
        """The field's unit; empty where the model does not say it."""

    def fields(self, document: Any, payload: bytes) -> Fields:
        """Validated fields of a message; those without a value are left out.

        Raises:
            Unusable: the model says no.
        """


class InvalidModel(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """A model cannot be built.

    Attributes:
        problems: everything wrong with it, by field; none where what is wrong is in another model.
    """

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(f"{'.'.join(path)}: {what}" for path, what in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class FlatModel:
    """A model of the configuration with one value a field: the common case, and all of it in one validator."""

    validator: SchemaValidator
    units: Mapping[str, str]
    sole_field: str | None
    # Fields that may be missing or null, with what stands in for them; None makes no event.
    defaults: Mapping[str, Value | None]
    # Fields that are checked and make no events.
    unstored: tuple[str, ...]
    # Where in the payload they stand.
    paths: tuple[Path, ...]
    # Refuses more than `validator`: integers written as 3.0, or in texts.
    plain_validator: SchemaValidator
    # Whether each field is a key of its own name, so that a payload may be read at once.
    at_once: bool

    def unit_of(self, field: str) -> str:
        return self.units.get(field, "")

    def fields(self, document: Any, payload: bytes, within: Path = ()) -> Fields:  # noqa: ARG002  # some models read it
        """See `Model.fields`; `within` is the path to the document where that is not the whole payload."""
        try:
            fields: Fields = self.validator.validate_python(document)
        except ValidationError as error:
            raise unusable(error, within) from None
        if self.defaults:
            self._fill(fields)
        if self.unstored:
            for name in self.unstored:
                fields.pop(name, None)
        return fields

    def fields_at_once(self, payload: bytes) -> Fields | None:
        """The fields of a payload that holds them and nothing else, parsed and validated in one step.

        Returns:
            None for any other payload, good or bad, and for a long one: `fields` then says what it is, more slowly.
        """
        if len(payload) > LONG_JSON:
            return None
        try:
            fields: Fields = self.plain_validator.validate_json(payload)
        except ValidationError:
            return None
        given = len(fields)
        if self.defaults:
            given -= self._fill(fields)
        # Each key has its colon. With as many colons as fields there is no other key, and none stands twice.
        return fields if payload.count(b":") == given else None

    def _fill(self, fields: Fields) -> int:
        """Put defaults in for what is missing or null, and leave out the rest of it. Returns how many there were."""
        missing = 0
        for name, default in self.defaults.items():
            if fields[name] is None:
                missing += 1
                if default is None:
                    del fields[name]
                else:
                    fields[name] = default
        return missing


def flat_model(config: Mapping[str, FieldConfig]) -> FlatModel:
    """Build a model of fields about which there is nothing to complain, and each of which is one value."""
    schemas = {name: _typed_dict_field(name, field) for name, field in config.items()}
    plain_schemas = {name: _typed_dict_field(name, field, plain=True) for name, field in config.items()}
    stored = [name for name, field in config.items() if field.store]
    return FlatModel(
        validator=SchemaValidator(core_schema.typed_dict_schema(schemas)),
        units={name: field.unit for name, field in config.items() if field.unit},
        sole_field=stored[0] if len(stored) == 1 else None,
        defaults={name: default_of(field) for name, field in config.items() if may_be_missing(field)},
        unstored=tuple(name for name, field in config.items() if not field.store),
        paths=tuple((name,) if field.path is None else parse_path(field.path) for name, field in config.items()),
        plain_validator=SchemaValidator(core_schema.typed_dict_schema(plain_schemas)),
        at_once=all(field.path is None and field.store for field in config.values()),
    )


def _typed_dict_field(name: str, field: FieldConfig, *, plain: bool = False) -> core_schema.TypedDictField:
    schema = value_schema(field, plain=plain)
    if may_be_missing(field):
        schema = core_schema.with_default_schema(core_schema.nullable_schema(schema), default=None)
    if field.path is None:
        return core_schema.typed_dict_field(schema, validation_alias=name)
    path = parse_path(field.path)
    # As `find` has it: a part of digits is an index in a list or a key in an object, and a key may hold dots.
    indexed = [int(part) if part.isdecimal() and len(part) < 10 else part for part in path]
    aliases: list[list[str | int]] = [[*indexed], [*path], [".".join(path)]]
    return core_schema.typed_dict_field(schema, validation_alias=aliases)
