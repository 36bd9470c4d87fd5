"""Publishes pre-encoded frames over a raw socket: as fast as the broker takes them, or at a steady rate.

With `--rate` each message's values are its own sending time, so that a reader can tell how long it was under way.
Prints `{"messages", "seconds"}` at the end.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import time

from benchmarks import fleet
from tests.support import mqtt_wire as wire

CHUNK = 1 << 16
# Messages unacknowledged at a time; Mosquitto's own limit for MQTT 3.1.1 publishers is far above it.
WINDOW = 2000


def connect(port: int) -> socket.socket:
    broker = socket.create_connection(("127.0.0.1", port))
    broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    broker.sendall(wire.connect("benchmark-publisher", keep_alive=0))
    broker.recv(4)
    return broker


def saturate(broker: socket.socket, messages: int) -> None:
    """Every message at QoS 1, in windows, up to the last PUBACK."""
    block = fleet.frames(qos=1, level=wire.V311)
    received = sent = 0
    while sent < messages:
        count = min(WINDOW // 2, messages - sent)
        at = sent % fleet.BLOCK
        part = block[at : at + count]
        broker.sendall(b"".join(part))
        sent += len(part)
        while sent - received // 4 > WINDOW:
            received += len(broker.recv(CHUNK))
    while received < 4 * messages:
        received += len(broker.recv(CHUNK))


def steady(broker: socket.socket, rate: float, seconds: float) -> int:
    """QoS 0 at the publisher's side: the clock sets the pace, not the acknowledgements."""
    began = time.monotonic()
    sent, total = 0, int(rate * seconds)
    while sent < total:
        due = min(total, int((time.monotonic() - began) * rate) + 1)
        if due > sent:
            now = f'{{"sent":{time.time():.6f}}}'.encode()
            topics = (fleet.TOPICS[n % fleet.DEVICES].replace("/climate", "/latency") for n in range(sent, due))
            broker.sendall(b"".join(wire.publish(topic, now) for topic in topics))
            sent = due
        select.select([], [], [], max(0.0, began + sent / rate - time.monotonic()))
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rate", type=float, help="messages a second; without it, as fast as it goes")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with connect(options.port) as broker:
        began = time.monotonic()
        if options.rate:
            messages = steady(broker, options.rate, options.seconds)
        else:
            messages = options.messages
            saturate(broker, messages)
        broker.sendall(wire.packet(wire.DISCONNECT))
        print(json.dumps({"messages": messages, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main()
