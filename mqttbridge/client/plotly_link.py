"""One connection of a stream: the request's head, chunks, and what the server says to them.

Plotly's servers are silent until the end and then answer with a status. mqttbridge's also acknowledge what they
have on disk, when asked by the session's header; from those nothing can be lost, and nothing is sent twice.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from mqttbridge.errors import StreamError

# As in mqttbridge/dashboard/plotly/protocol.py, which is not loaded here; a test holds the two together.
SESSION_HEADER: Final = "mqttbridge-session"
FIRST_HEADER: Final = "mqttbridge-first"
MAXPOINTS_HEADER: Final = "mqttbridge-maxpoints"

CONNECT_SECONDS: Final = 10.0
LAST_CHUNK: Final = b"0\r\n\r\n"
_READ_BYTES: Final = 65536
_MAX_ANSWER_BYTES: Final = 65536
_AGAIN: Final = {errno.EAGAIN, errno.EWOULDBLOCK}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a stream goes, and as what.

    Attributes:
        url: the server's; only scheme, host and port matter.
        token: the trace's.
        maxpoints: how many points to keep on screen; None is as the server has it.
        session: names this stream's writes across its connections.
    """

    url: str
    token: str = field(repr=False)
    maxpoints: int | None
    session: str


@dataclass(slots=True)
class Heard:
    """What the server has said since the last time.

    Attributes:
        acknowledged: writes up to this number are on its disk; 0 is none.
        ended: whether the connection is of no more use.
        status: why, as the server has it; empty when it was cut.
        message: the server's words.
    """

    acknowledged: int = 0
    ended: bool = False
    status: int | str = ""
    message: str = ""


class Link:
    """An open connection, used by one thread. Nothing here waits once it is made.

    Args:
        target: see there.
        first: the number of the first write on this connection.

    Raises:
        StreamError: there is no way to the server.
    """

    def __init__(self, target: Target, first: int) -> None:
        parts = urlsplit(target.url if "//" in target.url else f"//{target.url}", scheme="http")
        secure = parts.scheme == "https"
        try:
            host, port = parts.hostname or "", parts.port or (443 if secure else 80)
            sock = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
            if secure:
                import ssl  # noqa: PLC0415  # few need it

                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except (OSError, ValueError) as error:
            raise StreamError(f"no way to the streaming server {target.url}: {error}") from error
        self.socket = sock
        self.acknowledging = False
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._status: int | None = None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)  # the standard library's signature
        head = {
            "Host": parts.netloc.rpartition("@")[2],
            "User-Agent": "mqttbridge-stream",
            "Transfer-Encoding": "chunked",
            "plotly-streamtoken": target.token,
            SESSION_HEADER: target.session,
            FIRST_HEADER: str(first),
        }
        if target.maxpoints is not None:
            head[MAXPOINTS_HEADER] = str(target.maxpoints)
        lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self._outgoing += "\r\n".join(lines).encode("latin-1")

    @property
    def backlog(self) -> int:
        """Bytes the network has not taken yet."""
        return len(self._outgoing)

    def put(self, line: bytes) -> None:
        """Queue one line as a chunk."""
        self._outgoing += b"%x\r\n%b\r\n" % (len(line), line)

    def put_end(self) -> None:
        """Queue the end of the stream."""
        self._outgoing += LAST_CHUNK

    def send(self) -> bool:
        """Give the network what it takes; False when the connection is broken."""
        try:
            while self._outgoing:
                del self._outgoing[: self.socket.send(self._outgoing)]
        except OSError as error:
            return _would_block(error)
        return True

    def receive(self) -> Heard:
        """What the server says; nothing is a `Heard` with nothing in it."""
        over = False
        try:
            while data := self.socket.recv(_READ_BYTES):
                self._incoming += data
                if len(self._incoming) > _MAX_ANSWER_BYTES and not self.acknowledging:
                    break
            over = True
        except OSError as error:
            over = not _would_block(error)
        heard = self._understood()
        if over and not heard.ended:
            message = "" if self.acknowledging else self._incoming.decode(errors="replace").strip()
            status: int | str = "" if self.acknowledging or self._status is None else self._status
            return Heard(heard.acknowledged, ended=True, status=status, message=message)
        return heard

    def close(self) -> None:
        """Let go of the socket."""
        self.socket.close()

    def _understood(self) -> Heard:
        if self._status is None and not self._read_head():
            return Heard()
        heard = Heard()
        if not self.acknowledging:
            return heard  # its body is the message, and ends with the connection
        *lines, rest = self._incoming.split(b"\n")
        self._incoming = bytearray(rest)
        for line in lines:
            words = line.decode(errors="replace").split(maxsplit=2)
            if len(words) < 2 or not words[1].isdecimal():
                continue
            if words[0] == "ack":
                heard.acknowledged = max(heard.acknowledged, int(words[1]))
            elif words[0] == "end":
                heard.ended, heard.status = True, int(words[1])
                heard.message = words[2] if len(words) > 2 else ""
        return heard

    def _read_head(self) -> bool:
        end = self._incoming.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self._incoming[:end].decode("latin-1").split("\r\n")
        del self._incoming[: end + 4]
        words = first.split(maxsplit=2)
        if len(words) < 2 or not words[1].isdecimal():
            self._status = 520  # as Plotly has it: an answer nobody understands
            return True
        status = int(words[1])
        if status == 100:
            return self._read_head()
        self._status = status
        names = {line.partition(":")[0].strip().lower() for line in lines}
        self.acknowledging = status == 200 and SESSION_HEADER in names
        return True


def _would_block(error: OSError) -> bool:
    # Of TLS: it wants to read or write, which is the same to us.
    return error.errno in _AGAIN or type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")
