"""The streaming listener: who is connected, whose token is whose, and what becomes of their lines."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from mqttbridge.config.plotly import PlotlyConfig
from mqttbridge.dashboard.plotly.committer import Committer
from mqttbridge.dashboard.plotly.connection import Connection
from mqttbridge.dashboard.plotly.figures import Figures
from mqttbridge.dashboard.plotly.history import events_of
from mqttbridge.dashboard.plotly.tokens import Token, TokenFile
from mqttbridge.dashboard.plotly.update import Update
from mqttbridge.dashboard.plotly.windows import Name
from mqttbridge.errors import BridgeError
from mqttbridge.events import EventTuple, Rejected
from mqttbridge.metrics import Metrics

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 2.0
FAREWELL_SECONDS: Final = 0.5
# Descriptors for everything else: the page's viewers, the broker, the databases.
OTHER_DESCRIPTORS: Final = 512
BACKLOG: Final = 512
_MICROSECOND: Final = 1e-6


class Listener:
    """Serves streams on one event loop.

    Args:
        config: where, how many, how long.
        tokens: who may.
        figures: where lines are shown.
        committer: where they are stored.
        metrics: counts what came in.
        now: epoch seconds.
    """

    def __init__(  # its parts, each of another type
        self,
        config: PlotlyConfig,
        tokens: TokenFile,
        figures: Figures,
        committer: Committer,
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._max_connections = config.max_connections
        self.max_line, self.idle = config.max_line, config.idle
        self._tokens, self._figures, self._committer, self._metrics = tokens, figures, committer, metrics
        self._now = now
        self._last = 0.0
        self._connections: set[Connection] = set()
        self._sockets: set[Connection] = set()  # with those that have ended, and have yet to read why
        self._all_gone = asyncio.Event()
        self._owners: dict[str, Connection] = {}
        self._traces: dict[str, Name] = {}  # which trace each token was for at the last look
        self._sessions: dict[str, tuple[str, int]] = {}
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._told = ""
        self._synced = -1
        metrics.plotly_streams.set(lambda: len(self._connections))

    def prepare(self) -> None:
        """Have the figures of the tokens there are."""
        self._sync()

    async def start(self, listener: socket.socket) -> None:
        """Serve what connects to this bound socket."""
        self._max_connections = _room_for(self._max_connections)
        self._sync()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), sock=listener, backlog=BACKLOG)
        log.info("plotly streams are taken at %s port %d", *listener.getsockname()[:2])
        self._sweeper = asyncio.create_task(self._sweep_on())

    async def stop(self) -> None:
        """Take no more, end every stream, and store what they sent."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.end(503, "the bridge stops; it will be back")
        if not await self._committer.drain(DRAIN_SECONDS):
            log.warning("the spool did not take the last lines of the plotly streams: their senders were not told 200")
        if self._sockets:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), FAREWELL_SECONDS)
        for connection in list(self._sockets):
            connection.abort()
        await asyncio.sleep(0)  # for the loop to close them

    # --- what a connection asks -----------------------------------------------------------------------------

    def admit(self, connection: Connection) -> bool:
        self._sockets.add(connection)
        self._all_gone.clear()
        if len(self._connections) >= self._max_connections:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for digest in connection.claimed:
            if self._owners.get(digest) is connection:
                del self._owners[digest]
        connection.claimed.clear()

    def gone(self, connection: Connection) -> None:
        self._sockets.discard(connection)
        if not self._sockets:
            self._all_gone.set()

    def claim(self, token: str, connection: Connection) -> Token | None:
        found = self._tokens.find(token)
        self._sync()
        if found is None:
            return None
        if found.digest not in connection.claimed:
            before = self._owners.get(found.digest)
            self._owners[found.digest] = connection
            connection.claimed.add(found.digest)
            if before is not None:
                before.end(308, "a newer connection streams with this token")
        elif self._owners.get(found.digest) is not connection:
            return None
        return found

    def write(self, token: Token, update: Update) -> list[EventTuple | Rejected]:
        # Two points of one trace never share a time, or the store would take the second for a correction.
        self._last = now = max(self._now(), self._last + _MICROSECOND)
        self._figures.write(token, update, now)
        return events_of(update, token.figure, token.trace, now)

    def resize(self, token: Token, maxpoints: int) -> None:
        self._figures.resize(token, maxpoints)

    def is_new(self, token: Token, session: str, number: int) -> bool:
        known, seen = self._sessions.get(token.digest, ("", 0))
        if known == session and number <= seen:
            return False
        self._sessions[token.digest] = (session, number)
        return True

    def commit(self, events: Sequence[EventTuple | Rejected], connection: Connection, size: int, last: int) -> None:
        if events:
            self._metrics.received.add(len(events), source="plotly")
        self._committer.add(events, partial(connection.committed, size, last))

    # --- time passes ----------------------------------------------------------------------------------------

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(time.monotonic())

    def sweep(self, now: float) -> None:
        """End what is idle and whose token was removed. `now` is the monotonic clock's."""
        try:
            self._tokens.refresh()
            self._sync()
            self._told = ""
        except BridgeError as error:
            if self._told != str(error):
                self._told = str(error)
                log.warning("stream tokens stay as they were: %s", error)
        for connection in list(self._connections):
            connection.look_after(now)

    def _sync(self) -> None:
        """Have the figures and streams of the tokens there are now."""
        if self._synced == self._tokens.version:
            return
        self._synced = self._tokens.version
        tokens = self._tokens.all()
        self._figures.sync(tokens)
        known = {token.digest: (token.figure, token.trace) for token in tokens}
        before, self._traces = self._traces, known
        for digest, connection in list(self._owners.items()):
            if digest not in known:
                connection.end(403, "the token was removed")
            elif known[digest] != before.get(digest):
                connection.end(449, "the token is for another trace now: connect again")
        self._sessions = {digest: session for digest, session in self._sessions.items() if digest in known}


def _room_for(connections: int) -> int:
    """As many of these connections as the process may have descriptors for; the limit is raised where it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        except (OSError, ValueError):
            pass
        if soft < wanted:
            connections = max(1, soft - OTHER_DESCRIPTORS)
            log.warning("plotly.max_connections is cut to %d: the process may open %d files", connections, soft)
    return connections
