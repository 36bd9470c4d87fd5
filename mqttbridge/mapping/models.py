"""Models of the configuration: a few lines of YAML a field, one compiled pydantic validator a model.

A model takes what it describes and ignores the payload's other keys. It is strict where a mistake would hide:
a number is not taken from a text or from true/false, a text not from a number. It is lax where JSON itself is:
an integer is a `float`, and 3.0 is an `int`, since a device's formatter decides which of them it writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic_core import (
    CoreSchema,
    PydanticCustomError,
    SchemaError,
    SchemaValidator,
    ValidationError,
    core_schema,
)

from mqttbridge.config.model import FieldConfig, FieldType, ModelConfig
from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_TEXT_CHARS, Value
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.paths import parse_path
from mqttbridge.mapping.unusable import shown
from mqttbridge.mapping.validation import describe, unusable

# Field by field, as in ("temperature", "ge"), and what is wrong with it.
FieldProblem = tuple[tuple[str, ...], str]

_NUMBERS: Final = frozenset({FieldType.FLOAT, FieldType.INT})
_TAKES: Final[dict[str, frozenset[FieldType]]] = {
    "ge": _NUMBERS, "le": _NUMBERS, "gt": _NUMBERS, "lt": _NUMBERS,
    "pattern": frozenset({FieldType.STR}), "max_length": frozenset({FieldType.STR}),
}  # fmt: skip


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
        problems: everything wrong with it, by field.
    """

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(f"{'.'.join(path)}: {what}" for path, what in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ConfiguredModel:
    """A model that the configuration describes."""

    validator: SchemaValidator
    units: Mapping[str, str]
    sole_field: str | None
    # Fields that may be missing or null, with what stands in for them; None makes no event.
    defaults: Mapping[str, Value | None]

    def unit_of(self, field: str) -> str:
        return self.units.get(field, "")

    def fields(self, document: Any, payload: bytes) -> Fields:  # noqa: ARG002  # some models read the bytes
        try:
            fields: Fields = self.validator.validate_python(document)
        except ValidationError as error:
            raise unusable(error) from None
        for name, default in self.defaults.items():
            if fields[name] is None:
                if default is None:
                    del fields[name]
                else:
                    fields[name] = default
        return fields


def configured_model(config: ModelConfig) -> ConfiguredModel:
    """Build a model of the configuration.

    Raises:
        InvalidModel: with every problem of every field.
    """
    problems: list[FieldProblem] = []
    schemas: dict[str, core_schema.TypedDictField] = {}
    if not config:
        problems.append(((), "has no fields"))
    for name, field in config.items():
        found = list(_problems(name, field))
        if not found:
            schema = _value_schema(field)
            found = list(_misfits(field, schema))
            schemas[name] = _typed_dict_field(name, field, schema)
        problems += [((name, *path), what) for path, what in found]
    if problems:
        raise InvalidModel(problems)
    return ConfiguredModel(
        validator=SchemaValidator(core_schema.typed_dict_schema(schemas)),
        units={name: field.unit for name, field in config.items() if field.unit},
        sole_field=next(iter(config)) if len(config) == 1 else None,
        defaults={name: _default(field) for name, field in config.items() if _may_be_missing(field)},
    )


def _may_be_missing(field: FieldConfig) -> bool:
    return field.optional or field.default is not None


def _default(field: FieldConfig) -> Value | None:
    """The default as the payload's value would come out: `default: 7` of a float is 7.0."""
    if field.default is None:
        return None
    default: Value = SchemaValidator(_value_schema(field)).validate_python(field.default)
    return default


def _problems(name: str, field: FieldConfig) -> Iterator[FieldProblem]:
    """What is wrong with a field before a validator can be built from it."""
    if not name or not name.isprintable():
        yield (), "a field's name is printable and not empty"
    for key, types in _TAKES.items():
        value = getattr(field, key)
        if value is None:
            continue
        if field.type not in types:
            yield (key,), f"does not apply to type {field.type} (only to {' and '.join(sorted(types))})"
        elif isinstance(value, float) and not math.isfinite(value):
            yield (key,), f"must be a finite number (got {value})"
    yield from _empty_ranges(field)
    if field.pattern is not None and field.type is FieldType.STR:
        try:
            SchemaValidator(core_schema.str_schema(pattern=field.pattern))
        except SchemaError:
            yield ("pattern",), f"not a regular expression (got {field.pattern!r})"
    if field.choices is not None and not field.choices:
        yield ("choices",), "is empty: no value would be accepted"
    if field.path is not None:
        try:
            parse_path(field.path)
        except ValueError as error:
            yield ("path",), str(error)


def _empty_ranges(field: FieldConfig) -> Iterator[FieldProblem]:
    for low in ("ge", "gt"):
        for high in ("le", "lt"):
            least, most = getattr(field, low), getattr(field, high)
            if least is None or most is None or not math.isfinite(least) or not math.isfinite(most):
                continue
            if field.type is FieldType.INT:
                empty = _least_whole(low, least) > _most_whole(high, most)
            else:
                empty = least > most or (least == most and (low, high) != ("ge", "le"))
            if empty:
                yield (low,), f"no value is possible between {low} {least:g} and {high} {most:g}"


def _least_whole(low: str, bound: float) -> int:
    """The least whole number at a bound: above 0.5 and from 0.5 on, that is 1."""
    return math.floor(bound) + 1 if low == "gt" else math.ceil(bound)


def _most_whole(high: str, bound: float) -> int:
    return math.ceil(bound) - 1 if high == "lt" else math.floor(bound)


def _misfits(field: FieldConfig, schema: CoreSchema) -> Iterator[FieldProblem]:
    """The field's own choices and default must be values that it would accept."""
    plain = SchemaValidator(_type_schema(field))
    misfit = False
    for index, choice in enumerate(field.choices or ()):
        try:
            plain.validate_python(choice)
        except ValidationError as error:
            misfit = True
            yield ("choices", str(index)), _refusal(error)
    if field.default is not None and not misfit:
        try:
            SchemaValidator(schema).validate_python(field.default)
        except ValidationError as error:
            yield ("default",), _refusal(error)


def _refusal(error: ValidationError) -> str:
    return describe(error.errors(include_url=False)[0]).partition(": ")[2]


def _typed_dict_field(name: str, field: FieldConfig, schema: CoreSchema) -> core_schema.TypedDictField:
    if _may_be_missing(field):
        schema = core_schema.with_default_schema(core_schema.nullable_schema(schema), default=None)
    if field.path is None:
        return core_schema.typed_dict_field(schema, validation_alias=name)
    path = parse_path(field.path)
    # As `find` has it: a part of digits is an index in a list or a key in an object, and a key may hold dots.
    indexed = [int(part) if part.isdecimal() and len(part) < 10 else part for part in path]
    aliases: list[list[str | int]] = [[*indexed], [*path], [field.path]]
    return core_schema.typed_dict_field(schema, validation_alias=aliases)


def _value_schema(field: FieldConfig) -> CoreSchema:
    schema = _type_schema(field)
    if field.choices is None:
        return schema
    choices = frozenset(field.choices)
    words = ", ".join(shown(choice) for choice in field.choices)

    def one_of(value: Any) -> Any:
        if value not in choices:
            raise PydanticCustomError("choice", "must be one of {choices}", {"choices": words})
        return value

    return core_schema.no_info_after_validator_function(one_of, schema)


def _type_schema(field: FieldConfig) -> CoreSchema:
    match field.type:
        case FieldType.FLOAT:
            return core_schema.float_schema(
                strict=True, allow_inf_nan=False, ge=field.ge, le=field.le, gt=field.gt, lt=field.lt
            )
        case FieldType.INT:
            lower = [_least_whole(low, bound) for low in ("ge", "gt") if (bound := getattr(field, low)) is not None]
            upper = [_most_whole(high, bound) for high in ("le", "lt") if (bound := getattr(field, high)) is not None]
            whole = core_schema.int_schema(strict=True, ge=max([INT64_MIN, *lower]), le=min([INT64_MAX, *upper]))
            return core_schema.no_info_before_validator_function(_whole, whole)
        case FieldType.BOOL:
            return core_schema.bool_schema(strict=True)
        case FieldType.STR:
            # As the documentation says, the pattern is for the whole text.
            pattern = None if field.pattern is None else rf"\A(?:{field.pattern})\z"
            return core_schema.str_schema(strict=True, pattern=pattern, max_length=field.max_length or MAX_TEXT_CHARS)


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value
