"""The socket that stands between paho and the network, so that PUBLISH packets never reach paho's slow reader.

paho owns the connection: it opens the socket (TCP, TLS, WebSocket or Unix), and this class wraps what it opened.
Inbound, `fill` reads as much as there is and cuts the PUBLISH packets out; paho's own `recv` is served from the
packets that are left. Outbound, `send` takes everything at once and keeps what the network does not take yet, so
paho never holds half a packet and our acknowledgements can go out between its packets.

This is all that is used of paho's private surface: `Client._create_socket` is overridden (see mqtt.py), and the
object it returns is used by paho through `recv`, `send`, `setblocking`, `fileno`, `pending` and `close`.
"""

from __future__ import annotations

import ssl
import time
from typing import Any, Final

from mqttbridge.errors import ProtocolViolation
from mqttbridge.sources.endings import not_a_broker
from mqttbridge.sources.frames import PublishReader

# What one call asks the kernel for, and how much is cut and committed together: at 100,000 messages a second of
# 100 bytes it is 25 ms of traffic, so commits are few; more would only add latency and memory.
READ_BYTES: Final = 256 * 1024

_WOULD_BLOCK: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class FrameSocket:
    """Wraps the connected socket that paho made. Used by one thread.

    Attributes:
        last_sent: when something was sent last, by the monotonic clock.
        met_no_broker: whether the first bytes that came were none of an MQTT broker.
    """

    def __init__(self, inner: Any, frames: PublishReader) -> None:
        self._inner = inner
        self._frames = frames
        self._unsent = bytearray()
        self._closed_by_peer = False
        self._greeted = False
        self.met_no_broker = False
        self.last_sent = time.monotonic()

    # --- for the ingest side -------------------------------------------------------------------------------

    def fill(self) -> bool:
        """Read what is there, up to `READ_BYTES`, and cut it.

        Returns:
            Whether there may be more to read at once.

        Raises:
            OSError: the connection is broken.
            ProtocolViolation: what came is not MQTT.
        """
        chunks: list[bytes] = []
        size = 0
        drained = False
        while size < READ_BYTES:
            try:
                chunk = self._inner.recv(READ_BYTES - size)
            except _WOULD_BLOCK:
                # paho's WebSocket says so after a PING or half a frame, too, though TLS has decrypted more: nobody
                # would wake us for that, since the network has nothing to read.
                if self._has_decrypted():
                    continue
                drained = True
                break
            except OSError:
                if not chunks:
                    raise
                break  # what came before it counts; the next read says it again
            if not chunk:
                self._closed_by_peer = drained = True
                break
            chunks.append(chunk)
            size += len(chunk)
        if chunks:
            if not self._greeted:
                self._check_greeting(chunks[0])
            self._frames.feed(chunks[0] if len(chunks) == 1 else b"".join(chunks))
        return not drained

    def _has_decrypted(self) -> bool:
        pending = getattr(self._inner, "pending", None)
        return bool(pending and pending())

    def _check_greeting(self, greeting: bytes) -> None:
        self._greeted = True
        if words := not_a_broker(greeting):
            self.met_no_broker = True
            raise ProtocolViolation(words)

    @property
    def closed_by_peer(self) -> bool:
        """Whether the other side has closed the connection in good order."""
        return self._closed_by_peer

    @property
    def has_packets(self) -> bool:
        """Whether paho has something to read: a packet that is not ours, or the end of the connection."""
        return bool(self._frames.others) or self._closed_by_peer

    @property
    def wants_write(self) -> bool:
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what was kept back, as far as the network takes it.

        Raises:
            OSError: the connection is broken.
        """
        while self._unsent:
            try:
                sent = self._inner.send(self._unsent)
            except _WOULD_BLOCK:
                return
            if not sent:  # paho's WebSocket wrapper took it and asks to be called again
                return
            del self._unsent[:sent]

    # --- for paho ------------------------------------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        others = self._frames.others
        if others:
            data = bytes(others[:size])
            del others[:size]
            return data
        if self._closed_by_peer:
            return b""
        raise BlockingIOError

    def send(self, data: bytes | bytearray) -> int:
        self._unsent += data
        self.last_sent = time.monotonic()
        self.flush()
        return len(data)

    def pending(self) -> int:
        return len(self._frames.others)

    def setblocking(self, flag: bool) -> None:
        self._inner.setblocking(flag)

    def fileno(self) -> int:
        number: int = self._inner.fileno()
        return number

    def close(self) -> None:
        self._inner.close()
