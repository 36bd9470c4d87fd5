r"""A broker that does what no real one would: refuses, stutters, sends bytes that are not MQTT.

Each connection runs one script, a function of the `Connection`; the last script serves all later ones:

    def too_long(connection: Connection) -> None:
        connection.handshake()
        connection.send(b"\x30\xff\xff\xff\xff\x01")
        connection.serve()

    with StandInBroker(too_long, Connection.serve_all) as broker: ...
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

from tests.support import mqtt_wire as wire
from tests.support.processes import PATIENCE


class Closed(Exception):  # noqa: N818
    """The client closed the connection, or the test is over."""


class Connection:
    """One client's connection, seen from the broker."""

    def __init__(self, client: socket.socket, broker: StandInBroker) -> None:
        self._client, self._broker = client, broker
        self._buffer = bytearray()
        self._waiting: list[wire.Packet] = []
        self.connect: wire.Connect | None = None
        self.filters: list[str] = []

    @property
    def level(self) -> int:
        assert self.connect is not None, "no CONNECT yet"
        return self.connect.level

    def send(self, data: bytes) -> None:
        try:
            self._client.sendall(data)
        except OSError as error:
            raise Closed from error

    def read(self) -> wire.Packet:
        while not self._waiting:
            try:
                data = self._client.recv(65536)
            except OSError as error:
                raise Closed from error
            if not data:
                raise Closed
            self._buffer += data
            self._waiting = list(wire.cut_packets(self._buffer))
        return self._waiting.pop(0)

    def read_connect(self) -> wire.Connect:
        packet = self.read()
        assert packet.type == wire.CONNECT, packet
        self.connect = wire.read_connect(packet.body)
        self._broker.connects.append(self.connect)
        return self.connect

    def handshake(self, *, suback: int = 1) -> None:
        """Accept CONNECT and answer up to the first SUBSCRIBE, with the code `suback` for each filter."""
        self.read_connect()
        self.send(wire.connack(self.level))
        while not self.filters:
            self.answer(self.read(), suback=suback)

    def answer(self, packet: wire.Packet, *, suback: int = 1) -> None:
        """What a well-behaved broker answers to this packet."""
        match packet.type:
            case wire.SUBSCRIBE:
                mid, filters = wire.read_filters(packet.body, self.level, options=True)
                self.filters += filters
                self.send(wire.suback(self.level, mid, bytes([suback]) * len(filters)))
            case wire.UNSUBSCRIBE:
                mid, filters = wire.read_filters(packet.body, self.level, options=False)
                self.send(wire.unsuback(self.level, mid, len(filters)))
            case wire.PUBLISH if packet.flags & 6:
                start = 2 + int.from_bytes(packet.body[:2], "big")
                self.send(wire.puback(int.from_bytes(packet.body[start : start + 2], "big")))
            case wire.PINGREQ:
                self.send(wire.packet(wire.PINGRESP))
            case wire.PUBACK:
                self._broker.acknowledged.append(int.from_bytes(packet.body[:2], "big"))
            case wire.DISCONNECT:
                raise Closed

    def serve(self) -> None:
        """Answer until the connection closes."""
        while True:
            self.answer(self.read())

    def serve_all(self) -> None:
        """The whole life of a connection nothing is wrong with."""
        self.handshake()
        self.serve()


Script = Callable[[Connection], None]


class StandInBroker:
    """Listens on a free loopback port; `connects` and `acknowledged` say what clients did, in order."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.connects: list[wire.Connect] = []
        self.acknowledged: list[int] = []
        self.failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self._closing = threading.Event()
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            client.settimeout(None)
            script = self._scripts[min(len(self._clients), len(self._scripts) - 1)]
            self._clients.append(client)
            thread = threading.Thread(target=self._run, args=(script, client), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, script: Script, client: socket.socket) -> None:
        try:
            with contextlib.suppress(Closed):
                script(Connection(client, self))
        except BaseException as error:  # noqa: BLE001  # shown by the test, not by the thread
            self.failures.append(error)
        finally:
            client.close()

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._acceptor.join(PATIENCE)
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()
        assert not self.failures, self.failures
