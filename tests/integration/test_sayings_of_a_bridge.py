"""A whole bridge says what it does: its configuration, what it rejects and drops, who is in its way."""

from __future__ import annotations

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import EMBEDDED, events_api, mqtt
from tests.support.fake_events_api import FakeEventsApi, Reply
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import publish

pytestmark = pytest.mark.broker


def test_the_configuration_rejections_and_drops_are_in_the_log(broker: Mosquitto, new_bridge: NewBridge) -> None:
    rules = [
        {"name": "numbers", "topic": "plant/{d}", "format": "number", "bucket": "plant", "stream": "{d}"},
        {"name": "rest", "topic": "#", "bucket": "rest", "stream": "s"},
    ]
    with new_bridge({"mqtt": mqtt(broker.url()), "rules": rules}) as bridge:
        publish(broker.port(), [("plant/a", "nonsense"), ("plant/b", "nan"), ("plant/c", "nonsense")])
        eventually(lambda: bridge.metric("rejected_total") == 3, what="three rejected")
        eventually(lambda: "dropped 1 own_availability" in bridge.log(), what="the drop is said")
    log = bridge.log()
    assert f"configuration: {bridge.directory / 'config.yaml'}" in log
    assert "rejected 'plant/a': malformed (rule 'numbers')" in log
    assert "rejected 'plant/b': not_finite (rule 'numbers')" in log
    assert "rejected 'plant/c'" not in log  # the second of its kind waits for the summary


def test_what_was_not_summed_up_yet_is_said_at_the_end(broker: Mosquitto, new_bridge: NewBridge) -> None:
    rules = [{"name": "numbers", "topic": "plant/{d}", "format": "number", "bucket": "plant", "stream": "{d}"}]
    bridge = new_bridge({"mqtt": mqtt(broker.url()), "rules": rules})
    bridge.start()
    publish(broker.port(), [("plant/a", "x")] * 5)
    eventually(lambda: bridge.metric("rejected_total") == 5, what="five rejected")
    assert bridge.stop() == 0
    assert "rejected since the last report: 4 malformed (rule 'numbers', the latest 'plant/a')" in bridge.log()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_two_bridges_of_one_client_id_both_say_so(protocol: str, broker: Mosquitto, new_bridge: NewBridge) -> None:
    settings = {"mqtt": mqtt(broker.url(), protocol=protocol)}
    bridges = [new_bridge(settings, name=name) for name in ("one", "other")]
    for bridge in bridges:
        bridge.spawn()
    for bridge in bridges:
        eventually(lambda: "is another client connected as 'mqttbridge'?" in bridge.log(), what="said")  # noqa: B023


def test_tls_to_a_port_without_it_is_said(broker: Mosquitto, new_bridge: NewBridge) -> None:
    bridge = new_bridge({"mqtt": mqtt(broker.url().replace("mqtt://", "mqtts://"))})
    bridge.spawn()
    eventually(lambda: bridge.unready("does this port speak TLS?"), what="/readyz says it")


def test_a_paused_destination_is_a_warning_and_not_unreadiness(broker: Mosquitto, new_bridge: NewBridge) -> None:
    with FakeEventsApi() as cloud:
        cloud.always(Reply(401, '"ACCESS_DENIED_KEY"'))
        destinations = {"dashboard": EMBEDDED, "cloud": events_api(cloud.url)}
        with new_bridge({"mqtt": mqtt(broker.url()), "destinations": destinations}) as bridge:
            publish(broker.port(), [("plant/a", "1")])
            warned = eventually(lambda: bridge.get("/readyz").json()["warnings"], what="the warning")
            assert bridge.readiness()[0] == 200
    assert "ACCESS_DENIED_KEY" in warned["destination cloud"]
    assert '""' not in warned["destination cloud"]
