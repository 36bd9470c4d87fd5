"""How much each writer may send: requests in a window, events in a period. Off unless the configuration says so.

Windows lie on a fixed grid of the clock, so `X-RateLimit-Reset` is exact: at that second the whole allowance is
back. The count of events outlives a restart; whoever keeps it stores `Limits.usage` and gives it to `restore`.

There is one account for each key that may write and no other, so whoever calls cannot make us remember anything.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.reach import is_loopback

# What the headers say where nothing is limited: some clients fail without them, or slow down near the limit.
UNLIMITED: Final = 1_000_000

# The window of the Read API; the vendor's allowed 30 requests in it.
_READS_PER: Final = 60

_USAGE: Final = TypeAdapter(dict[str, tuple[float, int]])


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands in the current window.

    Attributes:
        limit: requests that a window allows.
        remaining: how many of them are left.
        reset: when the next window begins, in epoch seconds.
    """

    limit: int
    remaining: int
    reset: int


@dataclass(slots=True)
class Account:
    """What one key has used. `began` and `used` are of the period, `window` and `calls` of the window.

    `minute` and `reads` are of the Read API's window.
    """

    window: int = -1
    calls: int = 0
    minute: int = -1
    reads: int = 0
    began: float = 0.0
    used: int = 0


class Limits:
    """The accounts of every writer; times are epoch seconds. Used on one thread, but for `usage`.

    Args:
        config: what is allowed, and the write keys. Without keys all share one account, since any key would do.
    """

    def __init__(self, config: HttpConfig) -> None:
        self._config = config.limits
        keys = [key.get_secret_value() for key in config.write_keys]
        # Elsewhere than on loopback keys can be made on the page, and whoever writes has shown one.
        self._keyed = bool(keys) or not is_loopback(config.address[0])
        self._accounts = {self._name(key): Account() for key in keys or [""]}
        self.changed = False
        """Whether `usage` is another one than when this was last set to False."""

    def account(self, key: str | None) -> Account:
        """The account of a key that may write."""
        return self._accounts.setdefault(self._name(key), Account())

    def call(self, account: Account, now: float) -> bool:
        """Count a request. False when the window's allowance is used up; the request is not counted then."""
        if self._config.calls is None:
            return True
        self._turn(account, now)
        if account.calls >= self._config.calls:
            return False
        account.calls += 1
        return True

    def read(self, account: Account, now: float) -> int:
        """Count a request to the Read API. Not 0 where its minute has no more: so many seconds are left of it."""
        if self._config.reads is None:
            return 0
        minute = math.floor(now / _READS_PER)
        if account.minute != minute:
            account.minute, account.reads = minute, 0
        if account.reads >= self._config.reads:
            return math.ceil((minute + 1) * _READS_PER - now)
        account.reads += 1
        return 0

    def standing(self, account: Account | None, now: float) -> Standing:
        """How an account stands; None stands for one that has used nothing."""
        reset = math.floor(now / self._config.per) + 1
        # Rounded up: whoever comes at that whole second must be let in.
        at = math.ceil(reset * self._config.per)
        if self._config.calls is None:
            return Standing(UNLIMITED, UNLIMITED - 1, at)
        if account is None:
            return Standing(self._config.calls, self._config.calls, at)
        self._turn(account, now)
        return Standing(self._config.calls, self._config.calls - account.calls, at)

    def spend(self, account: Account, events: int, now: float) -> bool:
        """Count events. False when the period's rest does not hold all of them; none is counted then."""
        if self._config.events is None or not events:
            return True
        # A period that lies ahead is from a clock that was wrong.
        if not 0 <= now - account.began < self._config.period:
            account.began, account.used = now, 0
        if account.used + events > self._config.events:
            return False
        account.used += events
        self.changed = True
        return True

    def refund(self, account: Account, events: int) -> None:
        """Take back what `spend` counted: the events could not be stored."""
        if self._config.events is not None:
            account.used = max(0, account.used - events)
            self.changed = True

    @property
    def usage(self) -> str:
        """What has been used of the quota, as JSON; keys are digests there."""
        return _USAGE.dump_json({name: (one.began, one.used) for name, one in self._accounts.items()}).decode()

    def restore(self, usage: str) -> None:
        """Go on from an earlier `usage`; what cannot be read is no usage."""
        try:
            known = _USAGE.validate_json(usage)
        except ValidationError:
            return
        for name in known.keys() & self._accounts.keys():
            self._accounts[name].began, self._accounts[name].used = known[name]

    def _name(self, key: str | None) -> str:
        if not self._keyed or key is None:
            return ""
        return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def _turn(self, account: Account, now: float) -> None:
        """Begin a new window if it is time."""
        window = math.floor(now / self._config.per)
        if account.window != window:
            account.window, account.calls = window, 0
