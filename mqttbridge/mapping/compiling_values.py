"""The `values` and `derive` of the configuration become `Values`, or a list of everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import translate
from typing import Final, TypeAlias

from mqttbridge.config.model import FieldConfig, FieldType, ModelConfig, RuleConfig
from mqttbridge.config.values import Counter, DerivedConfig, ValueConfig
from mqttbridge.events import Value
from mqttbridge.mapping.counters import CounterRule
from mqttbridge.mapping.expressions import InvalidExpression, parse_expression, unknown_name
from mqttbridge.mapping.flatten import storable
from mqttbridge.mapping.units import InvalidUnit, conversion
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.values import Derived, FieldValue, Labels, Step, Values, rounded, scaled

# Where, below the section at hand, and what is wrong there.
Problem: TypeAlias = tuple[tuple[str, ...], str]

_ARITHMETIC: Final = ("counter", "scale", "offset", "to", "round")
_PER: Final = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d"}
_NUMBERS: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
# Fields whose pattern was looked up are remembered, up to so many: their names come from the network.
_MAX_REMEMBERED: Final = 10_000


def model_problems(model: ModelConfig) -> Iterator[Problem]:
    """What is wrong with what a model makes of its fields' values."""
    for name, field in model.items():
        yield from (((name, *path), what) for path, what in _field_problems(field))


def compile_values(rule: RuleConfig, model: ModelConfig | None) -> tuple[Values | None, list[Problem]]:
    """What a rule makes of its fields, None when nothing, and what is wrong with the rule's part in it.

    Args:
        rule: of the configuration.
        model: the rule's model where the configuration describes it, so that its fields are known.
    """
    problems: list[Problem] = []
    known = model or {}
    wanted: dict[str, ValueConfig] = {name: field for name, field in known.items() if _says_more(field)}
    patterns: dict[str, ValueConfig] = {}
    for name, config in rule.values.items():
        if not _is_pattern(name):
            if model is not None and name not in model:
                problems.append((("values", name), unknown_name(name, model)))
                continue
            names = [name]
        else:
            names = [each for each in known if re.fullmatch(translate(name), each) and each not in rule.values]
            patterns[name] = config
        merged = {each: _merged(known.get(each), config) for each in names}
        found = [problem for each in (*merged.values(), *(() if merged else (config,))) for problem in _problems(each)]
        problems += [(("values", name, *path), what) for path, what in dict.fromkeys(found)]
        wanted |= merged
    derived = tuple(_derived(rule.derive, model, problems))
    if problems or not (wanted or patterns or derived):
        return None, problems
    try:
        fields = {name: _field_value(config) for name, config in wanted.items()}
        pattern = _lookup(patterns) if patterns and model is None else None
    except (InvalidUnit, Unusable):  # of the model: told where the model stands
        return None, problems
    return Values(fields, pattern, derived), problems


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


def _says_more(field: FieldConfig) -> bool:
    return bool(field.map) or any(getattr(field, key) is not None for key in _ARITHMETIC)


def _merged(field: FieldConfig | None, config: ValueConfig) -> ValueConfig:
    """What the rule says of a field, and what its model says of it beside that."""
    if field is None:
        return config
    said = {key: getattr(config, key) for key in config.model_fields_set}
    return field.model_copy(update=said)


def _lookup(patterns: Mapping[str, ValueConfig]) -> Callable[[str], FieldValue | None]:
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


# --- one field


def _field_problems(field: FieldConfig) -> Iterator[Problem]:
    yield from _problems(field)


def _problems(config: ValueConfig) -> Iterator[Problem]:
    if isinstance(config, FieldConfig) and config.type in (FieldType.STR, FieldType.BOOL) and not config.map:
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
    configs: Mapping[str, DerivedConfig], model: ModelConfig | None, problems: list[Problem]
) -> Iterator[Derived]:
    known = set(model or ())
    for name, config in configs.items():
        try:
            expression = parse_expression(config.expr)
        except InvalidExpression as invalid:
            problems.append((("derive", name), str(invalid)))
            known.add(name)
            continue
        if model is not None:
            unknown = sorted(expression.names - known)
            problems += [(("derive", name), unknown_name(each, sorted(known))) for each in unknown]
        if not name or not name.isprintable():
            problems.append((("derive",), "a field's name is printable and not empty"))
        known.add(name)
        yield Derived(name, expression, None if config.round is None else rounded(config.round), config.unit)
