"""Plotly's streams as one part of the HTTP server: made with the application, started and stopped on its loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.listening import listening_socket
from mqttbridge.dashboard.plotly.committer import Committer
from mqttbridge.dashboard.plotly.feed import Feed
from mqttbridge.dashboard.plotly.keeper import Keeper
from mqttbridge.dashboard.plotly.listener import Listener
from mqttbridge.dashboard.plotly.tokens import TokenFile
from mqttbridge.dashboard.plotly.windows import WindowFiles
from mqttbridge.events import Batch, Rejected

KEY: Final = "plotly.listen"


class Plotly:
    """The listener with its figures and their feed; without an address, no more than an empty feed.

    Args:
        backend: the configuration, the spool that takes the points, the metrics.
        executor: one thread for commits.
    """

    def __init__(self, backend: Backend, executor: Executor) -> None:
        self._backend = backend
        self._config = backend.config.plotly
        self.feed = Feed()
        self._socket: socket.socket | None = None
        self._listener: Listener | None = None
        self._keeper = Keeper(self.feed.figures, WindowFiles(Path(backend.config.data_dir)))
        if self._config.listen is not None:
            self._listener = Listener(
                self._config,
                TokenFile(Path(backend.config.data_dir)),
                self.feed.figures,
                Committer(self._append, executor),
                backend.metrics,
            )

    @property
    def port(self) -> int | None:
        """Where it listens, after `bind`; None when it is off."""
        return None if self._socket is None else int(self._socket.getsockname()[1])

    def bind(self) -> None:
        """Take the address.

        Raises:
            ListenError: it cannot be had.
        """
        if self._config.listen is not None:
            self._socket = listening_socket(KEY, self._config.listen)

    async def start(self) -> None:
        """Serve streams and viewers on the running loop."""
        self.feed.attach(asyncio.get_running_loop())
        if self._listener is not None and self._socket is not None:
            self._listener.prepare()
            await self._keeper.restore()
            self._keeper.start()
            await self._listener.start(self._socket)

    async def stop(self) -> None:
        """End every stream, store what they sent, and keep what is on screen."""
        if self._listener is not None:
            await self._listener.stop()
            await self._keeper.stop()

    def _append(self, batches: Sequence[Batch], rejected: Sequence[Rejected]) -> None:
        self._backend.spool.append(batches, rejected, source="plotly")
