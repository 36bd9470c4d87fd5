"""Rules of the configuration become compiled rules, or a list of everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple, TypeAlias

from mqttbridge.config.model import BadTimestamp, Config, Extra, FieldType, PayloadFormat, RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.building import configured_model
from mqttbridge.mapping.extras import Extras
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten
from mqttbridge.mapping.imported import imported_model
from mqttbridge.mapping.message_names import (
    MessageName,
    Remembered,
    is_message_name,
    message_names,
    names_property,
    parse_message_name,
)
from mqttbridge.mapping.models import FlatModel, InvalidModel, Model, Points
from mqttbridge.mapping.paths import Path, parse_path, path_text
from mqttbridge.mapping.payload import PARSERS, Parser, parse_json
from mqttbridge.mapping.properties import properties_of
from mqttbridge.mapping.structured import StructuredModel
from mqttbridge.mapping.templates import FIELD, InvalidTemplate, Template, parse_template
from mqttbridge.mapping.timestamps import Timestamp
from mqttbridge.mapping.topics import InvalidFilter, TopicFilter, parse_filter
from mqttbridge.mapping.unusable import Unusable

Loc: TypeAlias = tuple[str | int, ...]

# Formats in which a payload has fields: a model and a payload's own timestamp need them.
_WITH_FIELDS: Final = frozenset({PayloadFormat.JSON, PayloadFormat.AUTO})

# `{field}` of a payload that is one bare value.
_SCALAR_FIELD: Final = "value"


class InvalidRules(Exception):  # noqa: N818  # `ConfigError` is made of it, with file and line
    """Rules or models that cannot be used.

    Attributes:
        problems: every one of them, by place in the configuration, as ("rules", 2, "topic").
    """

    def __init__(self, problems: list[tuple[Loc, str]]) -> None:
        super().__init__("\n".join(f"{'.'.join(map(str, loc))}: {what}" for loc, what in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One rule, everything about it that no message changes: how bytes become named values at a time."""

    name: str
    to: tuple[str, ...]
    goes_on: bool
    filter: TopicFilter
    bucket: Template
    stream: Template
    parse: Parser
    timestamp: Timestamp | None
    model: Model | None
    unit: str
    # What of each message its bucket and stream are named by; seldom anything.
    named_by: tuple[MessageName, ...]
    # Fields that say when and whose the others are, and so make no events of their own where no model says so.
    about: tuple[str, ...]
    # What is done with fields that the model does not name; None ignores them.
    extras: Extras | None
    # Whether a message makes points at several times, so that it is read by `read_points` and not by `read`.
    has_points: bool

    @property
    def needs_properties(self) -> bool:
        """Whether it takes anything from the message's MQTT 5 properties."""
        return (
            any(name.in_properties for name in self.named_by)
            or (self.timestamp is not None and self.timestamp.in_properties)
            or (isinstance(self.model, StructuredModel) and self.model.needs_properties)
        )

    @property
    def read_at_once(self) -> Callable[[bytes], Fields | None] | None:
        """The short way for the common case, a flat model whose time is arrival: fields or None, see `read` then."""
        if isinstance(self.model, FlatModel) and self.model.at_once and self.timestamp is None and self.extras is None:
            return self.model.fields_at_once
        return None

    def read(self, payload: bytes, arrival: float) -> tuple[Fields, float]:
        """Fields and time of one payload.

        Raises:
            Unusable: the message is to be rejected.
        """
        document = self.parse(payload)
        timestamp = self.timestamp
        if timestamp is None:
            epoch = arrival
        else:
            epoch = timestamp.read(properties_of(payload) if timestamp.in_properties else document, arrival)
        if self.model is not None:
            fields = self.model.fields(document, payload)
            if self.extras is not None:
                fields = self.extras.added(fields, document)
        else:
            fields = flatten(document)
            if self.about:
                for field in self.about:
                    fields.pop(field, None)
        if not fields:
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return fields, epoch

    def read_points(self, payload: bytes, arrival: float) -> Points:
        """Fields of one payload at each of the times that it tells of; at least one.

        Raises:
            Unusable: the message is to be rejected.
        """
        document = self.parse(payload)
        epoch = arrival
        if self.timestamp is not None:
            epoch = self.timestamp.read(properties_of(payload) if self.timestamp.in_properties else document, arrival)
        assert isinstance(self.model, StructuredModel)  # noqa: S101  # no other has points
        points = self.model.points(document, payload, epoch, self.extras)
        if not points:
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return points

    def stream_of(self, field: str, pieces: Sequence[str]) -> str:
        """Name of a field's stream on a topic, from the stream's template as bound to that topic.

        Where the template has no place for the field it goes to the end, unless it is the only one there is.
        """
        if len(pieces) > 1:
            return self.stream.join(field or _SCALAR_FIELD, pieces)
        template = pieces[0]
        if field == SCALAR or (self.model is not None and field == self.model.sole_field):
            return template
        return f"{template}.{field}" if template else field

    def unit_of(self, field: str) -> str:
        """Unit of a field's stream, empty where nothing says it."""
        return (self.model.unit_of(field) if self.model is not None else "") or self.unit


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
        timestamp = _parse_timestamp(rule, loc, problems)
        if (parsed := _parse_names(rule, loc, problems)) is not None:
            rules.append(_compile(rule, name, model, timestamp, parsed))
    if problems:
        raise InvalidRules(problems)
    return tuple(rules)


