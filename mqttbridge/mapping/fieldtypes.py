"""One field of a model of the configuration: what may be wrong with it, and the schema of its value.

A field is strict where a mistake would hide: a number is not taken from a text or from true/false, a text not from a
number, unless the field is `lenient`. It is lax where JSON itself is: an integer is a `float`, and 3.0 is an `int`,
since a device's formatter decides which of them it writes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from pydantic_core import (
    CoreSchema,
    PydanticCustomError,
    SchemaError,
    SchemaValidator,
    ValidationError,
    core_schema,
)

from mqttbridge.config.models import FieldConfig, FieldType
from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_TEXT_CHARS, Value
from mqttbridge.mapping.paths import EACH, parse_path
from mqttbridge.mapping.timestamps import parse_timestamp
from mqttbridge.mapping.unusable import shown
from mqttbridge.mapping.validation import describe

FieldProblem: TypeAlias = tuple[tuple[str, ...], str]
"""Where in a model, as in ("temperature", "ge"), and what is wrong there."""

_NUMBERS: Final = frozenset({FieldType.FLOAT, FieldType.INT})
_TEXT: Final = frozenset({FieldType.STR})
_VALUES: Final = frozenset(FieldType) - {FieldType.OBJECT}
# The types that each key applies to.
_TAKES: Final[dict[str, frozenset[FieldType]]] = {
    "ge": _NUMBERS, "le": _NUMBERS, "gt": _NUMBERS, "lt": _NUMBERS,
    "pattern": _TEXT, "max_length": _TEXT,
    "choices": _VALUES - {FieldType.DATETIME},
    "lenient": _NUMBERS | {FieldType.BOOL, FieldType.STR},
    "default": _VALUES, "unit": _VALUES, "interval": _VALUES,
    "variants": _TEXT | {FieldType.INT},
    "fields": frozenset({FieldType.OBJECT}),
}  # fmt: skip

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][+-]?[0-9]+)?")
# A double has 17 digits that count, an exponent five characters; the rest is room for zeros.
_MAX_NUMBER_CHARS: Final = 64
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
# Keys that are as good as not there while they have their default.
_OFF: Final = frozenset({"lenient", "unit"})
_BOOLEANS: Final = {
    "true": True, "on": True, "yes": True, "1": True, "online": True, "open": True,
    "false": False, "off": False, "no": False, "0": False, "offline": False, "closed": False,
}  # fmt: skip


def type_of(field: FieldConfig) -> FieldType:
    """The field's type; that of a model is an object."""
    return field.type if isinstance(field.type, FieldType) else FieldType.OBJECT


def may_be_missing(field: FieldConfig) -> bool:
    """Whether a payload without the field, or with a null there, is in order."""
    return field.optional or field.default is not None


def default_of(field: FieldConfig) -> Value | None:
    """The default as the payload's value would come out: `default: 7` of a float is 7.0."""
    if field.default is None:
        return None
    default: Value = SchemaValidator(value_schema(field)).validate_python(field.default)
    return default


def field_problems(name: str, field: FieldConfig) -> list[FieldProblem]:
    """Everything that is wrong with a field of a value; of an object, all but what its own fields say."""
    found = list(_problems(name, field))
    if not found and type_of(field) is not FieldType.OBJECT:
        found = list(_misfits(field, value_schema(field)))
    return found


def _problems(name: str, field: FieldConfig) -> Iterator[FieldProblem]:
    """What is wrong with a field before a validator can be built from it."""
    if not name or not name.isprintable():
        yield (), "a field's name is printable and not empty"
    for key, types in _TAKES.items():
        value = getattr(field, key)
        if value is None or (key in _OFF and not value):
            continue
        if type_of(field) not in types:
            yield (key,), f"does not apply to type {field.type} (only to {' and '.join(sorted(types))})"
        elif key != "default" and isinstance(value, float) and not math.isfinite(value):
            yield (key,), f"must be a finite number (got {value})"
    yield from _empty_ranges(field)
    if field.pattern is not None and field.type is FieldType.STR:
        try:
            SchemaValidator(core_schema.str_schema(pattern=field.pattern))
        except SchemaError:
            yield ("pattern",), f"not a regular expression (got {field.pattern!r})"
    if field.choices is not None and not field.choices:
        yield ("choices",), "is empty: no value would be accepted"
    if field.type is FieldType.ENUM and field.choices is None:
        yield ("choices",), "required, but missing: an enum is one of them"
    if field.type is FieldType.OBJECT and not field.fields:
        yield ("fields",), "required, but missing: an object has at least one (or name a model as its type)"
    if field.type != type_of(field) and field.fields is not None:
        yield ("fields",), f"belong to `type: object`; these are the model's (got type {field.type})"
    yield from _misplaced(field)


