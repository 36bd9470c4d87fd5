"""How one destination is doing: ok, retrying or paused; said once a change, and how long to wait."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mqttbridge.delivery.pacing import Backoff
from mqttbridge.delivery.settlement import Kept
from mqttbridge.metrics import Metrics

log = logging.getLogger(__name__)

_BACKOFF: Final = Backoff(first=1.0, longest=300.0)
# How soon to look whether an operator has mended what paused us, where the server names no time.
_PAUSE: Final = 60.0


class State(StrEnum):
    OK = "ok"
    RETRYING = "retrying"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """How a destination is doing. Times are epoch seconds; `detail` is empty while all is well."""

    state: State
    detail: str
    since: float
    delivered: int
    refused: int
    last_success: float | None


class Health:
    """The state of one destination, kept by its uploader.

    Args:
        name: the destination's, for logs and metrics.
        metrics: of the bridge.
        clock: monotonic seconds.
        wall: epoch seconds.
        luck: uniform in [0, 1), for jitter.
    """

    def __init__(
        self,
        name: str,
        metrics: Metrics,
        clock: Callable[[], float],
        wall: Callable[[], float],
        luck: Callable[[], float],
    ) -> None:
        self._name, self._metrics = name, metrics
        self._clock, self._wall, self._luck = clock, wall, luck
        self.failures = 0
        """Tries in a row that settled nothing."""
        self.failing_since = 0.0
        """When the first of them was, by the clock."""
        self._enter(State.OK, "")

    def failed(self, kept: Kept) -> float:
        """Note a try that settled nothing. Returns the seconds to wait before the next one."""
        self.failures += 1
        if self.failures == 1:
            self.failing_since = self._clock()
        asked = kept.retry_after or 0.0
        if kept.pause:
            delay = asked or _PAUSE
        else:
            # Less than a second is mere politeness: a failing server gets our own, growing pauses.
            delay = asked if asked >= _BACKOFF.first else _BACKOFF.pause(self.failures, self._luck())
        state = State.PAUSED if kept.pause else State.RETRYING
        if state is self.state:
            self.detail = kept.detail
        else:
            self._enter(state, kept.detail)
            if kept.pause:
                log.error(
                    "destination %r is PAUSED: %s; everything is kept in the spool, next try in %.0f s",
                    self._name, kept.detail, delay,
                )  # fmt: skip
            else:
                log.warning(
                    "destination %r fails: %s; everything is kept in the spool and tried again",
                    self._name, kept.detail,
                )  # fmt: skip
        return delay

    def worked(self) -> None:
        """Note a try that settled something."""
        if self.failures:
            log.info(
                "destination %r works again after %.0f s and %d failed tries; what waited in the spool follows",
                self._name, self._clock() - self.failing_since, self.failures,
            )  # fmt: skip
            self.failures = 0
            self._enter(State.OK, "")

    def _enter(self, state: State, detail: str) -> None:
        self.state, self.detail, self.since = state, detail, self._wall()
        for each in State:
            self._metrics.destination_state.set(int(each is state), destination=self._name, state=each.value)
