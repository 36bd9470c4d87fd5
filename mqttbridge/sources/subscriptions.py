"""What one connection is subscribed to: asked for, answered, asked for again, changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqttbridge.config.mqtt import MqttConfig, RetainedPolicy

log = logging.getLogger(__name__)

# A SUBSCRIBE of this many filters stays small enough for any broker.
_FILTERS_A_PACKET: Final = 100
# Generous, since a resumed session's messages may come first; while they do, it is waited on.
_SUBACK_TIMEOUT: Final = 60.0
# Access rules are mended, and come into force, while we are connected: what was refused is asked for again.
_ASK_AGAIN: Final = 60.0
# Retain Handling of MQTT 5: whether the broker sends retained messages again when we subscribe again.
_RETAIN_HANDLING: Final = {
    RetainedPolicy.CHANGED: SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE,
    RetainedPolicy.ACCEPT: SubscribeOptions.RETAIN_SEND_IF_NEW_SUB,
    RetainedPolicy.IGNORE: SubscribeOptions.RETAIN_DO_NOT_SEND,
}


class Subscriptions:
    """For one thread. What fails raises what paho's client does: OSError, ValueError.

    Args:
        config: the `mqtt` section.
        protocol: of the connection.
        filters: what to subscribe to.
        stale: filters of the session before that are no longer wanted.

    Attributes:
        filters: what we want, as it was given.
        refused: why, by filter.
        complete: whether everything that was asked for is answered.
    """

    def __init__(
        self, config: MqttConfig, protocol: MQTTProtocolVersion, filters: Sequence[str], stale: Sequence[str]
    ) -> None:
        self.filters, self._stale = filters, stale
        self.refused: dict[str, str] = {}
        self.complete = False
        self._config, self._protocol = config, protocol
        self._waiting: dict[int, list[str]] = {}
        self._asked = 0.0

    def begin(self, client: Client, *, session_present: bool) -> None:
        """Ask for all of them, once the broker has let us in."""
        if session_present and self._stale:
            client.unsubscribe(list(self._stale))
        self._ask(client, self.filters)

    def answered(self, packet_id: int, reasons: Sequence[Any]) -> None:
        """Take the broker's answer to one SUBSCRIBE."""
        asked = self._waiting.pop(packet_id, [])
        self.refused |= dict.fromkeys(asked[len(reasons) :], "no answer")
        for topic_filter, reason in zip(asked, reasons, strict=False):
            if reason.value < self._config.qos:
                log.warning(
                    "the broker grants %r at QoS %d only: what is published while we are away is lost",
                    topic_filter, reason.value,
                )  # fmt: skip
            elif reason.is_failure:
                self.refused[topic_filter] = reason.getName()
        self.complete = not self._waiting

    def overdue(self) -> bool:
        """Whether the broker should have answered by now."""
        return bool(self._waiting) and time.monotonic() - self._asked > _SUBACK_TIMEOUT

    def ask_again(self, client: Client) -> None:
        """Ask for what was refused, when it is time."""
        if self.complete and self.refused and time.monotonic() > self._asked + _ASK_AGAIN:
            self._ask(client, list(self.refused))

    def change(self, client: Client, filters: Sequence[str]) -> None:
        """Subscribe to what is new among these, and unsubscribe from what is not; only once `complete`."""
        before, self.filters = self.filters, filters
        now, then, refused = set(filters), set(before), self.refused
        unwanted = [each for each in before if each not in now]
        wanted = [each for each in filters if each not in then or each in refused]
        for start in range(0, len(unwanted), _FILTERS_A_PACKET):
            client.unsubscribe(unwanted[start : start + _FILTERS_A_PACKET])
        self.refused = {}
        if wanted:
            self._ask(client, wanted)

    def _ask(self, client: Client, filters: Sequence[str]) -> None:
        self._asked = time.monotonic()
        self.complete, self.refused = False, {}
        for start in range(0, len(filters), _FILTERS_A_PACKET):
            some = list(filters[start : start + _FILTERS_A_PACKET])
            _, packet_id = client.subscribe([(topic_filter, self._options()) for topic_filter in some])
            self._waiting[packet_id or 0] = some

    def _options(self) -> Any:
        if self._protocol != MQTTProtocolVersion.MQTTv5:
            return self._config.qos
        return SubscribeOptions(qos=self._config.qos, retainHandling=_RETAIN_HANDLING[self._config.retained])