def _misplaced(field: FieldConfig) -> Iterator[FieldProblem]:
    """Keys that need another one beside them, or cannot stand beside it."""
    items = 0
    if field.path is not None:
        try:
            items = parse_path(field.path, each=True).count(EACH)
        except ValueError as error:
            yield ("path",), str(error)
            return
    if field.as_ is not None and not items:
        yield ("as",), "names the items of a `path` with '[*]', and there is none"
    if field.interval is not None and items != 1:
        yield ("interval",), f"needs a `path` with one '[*]' (got {field.path or 'none'})"
    if field.interval is not None and field.as_ is not None:
        yield ("as",), "with `interval` all items are points of one stream, which has the field's name"
    if field.interval is None and "time_of" in field.model_fields_set:
        yield ("time_of",), "needs an `interval`"
    if field.variants is not None:
        if items:
            yield ("variants",), "need one value to choose by, and '[*]' leads to many"
        if field.choices is not None:
            yield ("choices",), "are the keys of `variants` already"
        if not field.variants:
            yield ("variants",), "are empty: no value would be accepted"
        if field.type is FieldType.INT and not all(map(_INTEGER.fullmatch, field.variants)):
            yield ("variants",), "of an int are chosen by integers"
    if not field.store and (items or type_of(field) is FieldType.OBJECT):
        yield ("store",), "applies to a single value"


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


def value_schema(field: FieldConfig, *, plain: bool = False) -> CoreSchema:
    """Schema of the field's value; null is not among what it takes.

    Args:
        field: one about which there is nothing to complain.
        plain: whether it may refuse an integer written as 3.0, whose check costs a call out of the validator.
    """
    schema = _type_schema(field, plain=plain)
    choices = _choices(field)
    if choices is None:
        return schema
    # True is 1 to Python, and not to the user.
    by_value = {(isinstance(choice, bool), choice): choice for choice in choices}
    words = ", ".join(shown(choice) for choice in choices)

    def one_of(value: Any) -> Any:
        try:
            choice = by_value[isinstance(value, bool), value]
        except KeyError:
            raise PydanticCustomError("choice", "must be one of {choices}", {"choices": words}) from None
        return choice if field.type is FieldType.ENUM else value

    return core_schema.no_info_after_validator_function(one_of, schema)


def _choices(field: FieldConfig) -> tuple[Value, ...] | None:
    if field.variants is None:
        return field.choices
    return tuple(int(key) if field.type is FieldType.INT else key for key in field.variants)


def _type_schema(field: FieldConfig, *, plain: bool = False) -> CoreSchema:
    match field.type:
        case FieldType.FLOAT:
            number = core_schema.float_schema(
                strict=True, allow_inf_nan=False, ge=field.ge, le=field.le, gt=field.gt, lt=field.lt
            )
            return _before(_number_in_text, number) if field.lenient else number
        case FieldType.INT:
            lower = [_least_whole(low, bound) for low in ("ge", "gt") if (bound := getattr(field, low)) is not None]
            upper = [_most_whole(high, bound) for high in ("le", "lt") if (bound := getattr(field, high)) is not None]
            whole = core_schema.int_schema(strict=True, ge=max([INT64_MIN, *lower]), le=min([INT64_MAX, *upper]))
            return whole if plain else _before(_whole_in_text if field.lenient else _whole, whole)
        case FieldType.BOOL:
            boolean = core_schema.bool_schema(strict=True)
            return _before(_boolean_in_words, boolean) if field.lenient else boolean
        case FieldType.STR:
            # As the documentation says, the pattern is for the whole text.
            pattern = None if field.pattern is None else rf"\A(?:{field.pattern})\z"
            text = core_schema.str_schema(strict=True, pattern=pattern, max_length=field.max_length or MAX_TEXT_CHARS)
            return _before(_as_text, text) if field.lenient else text
        case FieldType.DATETIME:
            return core_schema.no_info_plain_validator_function(_datetime)
        case FieldType.ENUM:
            return core_schema.no_info_plain_validator_function(_bare_value)
        case _:
            raise AssertionError(f"{field.type} is no type of a value")


def _before(prepare: Callable[[Any], Any], schema: CoreSchema) -> CoreSchema:
    return core_schema.no_info_before_validator_function(prepare, schema)


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


def _number_in_text(value: Any) -> Any:
    if type(value) is not str or len(value) > _MAX_NUMBER_CHARS or (match := _NUMBER.fullmatch(value.strip())) is None:
        return value
    return float(match[0]) if any(match.groups()) else int(match[0])


def _whole_in_text(value: Any) -> Any:
    return _whole(_number_in_text(value))


def _boolean_in_words(value: Any) -> Any:
    if type(value) is str:
        return _BOOLEANS.get(value.strip().lower(), value)
    return bool(value) if type(value) in (int, float) and value in (0, 1) else value


def _as_text(value: Any) -> Any:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and INT64_MIN <= value <= INT64_MAX:
        return str(value)
    return str(value) if type(value) is float and math.isfinite(value) else value


def _datetime(value: Any) -> str:
    epoch = parse_timestamp(value)
    try:
        if epoch is not None:
            return datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        pass
    raise PydanticCustomError("time", "must be a time: epoch s, ms, us or ns, or ISO 8601")


def _bare_value(value: Any) -> Any:
    if type(value) not in (str, int, float, bool):
        raise PydanticCustomError("bare", "must be text, a number, true or false")
    return value
