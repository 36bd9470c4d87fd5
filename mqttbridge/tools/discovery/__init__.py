"""From what is published to a configuration: listen, sort topics, draft rules and models, try them, write them down.

    Heard --sort--> families, and --group--> Group, ... --draft--> RuleDraft, ... --write--> YAML --try--> what it maps

Nothing is proposed that was not tried: the text itself is read back and every message that was kept goes through it.
A rule that refuses one gives its model up, and is tried again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mqttbridge.config.draft import Draft, Layer
from mqttbridge.config.loading import validate
from mqttbridge.config.yaml_tree import Table, parse_yaml
from mqttbridge.errors import ConfigError
from mqttbridge.events import Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.tools.discovery.drafting import RuleDraft, draft, tell_apart
from mqttbridge.tools.discovery.families import LeftOut, Sorted, sort
from mqttbridge.tools.discovery.grouping import group
from mqttbridge.tools.discovery.hearing import Heard, TopicHeard
from mqttbridge.tools.discovery.writing import write
from mqttbridge.tools.recording import Recorded
from mqttbridge.tools.summary import summarise

__all__ = ["Heard", "Proposal", "propose"]

_ATTEMPTS: Final = 4
# Rules beyond this are for topics that are like no others: one for all that share the first level reads better.
_MAX_RULES: Final = 150


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration, and what it does with what was heard.

    Attributes:
        text: YAML.
        rules: how many.
        families: how many families of devices it uses.
        meant: messages that it is meant to map; those left out on purpose are none of them.
        mapped: how many of these it maps; of a family's also those that are known to be no data.
        left_out: messages left out on purpose; comments in the text say which and why.
        unusable: messages of which no rule could store anything, such as empty ones, or not before a birth is heard.
    """

    text: str
    rules: int
    families: int
    meant: int
    mapped: int
    left_out: int
    unusable: int


def propose(heard: Heard, broker: Mapping[str, str]) -> Proposal:
    """Propose a configuration.

    Args:
        heard: at least one message that was kept.
        broker: keys of the `mqtt` section.
    """
    found = sort(heard)
    grouped = group(found.others)
    left_out = {**found.left_out, **grouped.left_out}
    rules = _bounded([draft(one) for one in grouped.groups])
    tell_apart(rules)
    told = f"Made of {heard.messages:,} messages on {len(heard.topics):,} topics."
    meant = _meant(heard, found, left_out)
    by_name = _named(rules)
    text = write(broker, found.families, rules, left_out, told)
    for name, topics in _shadowed(found, compile_text(text), by_name).items():
        by_name[name].leave(topics)
    for _ in range(_ATTEMPTS):
        text = write(broker, found.families, rules, left_out, told)
        book = compile_text(text)
        summarise(book, meant)  # what is announced is known before what it is about, as what is retained comes first
        summary = summarise(book, meant)
        failing = {name: count for name, count in summary.rules.items() if count.rejected and name in by_name}
        if not failing or not any(by_name[name].fields or by_name[name].timestamp for name in failing):
            break
        for name, count in failing.items():
            reason, (_, detail) = next(iter(count.example.items()))
            by_name[name].give_way(f"no model fits all that was heard ({reason}: {detail})")
    taken = sum(topic.messages - topic.usable for one in found.families for topic in one.topics)
    return Proposal(
        text,
        len(rules),
        len(found.families),
        len(meant) - found.absent,
        summary.mapped,
        sum(topic.usable for topics in left_out.values() for topic in topics),
        heard.unusable - taken + found.absent,
    )


def _meant(heard: Heard, found: Sorted, left_out: Mapping[LeftOut, Sequence[TopicHeard]]) -> list[Recorded]:
    """The messages that are to be mapped: what can be stored, and what a family takes of the rest."""
    unwanted = {topic.topic for topics in left_out.values() for topic in topics}
    of_families = {topic.topic for one in found.families for topic in one.topics}
    odd = [message for message in heard.odd if message.topic.decode() in of_families]
    return [*odd, *(message for message in heard.kept if message.topic.decode() not in unwanted)]


def _shadowed(found: Sorted, book: Rulebook, by_name: Mapping[str, RuleDraft]) -> dict[str, list[TopicHeard]]:
    """Topics of families that rules take, which come before families, by the rule's name."""
    shadowed: dict[str, list[TopicHeard]] = {}
    for topic in (topic for one in found.families for topic in one.topics):
        routes = book.routes(topic.topic.encode())
        if not isinstance(routes, Rejected) and routes and routes[0].rule in by_name:
            shadowed.setdefault(routes[0].rule, []).append(topic)
    return shadowed


def _named(rules: list[RuleDraft]) -> dict[str, RuleDraft]:
    """The rules by name, each made unique."""
    by_name: dict[str, RuleDraft] = {}
    names = Counter(rule.name for rule in rules)
    for rule in rules:
        if names[rule.name] > 1:
            rule.name = " ".join(level for level in rule.topic.split("/") if level and not level.startswith("{"))
        name, number = rule.name, 2
        while rule.name in by_name:
            rule.name, number = f"{name} {number}", number + 1
        by_name[rule.name] = rule
    return by_name


def _bounded(rules: list[RuleDraft]) -> list[RuleDraft]:
    """The rules that take most topics; what is beyond the bound is taken by one rule for each first level."""
    if len(rules) <= _MAX_RULES:
        return rules
    ranked = sorted(rules, key=lambda rule: -len(rule.members))
    kept = {id(rule) for rule in ranked[:_MAX_RULES]}
    roots: dict[str, RuleDraft] = {}
    for rule in ranked[_MAX_RULES:]:
        for topic in rule.members:
            root = topic.levels[0]
            bucket = root or "root"
            odd = roots.setdefault(
                root, RuleDraft(f"{bucket}, the rest", f"{root}/{{rest#}}", rule.format, bucket, "{rest}", [])
            )
            odd.members = [*odd.members, topic]
    for odd in roots.values():
        odd.give_way("topics that are like no others")
    return [*(rule for rule in rules if id(rule) in kept), *roots.values()]


def compile_text(text: str) -> Rulebook:
    """The rules of a proposal, read from its text as the bridge would read it."""
    root = parse_yaml(text)
    draft_ = Draft()
    if isinstance(root, Table):
        draft_.lay(Layer("proposal", {"MQTT_PASSWORD": "-"}, Path()), root)
    config = validate(draft_)
    if config is None:  # a fault of ours: the text is made here
        raise ConfigError(draft_.in_order(draft_.problems))
    return Rulebook(config)
