"""What was heard, topic by topic: which payloads, which fields, which values. Bounded, whatever is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mqttbridge.events import Reason, Value
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten
from mqttbridge.mapping.payload import parse_auto, parse_boolean
from mqttbridge.mapping.timestamps import parse_timestamp
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.tools.recording import Recorded

MAX_TOPICS: Final = 20_000
_MAX_FIELDS: Final = 200_000
# All messages are kept to try the proposal on, up to this much; of what comes later one of each shape is.
_MAX_KEPT_BYTES: Final = 16 * 2**20
_MAX_SHAPES_A_TOPIC: Final = 8
_MAX_TEXTS: Final = 6
_MAX_TEXT_CHARS: Final = 40
# A device's clock may be off by as much, and still be meant as a clock.
_CLOCK_SECONDS: Final = 86_400.0
_IN_STEP_SECONDS: Final = 120.0

OBJECT, NUMBER, BOOLEAN, TEXT, OTHER = "object", "number", "boolean", "text", "other"


@dataclass(slots=True)
class FieldHeard:
    """One field's values.

    Attributes:
        kinds: of `bool`, `int`, `float`, `str`.
        texts: the first few that were met; `more_texts` says there were others.
        times: how many are a time near the arrival; `in_step` how many within two minutes of it.
        offsets: how many texts among the times say their zone, or are no text.
    """

    count: int = 0
    kinds: set[str] = field(default_factory=set)
    least: float = 0.0
    most: float = 0.0
    texts: list[str] = field(default_factory=list)
    more_texts: bool = False
    times: int = 0
    in_step: int = 0
    offsets: int = 0

    def hear(self, value: Value, at: float) -> None:
        self.kinds.add(type(value).__name__)
        self._hear_time(value, at)
        if isinstance(value, str):
            if value not in self.texts:
                self.more_texts |= len(self.texts) >= _MAX_TEXTS or len(value) > _MAX_TEXT_CHARS
                if not self.more_texts:
                    self.texts.append(value)
        else:
            self.least = min(self.least, value) if self.count else value
            self.most = max(self.most, value) if self.count else value
        self.count += 1

    def _hear_time(self, value: Value, at: float) -> None:
        epoch = None if isinstance(value, bool) else parse_timestamp(value)
        if epoch is not None and abs(epoch - at) <= _CLOCK_SECONDS:
            self.times += 1
            self.in_step += abs(epoch - at) <= _IN_STEP_SECONDS
            self.offsets += not isinstance(value, str) or value[-1:] in "Zz" or "+" in value or value.count("-") > 2


@dataclass(slots=True)
class TopicHeard:
    """One topic's messages. `usable` of them hold something; why the others do not is in `unusable`."""

    levels: tuple[str, ...]
    messages: int = 0
    usable: int = 0
    kinds: set[str] = field(default_factory=set)
    fields: dict[str, FieldHeard] = field(default_factory=dict)
    unusable: Counter[str] = field(default_factory=Counter)
    shapes: set[frozenset[tuple[str, str]]] = field(default_factory=set)

    @property
    def topic(self) -> str:
        return "/".join(self.levels)


class Heard:
    """Everything that was heard.

    Attributes:
        topics: by their text.
        messages: how many there were.
        unusable: messages of which no rule could store anything, such as the empty ones that remove a retained value.
        not_looked_at: messages on topics beyond the bound, or whose topic is no UTF-8.
        kept: the others, to try a proposal on.
        odd: of the unusable, one of each topic: a family of devices may know what it is.
        all_kept: whether that is every one.
    """

    def __init__(self) -> None:
        self.topics: dict[str, TopicHeard] = {}
        self.messages = self.unusable = self.not_looked_at = 0
        self.kept: list[Recorded] = []
        self.odd: list[Recorded] = []
        self.all_kept = True
        self._room = _MAX_KEPT_BYTES
        self._fields = 0

    def hear(self, message: Recorded) -> None:
        """Take one message in."""
        self.messages += 1
        try:
            text = message.topic.decode()
        except UnicodeDecodeError:
            self.not_looked_at += 1
            return
        topic = self.topics.get(text)
        if topic is None:
            if len(self.topics) >= MAX_TOPICS or self._fields >= _MAX_FIELDS:
                self.not_looked_at += 1
                return
            topic = self.topics[text] = TopicHeard(tuple(text.split("/")))
        topic.messages += 1
        try:
            kind, fields = _read(message)
        except Unusable as unusable:
            self._hear_odd(message, topic, str(unusable.reason))
            return
        self._keep(message, new_shape=self._take(topic, kind, fields, message.time))

    def _hear_odd(self, message: Recorded, topic: TopicHeard, reason: str) -> None:
        """An unusable message. What a protocol of bytes says differs from one to the next, so all of these are kept."""
        self.unusable += 1
        size = len(message.payload) + len(message.topic) + 200
        is_new = reason not in topic.unusable or reason == Reason.NOT_UTF8
        if is_new and not message.cut and self._room >= size:
            self._room -= size
            self.odd.append(message)
        topic.unusable[reason] += 1

    def _take(self, topic: TopicHeard, kind: str, fields: Fields, at: float) -> bool:
        """Count a message; whether it has a shape that the topic did not have before."""
        topic.usable += 1
        topic.kinds.add(kind)
        for name, value in fields.items():
            heard = topic.fields.get(name)
            if heard is None:
                heard = topic.fields[name] = FieldHeard()
                self._fields += 1
            heard.hear(value, at)
        shape = frozenset((name, type(value).__name__) for name, value in fields.items())
        if shape in topic.shapes or len(topic.shapes) >= _MAX_SHAPES_A_TOPIC:
            return False
        topic.shapes.add(shape)
        return True

    def _keep(self, message: Recorded, *, new_shape: bool) -> None:
        size = len(message.payload) + len(message.topic) + 200
        if self._room >= size or (new_shape and self._room >= -_MAX_KEPT_BYTES):
            self._room -= size
            self.kept.append(message)
        else:
            self.all_kept = False

    def __iter__(self) -> Iterator[TopicHeard]:
        return iter(self.topics.values())


def _read(message: Recorded) -> tuple[str, Fields]:
    """Kind and fields of a payload.

    Raises:
        Unusable: nothing can be stored of it.
    """
    payload = message.payload
    if message.cut:
        raise Unusable(Reason.PAYLOAD_TOO_LARGE, "only its beginning is known")
    document = parse_auto(payload)
    fields = flatten(document)
    if not fields:
        raise Unusable(Reason.NO_VALUES, "there is nothing in it")
    match document:
        case dict():
            return OBJECT, fields
        case bool():
            return BOOLEAN, fields
        case int() | float():
            return NUMBER, fields
        case str() if payload.strip().startswith(b'"'):
            return OTHER, fields
        case str():
            try:
                return BOOLEAN, {SCALAR: parse_boolean(payload)}
            except Unusable:
                return TEXT, fields
        case _:
            return OTHER, fields
