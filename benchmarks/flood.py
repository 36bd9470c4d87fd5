"""A broker stand-in that sends as fast as its one client takes it: the client sets the pace, nothing else.

Run as a process of its own. It prints one JSON object a line: `{"port": ...}` at once, `{"subscribed": true}`
when the client has subscribed; then waits for a line on standard input, floods, and prints `{"messages", "seconds"}`.
It keeps to the client's receive maximum (MQTT 5) or to `--window` (3.1.1), and fails on any acknowledgement out of
order. At QoS 0 one last message at QoS 1 shows by its acknowledgement that all before it were taken.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
from itertools import accumulate
from time import perf_counter

from benchmarks import fleet
from tests.support import mqtt_wire as wire

CHUNK = 1 << 18


def say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


class Acknowledgements:
    """Counts PUBACKs and insists on their order. The usual bytes are compared by the block, not parsed."""

    def __init__(self, block: int) -> None:
        self._expected = b"".join(wire.puback(mid) for mid in range(1, block + 1))
        self._block, self._at, self._rest = block, 0, bytearray()
        self.count = 0

    def feed(self, data: bytes) -> None:
        if not self._rest:
            while data:
                piece = data[: len(self._expected) - self._at]
                if not self._expected.startswith(piece, self._at):
                    break
                self._advance(len(piece))
                data = data[len(piece) :]
        if data:
            self._parse(data)

    def _advance(self, size: int) -> None:
        before = self._at
        self._at = (before + size) % len(self._expected)
        self.count += (before + size) // 4 - before // 4

    def _parse(self, data: bytes) -> None:
        if not self._rest:
            # What was already compared of an acknowledgement that is cut in two.
            done = self._at % 4
            self._rest += self._expected[self._at - done : self._at]
            self._at -= done
        self._rest += data
        for packet in wire.cut_packets(self._rest):
            if packet.type != wire.PUBACK:
                continue
            mid = int.from_bytes(packet.body[:2], "big")
            if mid != self._at // 4 + 1:
                raise SystemExit(f"out of order: acknowledged {mid}, expected {self._at // 4 + 1}")
            self._advance(4)


def converse(client: socket.socket, window: int) -> wire.Connect:
    """Be an ordinary broker until the client has subscribed and the word to begin has come."""
    buffer, connect, subscribed = bytearray(), None, False
    while True:
        readable, _, _ = select.select([client, sys.stdin] if subscribed else [client], [], [])
        if client in readable:
            data = client.recv(65536)
            if not data:
                raise SystemExit("the client left before the flood")
            buffer += data
            for packet in wire.cut_packets(buffer):
                if packet.type == wire.CONNECT:
                    connect = wire.read_connect(packet.body)
                    client.sendall(wire.connack(connect.level))
                elif packet.type == wire.PUBLISH:
                    _acknowledge(client, packet)
                elif packet.type == wire.SUBSCRIBE and connect:
                    mid, filters = wire.read_filters(packet.body, connect.level, options=True)
                    client.sendall(wire.suback(connect.level, mid, b"\1" * len(filters)))
                    if not subscribed:
                        say(subscribed=True, level=connect.level, window=window_of(connect, window))
                    subscribed = True
        if sys.stdin in readable and connect:
            sys.stdin.readline()
            return connect


def window_of(connect: wire.Connect, stated: int) -> int:
    """How many messages may be under way: MQTT 5 says it, for 3.1.1 it is the broker's own setting."""
    return connect.receive_maximum or 65535 if connect.level == wire.V5 else stated


def _acknowledge(client: socket.socket, packet: wire.Packet) -> None:
    if packet.flags & 6:
        start = 2 + int.from_bytes(packet.body[:2], "big")
        client.sendall(wire.puback(int.from_bytes(packet.body[start : start + 2], "big")))


def flood(client: socket.socket, level: int, qos: int, messages: int, window: int) -> float:
    """Send them all; seconds from the first byte to the last acknowledgement."""
    frames = fleet.frames(qos=qos, level=level)
    block = memoryview(b"".join(frames))
    starts = [0, *accumulate(map(len, frames))]
    last = wire.publish("fleet/site0/last/climate", fleet.payload(0), mid=1, level=level)
    acks = Acknowledgements(fleet.BLOCK)
    wanted = messages if qos else 1
    end = _offset(starts, messages)
    sent = 0
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    began = perf_counter()
    while acks.count < wanted:
        allowed = _offset(starts, min(messages, acks.count + window)) if qos else end
        readable, writable, _ = select.select([client], [client] if sent < allowed else [], [], 30)
        if not readable and not writable:
            raise SystemExit(f"stalled after {acks.count} acknowledgements")
        if readable:
            data = client.recv(CHUNK)
            if not data:
                raise SystemExit(f"the client left after {acks.count} acknowledgements")
            acks.feed(data)
        if writable:
            at = sent % len(block)
            sent += client.send(block[at : at + min(CHUNK, allowed - sent)])
            if sent == end and not qos:
                client.setblocking(True)
                client.sendall(last)
    return perf_counter() - began


def _offset(starts: list[int], messages: int) -> int:
    """Bytes that so many messages are, over the block sent again and again."""
    blocks, rest = divmod(messages, fleet.BLOCK)
    return blocks * starts[-1] + starts[rest]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--window", type=int, default=20_000, help="messages in flight for MQTT 3.1.1")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        say(port=listener.getsockname()[1])
        client, _ = listener.accept()
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connect = converse(client, options.window)
        window = window_of(connect, options.window)
        seconds = flood(client, connect.level, options.qos, options.messages, window)
        say(messages=options.messages, seconds=seconds)


if __name__ == "__main__":
    main()
