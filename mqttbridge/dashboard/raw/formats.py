"""Rows as the bytes of a file: CSV for spreadsheets, JSON lines for programs. Parquet has a module of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol

from pydantic_core import to_json

from mqttbridge.dashboard.store import Row
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.events import Value

# A spreadsheet takes a text that begins so for a formula, which may run programs and send data away.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Encoder(Protocol):
    """Makes a file of rows, batch by batch."""

    media_type: str
    suffix: str

    def begin(self) -> bytes:
        """What the file begins with."""
        ...

    def rows(self, rows: Sequence[Row]) -> bytes:
        """The next rows; may be empty, when they are kept to be written together with later ones."""
        ...

    def end(self) -> bytes:
        """What the file ends with."""
        ...


class Csv:
    """`time,stream,value,unit`, times in ISO 8601 UTC; lines end with CR LF, as RFC 4180 has it."""

    media_type = "text/csv; charset=utf-8; header=present"
    suffix = "csv"

    def __init__(self, units: Mapping[str, str]) -> None:
        self._units = units

    def begin(self) -> bytes:
        return b"time,stream,value,unit\r\n"

    def rows(self, rows: Sequence[Row]) -> bytes:
        text = io.StringIO()
        units = self._units
        csv.writer(text).writerows(
            (iso_time(at), plain(stream), _csv_value(value), plain(units.get(stream, ""))) for at, stream, value in rows
        )
        return text.getvalue().encode("utf-8", "replace")

    def end(self) -> bytes:
        return b""


class JsonLines:
    """`{"epoch", "stream", "value", "unit"}` a line; without `unit` where there is none."""

    media_type = "application/x-ndjson"
    suffix = "jsonl"

    def __init__(self, units: Mapping[str, str]) -> None:
        self._units = units

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        lines = []
        for at, stream, value in rows:
            line = {"epoch": at / MICROSECONDS, "stream": stream, "value": value}
            if unit := self._units.get(stream):
                line["unit"] = unit
            lines.append(to_json(line))
        return b"\n".join([*lines, b""])

    def end(self) -> bytes:
        return b""


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that looks like it gets an apostrophe in front."""
    return f"'{text}" if text.startswith(FORMULA) else text


def iso_time(microseconds: int) -> str:
    """`2026-01-02T03:04:05.678000Z`; a time beyond the calendar as its number of seconds."""
    seconds, rest = divmod(microseconds, MICROSECONDS)
    day = _second(seconds)
    return str(microseconds / MICROSECONDS) if day is None else f"{day}.{rest:06d}Z"


@lru_cache(maxsize=1024)  # streams of one device speak within the same second
def _second(seconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return None


def _csv_value(value: Value) -> str:
    if isinstance(value, str):
        return plain(value)
    return repr(value).lower() if isinstance(value, bool) else repr(value)
