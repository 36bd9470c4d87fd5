"""`Stream`: Plotly's streaming client, as programs know it, that loses no write.

    from mqttbridge import Stream
    stream = Stream("a3yx8ev3pg")
    stream.open()
    stream.write(dict(x=1, y=2))
    stream.close()

A write is put into a queue, and one thread sends it: over a new connection if the old one is gone, again if the
server did not acknowledge it. The queue has a bound; past it `write` waits, and then says that it took nothing.
mqttbridge's listener acknowledges what it has on disk. Other servers are silent: there a write counts as
delivered when its connection has held for a second after it, and those before a cut are sent again.
"""

from __future__ import annotations

import atexit
import os
import threading
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mqttbridge.client.plotly_json import encode
from mqttbridge.client.plotly_link import Link, Target
from mqttbridge.client.plotly_worker import Outbox, Worker
from mqttbridge.errors import StreamError

URL_VARIABLE: Final = "PLOTLY_STREAMING_DOMAIN"
DEFAULT_URL: Final = "http://127.0.0.1:8081"

DEFAULT_MAXPOINTS: Final = 500
MAX_MAXPOINTS: Final = 10_000
RECONNECT_ON: Final = (200, "", 408)

QUEUE_SIZE: Final = 10_000
WRITE_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 10.0
# As the original: how long `open` waits for a server that says at once that it will not have the stream.
OPEN_SECONDS: Final = 0.5

_NOT_OPEN: Final = "the stream is not open, so nothing can be written: call open() first"


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """Which trace a stream writes, and how many of its points stay on screen.

    Attributes:
        token: the trace's token; not empty.
        maxpoints: 0 to 10,000; the newest are kept.

    Raises:
        ValueError: one is out of its bounds.
    """

    token: str
    maxpoints: float = DEFAULT_MAXPOINTS

    def __post_init__(self) -> None:
        if not isinstance(self.token, str) or not self.token.strip() or not self.token.isascii():
            raise ValueError(f"token must be a text that is not empty (got {type(self.token).__name__})")
        points: object = self.maxpoints
        if isinstance(points, bool) or not isinstance(points, int | float) or not 0 <= points <= MAX_MAXPOINTS:
            raise ValueError(f"maxpoints must be a number from 0 to {MAX_MAXPOINTS} (got {self.maxpoints!r})")


class Stream:
    """Writes one trace. Methods may be called from any thread.

    Args:
        stream_id: the trace's token; or a StreamConfig or a mapping with `token` and `maxpoints`.
        url: the streaming server. Default: the environment's PLOTLY_STREAMING_DOMAIN, else mqttbridge's listener
            on this machine, http://127.0.0.1:8081.
        queue_size: how many writes may wait for the server.
        write_timeout: how long `write` waits for room among them, in seconds.
        close_timeout: how long `close` waits until all are delivered, in seconds.
    """

    def __init__(
        self,
        stream_id: str | StreamConfig | Mapping[str, Any],
        *,
        url: str | None = None,
        queue_size: int = QUEUE_SIZE,
        write_timeout: float = WRITE_SECONDS,
        close_timeout: float = CLOSE_SECONDS,
    ) -> None:
        maxpoints: int | None = None  # as the server has it
        if isinstance(stream_id, str):
            config = StreamConfig(stream_id)
        else:
            config = stream_id if isinstance(stream_id, StreamConfig) else StreamConfig(**stream_id)
            maxpoints = int(config.maxpoints)
        self.stream_id = config.token
        self._url = url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        self._target = Target(self._url, self.stream_id, maxpoints, uuid.uuid4().hex)
        self._write_timeout, self._close_timeout = write_timeout, close_timeout
        self._outbox = Outbox(queue_size)
        self._worker: Worker | None = None
        self._lock = threading.Lock()

    @property
    def connected(self) -> bool:
        """Whether the stream is open and its connection stands."""
        worker = self._worker
        return worker is not None and worker.connected

    def open(self) -> None:
        """Connect; an open stream stays as it is.

        Raises:
            StreamError: the server cannot be reached, or refuses the token.
        """
        with self._lock:
            if self._worker is not None:
                return
            link = Link(self._target, self._outbox.first)
            worker = Worker(self._target, self._outbox, link, RECONNECT_ON)
            worker.start()
            worker.welcomed.wait(OPEN_SECONDS)  # servers of Plotly's kind are silent, and take the stream
            if worker.failure is not None:
                worker.stop(0)
                raise worker.failure
            self._worker = worker
            atexit.register(self.close)

    def write(
        self,
        trace: Any,
        layout: Any = None,
        validate: bool = True,  # the original's signature
        reconnect_on: Collection[int | str] = RECONNECT_ON,
    ) -> None:
        """Write to the trace: a scalar appends a point, a list overwrites its array, style keys ride along.

        Args:
            trace: such as dict(x=1, y=2), dict(x=[1, 2], y=[3, 4]) or dict(marker=dict(color="blue")).
            layout: such as dict(title="Weather").
            validate: check before sending.
            reconnect_on: ends of a connection after which there is to be another: statuses, and "" for a cut.
                Statuses that pass by themselves (423, 429, 449 and from 500 on) never end the stream.

        Raises:
            StreamError: the stream is not open, the server refused it for good, or there was no room in time.
                Nothing of this write was taken.
            ValueError: it cannot be written.
        """
        worker = self._opened(reconnect_on)
        line = encode(trace, layout, validate=validate)
        if not self._outbox.put(line, self._write_timeout, lambda: worker.failure is not None):
            self._opened(reconnect_on)  # raises what ended it meanwhile
            raise StreamError(
                f"{self._outbox.waiting} writes wait for {self._url}, which does not take them: nothing more fits",
                unsent=self._outbox.waiting,
            )
        worker.wake()

    def heartbeat(self, reconnect_on: Collection[int | str] = RECONNECT_ON) -> None:
        """Show the server that the stream lives. Done by itself every 20 s while it is open.

        Raises:
            StreamError: as `write`.
        """
        self._opened(reconnect_on).beat()

    def close(self) -> None:
        """Deliver what waits, then end the stream. It may be opened again.

        Raises:
            StreamError: it was never opened; or some writes were not delivered in time: they wait for the next
                `open`, and `unsent` says how many.
        """
        with self._lock:
            worker, self._worker = self._worker, None
            if worker is None:
                if self._outbox.first == 1 and not self._outbox.was_open:
                    raise StreamError("the stream was never opened")
                return
            atexit.unregister(self.close)
            worker.stop(self._close_timeout)
        if self._outbox.waiting:
            why = f": {worker.failure}" if worker.failure is not None else ""
            raise StreamError(
                f"{self._outbox.waiting} writes were not delivered to {self._url}{why}",
                status="" if worker.failure is None else worker.failure.status,
                unsent=self._outbox.waiting,
            )

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, reconnect_on: Collection[int | str]) -> Worker:
        worker = self._worker
        if worker is None:
            raise StreamError(_NOT_OPEN)
        if worker.failure is not None:
            raise worker.failure
        worker.reconnect_on = frozenset(reconnect_on)
        return worker
