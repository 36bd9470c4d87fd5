"""Our session at the broker across restarts of either side."""

from __future__ import annotations

import signal

import pytest

from tests.integration.conftest import NewBridge
from tests.support import mqtt_wire as wire
from tests.support.configs import EMBEDDED, events_api, mqtt
from tests.support.fake_events_api import FakeEventsApi
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import Watcher, publish
from tests.support.stand_in_broker import Connection, Script, StandInBroker

pytestmark = pytest.mark.broker


def _numbers(first: int, count: int) -> list[tuple[str, str]]:
    return [(f"plant/s{n}", str(n)) for n in range(first, first + count)]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_what_was_published_while_bridge_and_broker_were_away_arrives(
    protocol: str, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    bridge = new_bridge({"mqtt": mqtt(broker.url(), protocol=protocol)})
    bridge.start()
    publish(broker.port(), _numbers(0, 100))
    eventually(lambda: len(bridge.last_values("plant")) == 100, what="the first hundred")
    assert bridge.stop() == 0

    publish(broker.port(), _numbers(100, 100))
    broker.stop()
    broker.start()

    bridge.start()
    eventually(lambda: len(bridge.last_values("plant")) == 200, what="the hundred published meanwhile")


def test_a_broker_that_restarts_is_found_again_and_nothing_is_missed(broker: Mosquitto, new_bridge: NewBridge) -> None:
    with new_bridge({"mqtt": mqtt(broker.url())}) as bridge:
        publish(broker.port(), _numbers(0, 50))
        broker.stop()
        eventually(lambda: bridge.unready("broker"), what="/readyz is red")
        broker.start()
        publish(broker.port(), _numbers(50, 50))
        bridge.wait_ready()
        publish(broker.port(), _numbers(100, 50))
        eventually(lambda: len(bridge.last_values("plant")) == 150, what="all of them")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_the_availability_topic_says_online_and_offline(
    sig: signal.Signals, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with Watcher(broker.port(), "mqttbridge/#") as watcher:
        bridge = new_bridge({"mqtt": mqtt(broker.url(), client_id="b1")})
        bridge.start()
        topic = "mqttbridge/b1/availability"
        eventually(lambda: watcher.seen == [(topic, b"online")], what="online")
        bridge.signal(sig)
        bridge.wait()
        eventually(lambda: watcher.seen == [(topic, b"online"), (topic, b"offline")], what="offline")


@pytest.mark.parametrize(
    ("policy", "protocol", "times"),
    [
        ("changed", "5", 1),
        ("changed", "3.1.1", 1),
        ("accept", "5", 1),  # MQTT 5 lets us ask for them with a new subscription only
        ("accept", "3.1.1", 2),
        ("ignore", "5", 0),
        ("ignore", "3.1.1", 0),
    ],
)
def test_a_retained_message_is_stored_by_policy_across_a_restart(
    policy: str, protocol: str, times: int, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    publish(broker.port(), [("plant/setpoint", "21.5")], retain=True)
    with FakeEventsApi() as api:
        config = {
            "mqtt": mqtt(broker.url(), protocol=protocol, retained=policy),
            "destinations": {"dashboard": EMBEDDED, "cloud": events_api(api.url)},
        }
        bridge = new_bridge(config)
        for marker in ("first", "second"):
            bridge.start()
            publish(broker.port(), [(f"plant/{marker}", "1")])
            eventually(lambda marker=marker: any(e.stream == marker for e in api.events), what=f"{marker} marker")
            assert bridge.stop() == 0
        assert sum(event.stream == "setpoint" for event in api.events) == times


def test_a_retained_message_that_changed_while_we_were_away_is_stored(broker: Mosquitto, new_bridge: NewBridge) -> None:
    bridge = new_bridge({"mqtt": mqtt(broker.url(), retained="changed")})
    publish(broker.port(), [("plant/setpoint", "21.5")], retain=True)
    bridge.start()
    eventually(lambda: bridge.last_values("plant").get("setpoint") == 21.5, what="the first value")
    bridge.stop()
    publish(broker.port(), [("plant/setpoint", "23")], retain=True)
    bridge.start()
    eventually(lambda: bridge.last_values("plant").get("setpoint") == 23, what="the new value")


def _refuse_with(code: int, *, as_version_5: bool) -> Script:
    def script(connection: Connection) -> None:
        asked = connection.read_connect()
        connection.send(wire.connack(wire.V5 if as_version_5 else wire.V311, code))
        assert asked.level == wire.V5

    return script


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(_refuse_with(0x84, as_version_5=True), id="unsupported protocol version"),
        pytest.param(_refuse_with(0x01, as_version_5=False), id="unacceptable protocol level"),
    ],
)
def test_a_broker_that_refuses_mqtt_5_is_spoken_to_in_3_1_1(refusal: Script, new_bridge: NewBridge) -> None:
    def serve(connection: Connection) -> None:
        connection.handshake()
        connection.send(wire.publish("plant/line", b"7", mid=1))
        connection.serve()

    with StandInBroker(refusal, serve) as broker, new_bridge({"mqtt": mqtt(broker.url)}) as bridge:
        eventually(lambda: bridge.last_values("plant") == {"line": 7}, what="the value")
        assert [asked.level for asked in broker.connects] == [wire.V5, wire.V311]
        assert "3.1.1" in bridge.log()


@pytest.mark.parametrize("code", [0x80, 0x87])
def test_a_subscription_that_is_refused_makes_us_unready_and_names_the_filter(code: int, new_bridge: NewBridge) -> None:
    def serve(connection: Connection) -> None:
        connection.handshake(suback=code)
        connection.serve()

    rule = {"topic": "secret/{device}", "bucket": "secret", "stream": "{device}"}
    with StandInBroker(serve) as broker:
        bridge = new_bridge({"mqtt": mqtt(broker.url), "rules": [rule]})
        bridge.spawn()
        eventually(lambda: bridge.unready("secret/+"), what="/readyz names the filter")
        assert "secret/+" in bridge.log()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_filter_the_configuration_no_longer_has_is_unsubscribed(
    protocol: str, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    def watching(topic: str) -> dict:
        rule = {"topic": f"{topic}/{{device}}", "bucket": topic, "stream": "{device}"}
        return {"mqtt": mqtt(broker.url(), protocol=protocol), "rules": [rule]}

    bridge = new_bridge(watching("old"))
    bridge.start()
    assert bridge.stop() == 0

    bridge.configure(watching("new"))
    bridge.start()
    publish(broker.port(), [("old/a", "1"), ("new/a", "1")])
    eventually(lambda: bridge.last_values("new") == {"a": 1}, what="the new filter's message")
    assert bridge.metric("messages_unmatched_total") == 0
