"""Values of Sparkplug's data types (section 6.4.16): what stands on the wire, by the type that the birth declared.

Signed integers travel as the unsigned ones of the same bits. Times become ISO 8601, bytes and files hex, arrays
lists.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from mqttbridge.events import Reason
from mqttbridge.mapping.formats.plain import plain
from mqttbridge.mapping.unusable import Unusable, named

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DataType(IntEnum):
    """The data types by their numbers in the specification."""

    INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 = range(1, 9)
    FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME, TEXT, UUID, DATASET, BYTES, FILE, TEMPLATE = range(9, 20)
    INT8_ARRAY, INT16_ARRAY, INT32_ARRAY, INT64_ARRAY = range(22, 26)
    UINT8_ARRAY, UINT16_ARRAY, UINT32_ARRAY, UINT64_ARRAY = range(26, 30)
    FLOAT_ARRAY, DOUBLE_ARRAY, BOOLEAN_ARRAY, STRING_ARRAY, DATETIME_ARRAY = range(30, 35)


def value_of(message: Any, datatype: int, name: str) -> Any:
    """Value of a metric or of a data set's cell; None when it has none.

    Args:
        message: a decoded `Metric` or `DataSetValue`.
        datatype: as the birth declared it.
        name: the metric's, for the detail.

    Raises:
        Unusable: an unknown type, or the value is not of that type.
    """
    member = message.WhichOneof("value")
    if member is None:
        return None
    decode = _DECODERS.get((datatype, member))
    if decode is None:
        declared = DataType(datatype).name.lower() if datatype in _KNOWN else f"of the unknown type {datatype}"
        raise Unusable(Reason.MALFORMED, f"{named(name)}: declared {declared}, sent as {member}")
    try:
        return decode(getattr(message, member))
    except (ValueError, OverflowError, struct.error) as error:
        raise Unusable(Reason.MALFORMED, f"{named(name)}: {error}") from None


def _as_it_is(value: Any) -> Any:
    return value


def _unsigned(bits: int) -> Callable[[int], int]:
    def decode(number: int) -> int:
        if number >> bits:
            raise ValueError(f"{number} does not fit into {bits} bits")
        return number

    return decode


def _signed(bits: int) -> Callable[[int], int]:
    """From two's complement: of these bits, or of the 32 that carry them, as encoders differ in it."""
    half = 1 << (bits - 1)

    def decode(number: int) -> int:
        signed = ((number & (2 * half - 1)) ^ half) - half
        if number not in {signed & 0xFFFF_FFFF, signed & 0xFFFF_FFFF_FFFF_FFFF, signed & (2 * half - 1)}:
            raise ValueError(f"{number} does not fit into {bits} signed bits")
        return signed

    return decode


def _moment(milliseconds: int) -> str:
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat()


def _array(code: str) -> Callable[[bytes], list[Any]]:
    size = struct.calcsize(f"<{code}")

    def decode(data: bytes) -> list[Any]:
        return list(struct.unpack(f"<{len(data) // size}{code}", data))

    return decode


def _booleans(data: bytes) -> list[bool]:
    """A count of four bytes, then a bit each, the highest of a byte first."""
    (count,) = struct.unpack_from("<I", data)
    if count > 8 * (len(data) - 4):
        raise ValueError(f"{count} booleans in {len(data) - 4} bytes")
    return [bool(data[4 + index // 8] & 0x80 >> index % 8) for index in range(count)]


def _texts(data: bytes) -> list[str]:
    """Texts that each end with a NUL."""
    return [text.decode() for text in data.split(b"\0")[:-1]] if data else []


def _moments(data: bytes) -> list[str]:
    return [_moment(milliseconds) for milliseconds in _array("q")(data)]


def _decoders() -> Iterator[tuple[tuple[int, str], Callable[[Any], Any]]]:
    for bits, signed, unsigned in (
        (8, DataType.INT8, DataType.UINT8),
        (16, DataType.INT16, DataType.UINT16),
        (32, DataType.INT32, DataType.UINT32),
        (64, DataType.INT64, DataType.UINT64),
    ):
        # Only 64 bits need `long_value`, but Java's encoders put a UInt32 there as well.
        for member in ("int_value", "long_value"):
            yield (signed, member), _signed(bits)
            yield (unsigned, member), _unsigned(bits)
    yield (DataType.DATETIME, "long_value"), _moment
    yield (DataType.FLOAT, "float_value"), _as_it_is
    yield (DataType.DOUBLE, "double_value"), _as_it_is
    yield (DataType.BOOLEAN, "boolean_value"), _as_it_is
    for text in (DataType.STRING, DataType.TEXT, DataType.UUID):
        yield (text, "string_value"), _as_it_is
    for data in (DataType.BYTES, DataType.FILE):
        yield (data, "bytes_value"), plain
    for first, codes in ((DataType.INT8_ARRAY, "bhiq"), (DataType.UINT8_ARRAY, "BHIQ"), (DataType.FLOAT_ARRAY, "fd")):
        for index, code in enumerate(codes):
            yield (first + index, "bytes_value"), _array(code)
    yield (DataType.BOOLEAN_ARRAY, "bytes_value"), _booleans
    yield (DataType.STRING_ARRAY, "bytes_value"), _texts
    yield (DataType.DATETIME_ARRAY, "bytes_value"), _moments


_KNOWN: Final = frozenset(map(int, DataType))
_DECODERS: Final = dict(_decoders())
