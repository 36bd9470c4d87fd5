"""One who looks on: what came for it waits here until it takes it, on a thread of its own.

One that takes nothing for long finds the whole windows instead of what came, so memory is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from mqttbridge.client.live.points import Column

# Points that wait for one who takes nothing, before the whole window is the shorter way.
_MOST_WAITING: Final = 20_000


class Feeding(Protocol):
    """What a subscription needs of its feed."""

    lock: threading.Condition
    trouble: str
    live: bool

    def wait_for(self, subscription: Subscription, timeout: float) -> bool:
        """See `Subscription.wait`."""
        ...

    def newest(self, subscription: Subscription) -> Mapping[str, Column]:
        """All that is kept of its streams; the lock is held."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What came since the last time.

    Attributes:
        whole: `columns` are all that is kept; else each holds what came, in order of its coming.
        columns: by stream.
    """

    whole: bool
    columns: Mapping[str, list[Column]]


class Subscription:
    """One who looks on; see `sharing.subscribe`. Its methods may be called from any thread."""

    def __init__(
        self,
        feed: Feeding,
        streams: Collection[str],
        backlog: int,
        history: float,
        leave: Callable[[Subscription], None],
    ) -> None:
        self.streams, self.backlog, self.history = frozenset(streams), backlog, history
        self._feed, self._leave = feed, leave
        self._waiting: dict[str, list[Column]] = {}
        self._count = 0
        self._whole = True
        self.abandoned = False

    @property
    def trouble(self) -> str:
        """Why nothing comes now, in words; empty when all is well."""
        return self._feed.trouble

    @property
    def live(self) -> bool:
        """Whether the connection stands."""
        return self._feed.live

    def wait(self, timeout: float) -> bool:
        """Wait until the first snapshot is there, or it is known why not; whether it is there."""
        return self._feed.wait_for(self, timeout)

    def take(self) -> Taken | None:
        """What came since the last call; None when nothing did."""
        with self._feed.lock:
            if self._whole:
                return self._everything()
            if not self._waiting:
                return None
            taken = Taken(whole=False, columns=self._waiting)
            self._waiting, self._count = {}, 0
            return taken

    def everything(self) -> Taken:
        """All that is kept of its streams, with which nothing is left to take."""
        with self._feed.lock:
            return self._everything()

    def close(self) -> None:
        """It looks on no more; the last to leave closes the connection."""
        self._leave(self)

    def abandon(self) -> None:
        """As `close`, but a moment later: for a finalizer, which may run anywhere and so may take no lock."""
        self.abandoned = True

    def _everything(self) -> Taken:
        self._waiting, self._count, self._whole = {}, 0, False
        columns = {stream: [column] for stream, column in self._feed.newest(self).items()}
        return Taken(whole=True, columns=columns)

    def put(self, stream: str, column: Column, *, begun_anew: bool) -> None:
        """Something came; the feed's lock is held."""
        if self._whole or stream not in self.streams:
            return
        self._count += len(column.times)
        if begun_anew or self._count > max(_MOST_WAITING, 2 * self.backlog):
            self._waiting, self._count, self._whole = {}, 0, True
        else:
            self._waiting.setdefault(stream, []).append(column)
