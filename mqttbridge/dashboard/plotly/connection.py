"""One stream's connection: bytes from the transport, lines to the figures and the spool, silence until the end.

Plotly's clients take any byte for the end of the stream, so nothing is said before it. Our own client asks for
acknowledgements instead: it is told which of its writes are synced, and sends the others again elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Final, Protocol, cast

from mqttbridge.dashboard.plotly import protocol
from mqttbridge.dashboard.plotly.protocol import End, Event, Head, Line, StreamParser
from mqttbridge.dashboard.plotly.tokens import MAX_TOKEN_CHARS, Token
from mqttbridge.dashboard.plotly.update import MAX_POINTS, Malformed, Update, read_update
from mqttbridge.errors import BridgeError
from mqttbridge.events import EventTuple, Rejected

# What a connection without a token may say in a line; with one, the configuration's `max_line` holds.
MAX_STRANGERS_LINE: Final = 4096
# Bytes of lines that wait for their commit beyond which a connection is read no further.
MAX_IN_FLIGHT: Final = 262_144
HEAD_SECONDS: Final = 15.0
# How long a client may take to read our last word and close.
LINGER_SECONDS: Final = 5.0
_MAX_SESSION_CHARS: Final = 64
_MAX_NUMBER_DIGITS: Final = 15


class Streams(Protocol):
    """What a connection needs of the listener."""

    max_line: int
    idle: float

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for one more."""
        ...

    def leave(self, connection: Connection) -> None:
        """The connection has ended, and its tokens are free."""
        ...

    def gone(self, connection: Connection) -> None:
        """Its socket is closed, too."""
        ...

    def claim(self, token: str, connection: Connection) -> Token | None:
        """What the token is for, now this connection's alone; None when it is unknown."""
        ...

    def write(self, token: Token, update: Update) -> list[EventTuple | Rejected]:
        """Show what a line says; returns what is to be stored of it."""
        ...

    def resize(self, token: Token, maxpoints: int) -> None:
        """The stream wishes so many points on screen."""
        ...

    def is_new(self, token: Token, session: str, number: int) -> bool:
        """Whether this write of a session was not seen yet; it is seen now."""
        ...

    def commit(self, events: Sequence[EventTuple | Rejected], connection: Connection, size: int, last: int) -> None:
        """Store the events, then call the connection's `committed`."""
        ...


class _Stage(Enum):
    HEAD = auto()  # the request's head is awaited
    OPEN = auto()  # lines are taken
    ENDING = auto()  # the status is known, and waits for the commit of what came before
    ENDED = auto()  # it was said; what still comes is thrown away


