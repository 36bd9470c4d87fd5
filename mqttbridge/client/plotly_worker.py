"""The thread behind a stream, and the queue between the two."""

from __future__ import annotations

import contextlib
import logging
import math
import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from mqttbridge.client.plotly_link import Heard, Link, Target
from mqttbridge.errors import StreamError

log = logging.getLogger(__name__)

# A third of what servers wait for.
HEARTBEAT_SECONDS: Final = 20.0
# Of a server that acknowledges nothing: how long the connection must have held after a write. Such a server's 200
# is also what it says when it ends a stream by itself, so the end is sent only after everything was confirmed.
CONFIRM_SECONDS: Final = 1.0
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 30.0
# A connection that held for so long was a good one: the next pause is a first one.
GOOD_SECONDS: Final = 5.0
MAX_QUEUED_BYTES: Final = 16 * 2**20
_AHEAD_BYTES: Final = 65536
_PASSING: Final = frozenset({423, 429, 449})


class Outbox:
    """Writes that are not known to be delivered, in order, each with its number; the first is 1.

    Args:
        size: how many there may be.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._sent_at: deque[float] = deque()
        self.first = 1
        """The number of the oldest one."""
        self.was_open = False

    @property
    def waiting(self) -> int:
        """How many there are."""
        return len(self._lines)

    @property
    def unsent(self) -> bool:
        """Whether there is one that this connection has not carried yet."""
        return len(self._sent_at) < len(self._lines)

    def put(self, line: bytes, timeout: float, given_up: Callable[[], bool]) -> bool:
        """Add a write, once there is room; False when there was none in time, or all hope is gone."""
        with self._room:
            fits = self._room.wait_for(lambda: self._fits(line) or given_up(), timeout)
            if not fits or given_up():
                return False
            self._lines.append(line)
            self._bytes += len(line)
            return True

    def take(self) -> bytes | None:
        """The next write for this connection."""
        with self._lock:
            if not self.unsent:
                return None
            line = self._lines[len(self._sent_at)]
            self._sent_at.append(time.monotonic())
            return line

    def delivered(self, number: int) -> None:
        """All writes up to this number are."""
        with self._room:
            while self._sent_at and self.first <= number:
                self._drop_first()
            self._room.notify_all()

    def confirm(self, before: float) -> None:
        """All that were sent before this time (monotonic) are delivered."""
        with self._room:
            while self._sent_at and self._sent_at[0] < before:
                self._drop_first()
            self._room.notify_all()

    def rewind(self) -> None:
        """A new connection carries all of them again."""
        with self._lock:
            self._sent_at.clear()

    def give_up(self) -> None:
        """Wake those who wait for room: they look at the failure."""
        with self._room:
            self._room.notify_all()

    def _fits(self, line: bytes) -> bool:
        return len(self._lines) < self._size and (not self._lines or self._bytes + len(line) <= MAX_QUEUED_BYTES)

    def _drop_first(self) -> None:
        self._sent_at.popleft()
        self._bytes -= len(self._lines.popleft())
        self.first += 1


class Worker:
    """Sends an outbox's writes, reconnects, heartbeats.

    Args:
        target: where to.
        outbox: what.
        link: the first connection, which stands.
        reconnect_on: see `Stream.write`.
    """

    def __init__(self, target: Target, outbox: Outbox, link: Link, reconnect_on: Collection[int | str]) -> None:
        self._target, self._outbox = target, outbox
        self.reconnect_on = frozenset(reconnect_on)
        self.failure: StreamError | None = None
        self.welcomed = threading.Event()
        """Set when the server took the stream in words, or refused it."""
        self._link: Link | None = link
        self._first_link: Link | None = link
        self._wake_receiver, self._wake_sender = socket.socketpair()
        for end in (self._wake_receiver, self._wake_sender):
            end.setblocking(False)  # the standard library's signature
        self._beat = False
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="plotly-stream", daemon=True)
        outbox.was_open = True

    @property
    def connected(self) -> bool:
        """Whether a connection stands."""
        return self._link is not None

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to send."""
        with contextlib.suppress(OSError):  # full: it is awake; closed: it has ended
            self._wake_sender.send(b"\0")

    def beat(self) -> None:
        """Send a heartbeat now."""
        self._beat = True
        self.wake()

    def stop(self, timeout: float) -> None:
        """Deliver what waits, end the stream, end the thread; all within the timeout, or as far as it goes."""
        self._deadline = time.monotonic() + timeout
        self.wake()
        self._thread.join(timeout + 1)
        for end in (self._wake_receiver, self._wake_sender):
            end.close()

    # --- the thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        link, self._first_link = self._first_link, None
        while True:
            if link is None:
                link = self._connect()
            if link is not None:
                self._link, began = link, time.monotonic()
                heard = self._serve(link)
                self._link = None
                link.close()
                self._outbox.rewind()
                if heard is None:
                    return None
                if time.monotonic() - began > GOOD_SECONDS:
                    failures = 0
                if not self._is_passing(heard):
                    return self._fail(heard)
                log.info("the plotly stream is cut (%s): connecting again", heard.status or "no status")
                link = None
            if self._sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10)) * random.uniform(0.5, 1)):  # noqa: S311
                return None
            failures += 1

    def _connect(self) -> Link | None:
        try:
            return Link(self._target, self._outbox.first)
        except StreamError as error:
            log.debug("%s", error)
            return None

    def _serve(self, link: Link) -> Heard | None:
        """Send until the connection ends, and say how; None when all is done."""
        ending = False
        spoken = time.monotonic()
        while True:
            heard = link.receive()
            if link.acknowledging:
                self._outbox.delivered(heard.acknowledged)
                self.welcomed.set()
            elif not link.backlog and not heard.ended:
                self._outbox.confirm(time.monotonic() - CONFIRM_SECONDS)
            if heard.ended:
                return None if ending and not self._outbox.waiting else heard
            while link.backlog < _AHEAD_BYTES and (line := self._outbox.take()) is not None:
                link.put(line)
                spoken = time.monotonic()
            if self._beat or time.monotonic() - spoken >= HEARTBEAT_SECONDS:
                self._beat = False
                link.put(b"\n")
                spoken = time.monotonic()
            delivered = link.acknowledging or not self._outbox.waiting
            if self._deadline is not None and delivered and not self._outbox.unsent and not ending:
                link.put_end()
                ending = True
            if not link.send():
                return Heard(ended=True)
            if self._overdue():
                return None
            self._wait(link, spoken)

    def _wait(self, link: Link, spoken: float) -> None:
        """Until something can be read or sent, or it is time for something."""
        now = time.monotonic()
        timeout = spoken + HEARTBEAT_SECONDS - now
        if not link.acknowledging and self._outbox.waiting:
            timeout = min(timeout, CONFIRM_SECONDS / 4)
        if self._deadline is not None:
            timeout = min(timeout, self._deadline - now)
        poll = select.poll()
        poll.register(self._wake_receiver, select.POLLIN)
        poll.register(link.socket, select.POLLIN | (select.POLLOUT if link.backlog else 0))
        poll.poll(math.ceil(max(0.0, timeout) * 1000))
        self._drain_wakes()

    def _sleep(self, seconds: float) -> bool:
        """Wait before another attempt; True when there is to be none."""
        until = time.monotonic() + seconds
        while not self._overdue() and (left := until - time.monotonic()) > 0:
            if self._deadline is not None:
                if not self._outbox.waiting:
                    return True
                left = min(left, max(0.0, self._deadline - time.monotonic()))
            poll = select.poll()
            poll.register(self._wake_receiver, select.POLLIN)
            poll.poll(math.ceil(left * 1000))
            self._drain_wakes()
        return self._overdue()

    def _overdue(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _drain_wakes(self) -> None:
        with contextlib.suppress(OSError):
            while self._wake_receiver.recv(4096):
                pass

    def _is_passing(self, heard: Heard) -> bool:
        passes = isinstance(heard.status, int) and (heard.status in _PASSING or heard.status >= 500)
        return passes or heard.status in self.reconnect_on

    def _fail(self, heard: Heard) -> None:
        words = f"{heard.status} {heard.message}".strip() or "the connection was cut"
        self.failure = StreamError(
            f"the server {self._target.url} ended the stream: {words}", status=heard.status, unsent=self._outbox.waiting
        )
        self.welcomed.set()
        self._outbox.give_up()
