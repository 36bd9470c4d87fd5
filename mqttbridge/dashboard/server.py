"""The HTTP server on its own thread: uvicorn with h11, which is pure Python and small."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import threading
from typing import Final, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.app import Workers
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.listening import listening_socket
from mqttbridge.dashboard.plotly.service import Plotly
from mqttbridge.dashboard.security import Security
from mqttbridge.errors import ListenError

log = logging.getLogger(__name__)

# A request's line and headers: long enough for a hundred names of streams in one query.
MAX_HEAD_BYTES: Final = 65536
HEAD_SECONDS: Final = 15.0
KEEP_ALIVE_SECONDS: Final = 15
# Connections beside the viewers'; past it the answer is 503.
OTHER_CONNECTIONS: Final = 128
GRACE_SECONDS: Final = 2
START_SECONDS: Final = 10.0


class HttpServer:
    """Serves an application at the configured address.

    Args:
        config: where to listen; port 0 takes any free one.
        app: as `create_app` makes it.
    """

    def __init__(self, config: HttpConfig, app: Starlette) -> None:
        self._config = config
        backend: Backend = app.state.backend
        self._dashboard = backend.dashboard
        self._plotly: Plotly = app.state.plotly
        self._security: Security = app.state.security
        self._workers: Workers = app.state.workers
        self._socket: socket.socket | None = None
        self._started = threading.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._server = _Server(
            self._started,
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                limit_concurrency=config.max_viewers + OTHER_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            ),
        )
        # Its other lines are about itself, or about each malformed request of whoever scans the port.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)

    @property
    def url(self) -> str:
        """Where this machine reaches the server; after `start`."""
        host, port = self._config.address
        if self._socket is not None:
            port = self._socket.getsockname()[1]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # any address: ask this machine
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def first_key_url(self) -> str | None:
        """Where the first key is made, once; None when there is one, or none is needed. Whoever has it is admin."""
        first = self._security.first_start
        return None if first is None or first.path is None else self.url + first.path

    @property
    def failed(self) -> bool:
        """Whether the server ended though nobody stopped it."""
        return self._started.is_set() and not self._stopping and not self._thread.is_alive()

    def start(self) -> None:
        """Listen; returns when requests are served.

        Raises:
            ListenError: the address cannot be had; the text says why and what to do.
        """
        self._socket = listening_socket("http.listen", self._config.listen)
        self._plotly.bind()
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise ListenError(f"the HTTP server did not start within {START_SECONDS:g} s")

    def stop(self, timeout: float = 5.0) -> None:
        """End live streams, finish what is being answered, and end the thread."""
        self._stopping = True
        self._server.should_exit = True
        if self._thread.is_alive():
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._close_feeds)
            self._thread.join(timeout)
        self._workers.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("the HTTP server failed")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._dashboard is not None:
            self._dashboard.hub.attach(self._loop)
        await self._plotly.start()
        try:
            await self._server.serve([cast("socket.socket", self._socket)])
        finally:
            await self._plotly.stop()
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()  # the peer reads nothing, and the grace is over
            await asyncio.sleep(0)  # in which they are closed

    def _close_feeds(self) -> None:
        self._plotly.feed.close()
        if self._dashboard is not None:
            self._dashboard.hub.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it serves."""

    def __init__(self, started: threading.Event, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._serving = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._serving.set()


class _Protocol(H11Protocol):
    """uvicorn's connection, with three things it lacks.

    A request's head must arrive in time, or a few slow senders would hold every connection; a handler can
    cut its connection, since closing one whose peer reads nothing would wait for it; and one whose answer goes on and
    on can write a chunk that is the same for many connections.
    """

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.app_state = {"abort": lambda: _reset(transport), "write_chunk": self._write_chunk}
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()

    def _write_chunk(self, chunk: bytes) -> bool:
        """Write a chunk, framed already, of the answer under way. False: the peer is behind, or gone."""
        if self.flow.write_paused or self.transport.is_closing():
            return False
        self.transport.write(chunk)
        return True

    def _watch_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _reset(transport: asyncio.Transport) -> None:
    """Cut a connection so that the peer sees it broke: where it is told no length, an orderly end means all came."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
