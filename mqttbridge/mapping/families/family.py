"""What a family of devices is made of: rules like any other, whose models know the family's payloads.

A family's rule stands for one kind of topic. Its topic is relative to the base that the devices are configured
with; its device is what the bucket's `{device}` stands for, or what stands before its streams' names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mqttbridge.config.rules import PayloadFormat
from mqttbridge.events import MAX_TEXT_CHARS, Reason, Value
from mqttbridge.mapping.flatten import SCALAR, Fields
from mqttbridge.mapping.payload import Parser, parse_auto, parse_json, parse_number, parse_text
from mqttbridge.mapping.unusable import Unusable, shown

if TYPE_CHECKING:
    from mqttbridge.mapping.families.knowledge import Told

_ON_OFF: Final[Mapping[str, Value]] = {"ON": True, "OFF": False}

Reader: TypeAlias = Callable[[Any], Fields]
"""A parsed payload's fields: none where it holds nothing to store. May raise Unusable."""

# The formats that families' rules have.
_PARSERS: Final[Mapping[PayloadFormat, Parser]] = {
    PayloadFormat.AUTO: parse_auto,
    PayloadFormat.JSON: parse_json,
    PayloadFormat.NUMBER: parse_number,
    PayloadFormat.TEXT: parse_text,
}
# What firmwares write where a sensor has no reading.
_NO_READING: Final = frozenset({"", "nan", "null", "none", "unknown", "unavailable"})


@dataclass(frozen=True, slots=True)
class FamilyRule:
    """One kind of topic of a family.

    Attributes:
        name: unique within the family.
        topic: topic filter below the base.
        read: what a payload holds.
        stream: template of the stream's name, from the captures and `{field}`.
        device: text over the captures that names the device.
        format: how the payload is parsed; an empty one is nothing to `read`.
        units: units by field, or by the end of a field's name after a dot.
        timestamp: payload path of the measurement's time; where it is no good, arrival counts.
        prepare: what to make of a parsed payload before its time is looked for.
        announces: what an announcement tells, by topic, from the base and the parsed payload; its rule makes no events.
        absolute: whether the topic is the same whatever the base.
    """

    name: str
    topic: str
    read: Reader
    stream: str = "{field}"
    device: str = "{device}"
    format: PayloadFormat = PayloadFormat.JSON
    units: Mapping[str, str] = field(default_factory=dict)
    timestamp: str | None = None
    prepare: Callable[[Any], Any] | None = None
    announces: Callable[[str, Any], Mapping[str, Told]] | None = None
    absolute: bool = False

    @property
    def parse(self) -> Parser:
        """The parser of its format; None for an empty payload, by which a retained message is cleared."""
        parser, prepare = _PARSERS[self.format], self.prepare
        if prepare is None:
            return lambda payload: parser(payload) if payload else None
        return lambda payload: prepare(parser(payload)) if payload else None


@dataclass(frozen=True, slots=True)
class Readings:
    """A family's knowledge of one kind of payload, as a rule's model."""

    read: Reader
    units: Mapping[str, str]
    sole_field: str | None = None

    def unit_of(self, field: str) -> str:
        """By the whole name, else by ever shorter ends of it; places in a list do not count."""
        parts = field.split(".")
        while len(parts) > 1 and parts[-1].isdecimal() and ".".join(parts[-2:]) not in self.units:
            parts.pop()
        for start in range(len(parts)):
            if unit := self.units.get(".".join(parts[start:])):
                return unit
        return ""

    def fields(self, document: Any, payload: bytes) -> Fields:  # noqa: ARG002  # as `Model` has it
        return {} if document is None else self.read(document)


# --- readers that families share -------------------------------------------------------------------------------


def nothing(_: Any) -> Fields:
    """For topics that are no data, such as commands."""
    return {}


def availability(document: Any) -> Fields:
    """`online` or `offline`, of the words that devices use for it, bare or as `{"state": ...}`."""
    if isinstance(document, dict):
        document = document.get("state")
    match str(document).strip().lower():
        case "online" | "true" | "1":
            return {SCALAR: "online"}
        case "offline" | "false" | "0":
            return {SCALAR: "offline"}
        case _:
            return {}


def reading(text: str) -> Fields:
    """One bare value: ON and OFF are booleans, numbers are numbers; words for no reading are none."""
    word = text.strip()
    lower = word.lower()
    if lower in _NO_READING:
        return {}
    if lower in {"on", "off", "true", "false"}:
        return {SCALAR: lower in {"on", "true"}}
    try:
        return {SCALAR: parse_number(word.encode())}
    except Unusable:
        return {SCALAR: checked_text(word)}


def number(text: str) -> Fields:
    """One bare number.

    Raises:
        Unusable: it is none, nor a word for no reading.
    """
    return {} if text.strip().lower() in _NO_READING else {SCALAR: parse_number(text.encode())}


def switch(text: str) -> Fields:
    """`on` and `1` are true, `off` and `0` false; other words, such as `overpower`, are texts."""
    word = text.strip()
    found: Value | None = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}.get(
        word.lower()
    )
    return {SCALAR: checked_text(word) if found is None else found} if word else {}


def with_booleans(fields: Fields) -> Fields:
    """The fields, `ON` and `OFF` as booleans."""
    return {field: _ON_OFF.get(value, value) if isinstance(value, str) else value for field, value in fields.items()}


def checked_text(text: str) -> str:
    """The text, if it can be stored.

    Raises:
        Unusable: it is too long.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise Unusable(Reason.TEXT_TOO_LONG, f"the text has more than {MAX_TEXT_CHARS} characters")
    return text


def an_object(document: Any) -> dict[str, Any]:
    """The document, if it is an object.

    Raises:
        Unusable: it is anything else.
    """
    if not isinstance(document, dict):
        raise Unusable(Reason.MALFORMED, f"expected an object (got {shown(document)})")
    return document


def without(document: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The document without these keys, and without empty texts, which are no values."""
    return {key: value for key, value in document.items() if key not in keys and value != ""}
