"""The `values` and `derive` of the configuration become `Values`, or a list of everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import translate
from typing import Final, TypeAlias

from mqttbridge.config.models import FieldConfig, FieldType, ModelConfig
from mqttbridge.config.rules import Extra, RuleConfig
from mqttbridge.config.values import Counter, DerivedConfig, ValueConfig
from mqttbridge.events import Value
from mqttbridge.mapping.counters import CounterRule
from mqttbridge.mapping.expressions import InvalidExpression, parse_expression, unknown_name
from mqttbridge.mapping.fieldtypes import type_of
from mqttbridge.mapping.flatten import storable
from mqttbridge.mapping.harvest import FieldName
from mqttbridge.mapping.model_fields import ModelFields
from mqttbridge.mapping.units import InvalidUnit, conversion
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.values import Derived, FieldValue, Labels, Step, Values, rounded, scaled

# Where, below the section at hand, and what is wrong there.
Problem: TypeAlias = tuple[tuple[str, ...], str]

_ARITHMETIC: Final = ("counter", "scale", "offset", "to", "round")
_KEYS: Final = frozenset(ValueConfig.model_fields) - {"unit"}
_PER: Final = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d"}
_NUMBERS: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
# Fields whose pattern was looked up are remembered, up to so many: their names come from the network.
_MAX_REMEMBERED: Final = 10_000


def model_problems(model: ModelConfig) -> Iterator[Problem]:
    """What is wrong with what a model makes of its fields' values; models that it names tell their own."""
    for name, field in model.items():
        said = sorted(_KEYS & field.model_fields_set)
        if type_of(field) is FieldType.OBJECT:
            yield from (((name, key), "is for a value, so for the fields of this object") for key in said)
        elif not field.store:
            yield from (((name, key), "has no use: the field makes no events (store: false)") for key in said)
        else:
            yield from (((name, *path), what) for path, what in _problems(field))
        yield from (((name, "fields", *path), what) for path, what in model_problems(field.fields or {}))


def compile_values(rule: RuleConfig, model: ModelFields | None) -> tuple[Values | None, list[Problem]]:
    """What a rule makes of its fields, None when nothing, and what is wrong with the rule's part in it.

    Args:
        rule: of the configuration.
        model: the fields of the rule's model where the configuration describes it.
    """
    problems: list[Problem] = []
    known = model.stored if model is not None else ()
    takes_any = model is None or rule.extra is Extra.STREAMS
    wanted: dict[str, ValueConfig] = {field.key: field.config for field in known if _says_more(field.config)}
    said: set[str] = set()
    named: dict[str, ValueConfig] = {}
    patterns: dict[str, ValueConfig] = {}
    # As for fields that no model names: names count before patterns, and of these the first.
    for name, config in sorted(rule.values.items(), key=lambda entry: _is_pattern(entry[0])):
        meant = [field for field in known if _is_meant(field.name, name)]
        merged = {field.key: _merged(field.config, config) for field in meant if field.key not in said}
        checked = [*merged.values()]
        if _is_pattern(name):
            patterns[name] = config
            if takes_any or not meant:
                checked.append(config)
        elif not meant and not takes_any:
            problems.append((("values", name), _unknown(name, model)))
            continue
        elif not meant:
            named[name] = config
            checked.append(config)
        found = [problem for each in checked for problem in _problems(each)]
        problems += [(("values", name, *path), what) for path, what in dict.fromkeys(found)]
        wanted |= merged
        said |= merged.keys()
    derived = tuple(_derived(rule.derive, model, problems, takes_any=takes_any))
    if problems or not (wanted or named or patterns or derived):
        return None, problems
    try:
        ways = {key: _field_value(config) for key, config in wanted.items()}
        beside = {name: _field_value(config) for name, config in named.items()}
        pattern = _lookup(patterns) if patterns and takes_any else None
    except (InvalidUnit, Unusable):  # of the model: told where the model stands
        return None, problems
    if model is None or model.names_are_keys:
        return Values(ways | beside, pattern, derived), problems
    return Values({}, _by_key(ways, beside, pattern), derived), problems


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


def _is_meant(field: str, name: str) -> bool:
    return re.fullmatch(translate(name), field) is not None if _is_pattern(name) else field == name


def _unknown(name: str, model: ModelFields | None, derived: Collection[str] = ()) -> str:
    """What to say of a name that none of the fields has."""
    if model is not None and name in model.checked:
        return f"{name!r} is only checked (store: false)"
    stored = (field.name for field in model.stored) if model is not None else ()
    return unknown_name(name, list(dict.fromkeys((*stored, *derived))))


def _says_more(field: FieldConfig) -> bool:
    return bool(field.map) or any(getattr(field, key) is not None for key in _ARITHMETIC)


def _merged(field: FieldConfig, config: ValueConfig) -> ValueConfig:
    """What the rule says of a field, and what its model says of it beside that."""
    said = {key: getattr(config, key) for key in config.model_fields_set}
    return field.model_copy(update=said)


_WayOf: TypeAlias = Callable[[str], FieldValue | None]


