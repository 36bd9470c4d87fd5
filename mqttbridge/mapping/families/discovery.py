"""Home Assistant's MQTT discovery: what devices announce is remembered, and makes rules for the topics it names.

    <base>/<component>/[<node>/]<object>/config --hear--> entities --> rules by topic --> Routes of the rulebook

The state of it is explicit and belongs to the rulebook: the announcements that hold now, by their topics, and what
follows from them. `hear` is the one place where it changes; it names the topics whose rules are others now. Hearing
the same again changes nothing, since a broker repeats what is retained at each subscription.

What is remembered is bounded, since announcements come from the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from mqttbridge.config.use import UseConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.families.announcing import Announcement, Changed
from mqttbridge.mapping.families.ha_entities import Availability, Entity, InvalidAnnouncement, entities
from mqttbridge.mapping.families.ha_models import Arrival, Available, Memo, Presence, States, ValueOf, Word
from mqttbridge.mapping.families.value_templates import InvalidTemplate, Template, Templates
from mqttbridge.mapping.models import Model
from mqttbridge.mapping.templates import Template as NameTemplate, checked_name, parse_template
from mqttbridge.mapping.topics import TopicFilter
from mqttbridge.mapping.unusable import Unusable

BASE: Final = "homeassistant"

_Spec: TypeAlias = tuple[str, tuple[Availability, ...], str]

_MAX_CONFIG_BYTES: Final = 256 * 1024  # a device's announcement carries all of its entities
_MAX_ANNOUNCEMENTS: Final = 10_000
_MAX_ANNOUNCED_BYTES: Final = 32 * 2**20
_MAX_RULES: Final = 50_000


class Discovery:
    """Everything announced below one base.

    Args:
        use: the configuration's `use`.
        pattern: a compiled rule of the same destinations; each entity's is made from it.
        changed: told the topics whose rules are others now.

    Attributes:
        announcements: payloads by topic, of everything that holds now; for keeping across restarts.
        changes: how often that has changed.
    """

    def __init__(self, use: UseConfig, pattern: CompiledRule, changed: Changed) -> None:
        self._base = (BASE if use.base is None else use.base).split("/")
        self._bucket = parse_template(use.bucket, ("device",))
        self._in_bucket = bool(self._bucket.slots)
        self._pattern, self._changed = pattern, changed
        self._templates = Templates()
        self._memo = Memo()
        self._rules: dict[str, dict[tuple[str, str], CompiledRule]] = {}
        self._made_of: dict[str, list[tuple[str, tuple[str, str]]]] = {}  # of each announcement, what it made
        self._streams: set[tuple[str, str]] = set()  # (bucket, stream)
        self._names: dict[str, list[tuple[str, str]]] = {}  # of each announcement, which of these
        self._presences: dict[str, dict[_Spec, Presence]] = {}  # by bucket
        self._spoken_for: dict[str, list[tuple[str, _Spec]]] = {}  # of each announcement, which of these
        self._bytes = self._count = 0
        self.announcements: dict[str, bytes] = {}
        self.changes = 0

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to now: announcements, and every topic that they name."""
        return (*self.announcement_filters, *self._rules)

    @property
    def announcement_filters(self) -> tuple[str, str]:
        base = "/".join(self._base)
        return f"{base}/+/+/config", f"{base}/+/+/+/config"

    def rules_for(self, topic: str) -> Sequence[CompiledRule]:
        """The rules of a topic: of each entity that it tells something of, or of an announcement."""
        levels = topic.split("/")
        own = levels[len(self._base) :]
        if len(own) in {3, 4} and own[-1] == "config" and levels[: len(self._base)] == self._base:
            model = Announcement(partial(self.hear, topic))
            return (self._rule("homeassistant: discovery", topic, "homeassistant", "discovery", model),)
        # Entities share their device's availability: one rule of it will do.
        return tuple({rule.name: rule for rule in self._rules.get(topic, {}).values()}.values())

    def hear(self, topic: str, payload: bytes) -> None:
        """Take an announcement in; an empty one takes back what was announced there.

        Raises:
            Unusable: it is malformed or too much; what was announced there before no longer holds.
        """
        if self.announcements.get(topic) == payload:
            return
        affected = self._forget(topic)
        try:
            if payload:
                affected |= self._remember(topic, payload)
        except Unusable:
            self._forget(topic)
            raise
        finally:
            self.changes += 1
            self._changed(affected)

    # --- what follows from an announcement -----------------------------------------------------------------

    def _forget(self, topic: str) -> set[str]:
        made = self._made_of.pop(topic, [])
        for state_topic, key in made:
            rules = self._rules[state_topic]
            if rules.pop(key, None) is not None:
                self._count -= 1
            if not rules:
                del self._rules[state_topic]
        self._streams.difference_update(self._names.pop(topic, ()))
        for bucket, spec in self._spoken_for.pop(topic, ()):
            presence = self._presences[bucket][spec]
            presence.of.discard(topic)
            if not presence.of:
                del self._presences[bucket][spec]
                if not self._presences[bucket]:
                    del self._presences[bucket]
        self._bytes -= len(self.announcements.pop(topic, b""))
        return {state_topic for state_topic, _ in made}

    def _remember(self, topic: str, payload: bytes) -> set[str]:
        if len(payload) > _MAX_CONFIG_BYTES:
            raise Unusable(Reason.VALIDATION, f"an announcement has at most {_MAX_CONFIG_BYTES} bytes")
        full = len(self.announcements) >= _MAX_ANNOUNCEMENTS or self._bytes + len(payload) > _MAX_ANNOUNCED_BYTES
        if full or self._count >= _MAX_RULES:
            raise Unusable(Reason.VALIDATION, "more is announced than is remembered")
        component, *node, object_id, _ = topic.split("/")[len(self._base) :]
        made: list[tuple[str, tuple[str, str], CompiledRule]] = []
        try:
            found = entities(component, "/".join(node), object_id, from_json(payload))
            for entity in found:
                made += self._made(topic, entity, alone=len(found) == 1)
        except InvalidAnnouncement as error:
            raise Unusable(Reason.VALIDATION, str(error)) from None
        except ValueError as error:
            raise Unusable(Reason.MALFORMED, f"not JSON: {error}") from None
        for state_topic, key, rule in made:
            self._rules.setdefault(state_topic, {})[key] = rule
        self._count += len(made)
        self._made_of[topic] = [(state_topic, key) for state_topic, key, _ in made]
        self.announcements[topic] = bytes(payload)  # without the message's properties
        self._bytes += len(payload)
        return {state_topic for state_topic, _, _ in made}

    def _made(self, topic: str, entity: Entity, *, alone: bool) -> Iterable[tuple[str, tuple[str, str], CompiledRule]]:
        """Rules of one entity: one for each topic that tells of it, and those of its device's availability."""
        if not entity.told:
            return
        bucket = checked_name("".join(self._bucket.bind({"device": entity.device})), "the bucket's name")
        before = "" if self._in_bucket else f"{entity.device}."
        stream = self._own_stream(bucket, before + entity.name, topic, entity.id)
        by_topic: dict[str, list[ValueOf]] = {}
        for told in entity.told:
            value = ValueOf(told, self._compiled(told.template, entity.id, alone=alone))
            by_topic.setdefault(told.topic, []).append(value)
        for state_topic, values in by_topic.items():
            model = States(self._memo, tuple(values))
            rule = self._rule(f"homeassistant: {entity.id}", state_topic, bucket, stream, model)
            classes = {one.told.field: one.told.device_class for one in values if one.told.device_class}
            yield state_topic, (topic, entity.id), replace(rule, device_classes=classes)
        if entity.availabilities:
            presence = self._presence(topic, bucket, f"{before}availability", f"{stream}.availability", entity)
            for state_topic in presence.words:
                said = Available(self._memo, presence, state_topic)
                name = f"homeassistant: {bucket} {presence.stream}"
                rule = self._rule(name, state_topic, bucket, presence.stream, said)
                yield state_topic, (topic, f"{entity.id} availability"), rule

    def _presence(self, topic: str, bucket: str, name: str, other_name: str, entity: Entity) -> Presence:
        """What the entities of a device share; one that says it in its own way has a stream of its own for it."""
        of_bucket = self._presences.setdefault(bucket, {})
        spec = (entity.device, entity.availabilities, entity.mode)
        presence = of_bucket.get(spec)
        if presence is None:
            words = {
                each.topic: Word(each, self._compiled(each.template, entity.id, alone=False))
                for each in entity.availabilities
            }
            taken = any(device == entity.device for device, _, _ in of_bucket)
            stream = checked_name(other_name if taken else name, "a stream's name")
            presence = of_bucket[spec] = Presence(stream, entity.mode, words)
        presence.of.add(topic)
        self._spoken_for.setdefault(topic, []).append((bucket, spec))
        return presence

    def _own_stream(self, bucket: str, name: str, topic: str, of: str) -> str:
        """The name, told apart by the entity's id where another entity has it."""
        if (bucket, name) in self._streams:
            name = f"{name} ({of})"
        self._streams.add((bucket, checked_name(name, "a stream's name")))
        self._names.setdefault(topic, []).append((bucket, name))
        return name

    def _compiled(self, text: str, of: str, *, alone: bool) -> Template | None:
        """The template. One that is not offered refuses its announcement, or its own values where that has others."""
        if not text:
            return None
        try:
            return self._templates.compile(text)
        except InvalidTemplate as error:
            detail = f"{of}: {error}"
            if alone:
                raise InvalidAnnouncement(detail) from None
            return partial(_refuse, detail)

    def _rule(self, name: str, topic: str, bucket: str, stream: str, model: Model) -> CompiledRule:
        return replace(
            self._pattern,
            name=name,
            filter=TopicFilter(tuple(topic.split("/"))),
            bucket=NameTemplate((bucket,), ()),
            stream=NameTemplate((stream,), ()),
            parse=bytes,
            timestamp=Arrival(self._memo),
            model=model,
            may_be_empty=True,
        )


def _refuse(detail: str, _: Mapping[str, Any]) -> Any:
    raise Unusable(Reason.VALIDATION, detail)
