"""Why a message became what it became: the rule that took it, why others did not, and what came of it.

The verdict is never worked out a second time: rules and events come from the `Rulebook` itself, as for a live
message. What is added is the way there, and for a message that nobody takes, the rule that came nearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final

from mqttbridge.events import EventTuple, Rejected, Value
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.routes import Route
from mqttbridge.mapping.rules import Rulebook
from mqttbridge.mapping.topics import REST, SINGLE
from mqttbridge.mapping.unusable import Unusable

# A slip of the keyboard, against another word altogether.
_SIMILAR: Final = 0.6
# Levels of a rule that are told apart in words; more is not read.
_MAX_FAULTS: Final = 3
# Levels compared letter by letter; longer ones are no slips of anybody's keyboard.
_MAX_COMPARED_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule that does not take a topic.

    Attributes:
        why: in words, as in "level 3: wanted `climate`, got `Climate`". Levels are counted from 0.
        distance: how far off it is; a different level counts 1, one that is only misspelt 0.5.
        kindred: whether rule and topic have something in common, so that it is worth showing.
    """

    rule: str
    why: str
    distance: float
    kindred: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule made of the message.

    Attributes:
        captures: what the names in the topic filter stand for.
        bucket: its name; of several, all of them.
        fields: the payload as the format and the model have it; of several points, the last of each field, as stored.
            Empty when it was rejected.
        units: by field, where the rule or its model says one.
        epoch: the message's time, seconds; its arrival where the rule reads none.
        events: what goes to the spool; empty when it was rejected.
    """

    rule: str
    topic_filter: str
    captures: Mapping[str, str]
    bucket: str
    to: tuple[str, ...]
    fields: Mapping[str, Value]
    units: Mapping[str, str]
    epoch: float
    events: Sequence[EventTuple]
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one message.

    Attributes:
        outcomes: of the rules that took it, in their order; empty when none did.
        passed: the rules above the last that took it (all of them when none did) that do not match.
        not_asked: rules that match too, but stand below one that keeps what it takes.
        nearest: when none took it, the rule that came closest, if any came close.
        rejected: the message cannot be taken by whatever rule, since its topic makes no name.
    """

    topic: str
    outcomes: tuple[Outcome, ...]
    passed: tuple[Passed, ...]
    not_asked: tuple[str, ...] = ()
    nearest: Passed | None = None
    rejected: Rejected | None = None

    @property
    def verdict(self) -> str:
        """`mapped`, `rejected` (by at least one rule) or `unmatched`."""
        if self.rejected or any(outcome.rejected for outcome in self.outcomes):
            return "rejected"
        return "mapped" if self.outcomes else "unmatched"


def explain(book: Rulebook, topic: bytes, payload: bytes, arrival: float) -> Explanation:
    """Explain one message.

    Args:
        book: the rules.
        topic: as it came; any bytes.
        payload: as it came; any bytes.
        arrival: epoch seconds.
    """
    routes = book.routes(topic)
    text = topic.decode(errors="backslashreplace")
    levels = text.split("/")
    if isinstance(routes, Rejected):
        return Explanation(text, (), (), rejected=routes)
    taken = {route.rule for route in routes}
    last = _place_of_last(book, taken)
    passed = [_passed(rule, levels) for rule in book.rules[:last] if rule.name not in taken]
    not_asked = [rule.name for rule in book.rules[last:] if difference(rule.filter.levels, levels) is None]
    return Explanation(
        text,
        tuple(_outcome(route, levels, payload, arrival) for route in routes),
        tuple(passed),
        tuple(not_asked),
        nearest=None if taken else _nearest(passed),
    )


