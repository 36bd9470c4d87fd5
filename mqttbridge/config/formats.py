"""What the payload formats can be told: a section of a rule for each format that has anything to say."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Final, Self

from pydantic import Field, field_validator, model_validator

from mqttbridge.config.section import Section


class Compression(StrEnum):
    NONE = "none"
    AUTO = "auto"
    GZIP = "gzip"
    ZLIB = "zlib"
    DEFLATE = "deflate"


class BooleanConfig(Section):
    """The words of `format: boolean`, in any case, spaces around them left out of account."""

    true_words: tuple[str, ...] = Field(("true", "on", "yes", "1", "online", "open"), min_length=1)
    """The words for true."""
    false_words: tuple[str, ...] = Field(("false", "off", "no", "0", "offline", "closed"), min_length=1)
    """The words for false."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = {word.strip().lower() for word in self.true_words} & {word.strip().lower() for word in self.false_words}
        if both:
            raise ValueError(f"{min(both)!r} cannot be both true and false")
        return self


class CsvConfig(Section):
    """The lines of `format: csv`."""

    columns: tuple[str, ...] = ()
    """Names of the columns, in their order; an empty name leaves the column out. Default: the header's names."""
    delimiter: str = Field(",", min_length=1, max_length=1)
    """What stands between two columns: one character, such as `;` or a tab."""
    header: bool = False
    """Whether the first line of each message names its columns; where `columns` is given, that line is skipped."""

    @field_validator("delimiter")
    @classmethod
    def _stands_apart(cls, delimiter: str) -> str:
        if delimiter in '"\r\n' or not delimiter.isascii():
            raise ValueError(f"must be an ASCII character other than a quote or a line's end (got {delimiter!r})")
        return delimiter

    @field_validator("columns")
    @classmethod
    def _different(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        wanted = [column for column in columns if column]
        for index, column in enumerate(wanted):
            if column in wanted[:index]:
                raise ValueError(f"the column {column!r} stands here twice")
        if columns and not wanted:
            raise ValueError("names no column")
        return columns


class Precision(StrEnum):
    NANOSECONDS = "ns"
    MICROSECONDS = "us"
    MILLISECONDS = "ms"
    SECONDS = "s"


class InfluxConfig(Section):
    """The lines of `format: influx`."""

    precision: Precision = Precision.NANOSECONDS
    """What a line's timestamp counts: ns (the protocol's default), us, ms or s."""


class Endian(StrEnum):
    BIG = "big"
    LITTLE = "little"


class LayoutType(StrEnum):
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT24 = "uint24"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT8 = "int8"
    INT16 = "int16"
    INT24 = "int24"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BOOL = "bool"
    TEXT = "text"
    BYTES = "bytes"

    @property
    def size(self) -> int:
        """Bytes it takes; 0 where the field's `length` says it."""
        return _SIZES[self]

    @property
    def is_integer(self) -> bool:
        return "int" in self.value

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.value.startswith("float")


_SIZES: Final = {type_: int("".join(filter(str.isdigit, type_)) or 0) // 8 for type_ in LayoutType} | {
    LayoutType.BOOL: 1
}


class LayoutField(Section):
    """One field of a binary layout."""

    type: LayoutType
    """uint8 to uint64, int8 to int64 (24 bits too), float16, float32, float64, bool, text, or bytes (given in hex)."""
    at: int | None = Field(None, ge=0, le=65535)
    """Its first byte, counted from 0; default: the one after the field above."""
    endian: Endian | None = None
    """Default: the layout's."""
    bits: str | None = Field(None, pattern=r"^[0-9]{1,2}(-[0-9]{1,2})?$")
    """Only these bits of the integer, such as `3` or `4-7`; bit 0 is the least."""
    length: int | None = Field(None, ge=1, le=2000)
    """Bytes of a text or of bytes."""
    scale: float = 1.0
    """What the number is multiplied by,"""
    offset: float = 0.0
    """and what is added to it then."""
    optional: bool = False
    """Whether the frame may end before it; then it makes no event."""

    @property
    def bit_range(self) -> tuple[int, int]:
        """The lowest and the highest bit of `bits`."""
        first, _, last = (self.bits or "0").partition("-")
        return (low := int(first)), int(last) if last else low

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.length is not None) != (self.type.size == 0):
            raise ValueError(f"length belongs to text and bytes, and they need it (the type is {self.type})")
        if not isfinite(self.scale) or not isfinite(self.offset):
            raise ValueError("scale and offset must be finite numbers")
        if not self.type.is_number and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError(f"scale and offset are for numbers (the type is {self.type})")
        if self.bits is not None:
            if not (self.type.is_integer or self.type is LayoutType.BOOL):
                raise ValueError(f"bits are those of an integer or a bool (the type is {self.type})")
            low, high = self.bit_range
            if low > high or high >= self.type.size * 8:
                raise ValueError(f"bits must be from low to high, below {self.type.size * 8} (got {self.bits})")
            if self.type is LayoutType.BOOL and low != high:
                raise ValueError(f"a bool is one bit (got {self.bits})")
        return self


class LayoutConfig(Section):
    """The binary layout that `format: hex` and `format: struct` read a frame by."""

    fields: dict[str, LayoutField] = Field(min_length=1)
    """The frame's fields by name, in the order of their bytes."""
    endian: Endian = Endian.BIG
    """Order of the bytes of a number: big (the highest first, as networks have it) or little."""
    exact: bool = True
    """Whether a frame longer than the layout is rejected; false ignores what follows."""
