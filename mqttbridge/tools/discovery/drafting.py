"""A group of topics becomes a rule, and its payloads' fields a model: types, units, bounds, what may be missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mqttbridge.config.models import FieldType
from mqttbridge.config.rules import PayloadFormat
from mqttbridge.mapping.flatten import SCALAR
from mqttbridge.tools.discovery.grouping import Group, wildcards
from mqttbridge.tools.discovery.hearing import BOOLEAN, NUMBER, OBJECT, TEXT, FieldHeard, TopicHeard
from mqttbridge.tools.discovery.quantities import quantity_of

# A model of more is no help to a reader; without one every field is taken as it comes.
_MAX_MODEL_FIELDS: Final = 80
_CLOCKS: Final = ("ts", "time", "timestamp", "epoch", "measured_at", "at", "datetime", "date", "last_seen")
# Buckets are dashboards: this many can be chosen from.
_MAX_BUCKETS: Final = 50
_MAX_NAMED_LEVELS: Final = 12


@dataclass(slots=True)
class FieldDraft:
    """One field of a model. `note` is a comment for people."""

    name: str
    type: FieldType
    unit: str = ""
    ge: float | None = None
    le: float | None = None
    optional: bool = False
    note: str = ""


@dataclass(slots=True)
class RuleDraft:
    """One rule, with what a comment says of it. Without `fields` it has no model."""

    name: str
    topic: str
    format: PayloadFormat
    bucket: str
    stream: str
    members: Sequence[TopicHeard]
    unit: str = ""
    timestamp: str = ""
    fields: list[FieldDraft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return sum(topic.messages for topic in self.members)

    def give_way(self, why: str) -> None:
        """Take whatever comes: the model or format did not fit what was heard."""
        self.fields, self.timestamp, self.format = [], "", PayloadFormat.AUTO
        self.notes.append(why)

    def leave(self, others: Sequence[TopicHeard]) -> None:
        """Take none of these topics: a capture is only what was heard there, or a comment says what it takes."""
        levels = self.topic.split("/")
        for place, level in enumerate(levels):
            own = sorted({topic.levels[place] for topic in self.members if place < len(topic.levels)})
            theirs = {topic.levels[place] for topic in others if place < len(topic.levels)}
            if level.startswith("{") and len(own) <= _MAX_NAMED_LEVELS and theirs.isdisjoint(own):
                levels[place] = f"{{{level[1:-1].partition(':')[0]}:{'|'.join(map(re.escape, own))}}}"
                self.topic = "/".join(levels)
                self.notes.append(f"only what was heard at level {place}: {others[0].topic!r} is of a device family")
                return
        self.notes.append(f"takes {others[0].topic!r} from its device family, and {len(others) - 1} more")


def draft(group: Group) -> RuleDraft:
    """The rule of a group."""
    kinds = {kind for topic in group.members for kind in topic.kinds}
    bucket, stream = _names(group, scalar=OBJECT not in kinds)
    rule = RuleDraft(_title(group), group.topic, _format(kinds), bucket, stream, group.members)
    fields = _merged(group.members)
    if rule.format is PayloadFormat.JSON:
        _draft_model(rule, fields)
    elif rule.format is PayloadFormat.NUMBER:
        heard = fields[SCALAR]
        units = (quantity_of(level, heard.least, heard.most).unit for level in reversed(group.topic.split("/")))
        rule.unit = next(filter(None, units), "")
    elif len(kinds) > 1:
        rule.notes.append("payloads of several kinds: whatever comes is taken")
    return rule


def _format(kinds: set[str]) -> PayloadFormat:
    match sorted(kinds):
        case [single] if single == OBJECT:
            return PayloadFormat.JSON
        case [single] if single == NUMBER:
            return PayloadFormat.NUMBER
        case [single] if single == BOOLEAN:
            return PayloadFormat.BOOLEAN
        case [single] if single == TEXT:
            return PayloadFormat.TEXT
        case [first, second] if (first, second) == (BOOLEAN, TEXT):
            return PayloadFormat.TEXT
        case _:
            return PayloadFormat.AUTO


def _names(group: Group, *, scalar: bool) -> tuple[str, str]:
    """Templates of bucket and stream: every capture is in one of them, so no two topics share a stream."""
    names = list(group.filter.names)
    words = [level for level in group.topic.split("/") if level and not level.startswith("{")]
    bucket = _word(words[0]) if words else ""
    if names and (len(names) > 1 or not bucket):
        values = {next(iter(group.filter.capture(topic.levels).items())) for topic in group.members}
        if len(values) <= _MAX_BUCKETS or not bucket:
            bucket = f"{{{names.pop(0)}}}"
    parts = [f"{{{name}}}" for name in names]
    tail = [_word(word) for word in (words if group.topic.startswith("{") else words[1:])]
    if scalar or not parts:
        parts += tail or ([] if parts else ["value"])
    if not scalar:
        parts.append("{field}")
    return bucket, ".".join(parts)


def _word(level: str) -> str:
    return level.replace("{", "{{").replace("}", "}}")


def _title(group: Group) -> str:
    words = [level for level in group.topic.split("/") if level and not level.startswith("{")]
    return " ".join(words[1:] or words) or "everything"


def _merged(members: Sequence[TopicHeard]) -> dict[str, FieldHeard]:
    """The fields of all topics of a group, as if they were one's."""
    merged: dict[str, FieldHeard] = {}
    for topic in members:
        for name, heard in topic.fields.items():
            into = merged.setdefault(name, FieldHeard())
            into.least = min(into.least, heard.least) if into.count else heard.least
            into.most = max(into.most, heard.most) if into.count else heard.most
            into.kinds |= heard.kinds
            into.texts += [text for text in heard.texts if text not in into.texts]
            into.more_texts |= heard.more_texts
            into.count += heard.count
            into.times += heard.times
            into.in_step += heard.in_step
            into.offsets += heard.offsets
    return merged


