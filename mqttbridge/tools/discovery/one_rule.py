"""A rule for one topic that no rule takes, as a fragment to paste into the configuration.

The other topics that nobody takes are looked at with it: those that read alike are meant by the same rule, and where
they differ there is a capture. As with a whole proposal, what is shown was tried on all that was heard.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

from mqttbridge.tools.discovery import compile_text
from mqttbridge.tools.discovery.drafting import RuleDraft, draft
from mqttbridge.tools.discovery.families import LeftOut, sort
from mqttbridge.tools.discovery.grouping import group, wildcards
from mqttbridge.tools.discovery.hearing import Heard
from mqttbridge.tools.discovery.writing import write_sections, write_use
from mqttbridge.tools.recording import Recorded
from mqttbridge.tools.summary import summarise

# Topics that are named as those that the rule would take.
_SHOWN_TOPICS: Final = 20


@dataclass(frozen=True, slots=True)
class RuleProposal:
    """A rule that was tried.

    Attributes:
        text: YAML, the sections `models` and `rules`, or `use` for a device of a family that is known; empty where
            there is nothing to propose.
        why: why there is not.
        topic: its topic filter as brokers see it; empty for a family's.
        topics: those that were heard and that it takes, the first of them.
        messages: how many messages it was tried on; `mapped` of them made events.
    """

    text: str = ""
    why: str = ""
    topic: str = ""
    topics: tuple[str, ...] = ()
    messages: int = 0
    mapped: int = 0


def propose_rule(
    topic: str, strays: Iterable[Recorded], rule_names: Collection[str], model_names: Collection[str]
) -> RuleProposal:
    """Propose a rule for `topic`.

    Args:
        topic: one that `strays` has messages of.
        strays: the messages that nobody takes, as far as they are known.
        rule_names: of the configuration's rules, which a new one must not repeat.
        model_names: likewise.
    """
    heard = Heard()
    for message in strays:
        heard.hear(message)
    found = heard.topics.get(topic)
    if found is None:
        return RuleProposal(why="nothing is known of this topic any more: wait for its next message")
    if not found.usable:
        reasons = ", ".join(sorted(found.unusable)) or "nothing"
        return RuleProposal(why=f"there is nothing to store in its messages ({reasons})")
    known = sort(heard)
    for family in known.families:
        if found in family.topics:
            topics = tuple(sorted(member.topic for member in family.topics)[:_SHOWN_TOPICS])
            return RuleProposal(write_use(family), "", "", topics, family.messages, family.messages)
    for left_out, members in known.left_out.items():
        if found in members:
            return RuleProposal(why=_left_out(left_out))
    grouped = group(known.others)
    for left_out, members in grouped.left_out.items():
        if found in members:
            return RuleProposal(why=_left_out(left_out))
    for one in grouped.groups:
        if found in one.members:
            return _tried(draft(one), heard, rule_names, model_names)
    return RuleProposal(why="its name cannot be written as a topic filter")


def _tried(rule: RuleDraft, heard: Heard, rule_names: Collection[str], model_names: Collection[str]) -> RuleProposal:
    others = (f"{rule.name} {number}" for number in count(2))
    rule.name = next(free for free in chain([rule.name], others) if free not in rule_names)
    members = {member.topic for member in rule.members}
    meant = [message for message in heard.kept if message.topic.decode() in members]
    while True:
        text = write_sections([rule], model_names)
        summary = summarise(compile_text(text), meant)
        refused = next((counted for counted in summary.rules.values() if counted.rejected), None)
        if refused is None or not (rule.fields or rule.timestamp):
            break
        reason, (_, detail) = next(iter(refused.example.items()))
        rule.give_way(f"no model fits all that was heard ({reason}: {detail})")
    shown = tuple(sorted(members)[:_SHOWN_TOPICS])
    return RuleProposal(text, "", wildcards(rule.topic), shown, len(meant), summary.mapped)


def _left_out(one: LeftOut) -> str:
    return f"{one.topic}: {one.why}" if one.topic else one.why
