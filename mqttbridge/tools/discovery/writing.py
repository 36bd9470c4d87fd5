"""The proposal as a YAML file that a person goes on with: every guess has its reason beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Final

from mqttbridge.tools.discovery.drafting import FieldDraft, RuleDraft, summary_of
from mqttbridge.tools.discovery.families import LeftOut, Recognized
from mqttbridge.tools.discovery.hearing import TopicHeard

_WIDTH: Final = 110
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ /.-][A-Za-z0-9_]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_SHOWN_LEFT_OUT: Final = 20


def write(
    broker: Mapping[str, str],
    families: Sequence[Recognized],
    rules: Sequence[RuleDraft],
    left_out: Mapping[LeftOut, Sequence[TopicHeard]],
    heard: str,
) -> str:
    """The file's text.

    Args:
        broker: keys of the `mqtt` section.
        families: in their order.
        rules: in their order, which are before those of the families.
        left_out: what no rule takes, and why.
        heard: a line that says what the proposal is made of.
    """
    return "\n".join(_lines(broker, families, rules, left_out, heard)) + "\n"


def _lines(
    broker: Mapping[str, str],
    families: Sequence[Recognized],
    rules: Sequence[RuleDraft],
    left_out: Mapping[LeftOut, Sequence[TopicHeard]],
    heard: str,
) -> Iterator[str]:
    yield "# Proposed by `mqttbridge discover`. Names, units and bounds are guesses from what was heard."
    yield f"# {_comment(heard)}"
    yield "#   mqttbridge check FILE           says what is wrong with it"
    yield "#   mqttbridge explain TOPIC PAYLOAD -c FILE    says what becomes of a message"
    yield "mqtt:"
    for key, value in broker.items():
        yield f"  {key}: {value if value.startswith('${') else scalar(value)}"
    if families:
        yield ""
        yield "use:                                # families of devices that are known, with names and units"
        for one in families:
            yield from _use(one)
    if rules:
        yield ""
        yield from _sections(rules, frozenset())
    if left_out:
        yield ""
        yield "# Left out:"
        yield from _left_out(left_out)


def _use(one: Recognized) -> Iterator[str]:
    topics = len(one.topics)
    told = f"{topics:,} topic{'' if topics == 1 else 's'}, {one.messages:,} message{'' if one.messages == 1 else 's'}"
    yield f"  # {_comment(f'{told}; known by {one.sign}')}"
    if one.use.base is None:
        yield f"  - {one.use.family}"
    else:
        yield f"  - family: {one.use.family}"
        yield f"    base: {scalar(one.use.base)}"


def write_use(one: Recognized) -> str:
    """The section `use` alone, for a configuration that has none of this family yet."""
    return "\n".join(["use:", *_use(one)]) + "\n"


def write_sections(rules: Sequence[RuleDraft], taken: Container[str]) -> str:
    """The sections `models` and `rules` alone, for a configuration that has models of the names `taken` already."""
    return "\n".join(_sections(rules, taken)) + "\n"


def _sections(rules: Sequence[RuleDraft], taken: Container[str]) -> Iterator[str]:
    models = _model_names(rules, taken)
    if models:
        yield "models:                             # what a good payload looks like; anything else is rejected"
        for place, name in models.items():
            yield f"  {name}:"
            yield from map(_field, rules[place].fields)
        yield ""
    yield "rules:                              # the first match wins"
    for place, rule in enumerate(rules):
        yield from _rule(rule, models.get(place, ""))


def _rule(rule: RuleDraft, model: str) -> Iterator[str]:
    yield f"  - name: {scalar(rule.name)}"
    yield f"    # {_comment(summary_of(rule))}"
    for note in rule.notes:
        yield f"    # {_comment(note)}"
    yield f"    topic: {scalar(rule.topic)}"
    yield f"    format: {rule.format}"
    if model:
        yield f"    model: {model}"
    yield f"    bucket: {scalar(rule.bucket)}"
    yield f"    stream: {scalar(rule.stream)}"
    if rule.unit:
        yield f"    unit: {scalar(rule.unit)}"
    if rule.timestamp:
        yield f"    timestamp: {scalar(rule.timestamp)}"
        yield "    bad_timestamp: arrival          # a device whose clock is not set yet loses nothing"


def _field(field: FieldDraft) -> str:
    parts = [f"type: {field.type}"]
    parts += [f"{key}: {bound:g}" for key, bound in (("ge", field.ge), ("le", field.le)) if bound is not None]
    if field.unit:
        parts.append(f"unit: {scalar(field.unit)}")
    if field.optional:
        parts.append("optional: true")
    if "." in field.name:
        parts.append(f"path: {scalar(field.name)}")
    line = f"    {scalar(field.name)}: {{{', '.join(parts)}}}"
    return f"{line}  # {_comment(field.note)}" if field.note else line


def _left_out(left_out: Mapping[LeftOut, Sequence[TopicHeard]]) -> Iterator[str]:
    for one, topics in list(left_out.items())[:_SHOWN_LEFT_OUT]:
        messages = sum(topic.messages for topic in topics)
        what = one.topic or (topics[0].topic + (f" and {len(topics) - 1} more" if len(topics) > 1 else ""))
        yield f"#   {_comment(what)}: {_comment(one.why)}; {messages:,} message{'' if messages == 1 else 's'}"
    if len(left_out) > _SHOWN_LEFT_OUT:
        yield f"#   and {len(left_out) - _SHOWN_LEFT_OUT} more"


def _model_names(rules: Sequence[RuleDraft], taken: Container[str]) -> dict[int, str]:
    """A name for each rule's model, by the rule's place; none of those that are taken."""
    names: dict[int, str] = {}
    for place, rule in enumerate(rules):
        if rule.fields:
            words = re.findall(r"[A-Za-z0-9]+", rule.name)
            name = "".join(word[:1].upper() + word[1:].lower() for word in words) or "Payload"
            name = name if name[0].isalpha() else f"Model{name}"
            same = [known for known in names.values() if re.fullmatch(rf"{re.escape(name)}\d*", known)]
            name = f"{name}{len(same) + 1}" if same else name
            others = (f"{name}_{number}" for number in count(2))
            names[place] = next(free for free in chain([name], others) if free not in taken)
    return names


def scalar(text: str) -> str:
    """The text as a YAML scalar: plain where that is safe, in quotes with every odd character escaped elsewhere."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    text = text.replace("${", "$${")
    if text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    quoted = (json.dumps(one, ensure_ascii=False)[1:-1] if one.isprintable() else f"\\U{ord(one):08x}" for one in text)
    return f'"{"".join(quoted)}"'


def _comment(text: str) -> str:
    """One line that stays a comment, whatever was published."""
    safe = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return safe if len(safe) <= _WIDTH else safe[:_WIDTH] + "..."
