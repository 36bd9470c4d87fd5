"""Rules of the configuration become compiled rules, or a list of everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple, TypeAlias

from mqttbridge.config.formats import Compression
from mqttbridge.config.model import BadTimestamp, Config, PayloadFormat, RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten
from mqttbridge.mapping.formats import DocumentFormat, Format, InvalidFormat, PointsFormat, format_of
from mqttbridge.mapping.formats.base import Names, Parser, no_points
from mqttbridge.mapping.formats.compression import unpacking
from mqttbridge.mapping.imported import ImportedModel, imported_model
from mqttbridge.mapping.models import InvalidModel, Model, configured_model
from mqttbridge.mapping.payload import parse_json
from mqttbridge.mapping.points import Points, as_it_is, points_of
from mqttbridge.mapping.templates import FIELD, InvalidTemplate, Template, parse_template
from mqttbridge.mapping.timestamps import Timestamp, parse_path
from mqttbridge.mapping.topics import InvalidFilter, TopicFilter, parse_filter
from mqttbridge.mapping.unusable import Unusable

Loc: TypeAlias = tuple[str | int, ...]

# Formats whose payload is the JSON text that a model of the user's own may read itself.
_JSON_TEXT: Final = frozenset({PayloadFormat.JSON, PayloadFormat.AUTO})

# The keys of a rule that belong to some formats only.
_KEYS_OF_FORMATS: Final = {
    "boolean": {PayloadFormat.BOOLEAN},
    "csv": {PayloadFormat.CSV},
    "influx": {PayloadFormat.INFLUX},
    "layout": {PayloadFormat.HEX, PayloadFormat.STRUCT},
}

# `{field}` of a payload that is one bare value.
_SCALAR_FIELD: Final = "value"


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
    # How a message comes apart into several; then `parse` gets each one's document.
    points: Points | None = None

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
        if not fields:
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
        try:
            format_ = format_of(rule)
        except InvalidFormat as error:
            problems.append(((*loc, *error.path), str(error)))
            format_ = _UNUSABLE_FORMAT
        problems += [((*loc, *where), what) for where, what in _misfits(rule, format_)]
        if (parsed := _parse_names(rule, format_, loc, problems)) is not None:
            rules.append(_compile(rule, name, format_, model, parsed))
    if problems:
        raise InvalidRules(problems)
    return tuple(rules)


def _compile(rule: RuleConfig, name: str, format_: Format, model: Model | None, names: _Names) -> CompiledRule:
    clock = Timestamp(
        field=rule.timestamp or "timestamp",
        path=tuple((rule.timestamp or "").split(".")),
        max_past=rule.max_past,
        max_future=rule.max_future,
        reject=rule.bad_timestamp is BadTimestamp.REJECT,
    )
    points = None
    if isinstance(format_, PointsFormat):
        points = points_of(format_, rule.compression, (names.bucket, names.stream), clock)
    if isinstance(model, ImportedModel) and (rule.format not in _JSON_TEXT or rule.compression is not Compression.NONE):
        model = model.of_documents()
    return CompiledRule(
        name=name,
        to=rule.to,
        goes_on=rule.continue_,
        filter=names.topic,
        bucket=names.bucket,
        stream=names.stream,
        parse=_parser(rule, format_),
        timestamp=clock if rule.timestamp is not None else None,
        model=model,
        unit=rule.unit,
        points=points,
    )


def _parser(rule: RuleConfig, format_: Format) -> Parser:
    if not isinstance(format_, DocumentFormat):
        return as_it_is
    # What a model is there to check has fields, so a text that `auto` would take is a broken payload.
    as_json = rule.format is PayloadFormat.AUTO and rule.model is not None
    return unpacking(parse_json if as_json else format_.parse, rule.compression)


def _misfits(rule: RuleConfig, format_: Format) -> Iterator[tuple[Loc, str]]:
    """Keys of the rule that its format has no use for."""
    own_time = isinstance(format_, PointsFormat) and format_.own_time
    if rule.model is not None and not format_.has_fields:
        yield ("model",), f"needs a payload with fields, so `format: json` (got {rule.format})"
    if rule.timestamp is not None and own_time:
        yield ("timestamp",), f"format {rule.format} has times of its own: leave this out"
    elif rule.timestamp is not None and not format_.has_fields:
        yield ("timestamp",), f"needs a payload with fields, so `format: json` (got {rule.format})"
    for key, formats in _KEYS_OF_FORMATS.items():
        if key in rule.model_fields_set and getattr(rule, key) is not None and rule.format not in formats:
            yield (key,), f"is for format {' and '.join(sorted(formats))} (got {rule.format})"


def _problems(rule: RuleConfig, destinations: Collection[str]) -> Iterator[tuple[Loc, str]]:
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


def _parse_names(rule: RuleConfig, format_: Format, loc: Loc, problems: list[tuple[Loc, str]]) -> _Names | None:
    try:
        topic = parse_filter(rule.topic)
    except InvalidFilter as error:
        problems.append(((*loc, "topic"), str(error)))
        return None  # what the templates may name is not known
    templates: list[Template] = []
    given = format_.names if isinstance(format_, PointsFormat) else Names()
    for key, text, known in (
        ("bucket", rule.bucket, given.with_(topic.names)),
        ("stream", rule.stream, given.with_((*topic.names, FIELD))),
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
