"""What devices announce of themselves, and what follows from it for the rules of topics.

Three kinds of knowledge come that way. Home Assistant's discovery makes rules of its own (discovery.py). A family's own
discovery, such as Zigbee2MQTT's list of devices, tells more of topics that the family's rules know already: units,
words that stand for true and false, names that no rule could have guessed (knowledge.py). A Sparkplug birth says what
the data after it mean (formats/sparkplug). The rulebook sees one thing: an `Announcer`, which names the topics to
subscribe to, gives rules for topics that no other rule takes, and can be told after a restart what it knew before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.flatten import Fields

Changed: TypeAlias = Callable[[Iterable[str]], None]
"""Told the topics whose rules are others now."""


@runtime_checkable
class Announcer(Protocol):
    """What the rulebook needs to know of anything that is announced."""

    @property
    def announcements(self) -> Mapping[str, bytes]:
        """Payloads by topic, of everything that holds now; for keeping across restarts."""

    @property
    def changes(self) -> int:
        """How often that has changed."""

    @property
    def filters(self) -> Sequence[str]:
        """What to subscribe to now, beside the filters of the rules."""

    def rules_for(self, topic: str) -> Sequence[CompiledRule]:
        """The rules of a topic that no other rule takes; their names are made already, but for `{field}`."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """The model of a rule that takes an announcement in; it makes no events.

    Attributes:
        hear: takes the payload. May raise Unusable.
    """

    hear: Callable[[bytes], None]
    sole_field: str | None = None

    def unit_of(self, field: str) -> str:  # noqa: ARG002  # as `Model` has it
        return ""

    def fields(self, document: Any, payload: bytes) -> Fields:  # noqa: ARG002
        self.hear(payload)
        return {}
