"""A message to the broker, by the connection that the bridge has anyway."""

from __future__ import annotations

from pydantic_core import to_json

from mqttbridge.alerting.actions.base import Delivered, Failed, Publish, Refused, Result, Tidings
from mqttbridge.alerting.wording import filled, topic_of
from mqttbridge.config.alert_actions import MqttAction
from mqttbridge.errors import BrokerError

MAX_TOPIC_BYTES = 65_535


class MqttMessage:
    """One topic, or template of topics.

    Args:
        config: its section.
        publish: how; None where the bridge has no broker.
    """

    def __init__(self, config: MqttAction, publish: Publish | None) -> None:
        self._config, self._publish = config, publish

    def send(self, tidings: Tidings) -> Result:
        """Publish once; delivered when the broker has confirmed it, at QoS 0 when it was sent."""
        if self._publish is None:
            return Refused("the bridge has no broker: mqtt is null")
        topic = topic_of(self._config.topic, tidings.values)
        if len(topic.encode("utf-8", "replace")) > MAX_TOPIC_BYTES:
            return Refused("the topic is too long")
        template = self._config.payload
        payload = to_json(tidings.body) if template is None else filled(template, tidings.values).encode()
        try:
            self._publish(topic, payload, self._config.qos, self._config.retain)
        except BrokerError as error:
            return Failed(str(error))
        return Delivered()

    def close(self) -> None:
        """Nothing: the connection is the source's."""
