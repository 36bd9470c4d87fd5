"""Thinning that is hardly meant: what can never pass, never holds anything back, or is never asked.

Whether an entry of `thin` is a field's is told by the field's stream with a word in the place of each capture: an entry
that is for some devices alone is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from mqttbridge.config.model import Config
from mqttbridge.config.models import FieldConfig, FieldType
from mqttbridge.config.rules import RuleConfig
from mqttbridge.config.thinning import Keep, ThinConfig
from mqttbridge.mapping.compiling import Loc
from mqttbridge.mapping.templates import FIELD

Warning_: TypeAlias = tuple[Loc, str]

_SLOT: Final = re.compile(r"\{[^{}]*\}")
_ANY: Final = "x"


def lint_thinning(config: Config) -> Iterator[Warning_]:
    """What is hardly meant in any `thin` of the configuration."""
    for index, rule in enumerate(config.rules):
        yield from _of_section(("rules", index), rule.thin)
        if rule.model in config.models:
            yield from _never_passing(("rules", index), rule, config.models[rule.model])
    for index, use in enumerate(config.use):
        yield from _of_section(("use", index), use.thin)
    for name, destination in config.destinations.items():
        yield from _of_section(("destinations", name), getattr(destination, "thin", ()))


def _of_section(loc: Loc, entries: Sequence[ThinConfig]) -> Iterator[Warning_]:
    for place, entry in enumerate(entries):
        before = next((one.streams for one in entries[:place] if one.streams in {"*", entry.streams}), None)
        if before is not None:
            yield (*loc, "thin", place, "streams"), f"is never asked: {before!r} before it takes each of its streams"
        elif entry.at_least_every is not None and (held := _held(entry)) and entry.at_least_every <= held[1]:
            what, seconds = held
            by_value = "changed" if entry.changed else "deadband"
            yield (
                (*loc, "thin", place, "at_least_every"),
                (
                    f"leaves nothing to {by_value}: {what} lets an event pass each {seconds:g} s at most, and after "
                    f"{entry.at_least_every:g} s one passes whatever its value"
                ),
            )


def _held(entry: ThinConfig) -> tuple[str, float] | None:
    """How far apart events are anyway, and what sees to it."""
    if entry.sample is not None:
        return "sample", entry.sample.every
    if entry.throttle is not None:
        return f"throttle ({Keep(entry.throttle.keep)})", entry.throttle.every
    return None


def _never_passing(loc: Loc, rule: RuleConfig, model: dict[str, FieldConfig]) -> Iterator[Warning_]:
    for name, field in model.items():
        span = _span(field)
        if span is None or rule.values or not field.store:
            continue
        stream = _example(rule.stream, name)
        place = next((place for place, entry in enumerate(rule.thin) if fnmatchcase(stream, entry.streams)), None)
        if place is None or (entry := rule.thin[place]).at_least_every is not None:
            continue
        least, most = span
        band, fraction = entry.band
        needed = band or fraction * (min(abs(least), abs(most)) if least * most > 0 else 0.0)
        if entry.by_value and least == most:
            yield (*loc, "thin", place), f"passes one event of {name!r} and no other: it is {least:g} always"
        elif entry.deadband is not None and needed and needed >= most - least:
            yield (
                (*loc, "thin", place, "deadband"),
                (
                    f"passes one event of {name!r} and no other: its values are between {least:g} and {most:g}, "
                    f"which differ by no more than {needed:g}"
                ),
            )


def _span(field: FieldConfig) -> tuple[float, float] | None:
    """The least and the most that a number can be; None where nothing says it, or something is made of it."""
    changed = field.scale is not None or field.offset is not None or field.to or field.map or field.counter
    if changed or field.type not in {FieldType.FLOAT, FieldType.INT, FieldType.ENUM}:
        return None
    if field.choices is not None:
        numbers = [choice for choice in field.choices if isinstance(choice, int | float) and choice is not True]
        return (min(numbers), max(numbers)) if len(numbers) == len(field.choices) else None
    least = next((bound for bound in (field.ge, field.gt) if bound is not None), None)
    most = next((bound for bound in (field.le, field.lt) if bound is not None), None)
    return None if least is None or most is None or least > most else (least, most)


def _example(template: str, name: str) -> str:
    """The name of a field's stream, on some topic."""
    stream = _SLOT.sub(lambda slot: name if slot[0].strip("{} ").split("|")[0] == FIELD else _ANY, template)
    return stream if f"{{{FIELD}" in template else f"{stream}.{name}"
