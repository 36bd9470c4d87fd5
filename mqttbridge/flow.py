"""How fast it goes: the counters of the flow, looked at once a second, and what follows from them.

Two rings: the last five minutes second by second, for rates and the page's small charts, and a day by five minutes,
for what an account's month bears. Both are of fixed size.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

FINE_SECONDS: Final = 300
COARSE_STEP: Final = 300.0
_COARSE_SAMPLES: Final = 288
# A forecast further away than this says no more than that there is time.
FORESEEN_SECONDS: Final = 90 * 86_400.0

_Sample = tuple[float, "array[float]"]


class FlowHistory:
    """What the named numbers were. `sample` is for one thread, the rest for any.

    Args:
        names: of the numbers; those of one sample are looked at together.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._place = {name: place for place, name in enumerate(names)}
        self._lock = threading.Lock()
        self._fine: deque[_Sample] = deque(maxlen=FINE_SECONDS + 1)
        self._coarse: deque[_Sample] = deque(maxlen=_COARSE_SAMPLES)

    def sample(self, now: float, numbers: Mapping[str, float]) -> None:
        """Take a look: `now` in seconds of a clock that only grows, and every number by its name."""
        taken = now, array("d", [numbers[name] for name in self._place])
        with self._lock:
            self._fine.append(taken)
            if not self._coarse or now - self._coarse[-1][0] >= COARSE_STEP:
                self._coarse.append(taken)

    def rate(self, name: str, seconds: float, *, least: float = 0.5) -> float | None:
        """By how much a number changed a second, over the last `seconds` or as long as is known.

        None while less than `least` seconds are known.
        """
        span = self._span(seconds)
        if span is None or (passed := span[1][0] - span[0][0]) < least:
            return None
        place = self._place[name]
        return (span[1][1][place] - span[0][1][place]) / passed

    def known(self, seconds: float) -> float:
        """How much of the last `seconds` is known, in seconds."""
        span = self._span(seconds)
        return 0.0 if span is None else span[1][0] - span[0][0]

    def rates(self, name: str, step: int) -> list[float]:
        """The last five minutes' changes a second, the oldest first, by steps of so many samples."""
        place = self._place[name]
        with self._lock:
            samples = list(self._fine)
        chosen = samples[::-1][::step][::-1]
        return [
            (later[1][place] - earlier[1][place]) / max(later[0] - earlier[0], 1e-9)
            for earlier, later in pairwise(chosen)
        ]

    def _span(self, seconds: float) -> tuple[_Sample, _Sample] | None:
        """The sample so long ago, or the oldest there is, and the newest."""
        with self._lock:
            if not self._fine:
                return None
            newest = self._fine[-1]
            ring = self._fine if seconds <= FINE_SECONDS else self._coarse
            since = newest[0] - seconds
            return next((one for one in ring if one[0] >= since - 0.5), newest), newest


def time_until(left: float, a_second: float | None) -> float | None:
    """Seconds until `left` is used up at this pace; None when it never is, or so late that nobody can say."""
    if a_second is None or a_second <= 0 or left < 0:
        return None
    seconds = left / a_second
    return seconds if seconds <= FORESEEN_SECONDS else None
