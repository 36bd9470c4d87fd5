"""One account's rate limit, shared by the uploaders of all its destinations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mqttbridge.delivery.pacing import TokenBucket
from mqttbridge.destinations.base import Rate


class Pacer:
    """A token bucket that several threads take from."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._rate, self._bucket = rate, TokenBucket(rate.calls, rate.per)

    def delay(self) -> float:
        """Seconds until a request may start."""
        with self._lock:
            return self._bucket.delay(self._clock())

    def claim(self) -> float:
        """Take a token if there is one. Returns 0, or the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            delay = self._bucket.delay(now)
            if delay == 0:
                self._bucket.take(now)
            return delay

    def answered(self) -> None:
        """Say that the request a token was claimed for is over."""
        with self._lock:
            self._bucket.answered(self._clock())

    def rest(self, seconds: float) -> None:
        """Let no request start for so long: the server asked for it."""
        with self._lock:
            self._bucket.penalize(self._clock() + seconds)

    def tighten(self, rate: Rate) -> None:
        """Take over a lower rate. Call it before the first claim."""
        with self._lock:
            if rate.calls * self._rate.per < self._rate.calls * rate.per:
                self._rate, self._bucket = rate, TokenBucket(rate.calls, rate.per)


class Pacers:
    """The pacers of one bridge, one for each account. Asked while the bridge is put together, by one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_account: dict[str, Pacer] = {}

    def of(self, rate: Rate | None) -> Pacer | None:
        """The pacer for a destination's `limits.rate`: one an account, at the lowest rate asked for it."""
        if rate is None:
            return None
        pacer = self._by_account.setdefault(rate.account, Pacer(rate, self._clock))
        pacer.tighten(rate)
        return pacer
