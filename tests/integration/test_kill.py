"""`kill -9` under load, again and again: every message published at QoS 1 arrives, duplicates stay few."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import events_api, mqtt
from tests.support.fake_events_api import FakeEventsApi
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import Publisher

pytestmark = pytest.mark.broker

MESSAGES = 4000
CHUNK = 50
KILLS = 6
RECEIVE_MAXIMUM = 100
BATCH = 50
# What one kill can repeat: what the broker had under way, and what was delivered since the cursor was last written
# down. The cursor rides along with the next commit, so under load that is a few batches.
REPEATED_BY_A_KILL = RECEIVE_MAXIMUM + 10 * BATCH


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.timeout(120)
def test_every_message_survives_repeated_kills_under_load(
    protocol: str, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with FakeEventsApi() as api:
        uplink = events_api(api.url, batch={"max_events": BATCH, "max_wait": "10ms"})
        bridge = new_bridge(
            {
                "mqtt": mqtt(broker.url(), protocol=protocol, receive_maximum=RECEIVE_MAXIMUM),
                "destinations": {"cloud": uplink},
            }
        )
        bridge.start()
        load = threading.Thread(target=_publish_everything, args=(broker.port(),))
        load.start()
        for kill in range(KILLS):
            arrived = (kill + 1) * MESSAGES // (KILLS + 2)
            eventually(lambda arrived=arrived: len(api.events) >= arrived, what=f"{arrived} events, then kill")
            bridge.kill()
            bridge.start()
        load.join()
        counts = Counter()

        def everything() -> bool:
            counts.clear()
            counts.update(int(event.value) for event in list(api.events))
            return len(counts) == MESSAGES

        eventually(everything, what="every published id at the server", timeout=60)
        assert set(counts) == set(range(MESSAGES))
        assert counts.total() - MESSAGES <= KILLS * REPEATED_BY_A_KILL


def _publish_everything(port: int) -> None:
    with Publisher(port) as publisher:
        for first in range(0, MESSAGES, CHUNK):
            publisher.publish((f"plant/s{n % 20}", str(n)) for n in range(first, first + CHUNK))
