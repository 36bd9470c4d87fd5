"""What is allowed and hardly meant: rules that shadow others, names that are never used, models that cannot fit.

Works on the configuration as it is written, whose texts a person can find again; `check` tells each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from mqttbridge.config.model import Config
from mqttbridge.config.models import FieldType, ModelConfig
from mqttbridge.config.rules import BUILT_IN_RULES, RuleConfig
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.compiling import Loc
from mqttbridge.mapping.families import name_of_use
from mqttbridge.mapping.linting_thinning import lint_thinning
from mqttbridge.mapping.rules import Rulebook
from mqttbridge.mapping.topics import REST, SINGLE, FilterTrie, TopicFilter, parse_filter

Warning_ = tuple[Loc, str]

# Pairs of filters that are compared: ten thousand take a moment, and nobody reads more.
_MAX_PAIRS: Final = 10_000
_MAX_OVERLAPS: Final = 5


def lint(config: Config, book: Rulebook) -> list[Warning_]:
    """Everything that is allowed and hardly meant, by place in the configuration, in its order."""
    if config.rules == BUILT_IN_RULES:
        return []
    found = [
        *book.warnings,
        *_same_events_twice(config),
        *_captures_never_used(config),
        *_models_never_used(config),
        *_fields_never_filled(config),
        *_destinations_never_used(config),
        *_never_heard(config),
        *_overlapping_subscriptions(config, book),
        *_families_never_reached(config, book),
        *lint_thinning(config),
    ]
    order = {section: place for place, section in enumerate(("mqtt", "destinations", "models", "use", "rules"))}
    return sorted(found, key=lambda one: (order.get(str(one[0][0]), 9), [str(part).zfill(6) for part in one[0]]))


def name_of(config: Config, index: int) -> str:
    """A rule's name as logs and metrics have it."""
    return config.rules[index].name or f"rule {index + 1}"


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether there is a topic that both filters (by levels) match."""
    for index in range(max(len(one), len(other))):
        mine = one[index] if index < len(one) else None
        theirs = other[index] if index < len(other) else None
        if REST in (mine, theirs):
            return True  # the levels before agree, and `a/#` also takes `a`
        if mine is None or theirs is None:
            rest = one[index:] or other[index:]
            return tuple(rest) == (REST,)
        if mine != theirs and SINGLE not in (mine, theirs):
            return False
    return True


def _same_events_twice(config: Config) -> Iterator[Warning_]:
    """With `continue`, two rules that name alike store each value twice."""
    seen: dict[tuple[object, ...], int] = {}
    for index, rule in enumerate(config.rules):
        levels = parse_filter(rule.topic).levels
        key = (levels, _positional(rule), rule.to, rule.model, rule.format, str((rule.csv, rule.layout)))
        first = seen.setdefault(key, index)
        if first != index and config.rules[first].continue_:
            yield (
                ("rules", index, "topic"),
                f"makes the same events as {name_of(config, first)!r}, which goes on to it: each value is stored twice",
            )


def _positional(rule: RuleConfig) -> tuple[str, str]:
    """Bucket and stream with captures by their place, so that other names for them make no difference."""
    names = {name: str(place) for place, name in enumerate(parse_filter(rule.topic).names)}
    renamed = [
        re.sub(r"\{(\w+)", lambda match: "{" + names.get(match[1], match[1]), text)
        for text in (rule.bucket, rule.stream)
    ]
    return renamed[0], renamed[1]


def _captures_never_used(config: Config) -> Iterator[Warning_]:
    for index, rule in enumerate(config.rules):
        for name in parse_filter(rule.topic).names:
            if not re.search(rf"\{{\s*{name}\b", rule.bucket + rule.stream):
                yield (
                    ("rules", index, "topic"),
                    (
                        f"{{{name}}} is never used: values of topics that differ there alone go to one stream "
                        f"(put {{{name}}} into bucket or stream, or write '+' for it)"
                    ),
                )


def _models_never_used(config: Config) -> Iterator[Warning_]:
    used = {rule.model for rule in config.rules}
    for model in config.models.values():
        used |= set(_types_within(model))
    for name in config.models:
        if name not in used:
            yield ("models", name), "no rule uses this model"


def _types_within(model: ModelConfig) -> Iterator[str]:
    """Types of a model's fields, of the models inside of it, and so on: other models among them, by name."""
    for field in model.values():
        yield field.type
        yield from (field.variants or {}).values()
        yield from _types_within(field.fields or {})


