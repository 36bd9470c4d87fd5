"""The network between a browser and a bridge, which a test may hold up or break."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Final, Self

_CHUNK: Final = 65_536
_SMALL_BUFFER: Final = 4096  # what a kernel would keep for a slow reader hides from the sender that it is slow


class Relay:
    """Passes TCP connections on to a port of this machine, from `port`."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._flowing = threading.Event()
        self._flowing.set()
        self._broken = False
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.flow()
        self.break_()

    def hold(self) -> None:
        """Nothing comes to a browser any more; no connection ends."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def break_(self) -> None:
        """Every connection ends, and so does each new one."""
        self._broken = True
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def mend(self) -> None:
        self._broken = False

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                browser, _ = self._server.accept()
                if self._broken:
                    browser.close()
                    continue
                bridge = socket.socket()
                bridge.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
                bridge.connect(("127.0.0.1", self._to))
                self._sockets += [browser, bridge]
                threading.Thread(target=self._ask, args=(browser, bridge), daemon=True).start()
                threading.Thread(target=self._answer, args=(bridge, browser), daemon=True).start()

    def _ask(self, browser: socket.socket, bridge: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := browser.recv(_CHUNK):
                bridge.sendall(data)
            bridge.shutdown(socket.SHUT_WR)

    def _answer(self, bridge: socket.socket, browser: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self._flowing.wait() and (data := bridge.recv(_CHUNK)):
                self._flowing.wait()
                browser.sendall(data)
            browser.shutdown(socket.SHUT_WR)
