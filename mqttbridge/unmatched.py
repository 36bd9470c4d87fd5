"""The topics that no rule takes, with what came on them last: bounded, whatever is published.

The ingest loop passes by here for each such message, so noting one is a lookup and a few stores.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

# A page of them is for people, and a rule is made of what is here: together some megabytes at the very most.
MAX_TOPICS: Final = 500
MAX_PAYLOAD_BYTES: Final = 4096
# The last messages of a topic, from which a rule for it is guessed: one may lack what the next one has.
MAX_SAMPLES: Final = 3


@dataclass(slots=True)
class Stray:
    """A topic that is nobody's.

    Attributes:
        messages: how many came, since it was met.
        at: when the last one did, epoch seconds.
        samples: the last payloads and their times, the newest last; cut at MAX_PAYLOAD_BYTES, and then one byte longer.
    """

    topic: bytes
    messages: int
    at: float
    samples: list[tuple[bytes, float]]


class Unmatched:
    """Notes them. `note` is for the threads that ingest, `latest` for any.

    Args:
        most: topics that are remembered; past it the half of them that was silent longest is forgotten.
    """

    def __init__(self, most: int = MAX_TOPICS) -> None:
        self._most = most
        self._strays: dict[bytes, Stray] = {}
        self._lock = threading.Lock()
        self.forgotten = 0
        """Topics that made room for others."""

    def note(self, topic: bytes, payload: bytes, at: float) -> None:
        """One message came, at epoch second `at`."""
        stray = self._strays.get(topic)
        if stray is None:
            stray = self._meet(topic)
        stray.messages += 1
        stray.at = at
        samples = stray.samples
        samples.append((payload if len(payload) <= MAX_PAYLOAD_BYTES else payload[: MAX_PAYLOAD_BYTES + 1], at))
        if len(samples) > MAX_SAMPLES:
            del samples[0]

    def latest(self) -> list[Stray]:
        """What is remembered, the last to speak first. The samples are copies."""
        with self._lock:
            strays = [Stray(one.topic, one.messages, one.at, list(one.samples)) for one in self._strays.values()]
        return sorted(strays, key=lambda one: -one.at)

    def forget(self, topic: bytes) -> None:
        """It is somebody's now, or of no interest."""
        with self._lock:
            self._strays.pop(topic, None)

    def _meet(self, topic: bytes) -> Stray:
        with self._lock:
            if len(self._strays) >= self._most:
                silent = sorted(self._strays.values(), key=lambda one: one.at)
                for old in silent[: (self._most + 1) // 2]:
                    del self._strays[old.topic]
                    self.forgotten += 1
            return self._strays.setdefault(topic, Stray(topic, 0, 0.0, []))
