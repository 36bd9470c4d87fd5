"""Server-sent events as our server writes them, sans-I/O: bytes in, events out. Lines end with a bare line feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# The largest frame is that of a hub which had much to tell at once, well below this; a server that sends more than
# this without ending its event is none of ours.
MAX_EVENT_BYTES: Final = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Sent:
    """One event. `id` is where to go on after it; empty when it says nothing of that."""

    event: str
    id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TooLong:
    """An event of more than `MAX_EVENT_BYTES`; nothing that comes after can be understood."""


class SseParser:
    """Cuts one connection's bytes into events. Comments and events without data or name are passed over."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked = 0

    def feed(self, data: bytes) -> list[Sent | TooLong]:
        """The events that these bytes complete, in order."""
        self._buffer += data
        events: list[Sent | TooLong] = []
        begin = 0
        while (end := self._buffer.find(b"\n\n", max(begin, self._looked))) >= 0:
            event = _read(bytes(self._buffer[begin:end]))
            if event is not None:
                events.append(event)
            begin = end + 2
        del self._buffer[:begin]
        self._looked = max(0, len(self._buffer) - 1)  # its end may be half of what ends an event
        if len(self._buffer) > MAX_EVENT_BYTES:
            events.append(TooLong())
        return events


def _read(block: bytes) -> Sent | None:
    fields: dict[bytes, bytes] = {}
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        fields[name] = fields[b"data"] + b"\n" + value if name == b"data" and b"data" in fields else value
    if b"event" not in fields or b"data" not in fields:
        return None
    return Sent(_text(fields[b"event"]), _text(fields.get(b"id", b"")), fields[b"data"])


def _text(raw: bytes) -> str:
    """Printable ASCII, as all of ours is: an id goes back in a header, where nothing else may be."""
    text = raw.decode("ascii", "replace")
    return text if text.isprintable() and text.isascii() else ""
