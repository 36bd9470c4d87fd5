"""When a request may go out: pure arithmetic, every time is given.

Times are seconds of one monotonic clock; whose, is the caller's business.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


class TokenBucket:
    """`calls` tokens; each comes back `per` seconds after the request that took it was answered.

    So in any window of `per` seconds no more than `calls` requests start, and no more reach the server, however
    long each was on its way. (The textbook bucket, refilled at a steady rate, lets nearly twice as many through
    in the window after a quiet time; one that counts from the start of a request lets the server see too many
    when the first of them was slow, as the one that opens a connection is.)
    """

    def __init__(self, calls: int, per: float) -> None:
        self._calls, self._per = calls, per
        self._taken = 0
        self._answered: deque[float] = deque()
        self._rests_until = float("-inf")

    def delay(self, now: float) -> float:
        """Seconds until a token may be taken, 0 when one may be taken now.

        While all tokens are out with unanswered requests this is the soonest that one can be back.
        """
        while self._answered and self._answered[0] + self._per <= now:
            self._answered.popleft()
        rest = max(0.0, self._rests_until - now)
        if self._taken + len(self._answered) < self._calls:
            return rest
        return max(rest, self._answered[0] + self._per - now if self._answered else self._per)

    def take(self, now: float) -> None:
        """Take a token for a request that starts now. Call it only when `delay(now)` is 0."""
        if self.delay(now) > 0:
            raise ValueError("no token may be taken now")
        self._taken += 1

    def answered(self, now: float) -> None:
        """Say that a request that took a token was answered, or failed: its token comes back after `per`."""
        self._taken -= 1
        self._answered.append(now)

    def penalize(self, until: float) -> None:
        """Let no request start before `until`: the server said so."""
        self._rests_until = max(self._rests_until, until)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between tries, in seconds: doubled each time up to a cap, and fully jittered.

    Full jitter (uniform from 0) spreads the bridges of a fleet best when a server they share comes back.
    """

    first: float = 1.0
    longest: float = 300.0

    def pause(self, failures: int, luck: float) -> float:
        """How long to wait after so many failures in a row; `luck` is uniform in [0, 1)."""
        doublings = min(max(failures - 1, 0), 62)  # beyond that only the cap matters, and floats overflow
        return luck * min(self.longest, self.first * 2.0**doublings)
