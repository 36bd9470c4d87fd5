"""An object becomes fields, as `log_object` sends them: `{"a": {"b": 1}, "c": [2]}` is `a_b` and `c_0`.

Taken apart are mappings, sequences, named tuples (psutil's, too), dataclasses, pydantic models, attrs classes and,
at the top, any object by its properties and attributes. What is nested in data is data, so a value there that no
stream can hold is an error; an object's own attributes may be anything, and those that are no data are passed over.
A None is no value, and makes no field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from itertools import count
from typing import Any, Final, TypeAlias

from mqttbridge.client.values import is_value

# More than any device's own state has; an object of this size is a dump of something else.
MAX_FIELDS: Final = 1_000
# Deeper is an object that holds itself.
MAX_DEPTH: Final = 16

_Members: TypeAlias = Iterable[tuple[str, Any]]


def fields_of(obj: Any, key_prefix: str | None = None) -> list[tuple[str, Any]]:
    """The fields of an object as (stream, value), in its order; the values are as they were found.

    Args:
        obj: anything but a bare value.
        key_prefix: what names begin with, before a `_`; None is the name of the object's class, "" is nothing.

    Raises:
        TypeError: the object is a bare value, or there is nothing in it that could be a field.
        ValueError: it has more than 1,000 fields, or holds itself.
    """
    if obj is None or is_value(obj) or isinstance(obj, bytes | bytearray):
        raise TypeError(f"log_object takes an object with fields, not a {type(obj).__name__}; `log` takes a value")
    prefix = type(obj).__name__ if key_prefix is None else key_prefix
    members = _members(obj)
    if members is None:
        members = _attributes(obj)
    return list(_walk(members, f"{prefix}_" if prefix else "", 1, count(1)))


def _walk(members: _Members, prefix: str, depth: int, visits: Iterator[int]) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise ValueError(f"{prefix.rstrip('_')!r} is nested more than {MAX_DEPTH} deep: does it hold itself?")
    for name, value in members:
        if next(visits) > MAX_FIELDS:  # members that make no field count, too: the bound is on the work
            raise ValueError(f"the object has more than {MAX_FIELDS} fields")
        inner = None if is_value(value) else _members(value)
        if inner is not None:
            yield from _walk(inner, f"{prefix}{name}_", depth + 1, visits)
        elif value is not None:
            yield f"{prefix}{name}", value


def _members(obj: Any) -> _Members | None:
    """The members of what is data by its type; None for anything else."""
    kind = type(obj)
    if isinstance(obj, type):
        return None
    if isinstance(obj, Mapping):
        return ((str(key), value) for key, value in obj.items())
    if dataclasses.is_dataclass(obj):
        return _named(obj, (field.name for field in dataclasses.fields(obj)))
    for declared in ("_fields", "model_fields", "__attrs_attrs__"):  # named tuples, pydantic, attrs
        names = getattr(kind, declared, None)
        if isinstance(names, Mapping):
            return _named(obj, names)
        if isinstance(names, tuple):
            return _named(obj, (name if isinstance(name, str) else name.name for name in names))
    if isinstance(obj, Sequence | AbstractSet) and not isinstance(obj, bytes | bytearray | memoryview | range):
        return ((str(index), value) for index, value in enumerate(obj))
    return None


def _named(obj: Any, names: Iterable[str]) -> _Members:
    return ((name, getattr(obj, name, None)) for name in names)


def _attributes(obj: Any) -> Iterator[tuple[str, Any]]:
    """Properties of the class in alphabetical order, then public attributes in that of their making."""
    kind = type(obj)
    names = [name for name in dir(kind) if isinstance(getattr(kind, name, None), property)]
    slots = [name for base in kind.__mro__ for name in _slots(base)]
    for name in dict.fromkeys([*names, *slots, *getattr(obj, "__dict__", ())]):
        if not name.startswith("_"):
            value = getattr(obj, name, None)
            if is_value(value) or _members(value) is not None:
                yield name, value


def _slots(kind: type) -> Iterable[str]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots
