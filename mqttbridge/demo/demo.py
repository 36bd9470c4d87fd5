"""The demonstration: a broker, a simulated fleet, the bridge and its dashboard, nothing else needed.

    fleet (publisher) --MQTT--> broker --MQTT--> bridge --> dashboard
      a thread of ours          a process    ^   threads of ours, exactly as `mqttbridge run` has them
                              weather --HTTP-'
                              a thread of ours, if asked for

Started from the right to the left, so that nothing is published before somebody listens; stopped from the left.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mqttbridge.bridge import Bridge
from mqttbridge.cli.load import load_and_compile
from mqttbridge.cli.logging import setup_logging
from mqttbridge.config.model import Config
from mqttbridge.demo.broker import Broker, BrokerFailed
from mqttbridge.demo.config import write_config
from mqttbridge.demo.fleet import SITES, devices
from mqttbridge.demo.ports import next_free_port
from mqttbridge.demo.publisher import Publisher
from mqttbridge.demo.weather import weather_server
from mqttbridge.errors import BridgeError

# The slowest broker takes a quarter of this for the history of two days.
_READY_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1

# How long a broker's end may take to be noticed after its connections broke.
_SETTLE_SECONDS: Final = 0.5

# The page is live when each site's newest point is no older than this: the fleet reports every second or two.
_LIVE_SECONDS: Final = 5.0


class DemoFailed(BridgeError):  # noqa: N818  # says what happened
    """The demonstration came to an end by itself."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a user chooses.

    Attributes:
        port: where the dashboard should listen; the next free one is taken if it is in use.
        data_dir: where everything is kept; None for a temporary directory that is removed at the end.
        devices: how many devices to simulate.
        weather: whether to poll the weather of seven cities, too.
    """

    port: int = 8080
    data_dir: Path | None = None
    devices: int = len(devices())
    weather: bool = False


def run(options: Options, stop: threading.Event, say: Callable[[str], None]) -> int:
    """Run the demonstration until `stop` is set; returns the exit code.

    Raises:
        BridgeError: a part of it could not be started, or ended by itself.
    """
    with ExitStack() as running:
        directory = running.enter_context(_directory(options.data_dir))
        port = next_free_port(options.port)
        if options.port and port != options.port:
            say(f"Port {options.port} is in use: taking {port} instead.")

        broker = running.enter_context(Broker.start(directory))
        say(f"Broker    {broker.name} at {broker.url}")

        weather_url = running.enter_context(weather_server()) if options.weather else None
        if weather_url is not None:
            say(f"Weather   of seven cities, an hour a minute, at {weather_url}")

        config_file = write_config(directory, broker.url, broker.protocol, port, weather_url)
        say(f"Config    {config_file}")
        config, rulebook = load_and_compile(config_file, {}, {})
        setup_logging(config.log)
        bridge = Bridge(config, rulebook)
        watch = _Watch(broker, bridge, stop)
        bridge.start()
        running.callback(bridge.stop)
        dashboard = _Dashboard(config, {*SITES, "weather"} if options.weather else set(SITES))
        watch.until(dashboard.is_ready, "the bridge did not become ready")

        since = dashboard.newest()
        fleet = devices(options.devices)
        publisher = Publisher(
            broker.port, broker.protocol, fleet, since + 1,
            on_failure=lambda error: watch.fail(DemoFailed(f"the simulated fleet failed: {error!r}")),
        )  # fmt: skip
        say(f"Fleet     {len(fleet)} devices at {len(SITES)} sites, with the history of two days")
        publisher.start()
        running.callback(publisher.stop)
        watch.until(publisher.caught_up.is_set, "the history was not published")
        watch.until(dashboard.is_live, "the dashboard did not become live")

        if not stop.is_set():
            say(f"\n  Live at   {bridge.http_url}\n\nPress Ctrl-C to stop.")
        code = bridge.wait(stop)
        watch.check()
        return code


class _Watch:
    """Sees to it that the end of any part ends the whole, with the reason said."""

    def __init__(self, broker: Broker, bridge: Bridge, stop: threading.Event) -> None:
        self._bridge, self._stop = bridge, stop
        self._failure: BridgeError | None = None
        self._broker_ended = threading.Thread(
            target=lambda: self.fail(broker.wait()), name="demo-broker-watch", daemon=True
        )
        self._broker_ended.start()

    def fail(self, failure: BridgeError) -> None:
        """End the demonstration for this reason. Once a stop is asked for, parts end as they should."""
        # A broker that dies takes the fleet's connection with it: whoever is heard first, that is the reason.
        if not self._stop.is_set() or (self._failure and isinstance(failure, BrokerFailed)):
            self._failure = failure
            self._stop.set()

    def check(self) -> None:
        """Raise what ended the demonstration, if it was not the user."""
        if self._failure is not None and not isinstance(self._failure, BrokerFailed):
            self._broker_ended.join(_SETTLE_SECONDS)
        if self._failure is not None:
            raise self._failure

    def until(self, reached: Callable[[], bool], otherwise: str) -> None:
        """Wait until something is so, or a stop is asked for."""
        deadline = time.monotonic() + _READY_SECONDS
        while not self._stop.is_set() and not reached():
            self.check()
            if ended := self._bridge.standing.liveness():
                raise DemoFailed(f"the bridge failed: {ended}")
            if time.monotonic() > deadline:
                raise DemoFailed(f"{otherwise} within {_READY_SECONDS:g} s")
            self._stop.wait(_POLL_SECONDS)
        self.check()


class _Dashboard:
    """What a visitor's browser would find, asked over HTTP as it would ask."""

    def __init__(self, config: Config, expected: set[str]) -> None:
        self._address, self._expected = config.http.address, expected

    def is_ready(self) -> bool:
        return self._get("/readyz") is not None

    def is_live(self) -> bool:
        """Whether every expected bucket has points up to now."""
        buckets = self._buckets()
        return len(buckets) >= len(self._expected) and min(buckets.values()) > time.time() - _LIVE_SECONDS

    def newest(self) -> int:
        """When the newest point of a former run was measured; 0 without one."""
        return int(max((last for key, last in self._buckets().items() if key in SITES), default=0))

    def _buckets(self) -> dict[str, float]:
        body = self._get("/api/v1/buckets")
        rows: list[dict[str, Any]] = json.loads(body)["buckets"] if body else []
        return {row["key"]: row["last"] or 0 for row in rows if row["key"] in self._expected}

    def _get(self, path: str) -> bytes | None:
        connection = http.client.HTTPConnection(*self._address, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return body if response.status == http.client.OK else None


@contextmanager
def _directory(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.absolute()
    else:
        with tempfile.TemporaryDirectory(prefix="mqttbridge-demo-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
