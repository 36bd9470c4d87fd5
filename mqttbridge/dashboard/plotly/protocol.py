"""The wire protocol of Plotly's streams, sans-I/O: bytes in, lines out.

A client sends one long `POST` whose chunks hold JSON objects, each ended by a line feed; a bare line feed is a
heartbeat. Real clients break HTTP in known ways, so this parser takes what they send: two `Host` headers, a
stray CRLF before the last chunk, bare line feeds for line ends, a line cut by chunk borders or several in one
chunk, a body with a length, or one that ends with the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

# As Plotly's own clients know them.
STATUSES: Final = {
    200: "OK",
    308: "Stream Ended By A Newer Connection",
    400: "Bad Request",
    403: "Token Removed",
    404: "Unknown Token",
    405: "Method Not Allowed",
    406: "Stream Token Missing",
    408: "Idle Timeout",
    422: "Bad JSON",
    449: "Content Changed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

MAX_HEAD_BYTES: Final = 16_384
MAX_CHUNK_HEAD_BYTES: Final = 1024
# 2^60 bytes in one chunk: the size itself is no danger, since data is not kept beyond the line that it is part of.
_MAX_SIZE_DIGITS: Final = 15
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Head:
    """The request's head; of a header that is repeated, the first. Names are in lower case."""

    method: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the body, without white space around it; empty is a heartbeat."""

    text: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The stream was ended as it should be."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """The bytes are no such stream; nothing that comes after can be understood."""

    why: str


Event: TypeAlias = Head | Line | End | Malformed


class StreamParser:
    """Cuts one connection's bytes into events.

    Args:
        max_line: bytes of a line; may be changed between two calls of `feed`.
    """

    def __init__(self, max_line: int) -> None:
        self.max_line = max_line
        self._buffer = bytearray()
        self._line = bytearray()
        self._events: list[Event] = []
        self._left = 0
        self._step: Callable[[], bool] = self._head
        self._until_close = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete. Nothing comes after an `End` or a `Malformed`."""
        self._buffer += data
        while self._step():
            pass
        events, self._events = self._events, []
        return events

    def eof(self) -> list[Event]:
        """The events of the connection's end: of a stream cut off before its end, none."""
        if self._until_close:
            self._end()
        events, self._events = self._events, []
        return events

    # --- the steps: each consumes something and says whether the next may go on -----------------------------

    def _head(self) -> bool:
        while self._buffer.startswith((b"\r", b"\n")):
            del self._buffer[:1]
        ends = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := self._buffer.find(mark)) >= 0]
        if not ends and len(self._buffer) <= MAX_HEAD_BYTES:
            return False
        at, length = min(ends, default=(MAX_HEAD_BYTES + 1, 0))
        if at > MAX_HEAD_BYTES:
            return self._malformed(f"the request's head is longer than {MAX_HEAD_BYTES} bytes")
        first, *rest = self._buffer[:at].decode("latin-1").splitlines()
        del self._buffer[: at + length]
        words = first.split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return self._malformed("the first line is no HTTP/1.1 request")
        headers: dict[str, str] = {}
        for line in rest:
            name, colon, value = line.partition(":")
            if not colon or not name.strip():
                return self._malformed("a header has no name")
            headers.setdefault(name.strip().lower(), value.strip())
        return self._begin_body(words[0].upper(), headers)

    def _begin_body(self, method: str, headers: Mapping[str, str]) -> bool:
        length = headers.get("content-length")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            self._step = self._chunk_head
        elif length is None:
            self._step, self._until_close = self._rest, True
        elif length.isascii() and length.isdigit() and len(length) <= _MAX_SIZE_DIGITS:
            self._step, self._left = self._counted, int(length)
        else:
            return self._malformed("Content-Length is no length")
        self._events.append(Head(method, headers))
        return True

    def _chunk_head(self) -> bool:
        end = self._buffer.find(b"\n", 0, MAX_CHUNK_HEAD_BYTES)
        if end < 0:
            too_long = len(self._buffer) >= MAX_CHUNK_HEAD_BYTES
            return too_long and self._malformed("a chunk's size has no end")
        digits = bytes(self._buffer[:end]).partition(b";")[0].strip()
        del self._buffer[: end + 1]
        if not digits:
            return True  # the CRLF after a chunk's data, or the stray one of a client that ends its stream
        if len(digits) > _MAX_SIZE_DIGITS or not _HEX.issuperset(digits):
            return self._malformed("a chunk's size is no hexadecimal number")
        self._left = int(digits, 16)
        if self._left == 0:
            return self._end()
        self._step = self._chunk
        return True

    def _chunk(self) -> bool:
        if not self._take_lines():
            return False
        if self._left == 0:
            self._step = self._chunk_head
        return True

    def _counted(self) -> bool:
        if self._left == 0:
            return self._end()
        return self._take_lines()

    def _rest(self) -> bool:
        self._left = len(self._buffer)
        return self._take_lines()

    def _over(self) -> bool:
        self._buffer.clear()
        return False

    # --- what the steps share -------------------------------------------------------------------------------

    def _take_lines(self) -> bool:
        """Move what there is of the body's next `_left` bytes into lines; whether there was any."""
        if not self._buffer or self._left == 0:
            return False
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        first, *others = piece.split(b"\n")
        self._line += first
        if len(self._line) > self.max_line:
            return self._too_long()
        if others:
            *whole, rest = others
            for line in (bytes(self._line), *whole):
                if len(line) > self.max_line:
                    return self._too_long()
                self._events.append(Line(line.strip()))
            self._line = bytearray(rest)
            if len(rest) > self.max_line:
                return self._too_long()
        return True

    def _too_long(self) -> bool:
        return self._malformed(f"a line is longer than {self.max_line} bytes")

    def _end(self) -> bool:
        if last := bytes(self._line).strip():
            self._events.append(Line(last))
        self._events.append(End())
        return self._finish()

    def _malformed(self, why: str) -> bool:
        self._events.append(Malformed(why))
        return self._finish()

    def _finish(self) -> bool:
        self._step, self._until_close = self._over, False
        self._line.clear()
        self._buffer.clear()
        return False


def answer(status: int, message: str = "") -> bytes:
    """A whole response that ends the connection."""
    body = (message or STATUSES[status]).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status} {STATUSES[status]}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode("ascii") + body


# --- acknowledgements, which our own client asks for; Plotly's know none ----------------------------------

# The session's name, and the number of the connection's first write in it.
SESSION_HEADER: Final = "mqttbridge-session"
FIRST_HEADER: Final = "mqttbridge-first"
MAXPOINTS_HEADER: Final = "mqttbridge-maxpoints"

ACKNOWLEDGING: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"mqttbridge-session: acknowledging\r\nConnection: close\r\n\r\n"
)


def acknowledge(number: int) -> bytes:
    """Every write up to this one is on disk."""
    return b"ack %d\n" % number


def farewell(status: int, message: str = "") -> bytes:
    """The status that a silent stream would end with, at the end of one with acknowledgements."""
    return f"end {status} {message or STATUSES[status]}\n".encode()
