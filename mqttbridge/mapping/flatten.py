"""A parsed JSON document becomes fields: `{"a": {"b": 1}, "c": [2, 3]}` is `a.b`, `c.0` and `c.1`.

All or nothing: one value that cannot be stored makes the whole message unusable, so that a stored message is
never a part of what the device sent. A null is no value, and makes no field.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any, Final, TypeAlias

from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_NAME_CHARS, MAX_TEXT_CHARS, Reason, Value
from mqttbridge.mapping.unusable import Unusable, named, shown

# More than any device's own state has; a document of this size is a dump of something else.
MAX_FIELDS: Final = 1_000

# The field of a payload that is one bare value. No JSON key can take its place: an empty key is refused.
SCALAR: Final = ""

Fields: TypeAlias = dict[str, Value]


def flatten(document: Any) -> Fields:
    """Fields of a parsed JSON document, in its order; a bare value is the field `SCALAR`.

    Raises:
        Unusable: a value cannot be stored, a key cannot name a field, or there are too many.
    """
    fields: Fields = {}
    kind = type(document)
    if kind is dict or kind is list:
        _collect(document, "", fields)
    elif document is not None:
        fields[SCALAR] = storable(document, SCALAR)
    return fields


def _collect(container: dict[str, Any] | list[Any], prefix: str, fields: Fields) -> None:
    if len(container) > MAX_FIELDS:  # nulls count: the bound is on the work, too
        raise _too_many_fields()
    for key, value in _items(container):
        if not key:
            raise Unusable(Reason.BAD_NAME, f"{named(prefix.rstrip('.')) if prefix else 'the object'} has an empty key")
        field = prefix + key
        kind = type(value)
        if kind is dict or kind is list:
            # Every field below carries this prefix: no long name times a thousand fields.
            if len(field) >= MAX_NAME_CHARS:
                raise Unusable(Reason.BAD_NAME, f"{named(field)}: more than {MAX_NAME_CHARS} characters")
            _collect(value, field + ".", fields)
        elif value is not None:
            if field in fields:
                raise Unusable(Reason.DUPLICATE_KEYS, f"{named(field)} stands in the payload twice")
            # Most values are plain floats: they are spared a call.
            fields[field] = value if kind is float and isfinite(value) else storable(value, field)
    if len(fields) > MAX_FIELDS:
        raise _too_many_fields()


def _items(container: dict[str, Any] | list[Any]) -> Iterable[tuple[str, Any]]:
    if isinstance(container, dict):
        return container.items()
    return ((str(index), value) for index, value in enumerate(container))


def storable(value: float | str, field: str) -> Value:
    """The value itself where an event can hold it.

    Raises:
        Unusable: NaN or an infinity, more than 64 bits, too long a text.
    """
    if isinstance(value, str):
        if len(value) > MAX_TEXT_CHARS:
            raise Unusable(
                Reason.TEXT_TOO_LONG,
                f"{named(field)}: the text has {len(value)} characters, at most {MAX_TEXT_CHARS} can be stored",
            )
    elif isinstance(value, float):
        if not isfinite(value):
            raise Unusable(Reason.NOT_FINITE, f"{named(field)}: {shown(value)} is not a finite number")
    elif not INT64_MIN <= value <= INT64_MAX:
        raise Unusable(Reason.INTEGER_TOO_LARGE, f"{named(field)}: the integer does not fit into 64 bits")
    return value


def _too_many_fields() -> Unusable:
    return Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_FIELDS} fields")