class Connection(asyncio.Protocol):
    """See the module. Runs on the listener's loop."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._parser = StreamParser(MAX_STRANGERS_LINE)
        self._stage = _Stage.HEAD
        self._since = self._heard = time.monotonic()
        self._lingering: asyncio.TimerHandle | None = None
        self._token: Token | None = None
        self._session = ""
        self._number = 0
        self._in_flight = 0
        self._paused = False
        self._last_word = (200, "")
        self._counter: _MillisecondCounter | None = None
        self.claimed: set[str] = set()
        """Digests of the tokens that are this connection's."""

    # --- the transport's side -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._streams.admit(self):
            self.end(503, "too many streams are connected: see plotly.max_connections")
            self._transport.close()  # there is no room to linger in either

    def data_received(self, data: bytes) -> None:
        self._heard = time.monotonic()
        if self._stage in (_Stage.ENDING, _Stage.ENDED):
            return
        self._take(self._parser.feed(data), len(data))

    def eof_received(self) -> bool:
        self._take(self._parser.eof(), 0)
        return self._stage in (_Stage.ENDING, _Stage.ENDED)  # then it stays open for our last word

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # a cut is as good as a close
        self._stage = _Stage.ENDED
        if self._lingering is not None:
            self._lingering.cancel()
        self._streams.leave(self)
        self._streams.gone(self)

    # --- the listener's side --------------------------------------------------------------------------------

    def end(self, status: int, message: str = "") -> None:
        """End the stream with this status, after the commit of what it has sent."""
        if self._stage in (_Stage.ENDING, _Stage.ENDED):
            return
        self._stage, self._last_word = _Stage.ENDING, (status, message)
        if not self._in_flight:
            self._say_last_word()

    def abort(self) -> None:
        """Close the socket without another word."""
        self._transport.abort()

    def committed(self, size: int, last: int) -> None:
        """So many bytes of lines are on disk, up to the write with this number."""
        self._in_flight -= size
        if self._stage is _Stage.ENDED:
            return
        if self._session:
            self._transport.write(protocol.acknowledge(last))
        if self._stage is _Stage.ENDING and not self._in_flight:
            self._say_last_word()
        elif self._paused and self._in_flight <= MAX_IN_FLIGHT // 2:
            self._paused = False
            self._heard = time.monotonic()
            self._transport.resume_reading()

    def look_after(self, now: float) -> None:
        """End what is silent for too long. `now` is the monotonic clock's."""
        if self._stage is _Stage.HEAD:
            if now - self._since > HEAD_SECONDS:
                self.end(408, "no request came")
        elif not self._in_flight and now - self._heard > self._streams.idle:
            self.end(408, f"nothing came for {self._streams.idle:g} s; a heartbeat is a line feed")

    # --- lines ----------------------------------------------------------------------------------------------

    def _take(self, events: Sequence[Event], size: int) -> None:
        stored: list[EventTuple | Rejected] = []
        lines = 0
        for event in events:
            match event:
                case Head():
                    self._begin(event)
                case Line(b""):
                    continue
                case Line(text):
                    lines += 1
                    self._write(text, stored)
                case End() if self._stage is _Stage.OPEN:
                    self._stop_taking(200, "")
                case protocol.Malformed(why):
                    self._stop_taking(400, why)
            if self._stage is _Stage.ENDING:
                break
        if lines:
            self._in_flight += size
            self._streams.commit(stored, self, size, self._number)
            if self._in_flight > MAX_IN_FLIGHT and self._stage is _Stage.OPEN:
                self._paused = True
                self._transport.pause_reading()
        elif self._stage is _Stage.ENDING and not self._in_flight:
            self._say_last_word()

    def _begin(self, head: Head) -> None:
        self._stage = _Stage.OPEN
        if head.method != "POST":
            return self._stop_taking(405, "a stream is a POST")
        if "100-continue" in head.headers.get("expect", "").lower():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "plotly-converttimestamp" in head.headers:
            self._counter = _MillisecondCounter()
        given = head.headers.get("plotly-streamtoken")
        if given is None:
            return None  # each line has it, or the first will be the last
        self._token = self._claim(given)
        if self._token is None:
            return None
        self._parser.max_line = self._streams.max_line
        wished = head.headers.get(protocol.MAXPOINTS_HEADER, "")
        if wished.isascii() and wished.isdigit() and len(wished) <= _MAX_NUMBER_DIGITS and int(wished) <= MAX_POINTS:
            self._streams.resize(self._token, int(wished))
        session = head.headers.get(protocol.SESSION_HEADER, "")
        first = head.headers.get(protocol.FIRST_HEADER, "")
        if (
            0 < len(session) <= _MAX_SESSION_CHARS
            and first.isascii()
            and first.isdigit()
            and len(first) <= _MAX_NUMBER_DIGITS
        ):
            self._session, self._number = session, int(first) - 1
            self._transport.write(protocol.ACKNOWLEDGING)
        return None

    def _write(self, text: bytes, stored: list[EventTuple | Rejected]) -> None:
        update = read_update(text)
        if isinstance(update, Malformed):
            return self._stop_taking(422, update.why)
        token = self._token
        if token is None:
            if update.token is None:
                return self._stop_taking(
                    406, "neither the header plotly-streamtoken nor the line's streamtoken is there"
                )
            token = self._claim(update.token)
            if token is None:
                return None
        self._number += 1
        if self._session and not self._streams.is_new(token, self._session, self._number):
            return None
        if self._counter is not None:
            update = self._counter.dated(update)
        stored += self._streams.write(token, update)
        return None

    def _claim(self, given: str) -> Token | None:
        try:
            token = self._streams.claim(given, self) if len(given) <= MAX_TOKEN_CHARS else None
        except BridgeError as error:
            self._stop_taking(500, str(error))
            return None
        if token is None:
            self._stop_taking(404, "this token is not known here: see `mqttbridge token ls`")
        return token

    # --- the end --------------------------------------------------------------------------------------------

    def _stop_taking(self, status: int, message: str) -> None:
        """As `end`, from within a read whose lines are yet to be handed over."""
        self._stage, self._last_word = _Stage.ENDING, (status, message)

    def _say_last_word(self) -> None:
        self._stage = _Stage.ENDED
        self._streams.leave(self)
        if self._transport.is_closing():
            return
        self._lingering = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.abort)
        self._transport.write((protocol.farewell if self._session else protocol.answer)(*self._last_word))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if self._paused:
            # Bytes left unread would reset the connection, and our last word with it.
            self._transport.resume_reading()


class _MillisecondCounter:
    """Dates for clients without a clock, which count milliseconds since their start."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None

    def dated(self, update: Update) -> Update:
        """The update with a date for its x, by the time at which the connection's first one came."""
        if isinstance(update.x, bool) or not isinstance(update.x, int | float):
            return update
        if self._began is None or update.x < self._began[1]:
            self._began = (time.time(), update.x)
        epoch = self._began[0] + (update.x - self._began[1]) / 1000
        try:
            x: Any = datetime.fromtimestamp(epoch, UTC).isoformat()
        except (OverflowError, ValueError, OSError):
            return update
        return replace(update, x=x)
