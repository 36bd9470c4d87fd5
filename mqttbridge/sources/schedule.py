"""When each target is asked next. Pure: every time is given, in seconds of one monotonic clock.

A target keeps its own steady rhythm whatever an answer takes; rounds that were missed are left out. After a failure
it waits a growing pause, and so do all of them when the failure was the whole API's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mqttbridge.delivery.pacing import Backoff


@dataclass(slots=True)
class _Turn:
    slot: float
    """When it was to be asked by its rhythm."""
    due: float
    failures: int = 0


class Schedule:
    """The turns of some targets, known by number.

    Args:
        lucks: one number in [0, 1) for each target; at least one. All begin at once, apart from the jitter.
        now: when it begins.
        every: the time between two turns of a target.
        jitter: how much later a turn may be.
        backoff: pauses after failures.
    """

    def __init__(self, lucks: Sequence[float], now: float, *, every: float, jitter: float, backoff: Backoff) -> None:
        self._every, self._jitter, self._backoff = every, jitter, backoff
        self._turns = [_Turn(now, now + luck * jitter) for luck in lucks]
        self._rests_until = now
        self._failures_of_all = 0

    def next(self) -> tuple[int, float]:
        """The target whose turn is next, and when that is."""
        number = min(range(len(self._turns)), key=lambda one: self._turns[one].due)
        return number, max(self._turns[number].due, self._rests_until)

    def answered(self, number: int, now: float, luck: float) -> None:
        """Note that a target gave an answer that can be used."""
        turn = self._turns[number]
        turn.failures = self._failures_of_all = 0
        turn.slot += self._every
        if turn.slot <= now:
            turn.slot += (now - turn.slot) // self._every * self._every + self._every
        turn.due = turn.slot + luck * self._jitter

    def failed(self, number: int, now: float, luck: float, *, of_all: bool, at_least: float = 0.0) -> None:
        """Note a failure. One `of_all` makes every target wait; the server may ask for `at_least` so many seconds."""
        turn = self._turns[number]
        if of_all:  # this one goes to the end of the queue: it may be at fault alone
            self._failures_of_all += 1
            self._rests_until = now + max(at_least, self._pause(self._failures_of_all, luck))
            turn.due = self._rests_until
        else:
            turn.failures += 1
            turn.due = now + max(at_least, self._pause(turn.failures, luck))

    def _pause(self, failures: int, luck: float) -> float:
        # At least half of it: a full jitter may be no pause at all, and nobody shares this API with us in step.
        return self._backoff.pause(failures, 0.5 + luck / 2)
