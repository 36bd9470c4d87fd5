"""Lines of text become values of streams: what `mqttbridge stream` reads, and files that clients have left.

21.5                               a value, where the stream is named
kitchen 21.5                       stream and value
{"kitchen": 21.5, "door": {...}}   fields, nested ones as `door_...`
{"key": "kitchen", "value": 21.5, "epoch": 1700000000}     an event as the Events API has it
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from mqttbridge.client.objects import fields_of
from mqttbridge.client.values import storable, stream_name
from mqttbridge.events import Value

# A line longer than this is no measurement; it is not even read whole.
MAX_LINE: Final = 64 * 1024

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_MAX_NUMBER_CHARS: Final = 64
_WORDS: Final = {"true": True, "false": False}

# stream, value, epoch in seconds or None for now
Reading: TypeAlias = tuple[str, Value, float | None]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that holds no value, and why."""

    why: str


class LineReader:
    """Reads lines one by one.

    Args:
        stream: whose values they are; None where the lines say it themselves. Begins the names of JSON's fields.
        columns: the first line names the columns, and each other line has a value for every one of them.
    """

    def __init__(self, stream: str | None = None, *, columns: bool = False) -> None:
        self._stream, self._columns = stream, columns
        self._header: list[str] = []

    def read(self, line: bytes) -> Sequence[Reading] | Unreadable:
        """The readings of a line; none for an empty one, and for the one with the columns' names."""
        if len(line) > MAX_LINE:
            return Unreadable(f"longer than {MAX_LINE} bytes")
        try:
            text = line.decode("utf-8").strip("\ufeff \t\r\n\0")
            if not text:
                return ()
            if self._columns:
                return self._row(text)
            return self._json(text) if text.startswith("{") else self._plain(text)
        except UnicodeDecodeError:
            return Unreadable("not UTF-8")
        except (TypeError, ValueError) as error:
            return Unreadable(str(error))

    def _plain(self, text: str) -> list[Reading]:
        stream, value = self._stream, text
        if stream is None:
            stream, _, value = text.partition(" ") if " " in text else text.partition("\t")
            if not value.strip():
                raise ValueError("one word only: name the stream by --stream, or write `stream value`")
        return [(stream_name(stream), storable(stream, value_of(value)), None)]

    def _json(self, text: str) -> list[Reading]:
        found: dict[str, Any] = from_json(text, allow_inf_nan=False)
        if "key" in found and "value" in found and found.keys() <= {"key", "value", "epoch"}:
            return [event_of(found)]
        fields = fields_of(found, self._stream or "")
        return [(stream_name(name), storable(name, value), None) for name, value in fields]

    def _row(self, text: str) -> list[Reading]:
        cells = text.split()
        if not self._header:
            self._header = [stream_name(f"{self._stream}_{cell}" if self._stream else cell) for cell in cells]
            return []
        if len(cells) != len(self._header):
            raise ValueError(f"{len(cells)} columns, where the first line has {len(self._header)}")
        return [(name, storable(name, value_of(cell)), None) for name, cell in zip(self._header, cells, strict=True)]


def value_of(text: str) -> Value:
    """A number where the text is one, a boolean for `true` and `false`, else the text."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= _MAX_NUMBER_CHARS and _NUMBER.fullmatch(text):
        return float(text)
    return _WORDS.get(text.lower(), text)


def event_of(found: Any) -> Reading:
    """An event as the Events API has it.

    Raises:
        TypeError, ValueError: it is none.
    """
    if not isinstance(found, dict) or "key" not in found or "value" not in found:
        raise ValueError("no event: it has key and value")
    key, epoch = stream_name(found["key"]), found.get("epoch")
    if isinstance(epoch, str):
        epoch = float(epoch)
    if epoch is not None and (isinstance(epoch, bool) or not isinstance(epoch, int | float) or not abs(epoch) < 1e11):
        raise ValueError(f"{key!r}: the epoch is no time in seconds")
    return key, storable(key, found["value"]), epoch