# What leaves room for nothing below it in a payload.
_VALUES: Final = frozenset(FieldType) - {FieldType.OBJECT}


def _fields_never_filled(config: Config) -> Iterator[Warning_]:
    """A payload cannot hold both a value and something below it."""
    for model, fields in config.models.items():
        places = {name: tuple((field.path or name).split(".")) for name, field in fields.items()}
        values = {place: name for name, place in places.items() if fields[name].type in _VALUES}
        for name, place in places.items():
            for end in range(1, len(place)):
                above = values.get(place[:end])
                if above is not None and fields[name].path is not None:
                    yield (
                        ("models", model, name),
                        (
                            f"can never be filled beside {above!r}: {'.'.join(place[:end])} cannot be a value and hold "
                            f"{'.'.join(place)} at once"
                        ),
                    )


def _destinations_never_used(config: Config) -> Iterator[Warning_]:
    to = [*(rule.to for rule in config.rules), *(use.to for use in config.use)]
    if not all(to):
        return
    used = {name for names in to for name in names}
    for name in config.destinations:
        if name not in used:
            pushed = ": it gets only what is pushed over HTTP" if config.http.enabled else ""
            yield ("destinations", name), f"no rule sends to it{pushed}"


def _never_heard(config: Config) -> Iterator[Warning_]:
    if config.mqtt is None:
        if config.sources:
            return
        place = "rules" if config.rules else "use"
        yield (place,), "no message ever comes to these rules: `mqtt: null` means that no broker is listened to"
        return
    own = config.mqtt.availability_topic
    if own is None:
        return
    own = own.replace("{client_id}", config.mqtt.client_id)
    for index, rule in enumerate(config.rules):
        if "/".join(parse_filter(rule.topic).levels) == own:
            yield ("rules", index, "topic"), "takes the bridge's own availability alone, which is not data"


def _overlapping_subscriptions(config: Config, book: Rulebook) -> Iterator[Warning_]:
    """Filters that another covers are left out of the subscription; of two that only overlap, both are needed."""
    first_of: dict[str, int] = {}
    for index, rule in enumerate(config.rules):
        first_of.setdefault("/".join(parse_filter(rule.topic).levels), index)
    told = 0
    own = [each for each in book.filters if each in first_of]
    # Families are as their devices are, and most begin with a wildcard: only those of a place of their own count.
    theirs = [each for each in book.filters if each not in first_of and each.split("/")[0] not in (SINGLE, REST)]
    for one in own[:_MAX_OVERLAPS] if config.use else ():
        other = next((each for each in theirs[:_MAX_PAIRS] if overlap(one.split("/"), each.split("/"))), None)
        if other is not None:
            yield (
                ("rules", first_of[one], "topic"),
                (
                    f"overlaps with what a family of `use` subscribes to ({other}): some brokers deliver "
                    "a message that both subscriptions match twice"
                ),
            )
    for pair, (one, other) in enumerate(combinations(own, 2)):
        if pair >= _MAX_PAIRS or told >= _MAX_OVERLAPS:
            return
        if overlap(one.split("/"), other.split("/")):
            told += 1
            yield (
                ("rules", first_of[other], "topic"),
                (
                    f"overlaps with {name_of(config, first_of[one])!r} ({one}): some brokers deliver "
                    "a message that both subscriptions match twice"
                ),
            )


def _families_never_reached(config: Config, book: Rulebook) -> Iterator[Warning_]:
    """A family whose every topic is taken by the rules, which go first."""
    own = book.rules[: len(config.rules)]
    trie = FilterTrie(rule.filter.levels for rule in own)
    for index, use in enumerate(config.use):
        of_use = [rule for rule in book.rules[len(own) :] if rule.name.startswith(f"{name_of_use(use)}: ")]
        takers = [_taker(own, trie, rule.filter) for rule in of_use]
        if takers and all(takers):
            names = ", ".join(repr(name) for name in dict.fromkeys(takers))
            yield (("use", index), f"is never reached: the rules before it take each of its topics ({names})")


def _taker(own: Sequence[CompiledRule], trie: FilterTrie, filter_: TopicFilter) -> str:
    """Name of the rule that takes every topic of a filter; empty where none does."""
    places = trie.matching(filter_.levels)
    return next((own[n].name for n in places if not own[n].goes_on and own[n].filter.covers(filter_)), "")
