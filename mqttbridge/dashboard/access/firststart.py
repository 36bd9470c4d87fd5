"""The first start where others can reach the server: nobody has a key, so whoever reads the log may make one, once."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import Final

from mqttbridge.dashboard.access.secret import new_secret

SECONDS: Final = 3600.0


class FirstStart:
    """A code that is good once, for an hour, and for this process alone. Until it is used, the server shows nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + SECONDS
        self._code = new_secret()
        self._used = False

    @property
    def path(self) -> str | None:
        """What to open on this server; None when the code is used. In the fragment no proxy and no log sees it."""
        return None if self._used else f"/login#first={self._code}"

    def accepts(self, code: str) -> bool:
        """Whether this is the code, in constant time."""
        if self._used or self._clock() >= self._ends:
            return False
        return hmac.compare_digest(code.encode("utf-8", "surrogatepass"), self._code.encode())

    def use_up(self) -> None:
        """A key was made: the code is worth nothing any more."""
        self._used = True

    def restore(self) -> None:
        """The key could not be made: the code is good still."""
        self._used = False
