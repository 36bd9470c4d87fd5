"""What a whole recording comes to under some rules: counts by rule, what was refused and why, what nobody takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from mqttbridge.config.model import Config
from mqttbridge.config.models import FieldType
from mqttbridge.events import Rejected
from mqttbridge.mapping import Loc, Rulebook
from mqttbridge.mapping.explaining import Passed, nearest_rule
from mqttbridge.mapping.linting import name_of
from mqttbridge.tools.recording import Recorded

# Topics that are told one by one; the rest is a number.
MAX_TOPICS: Final = 20
_VALUES: Final = frozenset(FieldType) - {FieldType.OBJECT}
# Distinct topics that are counted one by one: names cost the sender nothing.
_MAX_COUNTED_TOPICS: Final = 100_000


@dataclass(slots=True)
class RuleCount:
    """What one rule made of a recording. `example` is the topic and detail of the first message for each reason."""

    messages: int = 0
    events: int = 0
    topics: set[bytes] = field(default_factory=set)
    streams: set[tuple[str, str]] = field(default_factory=set)
    rejected: Counter[str] = field(default_factory=Counter)
    example: dict[str, tuple[str, str]] = field(default_factory=dict)
    first: float = 0.0
    last: float = 0.0


@dataclass(slots=True)
class Summary:
    """A recording under a rulebook.

    Attributes:
        rules: by name, every rule of the book, in its order.
        unmatched: messages that no rule took, by topic.
        nearest: for the topics among them that are shown, the rule that came closest.
        first, last: when it began and ended, epoch seconds.
    """

    rules: dict[str, RuleCount]
    messages: int = 0
    mapped: int = 0
    rejected: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)
    nearest: dict[str, Passed | None] = field(default_factory=dict)
    first: float = 0.0
    last: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return max(0.0, self.last - self.first)


def summarise(book: Rulebook, messages: Iterable[Recorded]) -> Summary:
    """Send every message through the rules and count."""
    summary = Summary({rule.name: RuleCount() for rule in book.rules})
    for message in messages:
        summary.first = message.time if not summary.messages else min(summary.first, message.time)
        summary.last = max(summary.last, message.time)
        summary.messages += 1
        _count(book, message, summary)
    for topic, _ in summary.unmatched.most_common(MAX_TOPICS):
        summary.nearest[topic] = nearest_rule(book, topic)
    return summary


def fields_never_filled(config: Config, book: Rulebook) -> list[tuple[Loc, str]]:
    """Fields of models that no message filled of those that the book has met, where the model's rules took any.

    Of models whose fields are one value each; what lists and variants hold goes by names of its own.
    """
    filled: dict[str, set[str]] = {}
    for route in book.known_routes():
        filled.setdefault(route.rule, set()).update(route.fields_by_stream().values())
    found: list[tuple[Loc, str]] = []
    for name, model in config.models.items():
        rules = [name_of(config, index) for index, rule in enumerate(config.rules) if rule.model == name]
        seen = set[str]().union(*(filled.get(rule, ()) for rule in rules))
        plain = all(field.type in _VALUES and "[*]" not in (field.path or "") for field in model.values())
        if seen and plain:
            missing = [field for field in model if field not in seen and model[field].store]
            found += [(("models", name, field), "no message of the recording has this field") for field in missing]
    return found


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as JSON values."""
    return {
        "messages": summary.messages,
        "mapped": summary.mapped,
        "rejected": summary.rejected,
        "unmatched": summary.unmatched.total(),
        "seconds": summary.seconds,
        "rules": [
            {
                "rule": name,
                "messages": count.messages,
                "events": count.events,
                "topics": len(count.topics),
                "streams": len(count.streams),
                "rejected": dict(count.rejected),
                "examples": {reason: {"topic": t, "detail": d} for reason, (t, d) in count.example.items()},
            }
            for name, count in summary.rules.items()
        ],
        "unmatched_topics": [
            {
                "topic": topic,
                "messages": count,
                "nearest": {"rule": one.rule, "why": one.why} if (one := summary.nearest[topic]) else None,
            }
            for topic, count in summary.unmatched.most_common(MAX_TOPICS)
        ],
    }


def _count(book: Rulebook, message: Recorded, summary: Summary) -> None:
    routes = book.routes(message.topic)
    if isinstance(routes, Rejected):
        summary.rejected += 1
        _reject(summary.rules.setdefault(routes.rule or "(no rule)", RuleCount()), message, routes)
        return
    if not routes:
        topic = message.topic.decode()
        if topic in summary.unmatched or len(summary.unmatched) < _MAX_COUNTED_TOPICS:
            summary.unmatched[topic] += 1
        else:
            summary.unmatched["(further topics)"] += 1
        return
    refused = False
    for route in routes:
        count = summary.rules.setdefault(route.rule, RuleCount())  # met first where devices announce their rules
        result = route.apply(message.payload, message.time)
        if isinstance(result, Rejected):
            refused = True
            _reject(count, message, result)
        else:
            _seen(count, message)
            count.events += len(result)
            if len(count.streams) < _MAX_COUNTED_TOPICS:
                count.streams.update((bucket, stream) for bucket, stream, _, _ in result)
    summary.rejected += refused
    summary.mapped += not refused


def _reject(count: RuleCount, message: Recorded, rejected: Rejected) -> None:
    _seen(count, message)
    count.rejected[str(rejected.reason)] += 1
    count.example.setdefault(str(rejected.reason), (rejected.topic, rejected.detail))


def _seen(count: RuleCount, message: Recorded) -> None:
    count.first = min(count.first, message.time) if count.messages else message.time
    count.last = max(count.last, message.time)
    count.messages += 1
    if len(count.topics) < _MAX_COUNTED_TOPICS:
        count.topics.add(message.topic)
