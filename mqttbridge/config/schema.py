"""What the configuration models say of a place in the file: the keys known there, whether it holds a secret."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from mqttbridge.config.model import Config

Loc: TypeAlias = tuple[str | int, ...]
"""A place in the configuration, as pydantic writes it: ("rules", 2, "topic")."""


def keys_at(loc: Loc) -> list[str]:
    """The keys that a section knows; none where the user chooses the names, or at a value."""
    keys = (key for type_ in _types_at(loc) if _is_section(type_) for key in _fields(type_))
    return list(dict.fromkeys(keys))  # several kinds of section may share some


def is_key(loc: Loc) -> bool:
    """Whether the last part of `loc` is one of its section's own keys."""
    return loc[-1] in keys_at(loc[:-1])


def key_paths(loc: Loc = ()) -> list[tuple[str, ...]]:
    """Every place that a chain of the sections' own keys leads to."""
    paths: list[tuple[str, ...]] = []
    for key in keys_at(loc):
        paths += [(key,), *((key, *rest) for rest in key_paths((*loc, key)))]
    return paths


def is_known(loc: Loc) -> bool:
    """Whether anything may stand at `loc`, be it under a name that the user chooses."""
    return bool(_types_at(loc))


def choices_at(loc: Loc) -> list[Any]:
    """The values to choose from at `loc`, where the schema lists them."""
    return [choice for type_ in _types_at(loc) if get_origin(type_) is Literal for choice in get_args(type_)]


def is_list(loc: Loc) -> bool:
    return any(get_origin(type_) is tuple for type_ in _types_at(loc))


def is_structure(loc: Loc) -> bool:
    """Whether a section, a mapping or a list stands there rather than a single value."""
    return any(_is_section(type_) or get_origin(type_) in {dict, tuple} for type_ in _types_at(loc))


def is_secret(loc: Loc) -> bool:
    """Whether a secret stands at `loc`, below it (as in a list of keys) or above it."""
    return any(SecretStr in (type_, *get_args(type_)) for end in range(len(loc) + 1) for type_ in _types_at(loc[:end]))


def _types_at(loc: Loc) -> list[Any]:
    """The types that may stand at `loc`: several where a `type` key chooses; none at an unknown key."""
    types: list[Any] = [Config]
    for part in loc:
        types = [inner for type_ in types for inner in _step(type_, part)]
    return types


def _step(type_: Any, part: str | int) -> list[Any]:
    if _is_section(type_):
        field = _fields(type_).get(str(part))
        return _alternatives(field.annotation) if field else []
    if get_origin(type_) is dict:
        return _alternatives(get_args(type_)[1])
    if get_origin(type_) is tuple and isinstance(part, int):
        return _alternatives(get_args(type_)[0])
    return []


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return [inner for choice in get_args(annotation) for inner in _alternatives(choice)]
    return [annotation]


def _is_section(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)


def _fields(section: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in section.model_fields.items()}
