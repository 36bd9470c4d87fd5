"""Home Assistant's discovery through a real broker: announced, told, taken back, and known again after a restart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import publish

pytestmark = pytest.mark.broker


def _sensor(name: str, state_topic: str, **more: Any) -> tuple[str, str]:
    config = {"name": name, "stat_t": state_topic, "dev": {"ids": [name], "name": "Plug"}, **more}
    return f"homeassistant/sensor/{name}/config", json.dumps(config)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_announced_topics_are_subscribed_to_and_known_again_after_a_restart(
    protocol: str, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    power = _sensor("power", "anywhere/plug/state", val_tpl="{{ value_json.power | float }}", dev_cla="power")
    publish(broker.port(), [power, ("anywhere/plug/state", '{"power": 7}'), ("elsewhere/x", "1")], retain=True)
    bridge = new_bridge({"mqtt": mqtt(broker.url(), protocol=protocol), "use": ["homeassistant"]})
    bridge.start()
    eventually(lambda: bridge.last_values("Plug") == {"power": 7}, what="what was retained of an announced topic")
    assert bridge.device_classes("Plug") == {"power": "power"}

    publish(broker.port(), [_sensor("voltage", "deep/er/v")], retain=True)
    publish(broker.port(), [("deep/er/v", "231")], retain=True)
    eventually(lambda: bridge.last_values("Plug").get("voltage") == 231, what="a device that is announced meanwhile")
    assert bridge.stop() == 0

    publish(broker.port(), [("anywhere/plug/state", json.dumps({"power": watts})) for watts in (8, 9)], retain=True)
    bridge.start()
    eventually(lambda: bridge.last_values("Plug")["power"] == 9, what="what came while the bridge was away")
    assert bridge.device_classes("Plug") == {"power": "power", "voltage": ""}
    counts = bridge.status()["counts"]
    assert counts["unmatched"] == counts["rejected"] == 0

    publish(broker.port(), [(power[0], "")], retain=True)
    publish(broker.port(), [("anywhere/plug/state", '{"power": 10}'), ("deep/er/v", "232")])
    eventually(lambda: bridge.last_values("Plug")["voltage"] == 232, what="what is announced still")
    assert bridge.last_values("Plug")["power"] == 9
