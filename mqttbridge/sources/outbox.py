"""What other threads want published, on its way to the thread that owns the connection.

Publishing must not disturb acknowledgements: nothing is sent but by the connection's own thread, between its reads,
and nothing here is ever waited for by it. Who publishes waits, and learns whether the broker has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mqttbridge.errors import BrokerError

PUBLISH_SECONDS: Final = 15.0
# More that wait at once means that nothing goes out.
MAX_WAITING: Final = 1000


@dataclass(slots=True, eq=False)
class Publication:
    """One message to publish, and what became of it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    trouble: str = ""
    abandoned: bool = False
    _over: threading.Event = field(default_factory=threading.Event)

    def succeed(self) -> None:
        """The broker has it, as far as its QoS says."""
        self._over.set()

    def fail(self, trouble: str) -> None:
        """The broker does not have it, or may not."""
        self.trouble = trouble
        self._over.set()

    def wait(self, timeout: float) -> bool:
        return self._over.wait(timeout)


class Outbox:
    """Publications that wait for the connection.

    Args:
        wake: ends the connection's wait for messages.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: list[Publication] = []
        self._closed = ""

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, timeout: float = PUBLISH_SECONDS
    ) -> None:
        """Publish, and return when the broker has confirmed it (at QoS 0: when it was sent). From any other thread.

        Raises:
            BrokerError: it was not confirmed in time, and may have been published all the same.
        """
        one = Publication(topic, payload, qos, retain)
        with self._lock:
            if self._closed:
                raise BrokerError(self._closed)
            if len(self._waiting) >= MAX_WAITING:
                raise BrokerError("too many messages wait to be published")
            self._waiting.append(one)
        self._wake()
        if not one.wait(timeout):
            one.abandoned = True
            raise BrokerError(f"the broker did not confirm it within {timeout:g} s")
        if one.trouble:
            raise BrokerError(one.trouble)

    def leave(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 0 with the next turn, if there is a connection then. Nobody waits, nobody learns."""
        with self._lock:
            if len(self._waiting) < MAX_WAITING:
                self._waiting.append(Publication(topic, payload, 0, retain=False))
        self._wake()

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def take(self) -> list[Publication]:
        """All that wait, in order; those that nobody waits for any more are left out."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        return [one for one in taken if not one.abandoned]

    def close(self, trouble: str) -> None:
        """Nothing is published any more."""
        with self._lock:
            self._closed = trouble
        self.fail_all(trouble)

    def fail_all(self, trouble: str) -> None:
        """There is no connection to send them on."""
        for one in self.take():
            one.fail(trouble)
