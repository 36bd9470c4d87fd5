"""How long a server is left alone, and why. Pure: every time is given, in seconds of one monotonic clock."""

from __future__ import annotations

from typing import Final

from mqttbridge.delivery.pacing import Backoff
from mqttbridge.delivery.settlement import Kept

# A wrong key or a used up plan is mended by a human: soon enough to notice, seldom enough not to annoy.
PAUSE_FOR_HUMANS: Final = 60.0


class Rest:
    """The pause before the next request: one the server asked for, or one of ours that grows with each failure.

    Args:
        backoff: our pauses.
    """

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._asked_for = False
        self.until = 0.0
        """No request before this."""
        self.failures = 0
        """How many in a row."""
        self.trouble = ""
        """Why nothing is delivered now; empty when all is well."""

    def went_well(self, now: float, quiet: float) -> bool:
        """A request was accepted; the server wants none for `quiet` seconds. Returns whether that ends a trouble."""
        ends_trouble = bool(self.trouble)
        self.failures, self.trouble = 0, ""
        self.until, self._asked_for = now + quiet, quiet > 0
        return ends_trouble

    def failed(self, now: float, kept: Kept, luck: float, *, longest: float = float("inf")) -> bool:
        """A request was not accepted. Returns whether that is a new trouble.

        Args:
            now: the time.
            kept: what the server said.
            luck: uniform in [0, 1).
            longest: pause of ours at most so long.
        """
        is_new = kept.detail != self.trouble
        self.failures += 1
        self.trouble = kept.detail
        self._asked_for = kept.pause or kept.retry_after is not None
        if kept.retry_after is not None:
            pause = kept.retry_after
        elif kept.pause:
            pause = PAUSE_FOR_HUMANS
        else:
            pause = min(longest, self._backoff.pause(self.failures, luck))
        self.until = now + pause
        return is_new

    def cut_short(self, now: float) -> None:
        """Time is short: a pause of ours ends now, one that the server asked for does not. Failures count anew."""
        self.failures = 0
        if not self._asked_for:
            self.until = now
