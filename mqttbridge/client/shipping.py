"""The one thread between `log` and a server: it batches, sends, waits, tries again, and leaves nothing behind.

A batch goes out when `buffer_size` events wait, and at latest `max_wait` after the first of them. When a server
takes nothing now (no network, 5xx, 429, or 401, 402 and 403), everything waits, in order, and is tried again after a
pause: the one the server asked for, else one that grows with each failure. At the end (`close`) delivery is tried
until a deadline; what is left then goes into the file.

The lock is held for bookkeeping and for the file, never for a request, so `flush` and `close` keep their deadlines
while a server hangs. `log` does not take it, but when memory is full.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Final

from mqttbridge.client.leftovers import Leftovers, Refusal, Sender
from mqttbridge.client.parcels import Bucket
from mqttbridge.client.pending import Pending, Work
from mqttbridge.client.posting import EventsApi
from mqttbridge.client.resting import Rest
from mqttbridge.delivery.pacing import Backoff
from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Prepared, Refused, Settlement

log = logging.getLogger("mqttbridge.client")

# A backlog goes out in batches of this size whatever the buffer's: fewer requests, and a server's limit is in bytes.
BACKLOG_EVENTS: Final = 5_000
# At the end a server that fails is tried so often, a second apart at most.
_TRIES_AT_CLOSE: Final = 3
_PAUSE_AT_CLOSE: Final = 1.0


# Those whose thread a fork would take away.
_alive: Final[weakref.WeakSet[Shipper]] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Stats:
    """How it stands, in events. logged = delivered + waiting + kept + refused + dropped, earlier runs' leftovers aside.

    Attributes:
        waiting: in memory or under way.
        delivered: accepted by the server, what earlier runs had left included.
        kept: in the file, to be sent.
        refused: refused by the server for good; in the file, to be looked at.
        dropped: lost, since neither memory nor the file could hold more.
        trouble: why nothing can be delivered now; empty when all is well.
    """

    waiting: int
    delivered: int
    kept: int
    refused: int
    dropped: int
    trouble: str


class Shipper:
    """See the module's text. The thread starts with the first event or bucket, and ends with `close`.

    Args:
        api: where to; used by this thread only.
        leftovers: the file; None for none.
        buffer_size: events in a batch.
        max_wait: seconds that an event may wait for company.
        max_pending: events that memory holds.
    """

    def __init__(
        self, api: EventsApi, leftovers: Leftovers | None, *, buffer_size: int, max_wait: float, max_pending: int
    ) -> None:
        self.buffer_size, self.max_wait = buffer_size, max_wait
        self._api, self._max_pending = api, max_pending
        self.pending = Pending(Sender(api.base, api.account), leftovers, max_pending, self._attend)
        self._make_thread()
        _alive.add(self)
        self._announced: deque[Bucket] = deque()
        self._known: set[str] = set()
        self._gone: dict[str, str] = {}
        self._work: Work | None = None
        self._delivered = 0
        # Waiting for company: since when something waits, and up to which event a flush wants them out.
        self._since: float | None = None
        self._flush_to = 0
        self._rest = Rest(Backoff(first=1.0, longest=60.0))
        self._closing = self._abandoned = self._ended = False
        self._deadline = 0.0

    # --- for the program's threads -------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread. What an earlier run left in the file goes first."""
        with self._lock:
            self.pending.look_into_file()
            self._ensure_running()

    def announce(self, bucket: Bucket) -> None:
        """Create the bucket, even if nothing is ever logged into it."""
        with self._lock:
            self._announced.append(bucket)
            self._ensure_running()
        self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Send what was logged so far and wait for it. False if the server does not take it now, or not in time."""
        pending = self.pending
        with self._changed:
            goal = pending.taken + len(pending.memory)
            self._flush_to = max(self._flush_to, goal)
            self._ensure_running()
            self._wake.set()

            def is_out() -> bool:
                return self._work is None and pending.taken >= goal and pending.file_in(time.monotonic()) != 0

            self._changed.wait_for(lambda: is_out() or self._rest.trouble or self._ended, timeout)
            return is_out() and not pending.filed

    def close(self, timeout: float) -> Stats:
        """Deliver for at most `timeout` seconds, put the rest into the file, end the thread. Says what was left."""
        with self._changed:
            if not self._closing:
                now = time.monotonic()
                self._closing, self._deadline = True, now + timeout
                self._rest.cut_short(now)
            self._ensure_running()
            self._wake.set()
            if threading.current_thread() is self._thread:
                return self.stats()  # the garbage collector came by here: we shall end without being waited for
            if not self._changed.wait_for(lambda: self._ended, self._deadline - time.monotonic() + 0.05):
                # The thread is in a request that takes too long. Whether it gets through nobody knows: it is kept.
                self._abandoned = True
                self._rest.trouble = self._rest.trouble or "the server did not answer in time"
                self._end()
            self.pending.put_away(None)  # what came after the end
            stats = self.stats()
            self.pending.close()
        if not self._abandoned:
            self._thread.join()
        return stats

    def stats(self) -> Stats:
        with self._lock:
            pending = self.pending
            under_way = sum(piece.events for piece in self._work.pieces) if self._work and not self._work.row else 0
            return Stats(
                waiting=len(pending.memory) + under_way,
                delivered=self._delivered,
                kept=pending.left(),
                refused=pending.refused,
                dropped=pending.dropped,
                trouble=self._rest.trouble,
            )

    def _attend(self) -> None:
        """By `add`, in the program's thread: there are as many events as the worker waits for, or as memory holds."""
        if self.pending.is_full:
            with self._lock:
                if self.pending.is_full:
                    self.pending.spill()
        self.pending.attend_at = self._max_pending
        self._wake.set()
        if self._thread.ident is None:
            with self._lock:
                self._ensure_running()
        if self._ended:  # nobody is there to wake: whoever logs puts it away
            with self._lock:
                self.pending.put_away(None)
                self.pending.attend_at = 0

    def _make_thread(self) -> None:
        self._wake = threading.Event()
        self._lock = threading.RLock()  # `attend` may be called from a place that holds it
        self._changed = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="mqttbridge-streamer", daemon=True)

    def _ensure_running(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def after_fork(self) -> None:
        """In a forked child: the thread is the parent's, and so is everything that waits. Begin anew."""
        if not self._ended:
            self._make_thread()
            self._api.after_fork()
            self.pending.after_fork()
            self._work, self._flush_to = None, 0
            self._announced.clear()

    # --- the thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while (work := self._next()) is not None:
                settlement = self._attempt(work)
                with self._changed:
                    if self._abandoned:
                        break
                    self._settle(work, settlement)
                    self._changed.notify_all()
        except Exception:
            log.exception("delivery has ended by a fault; what waits is kept")
        finally:
            with self._changed:
                if not self._ended:
                    self._end()
            self._api.close()

    def _next(self) -> Work | None:
        """The next batch, once it is due; None at the end."""
        while True:
            # In this order: whatever is added after the look at memory wakes us.
            self._wake.clear()
            with self._lock:
                now = time.monotonic()
                self.pending.attend_at = self.buffer_size if self.pending.memory else 1
                wait = self._wait(now)
                if self._abandoned or (self._closing and self._is_over(now)):
                    return None
                if wait == 0:
                    self.pending.attend_at = self._max_pending
                    self._work = self._take(now)
                    if self._work is not None:
                        return self._work
                    self._changed.notify_all()
                    continue
            self._wake.wait(wait)

    def _wait(self, now: float) -> float | None:
        """Seconds until there is something to do, 0 for now; None until somebody wakes us."""
        due = self._due_in(now)
        if due is None and not self._closing:
            return None
        rest = max(0.0, self._rest.until - now, due or 0.0)
        return min(rest, max(0.0, self._deadline - now)) if self._closing else rest

    def _due_in(self, now: float) -> float | None:
        pending, waiting = self.pending, len(self.pending.memory)
        if self._work is not None or self._announced:
            return 0.0
        from_file = pending.file_in(now)
        if self._closing and from_file != 0:
            from_file = None  # it is in other hands, and stays where it is
        if not waiting:
            self._since = None
            return from_file
        if self._since is None:
            self._since = now
        if waiting >= self.buffer_size or self._closing or pending.taken < self._flush_to:
            return 0.0
        for_company = max(0.0, self._since + self.max_wait - now)
        return for_company if from_file is None else min(for_company, from_file)

    def _is_over(self, now: float) -> bool:
        nothing = self._due_in(now) is None
        in_time = max(now, self._rest.until) < self._deadline
        return self._rest.failures >= _TRIES_AT_CLOSE or not in_time or nothing

    def _take(self, now: float) -> Work | None:
        if self._work is not None:
            return self._work
        while self._announced:
            bucket = self._announced.popleft()
            if bucket.key not in self._known:
                return Work(bucket)
        work = self.pending.take(max(self.buffer_size, BACKLOG_EVENTS))
        if work is not None and work.row is None:
            self._since = now  # whatever is in memory from now on came later
        return work

    def _attempt(self, work: Work) -> Settlement:
        """One request at most: the bucket first, once, then its events."""
        bucket = work.bucket
        if (why := self._gone.get(bucket.key)) is not None:
            return BucketGone(bucket.key, why)
        if bucket.key in self._known:
            return self._api.send(work.pieces[0]) if work.pieces else Accepted()
        match settlement := self._api.create(bucket):
            case Accepted(quiet):
                return Prepared(quiet)
            case Refused(detail):
                return BucketGone(bucket.key, detail)
        return settlement

    def _settle(self, work: Work, settlement: Settlement) -> None:
        match settlement:
            case Accepted(quiet):
                if work.pieces:
                    self._delivered += work.pieces.popleft().events
                self._went_well(quiet)
            case Prepared(quiet):
                self._known.add(work.bucket.key)
                self._went_well(quiet)
            case Refused(detail):
                self._refuse(work, detail)
            case BucketGone(key, detail):
                if key not in self._gone:
                    log.error("bucket %r is refused, its events are kept as refused: %s", key, detail)
                self._gone[key] = detail
                work.refusals += [Refusal(piece, detail) for piece in work.pieces]
                work.pieces.clear()
            case Kept():
                self._failed(settlement)
                self._work = self.pending.put_back(work)
                return
        if not work.pieces:
            self.pending.finish(work)
            self._work = None

    def _refuse(self, work: Work, detail: str) -> None:
        """Halve what was refused, down to the event at fault."""
        piece = work.pieces.popleft()
        if piece.events > 1:
            work.pieces.extendleft(reversed(piece.halves()))
        else:
            log.error("an event of bucket %r is refused, it is kept as such: %s", work.bucket.key, detail)
            work.refusals.append(Refusal(piece, detail))

    def _went_well(self, quiet: float) -> None:
        if self._rest.went_well(time.monotonic(), quiet):
            log.warning("events are delivered again")

    def _failed(self, kept: Kept) -> None:
        longest = _PAUSE_AT_CLOSE if self._closing else float("inf")
        luck = random.random()  # noqa: S311  # spreads load, hides nothing
        if self._rest.failed(time.monotonic(), kept, luck, longest=longest):
            log.warning("events wait: %s", kept.detail)

    def _end(self) -> None:
        """Put away what is left. Under the lock, by whoever comes to the end first."""
        self._ended = True
        self.pending.attend_at = 0
        self.pending.put_away(self._work)
        self._work = None
        self._changed.notify_all()


def _after_fork() -> None:
    for shipper in list(_alive):
        shipper.after_fork()


os.register_at_fork(after_in_child=_after_fork)
