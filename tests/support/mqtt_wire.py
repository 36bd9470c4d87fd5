"""Just enough of MQTT 3.1.1 and 5 on the wire to play a broker or a publisher in tests and benchmarks.

Written apart from the product's own reader on purpose: the two must agree by the standard, not by
sharing code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14

V311, V5 = 4, 5
PROTOCOL_LEVELS = {"3.1.1": V311, "5": V5}

RECEIVE_MAXIMUM = 0x21
# Sizes of the CONNECT properties with a fixed one; the rest are strings or pairs of strings.
_FIXED_PROPERTIES = {0x11: 4, 0x17: 1, 0x19: 1, RECEIVE_MAXIMUM: 2, 0x22: 2, 0x27: 4}
_STRING_PAIR = 0x26


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet: its type, the flags of its first byte, and what follows the length."""

    type: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """What a client asks for in CONNECT, as far as a stand-in needs it."""

    level: int
    clean: bool
    keep_alive: int
    receive_maximum: int | None
    client_id: str


def remaining_length(length: int) -> bytes:
    out = bytearray()
    while True:
        length, low = divmod(length, 128)
        out.append(low | 0x80 if length else low)
        if not length:
            return bytes(out)


def packet(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    return bytes((kind << 4 | flags,)) + remaining_length(len(body)) + body


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def publish(
    topic: str | bytes,
    payload: bytes,
    *,
    mid: int = 0,
    level: int = V311,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    body = text(topic) + (mid.to_bytes(2, "big") if mid else b"") + (b"\0" if level == V5 else b"") + payload
    return packet(PUBLISH, body, dup << 3 | (2 if mid else 0) | retain)


def connect(client_id: str, *, level: int = V311, keep_alive: int = 60, receive_maximum: int = 0) -> bytes:
    properties = b""
    if level == V5:
        listed = bytes((RECEIVE_MAXIMUM,)) + receive_maximum.to_bytes(2, "big") if receive_maximum else b""
        properties = remaining_length(len(listed)) + listed
    clean = 2
    header = text("MQTT") + bytes((level, clean)) + keep_alive.to_bytes(2, "big")
    return packet(CONNECT, header + properties + text(client_id))


def connack(level: int, code: int = 0, *, session_present: bool = False) -> bytes:
    return packet(CONNACK, bytes((session_present, code)) + (b"\0" if level == V5 else b""))


def suback(level: int, mid: int, codes: bytes) -> bytes:
    return packet(SUBACK, mid.to_bytes(2, "big") + (b"\0" if level == V5 else b"") + codes)


def unsuback(level: int, mid: int, count: int) -> bytes:
    return packet(UNSUBACK, mid.to_bytes(2, "big") + (b"\0" + bytes(count) if level == V5 else b""))


def puback(mid: int) -> bytes:
    return packet(PUBACK, mid.to_bytes(2, "big"))


def cut_packets(buffer: bytearray) -> Iterator[Packet]:
    """Takes every whole packet off the front of `buffer` and leaves the rest."""
    while len(buffer) >= 2:
        length = shift = 0
        at = 1
        while True:
            if at == len(buffer):
                return
            byte = buffer[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        if len(buffer) < at + length:
            return
        found = Packet(buffer[0] >> 4, buffer[0] & 15, bytes(buffer[at : at + length]))
        del buffer[: at + length]
        yield found


def _variable_length(body: bytes, at: int) -> tuple[int, int]:
    length = shift = 0
    while True:
        length |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 0x80:
            return length, at


def _string(body: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode(), end


def read_connect(body: bytes) -> Connect:
    _, at = _string(body, 0)
    level, flags, keep_alive = body[at], body[at + 1], int.from_bytes(body[at + 2 : at + 4], "big")
    at += 4
    receive_maximum = None
    if level == V5:
        length, at = _variable_length(body, at)
        end = at + length
        while at < end:
            name, at = body[at], at + 1
            if size := _FIXED_PROPERTIES.get(name):
                if name == RECEIVE_MAXIMUM:
                    receive_maximum = int.from_bytes(body[at : at + 2], "big")
                at += size
            else:
                for _ in range(2 if name == _STRING_PAIR else 1):
                    _, at = _string(body, at)
    client_id, _ = _string(body, at)
    return Connect(level, bool(flags & 2), keep_alive, receive_maximum, client_id)


def read_filters(body: bytes, level: int, *, options: bool) -> tuple[int, list[str]]:
    """Packet identifier and topic filters of SUBSCRIBE (each filter followed by options) or UNSUBSCRIBE."""
    mid, at = int.from_bytes(body[:2], "big"), 2
    if level == V5:
        length, at = _variable_length(body, at)
        at += length
    filters = []
    while at < len(body):
        found, at = _string(body, at)
        filters.append(found)
        at += options
    return mid, filters
