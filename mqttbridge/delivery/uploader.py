"""One destination's loop: from the spool, batch by batch, to its settlement.

    spool.read -> window -> pacer -> destination.send -> settlement -> spool.settle

Invariants:
1. The cursor given to the spool is the longest settled prefix: what is not known to be accepted or rejected is
   read again by the next process. A crash repeats at most one window (window.py), it never loses.
2. Nothing overtakes: while a batch is kept, nothing else is sent, and memory stays at one window.
3. A refused batch is halved down to the events at fault; only those are rejected, the rest goes on in order.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, assert_never

from mqttbridge.config.thinning import ThinConfig
from mqttbridge.delivery.health import DestinationStatus, Health, State
from mqttbridge.delivery.intake import Intake
from mqttbridge.delivery.pacer import Pacer
from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Prepared, Refused, Settlement
from mqttbridge.delivery.window import Parcel, Window
from mqttbridge.destinations.base import Delivery, Destination
from mqttbridge.errors import SpoolError
from mqttbridge.events import EventTuple, Position, Reason, Rejected
from mqttbridge.mapping.thinning import compile_thinning
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool, SpoolReader

log = logging.getLogger(__name__)

# A stop wakes a waiting reader; should it come in the instant before the wait, this is how late it is seen.
_IDLE_WAIT: Final = 1.0
# Rows for other destinations wake us as well; then the spool is asked no more often than this.
_FRUITLESS_WAIT: Final = 0.05
# Read so many events at a time, so that the window's bound in bytes is kept although a read counts events.
_READ_EVENTS: Final = 2_000
# Buckets that a server will not take, remembered; past it the oldest is tried again.
_MAX_PARKED: Final = 10_000


class Uploader:
    """See the module's text. `run` has a thread of its own; `stop` and `status` are called from others.

    Args:
        destination: opened, used and closed by `run`.
        spool: where its rows and cursor are.
        metrics: of the bridge.
        pacer: of the destination's account, where requests are limited.
        thin: which events are enough for this destination; empty for all.
        shutdown_timeout: seconds to go on delivering after `stop`, unless that names a deadline.
        clock: monotonic seconds, the same clock as the pacer's.
        wall: epoch seconds, as the spool stamps its rows.
        sleep: waits so many seconds; default: until a stop, and then until its deadline.
        luck: uniform in [0, 1), for jitter.
    """

    def __init__(
        self,
        destination: Destination,
        spool: Spool,
        metrics: Metrics,
        *,
        pacer: Pacer | None = None,
        thin: Sequence[ThinConfig] = (),
        shutdown_timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] | None = None,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self.name = destination.name
        self._destination, self._spool, self._metrics, self._pacer = destination, spool, metrics, pacer
        self._thinnings = compile_thinning(thin)
        self._intake: Intake | None = None
        self._shutdown_timeout = shutdown_timeout
        self._clock, self._wall = clock, wall
        self._health = Health(self.name, metrics, clock, wall, luck)
        self._sleep = sleep or self._sleep_until_stop
        self._stop = threading.Event()
        self._stopped_at = self._deadline = float("inf")
        self._finished = False

        self._reader: SpoolReader
        self._window: Window
        self._saved: Position
        """The cursor as the spool has it."""
        self._unsaved: list[Rejected] = []
        """Refused events that are not in the spool's Rejected yet."""
        self._parked: dict[str | None, BucketGone] = {}
        self._resume_at = float("-inf")
        self._woken = self._fruitless = self._spool_failed = False

        self._delivered = self._refused = 0
        self._last_success: float | None = None

    # --- the thread ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Deliver until stopped. Raises only what makes going on senseless; then the bridge ends."""
        self.open()
        try:
            while not self.is_done():
                self.step()
        finally:
            self.close()

    def stop(self, deadline: float | None = None) -> None:
        """Ask the loop to deliver what there is and end, at the latest when the clock reads `deadline`.

        A request in flight then is still waited for, which its own timeout bounds. What is left stays in the spool.
        """
        now = self._clock()
        self._deadline = now + self._shutdown_timeout if deadline is None else deadline
        self._stopped_at = min(self._stopped_at, now)
        self._stop.set()
        self._spool.wake()

    def status(self) -> DestinationStatus:
        health = self._health
        return DestinationStatus(
            health.state, health.detail, health.since, self._delivered, self._refused, self._last_success
        )

    # --- the loop ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make ready; `run` does it."""
        start = self._destination.open()
        self._reader = self._spool.reader(self.name, start)
        self._saved = self._reader.position
        if self._thinnings:
            self._intake = Intake(self._thinnings, self.name, self._spool)
        self._window = Window(self._destination.limits, self._reader.position, one_bucket=self._destination.one_bucket)

    def step(self) -> None:
        """One turn: at most one request, or one wait."""
        if (rest := self._resume_at - self._clock()) > 0:
            if self._is_hopeless():
                self._finished = True
            else:
                self._sleep(rest)
        elif not self._save() or not self._fill():
            pass  # the spool fails: that set a time to resume at
        elif (parcel := self._window.next(self._wall(), flush=self._stop.is_set())) is None:
            self._await_events()
        elif gone := self._parked.get(parcel.bucket):
            self._reject(parcel, gone.reason, gone.detail)
            self._save()
        elif self._pacer and (delay := self._pacer.claim()) > 0:
            self._sleep(delay)
        else:
            self._conclude(parcel, self._send(parcel))
            self._save()

    def is_done(self) -> bool:
        """Whether a stop was asked for, and all is delivered, or there is no time or hope left."""
        return self._stop.is_set() and (self._finished or self._clock() >= self._deadline)

    def close(self) -> None:
        """Release everything; `run` does it."""
        self._save()
        if len(self._window):
            log.info("destination %r: what is not delivered yet stays in the spool", self.name)
        self._reader.close()
        self._destination.close()

    def _fill(self) -> bool:
        """Read what the window has room for. Returns False when the spool cannot be read now."""
        found = False
        now = self._wall()  # before the read: what is committed after it is later
        try:
            left = self._window.room  # also where what is read is thinned out, and leaves the window as it is
            while (room := min(left, self._window.room)) > 0:
                rows = self._reader.read(self._window.tail, min(room, _READ_EVENTS))
                left -= sum(len(row.events) for row in rows)
                if not rows:
                    if self._intake is not None:
                        self._intake.tick(now, self._window)
                    break
                found = True
                for row in rows:
                    if self._intake is None:
                        self._window.add(row)
                    else:
                        self._intake.take(row, self._window)
        except SpoolError as error:
            return self._spool_fails(error)
        if self._intake is not None:
            for reason, events in self._intake.take_thinned().items():
                self._metrics.dropped.add(events, reason=reason, destination=self.name)
        if self._spool_failed:
            self._spool_failed = False
            self._health.worked()
        self._woken, self._fruitless = False, self._woken and not found
        return True

    def _await_events(self) -> None:
        if self._stop.is_set():
            self._finished = True  # flushed, and there was no more to read
            return
        due = self._window.due_in(self._wall())
        patience = _IDLE_WAIT if due is None else min(due, _IDLE_WAIT)
        if self._fruitless:
            self._sleep(min(patience, _FRUITLESS_WAIT))
        else:
            self._woken = self._reader.wait(self._window.tail, patience)

    def _send(self, parcel: Parcel) -> Settlement:
        try:
            settlement = self._destination.send(Delivery(parcel.events, parcel.end, parcel.units, parcel.rules))
        finally:
            if self._pacer:
                self._pacer.answered()
        self._metrics.requests.add(destination=self.name, outcome=_OUTCOMES[type(settlement)])
        return settlement

    # --- settlement ----------------------------------------------------------------------------------------

    def _conclude(self, parcel: Parcel, settlement: Settlement) -> None:
        match settlement:
            case Accepted(quiet):
                self._health.worked()
                self._accept(parcel)
                self._keep_quiet(quiet)
            case Prepared(quiet):
                self._keep_quiet(quiet)  # then the next step sends the batch itself
            case Refused() if len(parcel.events) > 1:
                self._health.worked()
                self._window.halve(parcel)
            case Refused(detail, reason):
                self._health.worked()
                self._reject(parcel, reason, detail)
            case BucketGone():
                self._health.worked()
                self._park(parcel, settlement)
            case Kept():
                self._keep(settlement)
            case _:
                assert_never(settlement)

    def _accept(self, parcel: Parcel) -> None:
        self._window.settle(parcel)
        now = self._wall()
        self._last_success = now
        self._delivered += len(parcel.events)
        self._metrics.delivered.add(len(parcel.events), destination=self.name)
        for created, events in Counter(parcel.created).items():
            self._metrics.delivery_lag.observe(max(0.0, now - created), events, destination=self.name)

    def _reject(self, parcel: Parcel, reason: Reason, detail: str) -> None:
        self._unsaved += [_rejected(event, reason, detail, self.name) for event in parcel.events]
        self._window.settle(parcel)
        self._refused += len(parcel.events)
        self._metrics.refused.add(len(parcel.events), destination=self.name)

    def _park(self, parcel: Parcel, gone: BucketGone) -> None:
        log.error(
            "destination %r does not take bucket %r: %s; its events go to Rejected from now on, until a restart",
            self.name, gone.bucket, gone.detail,
        )  # fmt: skip
        if len(self._parked) >= _MAX_PARKED:
            del self._parked[next(iter(self._parked))]
        self._parked[gone.bucket] = gone
        self._reject(parcel, gone.reason, gone.detail)

    def _save(self) -> bool:
        """Give the spool the settled prefix and what was refused. Returns False when it cannot take it now."""
        position = self._window.position if self._intake is None else self._intake.cursor(self._window.position)
        if position == self._saved and not self._unsaved:
            return True
        try:
            if self._intake is not None:
                self._intake.save()
            self._spool.settle(self.name, position, self._unsaved)
        except SpoolError as error:
            return self._spool_fails(error)
        self._saved, self._unsaved = position, []
        return True

    def _spool_fails(self, error: SpoolError) -> bool:
        self._spool_failed = True
        self._keep(Kept(str(error)))
        return False

    def _keep(self, kept: Kept) -> None:
        """Wait before the next try."""
        self._resume_at = self._clock() + self._health.failed(kept)
        if kept.retry_after and self._pacer:
            self._pacer.rest(kept.retry_after)  # others with the same key would hear the same

    def _keep_quiet(self, seconds: float) -> None:
        """Send nothing for so long, nor let others of the same account: the answer was yes, and asked for it."""
        if seconds:
            self._resume_at = self._clock() + seconds
            if self._pacer:
                self._pacer.rest(seconds)

    def _is_hopeless(self) -> bool:
        """Whether a stop's deadline is better not waited for: it is for a server that works, or hiccups."""
        return self._stop.is_set() and (
            self._resume_at >= self._deadline
            or (self._health.failures > 0 and self._health.failing_since < self._stopped_at)
            or self._health.state is State.PAUSED
        )

    def _sleep_until_stop(self, seconds: float) -> None:
        if self._stop.is_set():
            time.sleep(max(0.0, min(seconds, self._deadline - self._clock())))
        else:
            self._stop.wait(seconds)


_OUTCOMES: Final[dict[type[Settlement], str]] = {
    Accepted: "accepted",
    Prepared: "prepared",
    Refused: "refused",
    BucketGone: "bucket_gone",
    Kept: "kept",
}


def _rejected(event: EventTuple, reason: Reason, detail: str, destination: str) -> Rejected:
    bucket, stream, value, epoch = event
    # The standard writer takes whatever an event can hold, also what made a destination's own writer fail.
    payload = json.dumps({"bucket": bucket, "stream": stream, "value": value, "epoch": epoch}, ensure_ascii=False)
    return Rejected(
        reason, detail, f"{bucket}/{stream}", payload.encode(errors="backslashreplace"), destination=destination
    )