def nearest_rule(book: Rulebook, topic: str) -> Passed | None:
    """The rule that comes closest to a topic that none takes; None when nothing is close."""
    levels = topic.split("/")
    return _nearest([_passed(rule, levels) for rule in book.rules])


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON values: `mqttbridge explain --json` and `/api/v1/explain` answer it."""
    return {
        "topic": explanation.topic,
        "verdict": explanation.verdict,
        "rules": [
            {
                "rule": outcome.rule,
                "topic": outcome.topic_filter,
                "captures": dict(outcome.captures),
                "bucket": outcome.bucket,
                "to": list(outcome.to),
                "fields": dict(outcome.fields),
                "units": dict(outcome.units),
                "epoch": outcome.epoch,
                "events": [
                    {"bucket": bucket, "stream": stream, "value": value, "epoch": epoch}
                    for bucket, stream, value, epoch in outcome.events
                ],
                "rejected": _why(outcome.rejected),
            }
            for outcome in explanation.outcomes
        ],
        "passed": [{"rule": one.rule, "why": one.why} for one in explanation.passed],
        "not_asked": list(explanation.not_asked),
        "nearest": {"rule": one.rule, "why": one.why} if (one := explanation.nearest) else None,
        "rejected": _why(explanation.rejected),
    }


def difference(wanted: Sequence[str], got: Sequence[str]) -> Passed | None:
    """How the levels of a filter and of a topic differ (without a rule's name); None when they match."""
    faults: list[str] = []
    distance = 0.0
    kindred = all(level in (SINGLE, REST) for level in wanted)
    if wanted[0] in (SINGLE, REST) and got[0].startswith("$"):
        faults.append("a wildcard at the first level takes no topic that starts with `$`")
        distance += 1
    for index, level in enumerate(wanted):
        if level == REST:
            break
        if index >= len(got):
            if wanted[index:] != (REST,):
                faults.append(f"level {index}: wanted `{_level(level)}`, but the topic ends before it")
                distance += len(wanted) - index
            break
        if level == SINGLE:
            continue
        slip = level != got[index] and _similar(level, got[index])
        kindred |= slip or level == got[index]
        if level != got[index]:
            faults.append(f"level {index}: wanted `{level}`, got `{got[index]}`")
            distance += 0.5 if slip else 1
    if wanted[-1] != REST and len(got) > len(wanted):
        faults.append(f"the topic has {len(got)} levels, the rule {len(wanted)}")
        distance += len(got) - len(wanted)
    if not faults:
        return None
    told = faults[:_MAX_FAULTS] + (["..."] if len(faults) > _MAX_FAULTS else [])
    return Passed("", "; ".join(told), distance, kindred)


def _place_of_last(book: Rulebook, taken: set[str]) -> int:
    """How many rules there are up to the last that took it; all when none did, or one that devices announced."""
    places = [place for place, rule in enumerate(book.rules, 1) if rule.name in taken]
    return places[-1] if places and len(places) == len(taken) else len(book.rules)


def _outcome(route: Route, levels: Sequence[str], payload: bytes, arrival: float) -> Outcome:
    rule = route.compiled
    result = route.apply(payload, arrival)
    rejected, events = (result, []) if isinstance(result, Rejected) else (None, result)
    fields: Mapping[str, Value] = {}
    epoch = arrival
    if rejected is None:
        try:
            fields, epoch = _read(rule, payload, arrival) if rule.series is None else _made(route, events, arrival)
        except Unusable:  # no message is read in two ways, but a user's own model may do anything
            fields = {}
    return Outcome(
        rule=rule.name,
        topic_filter=rule.filter.subscription,
        captures=rule.filter.capture(levels),
        bucket=route.bucket or ", ".join(dict.fromkeys(bucket for bucket, *_ in events)),
        to=route.to,
        fields=fields,
        units={field: unit for field in fields if (unit := rule.unit_of(field))},
        epoch=epoch,
        events=events,
        rejected=rejected,
    )


def _read(rule: CompiledRule, payload: bytes, arrival: float) -> tuple[Mapping[str, Value], float]:
    """Fields and time; of points at several times, the fields of all and the time of the last."""
    if not rule.has_points:
        return rule.read(payload, arrival)
    fields: dict[str, Value] = {}
    epoch = arrival
    for some, epoch in rule.read_points(payload, arrival):  # noqa: B007  # the last one stays
        fields |= some
    return fields, epoch


def _made(route: Route, events: Sequence[EventTuple], arrival: float) -> tuple[Mapping[str, Value], float]:
    """The same of a format of points, by what was made of them: it is not read twice, since it may remember."""
    names = route.fields_by_stream()
    fields = {name: value for bucket, stream, value, _ in events if (name := names.get((bucket, stream))) is not None}
    return fields, events[-1][3] if events else arrival


def _passed(rule: CompiledRule, levels: Sequence[str]) -> Passed:
    found = difference(rule.filter.levels, levels)
    if found is None:  # its levels match, so it is a pattern of its captures that does not
        return Passed(rule.name, "a capture's pattern does not match", 0.5, kindred=True)
    return Passed(rule.name, found.why, found.distance, found.kindred)


def _nearest(passed: Sequence[Passed]) -> Passed | None:
    return min((one for one in passed if one.kindred), key=lambda one: one.distance, default=None)


@lru_cache(maxsize=1024)  # ten thousand rules have a few words
def _similar(wanted: str, got: str) -> bool:
    if max(len(wanted), len(got)) > _MAX_COMPARED_CHARS:
        return False
    if wanted.casefold() == got.casefold():
        return True
    matcher = SequenceMatcher(None, wanted, got)
    return matcher.quick_ratio() > _SIMILAR and matcher.ratio() > _SIMILAR


def _level(level: str) -> str:
    return "any level" if level == SINGLE else level


def _why(rejected: Rejected | None) -> dict[str, str] | None:
    return {"reason": str(rejected.reason), "detail": rejected.detail} if rejected else None
