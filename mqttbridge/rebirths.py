"""Orders to Sparkplug nodes to send their births again, where a rule asks for it: seldom, whatever comes in.

A node that cannot be understood makes itself heard with each of its messages, and after a restart a plant of a
thousand nodes does so all at once. So a node is asked once a minute at most, and a few nodes at a time: births are
long, and the rest of the plant asks again with its next message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from mqttbridge.mapping.formats.sparkplug.rebirth import rebirth_order

log = logging.getLogger(__name__)

_PAUSE_OF_A_NODE: Final = 60.0
_PAUSE: Final = 1.0
_AT_ONCE: Final = 10
_MAX_NODES: Final = 10_000


class Rebirths:
    """Used by the ingest thread alone.

    Args:
        publish: sends a payload on a topic.
        clock: monotonic seconds.
    """

    def __init__(self, publish: Callable[[str, bytes], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._publish, self._clock = publish, clock
        self._asked: dict[str, float] = {}  # in the order of the asking
        self._next = float("-inf")

    def order(self, topics: set[str]) -> None:
        """Ask those of the nodes that were not asked lately; the set is emptied."""
        now = self._clock()
        if now >= self._next:
            due = [topic for topic in sorted(topics) if now - self._asked.get(topic, float("-inf")) >= _PAUSE_OF_A_NODE]
            for topic in due[:_AT_ONCE]:
                self._ask(topic, now)
            if due:
                self._next = now + _PAUSE
        topics.clear()

    def _ask(self, topic: str, now: float) -> None:
        self._asked.pop(topic, None)
        if len(self._asked) >= _MAX_NODES:
            del self._asked[next(iter(self._asked))]
        self._asked[topic] = now
        log.info("asking a Sparkplug node for its births: %r", topic)
        self._publish(topic, rebirth_order(time.time_ns() // 1_000_000))
