"""What of the mapping language only a real broker can show: MQTT 5 properties and shared subscriptions."""

from __future__ import annotations

import paho.mqtt.client as mqtt_client
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.integration.conftest import NewBridge
from tests.support.configs import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import PATIENCE, eventually
from tests.support.publishing import publish

pytestmark = pytest.mark.broker


def _publish_with(port: int, topic: str, payload: str, **user_properties: str) -> None:
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = list(user_properties.items())
    client = mqtt_client.Client(mqtt_client.CallbackAPIVersion.VERSION2, protocol=mqtt_client.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(PATIENCE)
    client.disconnect()
    client.loop_stop()


def test_user_properties_name_buckets_through_a_real_broker(broker: Mosquitto, new_bridge: NewBridge) -> None:
    rule = {"topic": "plant/{name}", "bucket": "{property.site|default:nowhere}", "stream": "{name}"}
    with new_bridge({"mqtt": mqtt(broker.url()), "rules": [rule]}) as bridge:
        _publish_with(broker.port(), "plant/s1", "1", site="lab")
        publish(broker.port(), [("plant/s2", "2")])
        eventually(lambda: bridge.last_values("nowhere") == {"s2": 2}, what="the message without properties")
        assert bridge.last_values("lab") == {"s1": 1}


def test_two_bridges_of_a_group_share_the_messages_and_miss_none(broker: Mosquitto, new_bridge: NewBridge) -> None:
    rule = {"topic": "$share/bridges/plant/{name:s[0-9]+}", "bucket": "plant", "stream": "{name}"}

    def config(client_id: str) -> dict[str, object]:
        return {"mqtt": mqtt(broker.url(), client_id=client_id), "rules": [rule]}

    with new_bridge(config("one"), name="one") as one, new_bridge(config("two"), name="two") as two:
        publish(broker.port(), [(f"plant/s{n}", str(n)) for n in range(200)])
        both = [one, two]
        eventually(lambda: sum(len(each.last_values("plant")) for each in both) == 200, what="all two hundred")
        shares = [each.last_values("plant") for each in both]
        assert all(shares)
        assert {name for share in shares for name in share} == {f"s{n}" for n in range(200)}