def _compile(
    rule: RuleConfig, name: str, model: Model | None, timestamp: Timestamp | None, names: _Names
) -> CompiledRule:
    named_by = message_names(names.bucket, names.stream)
    in_payload = [name.path for name in named_by if not name.in_properties]
    parse = PARSERS[rule.format] if model is None else parse_json
    in_time = [timestamp.path] if timestamp is not None and not timestamp.in_properties else []
    return CompiledRule(
        name=name,
        to=rule.to,
        goes_on=rule.continue_,
        filter=names.topic,
        bucket=names.bucket,
        stream=names.stream,
        parse=Remembered(parse) if in_payload else parse,
        timestamp=timestamp,
        model=model,
        unit=rule.unit,
        named_by=named_by,
        about=tuple(map(path_text, (*in_payload, *in_time))),
        extras=_extras(rule.extra, model, (*in_payload, *in_time)),
        has_points=isinstance(model, StructuredModel) and model.has_points,
    )


def _extras(extra: Extra, model: Model | None, known: tuple[Path, ...]) -> Extras | None:
    if extra is Extra.IGNORE or not isinstance(model, FlatModel | StructuredModel):
        return None
    return Extras((*model.paths, *known), reject=extra is Extra.REJECT)


def _problems(rule: RuleConfig, destinations: Collection[str]) -> Iterator[tuple[Loc, str]]:
    if rule.format not in _WITH_FIELDS:
        in_payload = None if names_property(rule.timestamp or "") else rule.timestamp
        for key, value in (("model", rule.model), ("timestamp", in_payload)):
            if value is not None:
                yield (key,), f"needs a payload with fields, so `format: json` (got {rule.format})"
    if rule.extra is not Extra.IGNORE and (rule.model is None or ":" in rule.model):
        yield ("extra",), "is for a model of `models`: without one all is taken, and your own class says it itself"
    for index, name in enumerate(rule.to):
        if name not in destinations:
            yield ("to", index), _unknown("destination", name, destinations)
        elif name in rule.to[:index]:
            yield ("to", index), f"{name!r} stands here twice"


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


def _parse_names(rule: RuleConfig, loc: Loc, problems: list[tuple[Loc, str]]) -> _Names | None:
    try:
        topic = parse_filter(rule.topic)
    except InvalidFilter as error:
        problems.append(((*loc, "topic"), str(error)))
        return None  # what the templates may name is not known
    templates: list[Template] = []
    for key, text, known in (
        ("bucket", rule.bucket, topic.names),
        ("stream", rule.stream, (*topic.names, FIELD)),
    ):
        try:
            template = parse_template(text, known, is_message_name)
        except InvalidTemplate as error:
            problems.append(((*loc, key), str(error)))
            continue
        templates.append(template)
        for name in message_names(template):
            if not name.in_properties and rule.format not in _WITH_FIELDS:
                what = f"{{{name.name}}} needs a payload with fields, so `format: json` (got {rule.format})"
                problems.append(((*loc, key), what))
    return _Names(topic, *templates) if len(templates) == 2 else None


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
