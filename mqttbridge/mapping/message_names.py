"""Names that are made of something in each message: `{payload.id}`, `{property.site}`.

A device behind a gateway says in the payload which one it is. What a name is made of is read from each message; the
names themselves are made once for each value of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mqttbridge.events import Reason, Value
from mqttbridge.mapping.filters import MAX_CHARS
from mqttbridge.mapping.paths import Path, find, parse_path
from mqttbridge.mapping.payload import Parser
from mqttbridge.mapping.properties import PREFIX as PROPERTY, properties_of
from mqttbridge.mapping.templates import Template
from mqttbridge.mapping.unusable import Unusable, shown

PAYLOAD: Final = "payload."

# Beyond what any identifier has; `str` of a much longer integer takes its time.
_LARGEST: Final = 10**100


@dataclass(frozen=True, slots=True)
class MessageName:
    """What `{payload.id}` or `{property.site}` leads to.

    Attributes:
        name: as it stands in the template.
        path: where in the payload; of a property, its name.
        in_properties: whether it is a property of the message.
    """

    name: str
    path: Path
    in_properties: bool


class Remembered:
    """A parser that keeps its last result, for rules that read a payload twice: for its names, then its values."""

    def __init__(self, parse: Parser) -> None:
        self._parse = parse
        self._payload: bytes | None = None
        self._document: Any = None

    def __call__(self, payload: bytes) -> Any:
        if payload is not self._payload:
            self._document = self._parse(payload)
            self._payload = payload
        return self._document


def names_property(name: str) -> bool:
    """Whether a name leads to a property of the message."""
    return name.startswith(PROPERTY) and len(name) > len(PROPERTY)


def is_message_name(name: str) -> bool:
    """Whether a name leads into the message.

    Raises:
        ValueError: it does, but by a path that is none.
    """
    if not name.startswith((PROPERTY, PAYLOAD)):
        return False
    parse_message_name(name)
    return True


def parse_message_name(name: str) -> MessageName:
    """What `payload.` or `property.` and what follows leads to.

    Raises:
        ValueError: nothing follows, or no path.
    """
    if name.startswith(PROPERTY):
        if not names_property(name):
            raise ValueError("a property has a name, as in 'property.site' (got 'property.')")
        return MessageName(name, (name.removeprefix(PROPERTY),), in_properties=True)
    return MessageName(name, parse_path(name.removeprefix(PAYLOAD)), in_properties=False)


def message_names(*templates: Template) -> tuple[MessageName, ...]:
    """What of the message the templates name, each once."""
    names = dict.fromkeys(name for template in templates for name in template.names)
    return tuple(parse_message_name(name) for name in names if name.startswith((PROPERTY, PAYLOAD)))


def values_of(names: tuple[MessageName, ...], parse: Parser, payload: bytes) -> tuple[str, ...]:
    """What stands in a message for each of the names, as text; empty for what is missing or null.

    Raises:
        Unusable: the payload or its properties cannot be read, or no name can be made of what stands there.
    """
    values: list[str] = []
    for name in names:
        source = properties_of(payload) if name.in_properties else parse(payload)
        values.append(text_of(find(source, name.path), name.name))
    return tuple(values)


def text_of(value: Value | dict[str, Any] | list[Any] | None, name: str) -> str:
    """A value of a payload as a part of a name; empty where there is none.

    Raises:
        Unusable: it is an object, a list, or longer than any name; `name` says what it was looked up by.
    """
    match value:
        case None:
            return ""
        case str() if len(value) <= MAX_CHARS:
            return value
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < _LARGEST:
            return str(value)
        case float() if value.is_integer() and abs(value) < _LARGEST:
            return str(int(value))  # a device's formatter decides whether it writes 7 or 7.0
        case float():
            return str(value)
        case _:
            raise Unusable(Reason.BAD_NAME, f"{name}: no name can be made of it (got {shown(value)})")
