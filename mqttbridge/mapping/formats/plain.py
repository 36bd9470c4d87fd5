"""What a binary format's library gives becomes what JSON can hold.

Bytes become hex, times ISO 8601, whole keys their digits; exact decimals become the nearest float.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from mqttbridge.events import MAX_TEXT_CHARS, Reason
from mqttbridge.mapping.flatten import MAX_FIELDS
from mqttbridge.mapping.formats.base import unique_object
from mqttbridge.mapping.unusable import Unusable

# As deep as a document with names of 250 characters can be, and deeper than any device nests.
MAX_DEPTH: Final = 100
# A field takes a value and a few containers around it; the bound is on the work that empty containers make.
_MAX_NODES: Final = 10 * MAX_FIELDS
# Numbers beyond this many bits are no numbers that anything could store, and slow to look at.
_MAX_INTEGER_BITS: Final = 128


def plain(value: Any, depth: int = 0) -> Any:
    """The document, of a decoded value; the bounds hold for everything in it.

    Raises:
        Unusable: something in it no event can hold, or too much of it.
    """
    return _Plain().of(value, depth)


class _Plain:
    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes = _MAX_NODES

    def of(self, value: Any, depth: int) -> Any:
        match value:
            case None | bool() | float() | str():
                return value
            case int():
                if value.bit_length() > _MAX_INTEGER_BITS:
                    raise Unusable(Reason.INTEGER_TOO_LARGE, f"an integer of {value.bit_length()} bits")
                return value
            case bytes():
                return _hex(value)
            case dict() | list() | tuple() | Mapping():
                self._nodes -= len(value) + 1
                if self._nodes < 0:
                    raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {_MAX_NODES} objects, lists and values")
                if depth >= MAX_DEPTH:
                    raise Unusable(Reason.MALFORMED, f"nested deeper than {MAX_DEPTH} levels")
                if isinstance(value, Mapping):
                    return unique_object((_key(key), self.of(item, depth + 1)) for key, item in value.items())
                return [self.of(item, depth + 1) for item in value]
            case datetime():
                return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
            case date():
                return value.isoformat()
            case Decimal():
                return float(value)
            case UUID():
                return str(value)
            case _:
                raise Unusable(Reason.MALFORMED, f"no event can hold a {type(value).__name__}")


def _key(key: Any) -> str:
    match key:
        case str():
            return key
        case bool() | None:
            raise Unusable(Reason.MALFORMED, "a key must be a text or a whole number")
        case int() if key.bit_length() <= _MAX_INTEGER_BITS:
            return str(key)
        case _:
            raise Unusable(Reason.MALFORMED, "a key must be a text or a whole number")


def _hex(value: bytes) -> str:
    if 2 * len(value) > MAX_TEXT_CHARS:
        raise Unusable(Reason.TEXT_TOO_LONG, f"{len(value)} bytes, at most {MAX_TEXT_CHARS // 2} can be stored")
    return value.hex()
