"""Models of the configuration are built, or everything that is wrong with them is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic_core import SchemaValidator

from mqttbridge.config.models import FieldConfig, FieldType, ModelConfig, TimeOf
from mqttbridge.mapping.fieldtypes import (
    FieldProblem,
    default_of,
    field_problems,
    may_be_missing,
    type_of,
    value_schema,
)
from mqttbridge.mapping.harvest import Period
from mqttbridge.mapping.item_names import item_namer
from mqttbridge.mapping.message_names import names_property, parse_message_name
from mqttbridge.mapping.models import FlatModel, InvalidModel, flat_model
from mqttbridge.mapping.parts import Content, FromProperty, Inner, Items, Series, Variants
from mqttbridge.mapping.paths import EACH, Path, parse_path
from mqttbridge.mapping.structured import Part, StructuredModel, structured_model, wrapped
from mqttbridge.mapping.templates import InvalidTemplate

# Deeper than anybody describes a payload by hand.
_MAX_DEPTH: Final = 16


def configured_model(
    config: ModelConfig, models: Mapping[str, ModelConfig] | None = None, name: str = ""
) -> FlatModel | StructuredModel:
    """Build a model of the configuration.

    Args:
        config: its fields.
        models: those that its fields may name as their type, by name.
        name: its own among them.

    Raises:
        InvalidModel: with every problem of every field of its own.
    """
    return _Builder(models or {}, name).build(config, (name,))


class _Builder:
    """Builds one model, and those within it."""

    def __init__(self, models: Mapping[str, ModelConfig], name: str) -> None:
        self._models, self._name = models, name
        self._built: dict[str, StructuredModel] = {}

    def build(self, config: ModelConfig, inside: tuple[str, ...]) -> FlatModel | StructuredModel:
        """The model of some fields.

        Args:
            config: the fields.
            inside: names of the models whose fields they are, from the outermost.

        Raises:
            InvalidModel: with every problem of them.
        """
        problems: list[FieldProblem] = []
        if not config:
            problems.append(((), "has no fields"))
        if len(inside) > _MAX_DEPTH:
            raise InvalidModel([((), f"models stand within models more than {_MAX_DEPTH} deep")])
        flat: dict[str, FieldConfig] = {}
        parts: dict[str, Part] = {}
        sound = True
        for name, field in config.items():
            found = field_problems(name, field)
            if not found:
                try:
                    if (part := self._part(name, field, config, inside)) is not None:
                        parts[name] = part
                    if part is None or isinstance(part, Variants):
                        flat[name] = field
                except InvalidModel as error:
                    found, sound = error.problems, False
            problems += [((name, *path), what) for path, what in found]
        if problems or not sound:
            raise InvalidModel(problems)
        plain = flat_model(flat) if flat else None
        if plain is not None and not parts:
            return plain
        return structured_model(plain, tuple(parts.values()), _sole_field(config, parts))

    def _part(self, name: str, field: FieldConfig, config: ModelConfig, inside: tuple[str, ...]) -> Part | None:
        """What a field is more than one value under one path of the payload; None if it is just that.

        Raises:
            InvalidModel: with every problem of it.
        """
        is_object = type_of(field) is FieldType.OBJECT
        if field.path is not None and names_property(field.path):
            if is_object or field.variants is not None:
                raise InvalidModel([(("path",), "a property is a text, so the field cannot hold or choose a model")])
            (key,) = parse_message_name(field.path).path
            return FromProperty(name, key, _content(field), field.store)
        if field.variants is not None:
            return self._variants(name, field.variants, config, inside)
        path = (name,) if field.path is None else parse_path(field.path, each=True)
        if EACH in path:
            return self._items(name, field, path, inside)
        return Inner(name, path, self._object(field, inside), field.optional) if is_object else None

    def _items(self, name: str, field: FieldConfig, path: Path, inside: tuple[str, ...]) -> Part:
        if field.interval is not None:
            return Series(name, path, _content(field), Period(field.interval, field.time_of is TimeOf.LAST))
        try:
            name_of = item_namer(name, field.as_, path)
        except InvalidTemplate as error:
            raise InvalidModel([(("as",), str(error))]) from None
        content = self._object(field, inside) if type_of(field) is FieldType.OBJECT else _content(field)
        return Items(path, content, name_of, may_be_missing(field))

    def _object(self, field: FieldConfig, inside: tuple[str, ...]) -> StructuredModel:
        if field.fields is None:
            return self._named(str(field.type), inside, ("type",))
        try:
            return wrapped(self.build(field.fields, (*inside, "")))
        except InvalidModel as error:
            raise InvalidModel([(("fields", *path), what) for path, what in error.problems]) from None

    def _variants(self, name: str, models: Mapping[str, str], config: ModelConfig, inside: tuple[str, ...]) -> Variants:
        chosen: dict[str, StructuredModel] = {}
        problems: list[FieldProblem] = []
        for value, model in models.items():
            where = ("variants", value)
            try:
                chosen[value] = self._named(model, inside, where)
            except InvalidModel as error:
                problems += error.problems
                continue
            for twice in sorted(config.keys() & self._models[model].keys()):
                problems.append((where, f"the field {twice!r} stands in {model!r} and beside {name!r} as well"))
        if problems or len(chosen) < len(models):
            raise InvalidModel(problems)
        return Variants(name, chosen)

    def _named(self, name: str, inside: tuple[str, ...], where: tuple[str, ...]) -> StructuredModel:
        """A model of `models`, to be a part of this one.

        Raises:
            InvalidModel: there is none, or this one would stand within itself. Without any problem where what is
                wrong is the other model's, which is told where that stands.
        """
        if name not in self._models:
            raise InvalidModel([(where, self._unknown(name))])
        if self._name in self._reached_from(name):
            of_its_own = not any(inside[1:])  # and not of a model within it
            raise InvalidModel([(where, f"{self._name!r} would stand within itself")] if of_its_own else [])
        if name in inside:
            raise InvalidModel([])
        if name not in self._built:
            try:
                self._built[name] = wrapped(self.build(self._models[name], (*inside, name)))
            except InvalidModel:
                raise InvalidModel([]) from None
        return self._built[name]

    def _reached_from(self, name: str) -> set[str]:
        """The names of all models within one of `models`, itself too."""
        reached: set[str] = set()
        ahead = [name]
        while ahead:
            if (each := ahead.pop()) not in reached:
                reached.add(each)
                ahead += _named_in(self._models.get(each, {}))
        return reached

    def _unknown(self, name: str) -> str:
        known = [*map(str, FieldType), *self._models]
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})"
        return f"unknown type {name!r}{hint}"


def _named_in(config: ModelConfig) -> Iterator[str]:
    """The models that some fields name."""
    for field in config.values():
        if not isinstance(field.type, FieldType):
            yield field.type
        yield from (field.variants or {}).values()
        yield from _named_in(field.fields or {})


def _content(field: FieldConfig) -> Content:
    return Content(SchemaValidator(value_schema(field)), may_be_missing(field), default_of(field), field.unit)


def _sole_field(config: ModelConfig, parts: Mapping[str, Part]) -> str | None:
    """The name of the only field that makes events, unless its events have names of their own."""
    stored = [name for name, field in config.items() if field.store]
    if len(stored) != 1 or any(isinstance(part, Variants) for part in parts.values()):
        return None
    return None if isinstance(parts.get(stored[0]), Inner | Items) else stored[0]
