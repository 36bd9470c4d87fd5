"""A spool that can take no more: it stops acknowledging, says so, and goes on by itself when there is room."""

from __future__ import annotations

import resource

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import events_api, mqtt
from tests.support.fake_events_api import FakeEventsApi
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, eventually, free_port
from tests.support.publishing import publish

pytestmark = pytest.mark.broker


def _dropped(bridge: BridgeProcess) -> float:
    """All but its own availability message, which comes back to it and is no data."""
    return bridge.metric("dropped_total") - bridge.metric("dropped_total", reason="own_availability")


def test_a_disk_that_fills_up_stops_acknowledging_until_there_is_room_again(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with new_bridge({"mqtt": mqtt(broker.url())}) as bridge:
        publish(broker.port(), [("plant/before", "0")])
        eventually(lambda: "before" in bridge.last_values("plant"), what="stored while there is room")

        # A limit on file size fails writes as a full disk does, without a disk of our own.
        _, hard = resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (4096, hard))
        publish(broker.port(), [(f"plant/s{n}", str(n)) for n in range(300)])
        eventually(lambda: bridge.unready("spool"), what="/readyz is red")
        assert bridge.metric("spool_writable") == 0
        assert bridge.get("/livez").status_code == 200
        spooled = bridge.metric("events_spooled_total")

        resource.prlimit(bridge.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
        eventually(lambda: bridge.readiness()[0] == 200, what="/readyz is green again", timeout=40)
        eventually(lambda: len(bridge.last_values("plant")) == 301, what="everything is there")
        assert bridge.metric("events_spooled_total") - spooled >= 300
        assert _dropped(bridge) == 0
        assert "Traceback" not in bridge.log()


def test_a_spool_at_its_bound_holds_the_broker_back_until_the_uplink_returns(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    port = free_port()
    config = {
        "mqtt": mqtt(broker.url()),
        "spool": {"max_size": "1MiB", "when_full": "block"},
        "destinations": {"cloud": events_api(f"http://127.0.0.1:{port}/api")},
    }
    messages = [(f"plant/s{n % 10}", f'"{n} {"x" * 500}"') for n in range(4000)]
    with new_bridge(config) as bridge:
        publish(broker.port(), messages)
        eventually(lambda: bridge.unready("spool"), what="/readyz says the spool is full")
        assert bridge.metric("events_spooled_total") < len(messages)
        with FakeEventsApi(port=port) as api:
            eventually(
                lambda: len({e.value for e in list(api.events)}) == len(messages), what="all of them", timeout=45
            )
            eventually(lambda: bridge.readiness()[0] == 200, what="ready again")
            assert _dropped(bridge) == 0
