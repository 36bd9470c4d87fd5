"""One bucket of one dashboard for everybody in this process who wants to see it: one connection, one window a stream.

The promise is a snapshot and then all that comes, with no gap and no duplicate. It rests on this: the live stream is
there before the snapshot is asked for, so what the snapshot lacks comes live; and a window knows points by their
times, so what comes both ways is there once. A connection that breaks goes on where it was (`Last-Event-ID`); when
the server cannot fill the gap it says `resync`, and the snapshot is taken again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mqttbridge.client.live.dashboard import Address, Dashboard, Refused
from mqttbridge.client.live.points import Column, Malformed, Window, read_points
from mqttbridge.client.live.sse import Sent, SseParser, TooLong
from mqttbridge.client.live.subscription import Subscription
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.sources.http_client import NoAnswer

log = logging.getLogger(__name__)

BACKOFF: Final = Backoff(first=0.5, longest=20.0)
# The server thins what is finer; less than this makes a coarse line, more than the server's own bound is no use.
MIN_FINENESS, MAX_FINENESS = 600, 10_000
# Seconds by which a snapshot goes back beyond the break that it is to bridge: clocks differ, frames take their time.
GAP_MARGIN: Final = 120.0


@dataclass(frozen=True, slots=True)
class _Snapshot:
    streams: frozenset[str]
    history: float
    fineness: int
    back_to: float | None


class Feed:
    """The connection to one bucket, on threads of its own while anybody looks on. See the module.

    Args:
        address: the dashboard.
        bucket: its key.
        backoff: pauses between attempts.
    """

    def __init__(self, address: Address, bucket: str, backoff: Backoff = BACKOFF) -> None:
        self.address, self.bucket = address, bucket
        self.lock = threading.Condition()
        self.trouble = ""
        self.live = False
        self.subscriptions: set[Subscription] = set()
        self._backoff = backoff
        self._windows: dict[str, Window] = {}
        self._missing: set[str] = set()  # streams that a snapshot is to be taken of
        self._asked: frozenset[str] = frozenset()  # those of the snapshot that is under way
        self._broken_at: float | None = None  # epoch seconds; until something comes after it
        self._back_to: float | None = None  # how far the next snapshot must reach, at least
        self._fetching = False
        self._last_id = ""
        self._stopped = threading.Event()
        self._listener = Dashboard(address, bucket)
        self._reader = Dashboard(address, bucket)
        self._thread = threading.Thread(target=self._listen_on, name=f"live-{bucket:.32}", daemon=True)

    def join(self, subscription: Subscription) -> None:
        """One more looks on."""
        with self.lock:
            for stream in subscription.streams:
                # What others look on at does as it is, if it goes back as far; what it lacks is on its way.
                known = any(
                    stream in one.streams
                    and one.backlog >= subscription.backlog
                    and one.history >= subscription.history
                    for one in self.subscriptions
                )
                if not known:
                    self._missing.add(stream)
                window = self._windows.setdefault(stream, Window(subscription.backlog))
                window.size = max(window.size, subscription.backlog)
            self.subscriptions.add(subscription)
            self._fetch_missing()
            if not self._thread.is_alive():
                self._thread.start()

    def leave(self, subscription: Subscription) -> bool:
        """One does no more; whether that was the last."""
        with self.lock:
            self.subscriptions.discard(subscription)
            wanted = {stream for one in self.subscriptions for stream in one.streams}
            for stream in self._windows.keys() - wanted:
                del self._windows[stream]
            self._missing &= wanted
            return not self.subscriptions

    def stop(self) -> None:
        """End the connection and its threads."""
        self._stopped.set()
        self._listener.end()
        self._reader.end()
        with self.lock:
            if not self._fetching:
                self._reader.close()
            self.lock.notify_all()

    def wait_for(self, subscription: Subscription, timeout: float) -> bool:
        """See `Subscription.wait`."""
        with self.lock:
            self.lock.wait_for(lambda: self._has(subscription) or bool(self.trouble) or self._stopped.is_set(), timeout)
            return self._has(subscription)

    def _has(self, subscription: Subscription) -> bool:
        return not (self._missing | self._asked) & subscription.streams

    def newest(self, subscription: Subscription) -> dict[str, Column]:
        """What is kept of its streams, as much as it wants; the lock is held."""
        columns = {
            stream: self._windows[stream].newest(subscription.backlog)
            for stream in subscription.streams
            if stream in self._windows
        }
        return {stream: column for stream, column in columns.items() if column.times}

    # --- the live stream ------------------------------------------------------------------------------------

    def _listen_on(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                self._listen()
                raise NoAnswer("the server ended the connection")  # noqa: TRY301  # an end is as good as a break
            except NoAnswer as error:
                with self.lock:
                    failures = 1 if self.live else failures + 1
                    if self.live and self._broken_at is None:
                        self._broken_at = time.time()
                    self.live = False
                    if not self._stopped.is_set():
                        self._went_wrong(error)
                self._pause(error, failures)
                self._sweep()
        self._listener.close()

    def _listen(self) -> None:
        """Take in what comes until the stream ends."""
        parser, resumed = SseParser(), bool(self._last_id)
        with self._listener.live(self._last_id) as endless:
            while not self._stopped.is_set() and (data := endless.read()):
                for event in parser.feed(data):
                    if isinstance(event, TooLong):
                        raise NoAnswer("that is no dashboard of mqttbridge, check url")
                    self._take(event, resumed=resumed)
                self._sweep()

    def _take(self, sent: Sent, *, resumed: bool) -> None:
        points: dict[str, Column] | Malformed = read_points(sent.data) if sent.event == "points" else {}
        if isinstance(points, Malformed):
            self._last_id = ""  # or the same would come again
            raise NoAnswer(f"that is no dashboard of mqttbridge, check url: {points.why}")
        with self.lock:
            self._merge(points, history=False)
            # Only now, that all it stands for is taken in: this is where a next connection goes on.
            self._last_id = sent.id or self._last_id
            if sent.event == "hello":
                self.live = True
                self._went_well()
            if (sent.event == "hello" and not resumed) or sent.event == "resync":
                self._missing |= self._windows.keys()
                self._back_to, self._broken_at = self._back_to or self._broken_at, None
            elif sent.event == "points":
                self._broken_at = None  # it was bridged
            self._fetch_missing()

    def _sweep(self) -> None:
        """Let go of those who went away without a word."""
        with self.lock:
            gone = [one for one in self.subscriptions if one.abandoned]
        for one in gone:
            one.close()

    # --- how it goes, of both -------------------------------------------------------------------------------

    def _went_well(self) -> None:
        if self.trouble:
            log.info("live points of bucket %r come again", self.bucket)
        self.trouble = ""

    def _went_wrong(self, error: NoAnswer) -> None:
        if str(error) != self.trouble:
            log.warning("live points of bucket %r: %s; trying again", self.bucket, error)
        self.trouble = str(error)
        self.lock.notify_all()

    def _pause(self, error: NoAnswer, failures: int) -> None:
        pause = self._backoff.pause(failures, random.random())  # noqa: S311  # jitter
        if isinstance(error, Refused):
            pause = max(pause, error.pause or self._backoff.first)
        self._stopped.wait(pause)

    # --- snapshots ------------------------------------------------------------------------------------------

    def _fetch_missing(self) -> None:
        """Have what is missing fetched, beside the live stream; the lock is held."""
        if self._missing and self.live and not self._fetching:
            self._fetching = True
            threading.Thread(target=self._fetch_on, name=f"snapshot-{self.bucket:.32}", daemon=True).start()

    def _fetch_on(self) -> None:
        """Take snapshots until nothing is missing, or the live stream breaks, whose next beginning goes on here."""
        failures = 0
        while (snapshot := self._next_snapshot()) is not None:
            try:
                columns = self._reader.points(snapshot.streams, snapshot.history, snapshot.fineness)
            except NoAnswer as error:
                failures += 1
                with self.lock:
                    self._missing |= self._asked & self._windows.keys()
                    self._asked = frozenset()
                    if not self._stopped.is_set():
                        self._went_wrong(error)
                self._pause(error, failures)
            else:
                failures = 0
                with self.lock:
                    self._asked = frozenset()
                    if self._back_to == snapshot.back_to:
                        self._back_to = None
                    self._merge(columns, history=True)
                    self._went_well()
                    self.lock.notify_all()

    def _next_snapshot(self) -> _Snapshot | None:
        with self.lock:
            if not self._missing or not self.live or self._stopped.is_set():
                self._fetching = False
                if self._stopped.is_set():
                    self._reader.close()
                return None
            # What becomes missing while this one is under way is missed after it, too.
            self._asked, self._missing = frozenset(self._missing), set()
            wanting = [one for one in self.subscriptions if one.streams & self._asked]
            gap = 0.0 if self._back_to is None else time.time() - self._back_to + GAP_MARGIN
            return _Snapshot(
                self._asked,
                max([gap, *(one.history for one in wanting)]),
                min(max([MIN_FINENESS, *(one.backlog for one in wanting)]), MAX_FINENESS),
                self._back_to,
            )

    def _merge(self, columns: Mapping[str, Column], *, history: bool) -> None:
        """Take points in, and hand on what is new; the lock is held."""
        for stream, column in columns.items():
            window = self._windows.get(stream)
            if window is None:
                continue
            merged = window.merge(column, history=history)
            if merged.fresh.times:
                for one in self.subscriptions:
                    one.put(stream, merged.fresh, begun_anew=merged.begun_anew)