def _draft_model(rule: RuleDraft, fields: dict[str, FieldHeard]) -> None:
    usable = sum(topic.usable for topic in rule.members)
    clock = _clock(fields, usable)
    if clock and len(fields) > 1:
        rule.timestamp = clock
    names = [name for name in fields if name != rule.timestamp]
    if len(names) > _MAX_MODEL_FIELDS:
        rule.notes.append(f"{len(names)} fields: without a model, all of them are taken")
        return
    for name in names:
        if not name.isprintable() or (drafted := _draft_field(name, fields[name], usable)) is None:
            rule.fields = []
            kinds = " and ".join(sorted(fields[name].kinds))
            rule.notes.append(f"{name!r} is {kinds}: without a model, whatever comes is taken")
            return
        rule.fields.append(drafted)


def _draft_field(name: str, heard: FieldHeard, usable: int) -> FieldDraft | None:
    optional = heard.count < usable
    if heard.kinds == {"bool"}:
        return FieldDraft(name, FieldType.BOOL, optional=optional)
    if heard.kinds == {"str"}:
        texts = ", ".join(repr(text) for text in heard.texts[:4])
        note = "" if heard.more_texts or not heard.texts else f"heard: {texts}"
        return FieldDraft(name, FieldType.STR, optional=optional, note=note)
    if not heard.kinds <= {"int", "float"}:
        return None
    known = quantity_of(name, heard.least, heard.most)
    # An integer now may be a fraction tomorrow; only what is counted stays whole.
    whole = heard.kinds == {"int"} and known.whole
    return FieldDraft(
        name,
        FieldType.INT if whole else FieldType.FLOAT,
        known.unit,
        known.least,
        known.most,
        optional,
        note="" if known.unit else f"heard: {heard.least:g} to {heard.most:g}",
    )


def _clock(fields: dict[str, FieldHeard], usable: int) -> str:
    """The field that says when, in every message: near the arrival, and with its zone unless it agrees with UTC."""
    for wanted in _CLOCKS:
        for name, heard in fields.items():
            always = name.lower() == wanted and heard.count == heard.times == usable
            if always and usable in (heard.offsets, heard.in_step):
                return name
    return ""


def tell_apart(rules: Sequence[RuleDraft]) -> None:
    """Where two rules would write to one stream, the words of their topics go into the streams' names."""
    owners: dict[tuple[str, str], RuleDraft] = {}
    clashing: list[RuleDraft] = []
    for rule in rules:
        for stream in _streams(rule):
            if owners.setdefault(stream, rule) is not rule:
                clashing += [rule, owners[stream]]
    for rule in {id(rule): rule for rule in clashing}.values():
        words = [_word(level) for level in rule.topic.split("/")[1:] if level and not level.startswith("{")]
        missing = [word for word in words if word not in rule.stream.split(".")]
        parts = rule.stream.split(".")
        place = len(parts) - (parts[-1] == "{field}")
        rule.stream = ".".join([*parts[:place], *missing, *parts[place:]])


def _streams(rule: RuleDraft) -> set[tuple[str, str]]:
    names = Group(rule.topic, []).filter
    found = set()
    for topic in rule.members:
        captured = names.capture(topic.levels)
        bucket, stream = rule.bucket, rule.stream
        for name, value in captured.items():
            bucket, stream = bucket.replace(f"{{{name}}}", value), stream.replace(f"{{{name}}}", value)
        names_ = [name or "value" for name in topic.fields if name != rule.timestamp]
        found |= {(bucket, stream.replace("{field}", name)) for name in names_}
    return found


def summary_of(rule: RuleDraft) -> str:
    """A comment: how much of it was heard."""
    count, messages = len(rule.members), rule.messages
    topics = f"{count:,} topics, as {rule.members[0].topic}" if count > 1 else "1 topic"
    if wildcards(rule.topic) == rule.members[0].topic:
        topics = "1 topic"
    return f"{topics}; {messages:,} message{'' if messages == 1 else 's'}"
