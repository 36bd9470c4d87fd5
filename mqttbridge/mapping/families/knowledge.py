"""What a family's devices say of themselves: more about topics that the family's rules know how to read.

    <base>/bridge/devices --hear--> Told by topic --for_topic--> the family's rule, as it is for this device

The state belongs to the rulebook. `hear` is the one place where it changes, and it names the topics of which something
else is told now: a list of all devices is published again whenever one of them changes. Hearing the same again changes
nothing. What is remembered is bounded, since announcements come from the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.events import Reason, Value
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.families.announcing import Announcement, Changed
from mqttbridge.mapping.families.family import FamilyRule, Readings
from mqttbridge.mapping.flatten import SCALAR, Fields
from mqttbridge.mapping.topics import TopicFilter
from mqttbridge.mapping.unusable import Unusable

# As long as a payload may be by default; parsing that takes some 20 ms.
_MAX_BYTES: Final = 2**20
_MAX_ANNOUNCEMENTS: Final = 10_000
_MAX_KEPT_BYTES: Final = 8 * 2**20
_MAX_TOPICS: Final = 50_000

_MAX_UNIT_CHARS: Final = 16

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one topic.

    Attributes:
        units: of its fields, before those that the family knows.
        device_classes: of its fields.
        words: what a field's texts stand for; those of the payload itself (`SCALAR`) are put in the words that the
            family's rule knows, and so before it reads them.
        hidden: fields that are no measurements.
        like: name of the family's rule that reads the topic, should none of them take it; empty for none.
        names: what the captures of that rule would be.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    like: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    device_classes: Mapping[str, str] = field(default_factory=dict)

    def joined(self, other: Told) -> Told:
        """Both of them; the other has the last word."""
        return Told(
            {**self.units, **other.units},
            {**self.words, **other.words},
            self.hidden | other.hidden,
            other.like or self.like,
            other.names or self.names,
            {**self.device_classes, **other.device_classes},
        )


class Knowledge:
    """What the devices of one `use` have said.

    Args:
        base: what stands before the family's topics; may be empty.
        changed: told the topics whose rules are others now.

    Attributes:
        announcements: see `Announcer`; only those that tell something.
        changes: see `Announcer`.
    """

    def __init__(self, base: str, changed: Changed) -> None:
        self._base, self._changed = base, changed
        self._rules: Mapping[str, CompiledRule] = _NONE
        self._told: dict[str, dict[str, Told]] = {}  # by topic, and the announcement that says so
        self._of: dict[str, Mapping[str, Told]] = {}  # by announcement
        self._bytes = 0
        self.announcements: dict[str, bytes] = {}
        self.changes = 0

    def taught(self, rules: Sequence[tuple[FamilyRule, CompiledRule]]) -> list[CompiledRule]:
        """The family's compiled rules, made to ask here for what devices have said of their topics."""
        asking = [
            # An announcement is for others, too, such as Home Assistant's discovery if that is in use beside it.
            replace(made, for_topic=partial(self._announcement, rule), goes_on=True)
            if rule.announces
            else replace(made, for_topic=partial(self._told_of, rule))
            for rule, made in rules
        ]
        self._rules = {rule.name: made for (rule, _), made in zip(rules, asking, strict=True)}
        return asking

    @property
    def filters(self) -> Sequence[str]:
        """The topics that were told of and that a rule reads; most are covered by the family's own filters."""
        return [topic for topic, told in self._told.items() if any(each.like for each in told.values())]

    def rules_for(self, topic: str) -> Sequence[CompiledRule]:
        """The family's rule of a topic that only an announcement could tell of; see `Announcer`."""
        told = self._of_topic(topic)
        if told is None or (rule := self._rules.get(told.like)) is None or rule.for_topic is None:
            return ()
        bound = replace(
            rule,
            filter=TopicFilter(tuple(topic.split("/"))),
            bucket=rule.bucket.bound(told.names),
            stream=rule.stream.bound(told.names),
        )
        return (rule.for_topic(bound, topic),)

    def hear(self, rule: FamilyRule, topic: str, payload: bytes) -> None:
        """Take an announcement in; an empty one takes back what was told there.

        Raises:
            Unusable: it is malformed or too much; what was told there before no longer holds.
        """
        if self.announcements.get(topic) == payload:
            return
        before = self._of.get(topic, _NONE)
        self._forget(topic)
        now: Mapping[str, Told] = _NONE
        try:
            if payload:
                now = self._read(rule, payload)
                self._remember(topic, payload, now)
        finally:
            if now or before:
                self.changes += 1
                self._changed([each for each in {**before, **now} if before.get(each) != now.get(each)])

    # --- what is known -------------------------------------------------------------------------------------

    def _read(self, rule: FamilyRule, payload: bytes) -> Mapping[str, Told]:
        if len(payload) > _MAX_BYTES:
            raise Unusable(Reason.VALIDATION, f"an announcement has at most {_MAX_BYTES} bytes")
        try:
            document = from_json(payload)
        except ValueError as error:
            raise Unusable(Reason.MALFORMED, f"not JSON: {error}") from None
        return rule.announces(self._base, document) if rule.announces else _NONE

    def _remember(self, topic: str, payload: bytes, told: Mapping[str, Told]) -> None:
        if not told:
            return
        full = len(self._of) >= _MAX_ANNOUNCEMENTS or len(self._told) + len(told) > _MAX_TOPICS
        if full or self._bytes + len(payload) > _MAX_KEPT_BYTES:
            raise Unusable(Reason.VALIDATION, "more is announced than is remembered")
        for each, what in told.items():
            self._told.setdefault(each, {})[topic] = what
        self._of[topic] = told
        self.announcements[topic] = bytes(payload)  # without the message's properties
        self._bytes += len(payload)

    def _forget(self, topic: str) -> None:
        for each in self._of.pop(topic, ()):
            of_topic = self._told[each]
            del of_topic[topic]
            if not of_topic:
                del self._told[each]
        self._bytes -= len(self.announcements.pop(topic, b""))

    def _of_topic(self, topic: str) -> Told | None:
        together: Told | None = None
        for told in self._told.get(topic, _NONE).values():
            together = told if together is None else together.joined(told)
        return together

    # --- rules that ask ------------------------------------------------------------------------------------

    def _announcement(self, rule: FamilyRule, made: CompiledRule, topic: str) -> CompiledRule:
        return replace(made, parse=bytes, model=Announcement(partial(self.hear, rule, topic)))

    def _told_of(self, rule: FamilyRule, made: CompiledRule, topic: str) -> CompiledRule:
        told = self._of_topic(topic)
        if told is None:
            return made
        model = _ReadingsAsTold(rule.read, {**rule.units, **told.units}, told=told)
        return replace(made, model=model, device_classes=told.device_classes)


def unit_in_words(said: Any) -> str:
    """A unit as a device says it; empty where that is none that could be shown."""
    return said if isinstance(said, str) and len(said) <= _MAX_UNIT_CHARS and said.isprintable() else ""


@dataclass(frozen=True, slots=True)
class _ReadingsAsTold(Readings):
    """A family's knowledge of a payload, and what the device itself has said of it."""

    told: Told = field(default_factory=Told)

    def fields(self, document: Any, payload: bytes) -> Fields:
        told = self.told
        if isinstance(document, str) and (words := told.words.get(SCALAR)):
            document = words.get(document.strip(), document)
        # Not `super()`: it cannot be found from a class with slots that dataclass has made anew.
        fields = Readings.fields(self, document, payload)
        return {
            name: told.words.get(name, _NONE).get(value, value) if isinstance(value, str) and name != SCALAR else value
            for name, value in fields.items()
            if name not in told.hidden
        }
