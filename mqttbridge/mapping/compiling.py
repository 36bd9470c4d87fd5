"""Rules of the configuration become compiled rules, or a list of everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Final, NamedTuple, TypeAlias

from mqttbridge.config.formats import Compression
from mqttbridge.config.model import Config
from mqttbridge.config.models import FieldType
from mqttbridge.config.rules import BadTimestamp, Extra, PayloadFormat, RuleConfig
from mqttbridge.mapping.building import configured_model
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.compiling_values import compile_values, model_problems
from mqttbridge.mapping.extras import Extras
from mqttbridge.mapping.formats import DocumentFormat, Format, InvalidFormat, PointsFormat, format_of
from mqttbridge.mapping.formats.base import Names, no_points
from mqttbridge.mapping.formats.compression import unpacking
from mqttbridge.mapping.imported import ImportedModel, imported_model
from mqttbridge.mapping.message_names import (
    Remembered,
    is_message_name,
    message_names,
    names_property,
    parse_message_name,
)
from mqttbridge.mapping.model_fields import model_fields
from mqttbridge.mapping.models import FlatModel, InvalidModel, Model
from mqttbridge.mapping.paths import Path, parse_path, path_text
from mqttbridge.mapping.payload import Parser, parse_json
from mqttbridge.mapping.series import Series, as_it_is, series_of
from mqttbridge.mapping.structured import StructuredModel
from mqttbridge.mapping.templates import FIELD, InvalidTemplate, Template, parse_template
from mqttbridge.mapping.timestamps import Timestamp
from mqttbridge.mapping.topics import InvalidFilter, TopicFilter, names_in, parse_filter
from mqttbridge.mapping.values import Values

Loc: TypeAlias = tuple[str | int, ...]

# Formats whose payload is the JSON text that a model may read itself.
_JSON_TEXT: Final = frozenset({PayloadFormat.JSON, PayloadFormat.AUTO})

# The keys of a rule that belong to some formats only.
_KEYS_OF_FORMATS: Final = {
    "boolean": {PayloadFormat.BOOLEAN},
    "csv": {PayloadFormat.CSV},
    "influx": {PayloadFormat.INFLUX},
    "layout": {PayloadFormat.HEX, PayloadFormat.STRUCT},
    "rebirth": {PayloadFormat.SPARKPLUG},
}

# Stands in for a format that cannot be used, so that what else is wrong with the rule is said as well.
_UNUSABLE_FORMAT: Final = PointsFormat(open=no_points, names=Names(prefixes=("",)))


class InvalidRules(Exception):  # noqa: N818  # `ConfigError` is made of it, with file and line
    """Rules or models that cannot be used.

    Attributes:
        problems: every one of them, by place in the configuration, as ("rules", 2, "topic").
    """

    def __init__(self, problems: list[tuple[Loc, str]]) -> None:
        super().__init__("\n".join(f"{'.'.join(map(str, loc))}: {what}" for loc, what in problems))
        self.problems = problems


def compile_rules(config: Config) -> tuple[CompiledRule, ...]:
    """Compile every rule of a configuration.

    Raises:
        InvalidRules: with every problem of every rule and model.
    """
    problems: list[tuple[Loc, str]] = []
    models = _Models(config, problems)
    rules: list[CompiledRule] = []
    names: dict[str, int] = {}
    for index, rule in enumerate(config.rules):
        loc: Loc = ("rules", index)
        name = rule.name or f"rule {index + 1}"
        if (first := names.setdefault(name, index)) != index:
            problems.append(((*loc, "name"), f"{name!r} is the name of rules[{first}] already"))
        problems += [((*loc, *where), what) for where, what in _problems(rule, config.destinations)]
        model = models.get(rule.model, loc) if rule.model is not None else None
        values: Values | None = None
        if model is not None or rule.model not in config.models:  # else what it is applied to is not known
            values, found = compile_values(rule, model_fields(config, rule.model))
            problems += [((*loc, *where), what) for where, what in found]
        try:
            format_ = format_of(rule)
        except InvalidFormat as error:
            problems.append(((*loc, *error.path), str(error)))
            format_ = _UNUSABLE_FORMAT
        problems += [((*loc, *where), what) for where, what in _misfits(rule, format_, model)]
        timestamp = _parse_timestamp(rule, loc, problems)
        if (parsed := _parse_names(rule, format_, loc, problems)) is not None:
            rules.append(_compile(rule, name, format_, parsed, model=model, values=values, timestamp=timestamp))
    if problems:
        raise InvalidRules(problems)
    if any(rule.retention is not None for rule in config.rules):
        return tuple(replace(rule, tells_streams=True) for rule in rules)
    return tuple(rules)


def _compile(
    rule: RuleConfig,
    name: str,
    format_: Format,
    names: _Names,
    *,
    model: Model | None,
    values: Values | None,
    timestamp: Timestamp | None,
) -> CompiledRule:
    named_by = message_names(names.bucket, names.stream)
    in_payload = [name.path for name in named_by if not name.in_properties]
    parse, series = _parser(rule, format_), _series(rule, format_, names)
    parses_json = rule.format in _JSON_TEXT and rule.compression is Compression.NONE
    if isinstance(model, ImportedModel) and not parses_json:
        model = model.of_documents()
    in_time = [timestamp.path] if timestamp is not None and not timestamp.in_properties else []
    return CompiledRule(
        name=name,
        to=rule.to,
        goes_on=rule.continue_,
        filter=names.topic,
        bucket=names.bucket,
        stream=names.stream,
        parse=Remembered(parse) if in_payload and series is None else parse,
        parses_json=parses_json,
        series=series,
        timestamp=timestamp,
        model=model,
        unit=rule.unit,
        named_by=named_by,
        about=tuple(map(path_text, (*in_payload, *in_time))),
        extras=_extras(rule.extra, model, (*in_payload, *in_time)),
        has_points=isinstance(model, StructuredModel) and model.has_points,
        values=values,
        thin=rule.thin,
    )


def _parser(rule: RuleConfig, format_: Format) -> Parser:
    if not isinstance(format_, DocumentFormat):
        return as_it_is
    # What a model is there to check has fields, so a text that `auto` would take is a broken payload.
    as_json = rule.format is PayloadFormat.AUTO and rule.model is not None
    return unpacking(parse_json if as_json else format_.parse, rule.compression)


def _series(rule: RuleConfig, format_: Format, names: _Names) -> Series | None:
    if not isinstance(format_, PointsFormat):
        return None
    clock = Timestamp(
        field="timestamp",
        path=(),
        max_past=rule.max_past,
        max_future=rule.max_future,
        reject=rule.bad_timestamp is BadTimestamp.REJECT,
    )
    return series_of(format_, rule.compression, (names.bucket, names.stream), clock)


def _extras(extra: Extra, model: Model | None, known: tuple[Path, ...]) -> Extras | None:
    if extra is Extra.IGNORE or not isinstance(model, FlatModel | StructuredModel):
        return None
    return Extras((*model.paths, *known), reject=extra is Extra.REJECT)


def _problems(rule: RuleConfig, destinations: Collection[str]) -> Iterator[tuple[Loc, str]]:
    if rule.extra is not Extra.IGNORE and (rule.model is None or ":" in rule.model):
        yield ("extra",), "is for a model of `models`: without one all is taken, and your own class says it itself"
    for index, name in enumerate(rule.to):
        if name not in destinations:
            yield ("to", index), _unknown("destination", name, destinations)
        elif name in rule.to[:index]:
            yield ("to", index), f"{name!r} stands here twice"


def _misfits(rule: RuleConfig, format_: Format, model: Model | None) -> Iterator[tuple[Loc, str]]:
    """Keys of the rule that its format has no use for."""
    points = format_ if isinstance(format_, PointsFormat) else None
    if rule.model is not None and not format_.has_fields:
        yield ("model",), _needs_fields(rule)
    elif points is not None and isinstance(model, StructuredModel) and model.has_points:
        yield ("model",), f"has points over a period, which the points of format {rule.format} cannot hold"
    if rule.timestamp is not None:
        if points is not None and points.own_time:
            yield ("timestamp",), f"format {rule.format} has times of its own: leave this out"
        elif not format_.has_fields and not names_property(rule.timestamp):
            yield ("timestamp",), _needs_fields(rule)
    for key, formats in _KEYS_OF_FORMATS.items():
        if key in rule.model_fields_set and getattr(rule, key) is not None and rule.format not in formats:
            yield (key,), f"is for format {' and '.join(sorted(formats))} (got {rule.format})"


def _needs_fields(rule: RuleConfig) -> str:
    return f"needs a payload with fields, so `format: json` (got {rule.format})"


def _parse_timestamp(rule: RuleConfig, loc: Loc, problems: list[tuple[Loc, str]]) -> Timestamp | None:
    text = rule.timestamp
    if text is None:
        return None
    in_properties = names_property(text)
    try:
        path = parse_message_name(text).path if in_properties else parse_path(text)
    except ValueError as error:
        problems.append(((*loc, "timestamp"), str(error)))
        return None
    return Timestamp(
        field=text if in_properties else path_text(path),
        path=path,
        max_past=rule.max_past,
        max_future=rule.max_future,
        reject=rule.bad_timestamp is BadTimestamp.REJECT,
        in_properties=in_properties,
    )


class _Names(NamedTuple):
    """What a rule makes names of, parsed."""

    topic: TopicFilter
    bucket: Template
    stream: Template


def _parse_names(rule: RuleConfig, format_: Format, loc: Loc, problems: list[tuple[Loc, str]]) -> _Names | None:
    topic: TopicFilter | None
    try:
        topic = parse_filter(rule.topic)
    except InvalidFilter as error:
        problems.append(((*loc, "topic"), str(error)))
        topic = None
    captured = names_in(rule.topic) if topic is None else topic.names
    templates: list[Template] = []
    given = format_.names if isinstance(format_, PointsFormat) else Names()
    for key, text, known in (
        ("bucket", rule.bucket, given.with_(captured)),
        ("stream", rule.stream, given.with_((*captured, FIELD))),
    ):
        try:
            template = parse_template(text, known, lambda name: given.may_be_missing(name) or is_message_name(name))
        except InvalidTemplate as error:
            if topic is not None or not error.may_follow:
                problems.append(((*loc, key), str(error)))
            continue
        templates.append(template)
        if not format_.has_fields:
            in_payload = [name.name for name in message_names(template) if not name.in_properties]
            problems += [((*loc, key), f"{{{name}}} {_needs_fields(rule)}") for name in in_payload]
    return _Names(topic, *templates) if topic is not None and len(templates) == 2 else None


class _Models:
    """The models of a configuration, and those that its rules import, each built once."""

    def __init__(self, config: Config, problems: list[tuple[Loc, str]]) -> None:
        self._models: dict[str, Model | None] = {}
        self._problems = problems
        for name, model in config.models.items():
            if name in set(FieldType):
                problems.append((("models", name), "is the name of a type already"))
            try:
                self._models[name] = configured_model(model, config.models, name)
                problems += [(("models", name, *path), what) for path, what in model_problems(model)]
            except InvalidModel as error:
                self._models[name] = None
                problems += [(("models", name, *path), what) for path, what in error.problems]

    def get(self, reference: str, loc: Loc) -> Model | None:
        if reference in self._models:
            return self._models[reference]
        if ":" not in reference:
            self._problems.append(((*loc, "model"), _unknown("model", reference, self._models)))
            return None
        self._models[reference] = None
        try:
            self._models[reference] = imported_model(reference)
        except InvalidModel as error:
            self._problems += [((*loc, "model"), what) for _, what in error.problems]
        return self._models[reference]


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known) or 'none'})"
    return f"unknown {what} {name!r}{hint}"
