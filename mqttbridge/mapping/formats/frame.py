"""`hex` and `struct`: a frame of bytes, read by the rule's layout, as LoRa nodes and meters send them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from mqttbridge.config.formats import LayoutConfig, LayoutField, LayoutType
from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason, Value
from mqttbridge.mapping.formats.base import DocumentFormat, InvalidFormat, not_empty
from mqttbridge.mapping.payload import parse_text
from mqttbridge.mapping.unusable import Unusable, named, shown

_FLOATS: Final = {LayoutType.FLOAT16: "e", LayoutType.FLOAT32: "f", LayoutType.FLOAT64: "d"}
_SEPARATORS: Final = str.maketrans("", "", ":-_")

Decoder = Callable[[bytes], Value]


def struct_format(rule: RuleConfig) -> DocumentFormat:
    """The format of a rule whose payload is the frame."""
    return DocumentFormat(_frame(rule).read)


def hex_format(rule: RuleConfig) -> DocumentFormat:
    """The format of a rule whose payload is the frame in hex digits; `0x` before, and ` `, `:`, `-` between."""
    frame = _frame(rule)
    return DocumentFormat(lambda payload: frame.read(from_hex(payload)))


def from_hex(payload: bytes) -> bytes:
    """The bytes that a payload of hex digits stands for.

    Raises:
        Unusable: anything but hex digits in it, or half a byte.
    """
    text = parse_text(payload)
    digits = text.strip().removeprefix("0x").removeprefix("0X").translate(_SEPARATORS)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise Unusable(Reason.MALFORMED, f"expected hex digits, two a byte (got {shown(text)})") from None


@dataclass(frozen=True, slots=True)
class _Part:
    """One field: where it stands and how its bytes become a value."""

    name: str
    start: int
    end: int
    decode: Decoder
    optional: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """A compiled layout.

    Attributes:
        parts: in the order of the configuration.
        least, most: bytes that a frame has at least, and that the layout speaks of at most.
        exact: whether a longer frame is refused.
    """

    parts: tuple[_Part, ...]
    least: int
    most: int
    exact: bool

    def read(self, frame: bytes) -> dict[str, Value]:
        """The fields of a frame.

        Raises:
            Unusable: it is not as long as it should be, or a text in it is not UTF-8.
        """
        length = len(not_empty(frame))
        if length < self.least or (self.exact and length > self.most):
            raise Unusable(Reason.MALFORMED, f"expected a frame of {self._lengths()} bytes (got {length})")
        fields: dict[str, Value] = {}
        for part in self.parts:
            if part.end <= length:
                fields[part.name] = part.decode(frame[part.start : part.end])
            elif part.start < length:
                raise Unusable(Reason.MALFORMED, f"{named(part.name)}: the frame ends within it, at byte {length}")
        return fields

    def _lengths(self) -> str:
        if not self.exact:
            return f"at least {self.least}"
        return f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"


def _frame(rule: RuleConfig) -> Frame:
    if rule.layout is None:
        raise InvalidFormat(("layout",), f"format {rule.format} needs a layout")
    parts: list[_Part] = []
    end = 0
    for name, field in rule.layout.fields.items():
        if not name:
            raise InvalidFormat(("layout", "fields", name), "a field's name must not be empty")
        start = end if field.at is None else field.at
        end = start + (field.length or field.type.size)
        parts.append(_Part(name, start, end, _decoder(name, field, rule.layout), field.optional))
    return Frame(
        parts=tuple(parts),
        # The layout's first byte at least: an empty frame says nothing.
        least=max((part.end for part in parts if not part.optional), default=1),
        most=max(part.end for part in parts),
        exact=rule.layout.exact,
    )


def _decoder(name: str, field: LayoutField, layout: LayoutConfig) -> Decoder:
    endian: Any = (field.endian or layout.endian).value
    match field.type:
        case LayoutType.TEXT:
            return lambda data: _text(name, data)
        case LayoutType.BYTES:
            return bytes.hex
        case LayoutType.BOOL:
            bit = 1 << field.bit_range[0] if field.bits else 0xFF
            return lambda data: bool(data[0] & bit)
        case LayoutType.FLOAT16 | LayoutType.FLOAT32 | LayoutType.FLOAT64:
            unpack = struct.Struct((">" if endian == "big" else "<") + _FLOATS[field.type]).unpack
            return _scaled(lambda data: unpack(data)[0], field)
        case _:
            return _scaled(_integer(field, endian), field)


def _text(name: str, data: bytes) -> str:
    try:
        return data.rstrip(b"\0").decode()
    except UnicodeDecodeError as error:
        raise Unusable(Reason.NOT_UTF8, f"{named(name)}: byte {error.start} of the text is not UTF-8") from None


def _integer(field: LayoutField, endian: Any) -> Callable[[bytes], int]:
    signed = field.type.value.startswith("int")
    if field.bits is None:
        return lambda data: int.from_bytes(data, endian, signed=signed)
    low, high = field.bit_range
    mask = (1 << (high - low + 1)) - 1
    sign = (mask + 1) >> 1 if signed else 0
    # Flipping the sign bit and taking it off again extends the sign.
    return lambda data: ((int.from_bytes(data, endian) >> low & mask) ^ sign) - sign


def _scaled(decode: Callable[[bytes], int | float], field: LayoutField) -> Decoder:
    scale, offset = field.scale, field.offset
    if (scale, offset) == (1.0, 0.0):
        return decode
    if not field.type.is_integer:
        return lambda data: decode(data) * scale + offset
    # A whole number times 0.01 has two decimals: what binary fractions add to them is none of the device's.
    decimals = max(_decimals(scale), _decimals(offset))
    if decimals == 0:
        whole_scale, whole_offset = int(scale), int(offset)
        return lambda data: decode(data) * whole_scale + whole_offset
    return lambda data: round(decode(data) * scale + offset, decimals)


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
