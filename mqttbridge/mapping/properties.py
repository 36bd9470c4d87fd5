"""The MQTT 5 properties of a message, for the rules that ask: user properties by name, and its content type.

The content type goes by the name `content_type`, and wins over a user property of that name. Of a name that comes
twice, as MQTT allows, the first one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mqttbridge.events import PayloadWithProperties, Reason
from mqttbridge.mapping.unusable import Unusable

PREFIX: Final = "property."
CONTENT_TYPE: Final = "content_type"

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
# Much more than anybody sends along; it bounds the work that one message can make.
_MAX_BYTES: Final = 64 * 1024

# By identifier (MQTT 5.0, 2.2.2.2), those that a PUBLISH may carry: how many bytes follow, or what kind of text.
_FIXED: Final = {0x01: 1, 0x02: 4, 0x23: 2}
_STRINGS: Final = {0x03: 1, 0x08: 1, 0x09: 1, 0x26: 2}
_SUBSCRIPTION_IDENTIFIER: Final = 0x0B
_CONTENT_TYPE: Final = 0x03
_USER_PROPERTY: Final = 0x26


def properties_of(payload: bytes) -> Mapping[str, str]:
    """The properties of a message by name; none where it came without.

    Raises:
        Unusable: they are malformed, or longer than 64 KiB.
    """
    return read_properties(payload.properties) if isinstance(payload, PayloadWithProperties) else _NOTHING


def read_properties(data: bytes) -> Mapping[str, str]:
    """Read the properties as they stand in a PUBLISH, behind their length.

    Raises:
        Unusable: see `properties_of`.
    """
    if len(data) > _MAX_BYTES:
        raise Unusable(Reason.MALFORMED, f"the message's properties take {len(data)} bytes, at most {_MAX_BYTES} do")
    found: dict[str, str] = {}
    content_type = None
    position = 0
    while position < len(data):
        identifier = data[position]
        position += 1
        if identifier in _FIXED:
            position += _FIXED[identifier]
        elif identifier == _SUBSCRIPTION_IDENTIFIER:
            position = _after_integer(data, position)
        elif identifier in _STRINGS:
            strings: list[bytes] = []
            for _ in range(_STRINGS[identifier]):
                start = position + 2
                position = start + int.from_bytes(data[position:start], "big")
                strings.append(data[start:position])
            if identifier == _USER_PROPERTY:
                found.setdefault(_text(strings[0]), _text(strings[1]))
            elif identifier == _CONTENT_TYPE:
                content_type = _text(strings[0])
        else:
            raise _malformed()
        if position > len(data):
            raise _malformed()
    if content_type is not None:
        found[CONTENT_TYPE] = content_type
    return found


def _after_integer(data: bytes, position: int) -> int:
    """Where the variable byte integer at `position` ends."""
    for index in range(position, position + 4):
        if index < len(data) and not data[index] & 0x80:
            return index + 1
    raise _malformed()


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unusable(Reason.NOT_UTF8, "a property of the message is not UTF-8") from None


def _malformed() -> Unusable:
    return Unusable(Reason.MALFORMED, "the message's properties are malformed")
