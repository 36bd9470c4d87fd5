"""Listening in: a session of its own at the broker, which takes part in nothing and leaves nothing behind.

For commands that look at what is published. Their client id is new each time and the session ends with the
connection, so the bridge's own session, with the messages that wait in it, is not touched.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Final

from mqttbridge.config.mqtt import MqttConfig, RetainedPolicy
from mqttbridge.errors import BrokerError
from mqttbridge.sources.frames import Publish
from mqttbridge.sources.mqtt import MqttSource

# A broker that is there answers within this; whoever sits in front of the terminal will not wait longer.
CONNECT_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.2


class Listener:
    """Hears what is published on some filters. `connect` first; not for several threads.

    Args:
        config: the broker and how to get in; client id, session and availability are its own.
        filters: topic filters to subscribe to.
        role: part of the client id, so that the broker's log tells who it was.
    """

    def __init__(self, config: MqttConfig, filters: Sequence[str], role: str) -> None:
        own = config.model_copy(
            update={
                "client_id": f"mqttbridge-{role}-{secrets.token_hex(4)}",
                "session_expiry": 0.0,
                "availability_topic": None,
                "retained": RetainedPolicy.CHANGED,  # the broker sends what it retains, once
            }
        )
        self._url = config.url
        self._source = MqttSource(own, filters, recall=lambda: None, remember=lambda _: None)
        self._early: list[Publish] = []

    def connect(self, timeout: float = CONNECT_SECONDS) -> None:
        """Return when every filter is subscribed to.

        Raises:
            BrokerError: not within `timeout` seconds, or the broker refuses a filter.
        """
        deadline = time.monotonic() + timeout
        while (status := self._source.status).state != "connected":
            if status.state == "subscription refused":
                raise BrokerError(f"{self._url} refuses the subscription: {status.detail}")
            if time.monotonic() > deadline:
                why = status.detail or "it does not answer"
                raise BrokerError(f"cannot listen to {self._url}: {why}. Check --broker, user name and password")
            self._hear(_STEP_SECONDS)

    def hear(self, timeout: float) -> list[Publish]:
        """Messages that came, after waiting up to `timeout` seconds for some. A lost connection is made anew."""
        if not self._early:
            self._hear(timeout)
        heard, self._early = self._early, []
        return heard

    def close(self) -> None:
        """Leave the broker."""
        self._source.close()

    def _hear(self, timeout: float) -> None:
        messages = self._source.poll(timeout)
        if messages:
            self._early += messages
            self._source.acknowledge()
