"""Which streams a rule watches: names with `*`, in time linear to the name whatever a device calls itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from mqttbridge.config.alert_conditions import Circle
from mqttbridge.config.alerts import AlertRuleConfig

StreamKey: TypeAlias = tuple[str, str]  # bucket, stream


class Part(StrEnum):
    """What a stream's values are to a rule."""

    VALUE = "value"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"


@dataclass(frozen=True, slots=True)
class Watcher:
    """One rule that a stream's points concern.

    Attributes:
        rule: the rule's id.
        subject: the stream whose state it is: of a pair, that of latitudes.
        part: what the points are to it.
    """

    rule: str
    subject: StreamKey
    part: Part


def stars_of(pattern: str, name: str) -> tuple[str, ...] | None:
    """What each `*` of the pattern stands for in the name; None where it does not match."""
    first, *rest = pattern.split("*")
    if not rest:
        return () if name == pattern else None
    *middle, last = rest
    end = len(name) - len(last)
    if not name.startswith(first) or not name.endswith(last) or end < len(first):
        return None
    stars, position = [], len(first)
    for part in middle:
        found = name.find(part, position, end)  # the leftmost will do: what is after it takes any text
        if found < 0:
            return None
        stars.append(name[position:found])
        position = found + len(part)
    return (*stars, name[position:end])


def filled(pattern: str, stars: Sequence[str]) -> str:
    """The pattern with its `*` replaced, in order."""
    first, *rest = pattern.split("*")
    return first + "".join(star + part for star, part in zip(stars, rest, strict=True))


def pair_of(rule: AlertRuleConfig, stream: str) -> str | None:
    """The stream of longitudes that goes with one of latitudes; None where positions are one text."""
    if not isinstance(rule.when, Circle) or rule.when.longitude is None:
        return None
    stars = stars_of(rule.stream, stream)
    return None if stars is None else filled(rule.when.longitude, stars)


def watchers_of(key: StreamKey, rules: Iterable[tuple[str, AlertRuleConfig]]) -> tuple[Watcher, ...]:
    """The rules, by id, that a stream's points concern."""
    bucket, stream = key
    found = []
    for name, rule in rules:
        if not rule.enabled or stars_of(rule.bucket, bucket) is None:
            continue
        if stars_of(rule.stream, stream) is not None:
            part = Part.LATITUDE if pair_of(rule, stream) is not None else Part.VALUE
            found.append(Watcher(name, key, part))
        elif isinstance(rule.when, Circle) and rule.when.longitude is not None:
            stars = stars_of(rule.when.longitude, stream)
            if stars is not None:
                found.append(Watcher(name, (bucket, filled(rule.stream, stars)), Part.LONGITUDE))
    return tuple(found)
