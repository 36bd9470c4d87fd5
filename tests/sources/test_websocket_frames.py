"""MQTT over a WebSocket over TLS, as paho wraps it: what the broker sends in one go is read in one go."""

from __future__ import annotations

import base64
import hashlib
import re
import select
import socket
import ssl
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import _WebsocketWrapper

from mqttbridge.sources.frames import PublishReader
from mqttbridge.sources.framesocket import FrameSocket
from tests.support import mqtt_wire as wire
from tests.support.tls import issue

BINARY, PING, PONG = 2, 9, 10


def frame(opcode: int, payload: bytes) -> bytes:
    """As a server sends it."""
    length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack("!H", len(payload))
    return bytes([0x80 | opcode]) + length + payload


def message(number: int) -> bytes:
    return wire.publish("t/1", f"{number}".encode() * 50, level=wire.V311)


class Pair:
    """A broker's end, and ours as the bridge uses it."""

    def __init__(self, directory: Path, *, tls: bool) -> None:
        theirs, ours = socket.socketpair()
        with ThreadPoolExecutor(1) as broker:
            accepted = broker.submit(self._accept, theirs, issue(directory) if tls else None)
            self.frames = PublishReader(mqtt5=False, max_payload=2**20)
            wrapped = _WebsocketWrapper(self._client(ours, tls=tls), "h", 1, tls, "/mqtt", None)
            self.ours = FrameSocket(wrapped, self.frames)
            self.theirs = accepted.result()
        self.ours.setblocking(False)
        self.theirs.sendall(frame(BINARY, wire.connack(wire.V311)))

    def _accept(self, theirs: Any, certificates: Any) -> Any:
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.server_cert, certificates.server_key)
            theirs = context.wrap_socket(theirs, server_side=True)
        request = b""
        while b"\r\n\r\n" not in request:
            request += theirs.recv(4096)
        (key,) = re.findall(rb"(?i)sec-websocket-key: (\S+)", request)
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        theirs.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        return theirs

    @staticmethod
    def _client(ours: socket.socket, *, tls: bool) -> Any:
        if not tls:
            return ours
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(ours)

    def read(self) -> list[bytes]:
        """What messages come while the network has something to read; not a moment longer."""
        while select.select([self.ours.fileno()], [], [], 0)[0]:
            while self.ours.fill():
                pass
        return [payload for _, payload, _ in self.frames.publishes]

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture(params=[True, False], ids=["wss", "ws"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path, tls=request.param)
    yield made
    made.close()


def test_messages_behind_a_ping_are_not_left_lying_and_the_ping_is_answered(pair: Pair) -> None:
    # One record of TLS: once it is decrypted, the network has nothing more to wake anybody with.
    pair.theirs.sendall(frame(BINARY, message(1)) + frame(PING, b"?") + frame(BINARY, message(2)) + frame(PING, b"!"))

    assert pair.read() == [b"1" * 50, b"2" * 50]
    assert pair.theirs.recv(100)[:1] == bytes([0x80 | PONG])


def test_frames_that_come_in_pieces_are_put_together(pair: Pair) -> None:
    whole = b"".join(frame(BINARY, message(n)) + frame(PING, b"") for n in range(20))
    for start in range(0, len(whole), 37):
        pair.theirs.sendall(whole[start : start + 37])
        pair.read()

    assert pair.read()[-20:] == [f"{n}".encode() * 50 for n in range(20)]
