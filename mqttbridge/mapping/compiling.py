"""Rules of the configuration become compiled rules, or a list of everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple, TypeAlias

from mqttbridge.config.model import BadTimestamp, Config, PayloadFormat, RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten
from mqttbridge.mapping.imported import imported_model
from mqttbridge.mapping.models import ConfiguredModel, InvalidModel, Model, configured_model
from mqttbridge.mapping.payload import PARSERS, Parser, parse_json
from mqttbridge.mapping.templates import FIELD, InvalidTemplate, Template, parse_template
from mqttbridge.mapping.timestamps import Timestamp, parse_path
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
    # Whether a message may have nothing to store, as with families: a model's own judgement, and no mistake.
    may_be_empty: bool = False

    @property
    def read_at_once(self) -> Callable[[bytes], Fields | None] | None:
        """The short way for the common case, a flat model whose time is arrival: fields or None, see `read` then."""
        if isinstance(self.model, ConfiguredModel) and self.model.flat and self.timestamp is None:
            return self.model.fields_at_once
        return None

    def read(self, payload: bytes, arrival: float) -> tuple[Fields, float]:
        """Fields and time of one payload.

        Raises:
            Unusable: the message is to be rejected.
        """
        document = self.parse(payload)
        epoch = arrival if self.timestamp is None else self.timestamp.read(document, arrival)
        if self.model is not None:
            fields = self.model.fields(document, payload)
        else:
            fields = flatten(document)
            if self.timestamp is not None:
                fields.pop(self.timestamp.field, None)  # it is what the others are values of
        if not fields and not self.may_be_empty:
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return fields, epoch

    def stream_of(self, field: str, pieces: Sequence[str]) -> str:
        """Name of a field's stream on a topic, from the stream's template as bound to that topic.

        Where the template has no place for the field it goes to the end, unless it is the only one there is.
        """
        if len(pieces) > 1:
            return (field or _SCALAR_FIELD).join(pieces)
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
        if (parsed := _parse_names(rule, loc, problems)) is not None:
            rules.append(_compile(rule, name, model, parsed))
    if problems:
        raise InvalidRules(problems)
    return tuple(rules)


def _compile(rule: RuleConfig, name: str, model: Model | None, names: _Names) -> CompiledRule:
    timestamp = None
    if rule.timestamp is not None:
        timestamp = Timestamp(
            field=rule.timestamp,
            path=tuple(rule.timestamp.split(".")),
            max_past=rule.max_past,
            max_future=rule.max_future,
            reject=rule.bad_timestamp is BadTimestamp.REJECT,
        )
    return CompiledRule(
        name=name,
        to=rule.to,
        goes_on=rule.continue_,
        filter=names.topic,
        bucket=names.bucket,
        stream=names.stream,
        parse=PARSERS[rule.format] if model is None else parse_json,
        timestamp=timestamp,
        model=model,
        unit=rule.unit,
    )


def _problems(rule: RuleConfig, destinations: Collection[str]) -> Iterator[tuple[Loc, str]]:
    if rule.format not in _WITH_FIELDS:
        for key, value in (("model", rule.model), ("timestamp", rule.timestamp)):
            if value is not None:
                yield (key,), f"needs a payload with fields, so `format: json` (got {rule.format})"
    if rule.timestamp is not None:
        try:
            parse_path(rule.timestamp)
        except ValueError as error:
            yield ("timestamp",), str(error)
    for index, name in enumerate(rule.to):
        if name not in destinations:
            yield ("to", index), _unknown("destination", name, destinations)
        elif name in rule.to[:index]:
            yield ("to", index), f"{name!r} stands here twice"


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
            templates.append(parse_template(text, known))
        except InvalidTemplate as error:
            problems.append(((*loc, key), str(error)))
    return _Names(topic, *templates) if len(templates) == 2 else None


class _Models:
    """The models of a configuration, and those that its rules import, each built once."""

    def __init__(self, config: Config, problems: list[tuple[Loc, str]]) -> None:
        self._models: dict[str, Model | None] = {}
        self._problems = problems
        for name, model in config.models.items():
            try:
                self._models[name] = configured_model(model)
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