def _lookup(patterns: Mapping[str, ValueConfig]) -> _WayOf:
    """The way of a field by the first pattern that matches its name."""
    ways = [(re.compile(translate(pattern)), _field_value(config)) for pattern, config in patterns.items()]
    remembered: dict[str, FieldValue | None] = {}

    def way_of(name: str) -> FieldValue | None:
        try:
            return remembered[name]
        except KeyError:
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            way = remembered[name] = next((way for pattern, way in ways if pattern.fullmatch(name)), None)
            return way

    return way_of


def _by_key(ways: Mapping[str, FieldValue], beside: Mapping[str, FieldValue], pattern: _WayOf | None) -> _WayOf:
    """The way of a field by which of the model's it is, whatever its name; of what the model does not name, by name."""

    def way_of(name: str) -> FieldValue | None:
        if isinstance(name, FieldName):
            return ways.get(name.key)
        way = beside.get(name)
        return pattern(name) if way is None and pattern is not None else way

    return way_of


# --- one field


def _problems(config: ValueConfig) -> Iterator[Problem]:
    if isinstance(config, FieldConfig) and not config.map and not _is_number(config):
        for key in _ARITHMETIC:
            if getattr(config, key) is not None:
                yield (key,), f"needs a number, and the type is {config.type}; a `map` makes numbers of it"
    results = [*config.map.items(), *((("otherwise", config.otherwise),) if config.otherwise is not None else ())]
    for word, result in results:
        where = ("otherwise",) if word == "otherwise" and word not in config.map else ("map", word)
        try:
            storable(result, word)
        except Unusable as unusable:
            yield where, unusable.detail
        if isinstance(result, (str, bool)) and any(getattr(config, key) is not None for key in _ARITHMETIC):
            yield where, f"is no number, as {' and '.join(_arithmetic_of(config))} would need"
    if config.otherwise is not None and not config.map:
        yield ("otherwise",), "needs a `map`"
    yield from _counter_problems(config)
    if config.to is not None:
        if not config.unit:
            yield ("to",), "needs `unit`, the one that the device sends"
        else:
            try:
                conversion(config.unit, config.to)
            except InvalidUnit as invalid:
                yield ("to",), str(invalid)


def _is_number(field: FieldConfig) -> bool:
    if field.type is FieldType.ENUM:
        return all(type(choice) in (int, float) for choice in field.choices or ())
    return field.type in (FieldType.FLOAT, FieldType.INT)


def _arithmetic_of(config: ValueConfig) -> list[str]:
    return [key for key in _ARITHMETIC if getattr(config, key) is not None]


def _counter_problems(config: ValueConfig) -> Iterator[Problem]:
    if config.counter is None:
        if config.wraps_at is not None:
            yield ("wraps_at",), "needs `counter: delta` or `counter: rate`"
    elif config.offset is not None:
        yield ("offset",), "has no use with a counter: the growth of a total is the same with it"
    if "per" in config.model_fields_set and config.counter is not Counter.RATE:
        yield ("per",), "needs `counter: rate`"


def _field_value(config: ValueConfig) -> FieldValue:
    steps: list[Step] = []
    counter = None
    unit = config.to or config.unit
    if config.counter is not None:
        rate = config.counter is Counter.RATE
        counter = CounterRule(config.per if rate else None, config.wraps_at)
        if rate and unit:
            unit += "/" + _PER.get(config.per, f"{config.per:g}s")
    if config.scale is not None or config.offset is not None:
        steps.append(scaled(1.0 if config.scale is None else config.scale, config.offset or 0.0))
    if config.to is not None:
        steps.append(conversion(config.unit, config.to, difference=counter is not None))
    if config.round is not None:
        steps.append(rounded(config.round))
    return FieldValue(_labels(config), counter, tuple(steps), unit)


def _labels(config: ValueConfig) -> Labels | None:
    if not config.map:
        return None
    booleans: dict[bool, Value] = {}
    numbers: dict[float, Value] = {}
    for word, result in config.map.items():
        if word.lower() in ("true", "false"):
            booleans[word.lower() == "true"] = result
        elif _NUMBERS.fullmatch(word):
            numbers[float(word) if "." in word else int(word)] = result
    return Labels(config.map, booleans, numbers, config.otherwise)


# --- derived fields


def _derived(
    configs: Mapping[str, DerivedConfig], model: ModelFields | None, problems: list[Problem], *, takes_any: bool
) -> Iterator[Derived]:
    # The names of items come from the payload, or have an index in them: they cannot be checked.
    takes_any |= model is not None and model.has_items
    known = {field.name for field in model.stored if not field.is_item} if model is not None else set()
    for name, config in configs.items():
        try:
            expression = parse_expression(config.expr)
        except InvalidExpression as invalid:
            problems.append((("derive", name), str(invalid)))
            known.add(name)
            continue
        if model is not None:
            wrong = [each for each in sorted(expression.names - known) if not takes_any or each in model.checked]
            problems += [(("derive", name), _unknown(each, model, sorted(known))) for each in wrong]
        if not name or not name.isprintable():
            problems.append((("derive",), "a field's name is printable and not empty"))
        known.add(name)
        yield Derived(name, expression, None if config.round is None else rounded(config.round), config.unit)
