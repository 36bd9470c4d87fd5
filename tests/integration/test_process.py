"""The bridge as a process: what it refuses to start on, what it mends by itself, how it ends."""

from __future__ import annotations

import http.client
import signal
import socket
from pathlib import Path

import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import EMBEDDED, events_api, mqtt
from tests.support.fake_events_api import FakeEventsApi
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually, free_port
from tests.support.publishing import publish

pytestmark = pytest.mark.broker

NO_BROKER = {"mqtt": None}
OPERATIONAL_FAILURE = 1
SIGNALS = [signal.SIGTERM, signal.SIGINT]


def test_a_second_bridge_on_the_same_data_directory_is_refused(new_bridge: NewBridge) -> None:
    with new_bridge(NO_BROKER, name="first") as first:
        second = new_bridge(NO_BROKER, name="second", data_dir=first.data_dir)
        second.spawn()
        assert second.wait() == OPERATIONAL_FAILURE
        assert str(first.data_dir) in second.log()
        assert "another" in second.log()
        assert "Traceback" not in second.log()
        assert first.readiness()[0] == 200


def test_a_data_directory_left_by_a_killed_bridge_is_taken_over(new_bridge: NewBridge) -> None:
    bridge = new_bridge(NO_BROKER)
    bridge.start()
    bridge.kill()
    bridge.start()
    assert bridge.stop() == 0


def test_an_http_port_in_use_is_said(new_bridge: NewBridge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bridge = new_bridge({**NO_BROKER, "http": {"listen": f"127.0.0.1:{port}"}})
        bridge.spawn()
        assert bridge.wait() == OPERATIONAL_FAILURE
        assert str(port) in bridge.log()
        assert "uses this port" in bridge.log()
        assert "Traceback" not in bridge.log()


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path: Path, new_bridge: NewBridge) -> None:
    (tmp_path / "file").write_text("in the way")
    data_dir = tmp_path / "file" / "data"
    bridge = new_bridge(NO_BROKER, data_dir=data_dir)
    bridge.spawn()
    assert bridge.wait() == OPERATIONAL_FAILURE
    assert str(data_dir) in bridge.log()
    assert "Traceback" not in bridge.log()


def test_a_damaged_spool_is_set_aside_and_said(broker: Mosquitto, new_bridge: NewBridge) -> None:
    bridge = new_bridge({"mqtt": mqtt(broker.url())})
    bridge.start()
    publish(broker.port(), [("plant/before", "1")])
    eventually(lambda: bridge.last_values("plant") == {"before": 1}, what="the first value")
    bridge.stop()
    spool = next(bridge.data_dir.glob("*spool*"))
    spool.write_bytes(b"this was a database " * 1000)

    bridge.start()
    publish(broker.port(), [("plant/after", "2")])
    eventually(lambda: bridge.last_values("plant") == {"before": 1, "after": 2}, what="work goes on")
    aside = [path for path in bridge.data_dir.iterdir() if "damaged" in path.name]
    assert aside, sorted(bridge.data_dir.iterdir())
    assert aside[0].name in bridge.log()


@pytest.mark.parametrize("sig", SIGNALS)
def test_a_stop_signal_delivers_what_is_spooled_and_exits_with_0(
    sig: signal.Signals, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with FakeEventsApi() as api:
        # A batch waits far longer than the test lasts, unless the bridge is told to stop.
        uplink = events_api(api.url, batch={"max_events": 10_000, "max_wait": "10m"})
        bridge = new_bridge({"mqtt": mqtt(broker.url()), "destinations": {"cloud": uplink}})
        bridge.start()
        publish(broker.port(), [(f"plant/s{n}", str(n)) for n in range(500)])
        eventually(lambda: bridge.metric("events_spooled_total") == 500, what="spooled")
        assert not api.events
        bridge.signal(sig)
        assert bridge.wait() == 0
        assert len(api.events) == 500


@pytest.mark.parametrize("sig", SIGNALS)
def test_a_stop_signal_ends_the_process_within_its_deadline_though_the_uplink_hangs_and_a_viewer_watches(
    sig: signal.Signals, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uplink = events_api(f"http://127.0.0.1:{silent.getsockname()[1]}/api", timeout="2s")
        bridge = new_bridge(
            {
                "mqtt": mqtt(broker.url()),
                "destinations": {"dashboard": EMBEDDED, "cloud": uplink},
                "shutdown_timeout": "1s",
            }
        )
        bridge.start()
        publish(broker.port(), [("plant/s", "1")])
        eventually(lambda: bridge.last_values("plant") == {"s": 1}, what="stored")
        viewer = http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=10)
        viewer.request("GET", "/api/v1/buckets/plant/live")
        answer = viewer.getresponse()
        assert answer.status == 200
        bridge.signal(sig)
        # shutdown_timeout, the one request under way (2 s), and what it takes to close everything
        assert bridge.wait(timeout=8) == 0
        viewer.close()


def test_what_a_stop_leaves_undelivered_is_delivered_after_the_next_start(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    port = free_port()
    uplink = events_api(f"http://127.0.0.1:{port}/api")
    bridge = new_bridge({"mqtt": mqtt(broker.url()), "destinations": {"cloud": uplink}, "shutdown_timeout": "500ms"})
    bridge.start()
    publish(broker.port(), [(f"plant/s{n}", str(n)) for n in range(200)])
    eventually(lambda: bridge.metric("events_spooled_total") == 200, what="spooled")
    assert bridge.stop() == 0
    with FakeEventsApi(port=port) as api:
        bridge.start()
        eventually(lambda: len(api.events) == 200, what="delivered after the restart")
        assert sorted(int(event.value) for event in api.events) == list(range(200))


def test_a_stop_signal_while_there_is_no_broker_ends_the_process(new_bridge: NewBridge) -> None:
    bridge = new_bridge({"mqtt": mqtt(f"mqtt://127.0.0.1:{free_port()}")})
    bridge.spawn()
    eventually(lambda: bridge.readiness()[0] == 503, what="up, without a broker")
    assert bridge.stop() == 0
