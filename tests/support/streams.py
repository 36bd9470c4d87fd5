"""A real streaming listener over a spool in memory, a raw stream to it, and a streaming server that misbehaves."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mqttbridge.config.model import Config
from mqttbridge.dashboard.app import Backend, create_app
from mqttbridge.dashboard.plotly.listener import Listener
from mqttbridge.dashboard.plotly.protocol import End, Head, Line, StreamParser
from mqttbridge.dashboard.plotly.service import Plotly
from mqttbridge.dashboard.plotly.tokens import TokenFile
from mqttbridge.dashboard.server import HttpServer
from mqttbridge.events import EventTuple
from mqttbridge.metrics import Metrics
from tests.support.dashboards import Client, DirectSpool

PATIENCE = 20.0


class StreamServer(Client):
    """A server that takes streams, without a store behind it."""

    def __init__(self, directory: Path, **plotly: Any) -> None:
        config = Config.model_validate(
            {
                "mqtt": None,
                "data_dir": str(directory),
                "http": {"listen": "127.0.0.1:0"},
                "plotly": {"listen": "127.0.0.1:0", **plotly},
            }
        )
        self.metrics, self.spool, self.tokens = Metrics(), DirectSpool(None), TokenFile(directory)
        app = create_app(Backend(config=config, metrics=self.metrics, spool=self.spool))
        self.plotly: Plotly = app.state.plotly
        self.server = HttpServer(config.http, app)
        self.server.start()
        super().__init__(self.server.url)

    @property
    def stream_url(self) -> str:
        return f"http://127.0.0.1:{self.plotly.port}"

    @property
    def events(self) -> list[EventTuple]:
        """What is in the spool."""
        return self.spool.events

    def add(self, trace: str = "t", figure: str = "f", maxpoints: int = 500) -> str:
        return self.tokens.add(figure, trace, maxpoints, "lines")

    def figure(self, name: str = "f") -> dict[str, Any]:
        return dict(self.get(f"/api/v1/figures/{name}").json())

    def on_loop(self, work: Callable[[Listener], Any]) -> None:
        """Run something on the listener's loop, as its own timers are."""
        done = threading.Event()
        loop, listener = self.server._loop, self.plotly._listener
        assert loop is not None
        assert listener is not None
        loop.call_soon_threadsafe(lambda: (work(listener), done.set()))
        assert done.wait(PATIENCE)

    def stop(self) -> None:
        self.server.stop()
        self.session.close()


@contextmanager
def serve_streams(directory: Path, **plotly: Any) -> Iterator[StreamServer]:
    served = StreamServer(directory, **plotly)
    try:
        yield served
    finally:
        served.stop()


class RawStream:
    """A stream written byte by byte."""

    def __init__(self, port: int, token: str | None = None, *headers: str, method: str = "POST") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        lines = [f"{method} / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", *headers]
        if token is not None:
            lines.append(f"plotly-streamtoken: {token}")
        self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self, text: str) -> None:
        self.send(b"%x\r\n%b\n\r\n" % (len(text.encode()) + 1, text.encode()))

    def write(self, **update: Any) -> None:
        self.line(json.dumps(update))

    def end(self) -> None:
        self.send(b"0\r\n\r\n")

    def rest(self) -> bytes:
        """All the server says until it closes."""
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while data := self.socket.recv(65536):
                answer += data
        return answer

    @property
    def status(self) -> int:
        """The status that ends the stream; 0 when there is none."""
        words = self.rest().split(maxsplit=2)
        return int(words[1]) if len(words) > 1 else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


@dataclass(frozen=True)
class Behaviour:
    """What a misbehaving server does with one connection.

    Attributes:
        lines: how many it takes before it does it; None is all of them.
        status: what it answers then; 0 cuts the connection.
    """

    lines: int | None = None
    status: int = 200


class Misbehaving:
    """A classic streaming server, silent until its end, that treats one connection after the other as told.

    Args:
        behaviours: for each connection; the last holds for all that follow.
    """

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours: Sequence[Behaviour] = behaviours or (Behaviour(),)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.taken: list[dict[str, Any]] = []
        self.heads: list[Head] = []
        self.heartbeats = 0
        self.came = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)

    def wait_for(self, true: Callable[[], bool]) -> None:
        with self.came:
            assert self.came.wait_for(true, PATIENCE)

    def _run(self) -> None:
        for number in range(1_000_000):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._serve(connection, self._behaviours[min(number, len(self._behaviours) - 1)])

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        parser, left = StreamParser(2**20), behaviour.lines
        while left is None or left > 0:
            try:
                data = connection.recv(4096)
            except OSError:
                return
            if not data:
                return
            for event in parser.feed(data):
                with self.came:
                    if isinstance(event, Head):
                        self.heads.append(event)
                    elif isinstance(event, Line) and not event.text:
                        self.heartbeats += 1
                    elif isinstance(event, Line):
                        self.taken.append(json.loads(event.text))
                        left = None if left is None else left - 1
                    self.came.notify_all()
                if isinstance(event, End):
                    left = 0
                if left == 0:
                    break
        if behaviour.status:
            answer = f"HTTP/1.1 {behaviour.status} X\r\nConnection: close\r\n\r\nwords"
            with contextlib.suppress(OSError):
                connection.sendall(answer.encode())
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
        else:
            # Unread bytes make it a reset, which is what a crash looks like.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
