"""A polled API from its answers to the dashboard, in a process of its own and by the example's configuration."""

from __future__ import annotations

import re
import time
from pathlib import Path

import yaml

from tests.integration.conftest import NewBridge
from tests.support.fake_api import FakeApi, RawServer, weather
from tests.support.processes import eventually

EXAMPLE = Path(__file__).parents[2] / "examples" / "openweather.yaml"


def test_the_weather_of_the_examples_cities_is_on_the_dashboard(new_bridge: NewBridge) -> None:
    now = int(time.time())  # what is older than the dashboard's retention is not shown
    with FakeApi(lambda query: weather(query | {"q": query["q"].removesuffix(",US")}, measured=now)) as api:
        config = yaml.safe_load(re.sub(r"\$\{OPENWEATHER_KEY\}", "right-key", EXAMPLE.read_text(encoding="utf-8")))
        source = config["sources"]["weather"]
        source |= {"url": api.url, "every": "500ms", "jitter": "0s", "retry": {"min": "100ms", "max": "200ms"}}
        with new_bridge(config) as bridge:
            eventually(lambda: len(bridge.last_values("weather")) == 18, what="three cities with six streams each")
            assert bridge.last_values("weather")["Fresno.temperature"] == 93.4

            status = eventually(
                lambda: (s := bridge.status()["sources"]["weather"])["failed"] >= 4 and s, what="each city was asked"
            )
            assert (status["state"], status["targets"], status["url"]) == ("failing", 7, api.url)
            assert set(status["failing"]) == {"Santa Barbara", "Sacramento", "San Diego", "San Luis Obispo"}
            assert "city not found" in status["failing"]["Sacramento"]
            assert bridge.metric("messages_received_total", source="http_poll") >= 3
            assert bridge.metric("polls_total", source="weather", outcome="failed") >= 4
            assert bridge.metric("events_spooled_total", source="http_poll") >= 18
            assert bridge.readiness()[0] == 200  # a source that fails keeps nothing else from its work
            assert "right-key" not in bridge.log() + bridge.get("/metrics").text + str(status)
            assert bridge.stop() == 0


def test_a_request_that_hangs_does_not_keep_the_bridge_from_stopping(new_bridge: NewBridge) -> None:
    with RawServer(b"HTTP/1.1 200 OK\r\nX: ") as api:
        sources = {"slow": {"type": "http_poll", "url": api.url, "timeout": "10m", "jitter": "0s"}}
        with new_bridge({"mqtt": None, "sources": sources}) as bridge:
            assert api.connected.wait(20)
            assert bridge.stop() == 0
            assert "Traceback" not in bridge.log()
