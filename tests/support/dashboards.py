"""A real HTTP server over a real store and hub, with a spool that hands everything on at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.config.model import Config
from mqttbridge.dashboard import Dashboard
from mqttbridge.dashboard.alerts.desk import AlertsDesk
from mqttbridge.dashboard.app import Backend, create_app
from mqttbridge.dashboard.backend import Insight, Tools
from mqttbridge.dashboard.server import HttpServer
from mqttbridge.destinations.base import Delivery
from mqttbridge.destinations.embedded import EmbeddedDestination
from mqttbridge.errors import SpoolFull
from mqttbridge.events import Batch, EventTuple, Position, Rejected
from mqttbridge.metrics import Metrics


class DirectSpool:
    """Has the spool's methods that the HTTP side uses; what comes in is in the store when `append` returns."""

    def __init__(self, destination: EmbeddedDestination | None) -> None:
        self.events: list[EventTuple] = []
        self.rejected: list[Rejected] = []
        self.sources: set[str] = set()
        self.commits = 0
        self.full = False
        self.kept: dict[str, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self._destination = destination

    def append(self, batches: Sequence[Batch], rejected: Sequence[Rejected] = (), *, source: str = "mqtt") -> None:
        self.gate.wait(10)
        if self.full:
            raise SpoolFull("the spool is full")
        self.commits += 1
        self.sources.add(source)
        self.rejected += rejected
        for batch in batches:
            self.events += batch.events
            if self._destination is not None:
                self._destination.send(Delivery(batch.events, Position(self.commits, 0), batch.units))

    def meta(self, key: str) -> str | None:
        return self.kept.get(key)

    def set_meta(self, key: str, value: str) -> None:
        self.kept[key] = value


class Client:
    """Asks one server, with no proxy in between and nothing remembered but what a test wants."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()

    def get(self, path: str, **how: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=10, **how)

    def post(self, path: str, **how: Any) -> requests.Response:
        return self.session.post(self.url + path, timeout=10, **how)

    def push(self, bucket: str, *events: dict[str, Any]) -> requests.Response:
        return self.post("/api/events", params={"bucketKey": bucket}, json=list(events))


class Served(Client):
    """A running server with the parts behind it."""

    def __init__(
        self,
        directory: Path,
        http: dict[str, Any] | None = None,
        *,
        embedded: bool = True,
        tools: Tools | None = None,
        kept: dict[str, str] | None = None,
        config: dict[str, Any] | None = None,
        publish: Callable[[str, bytes, int, bool], None] | None = None,
        make_alerts: Callable[[Served], AlertsDesk] | None = None,
        insight: Insight | None = None,
    ) -> None:
        self.config = Config.model_validate(
            (config or {})
            | {
                "mqtt": None,
                "data_dir": str(directory),
                "http": {"listen": "127.0.0.1:0"} | (http or {}),
            }
        )
        self.metrics = Metrics()
        self.problems: dict[str, str] = {}
        self.dashboard: Dashboard | None = None
        destination = None
        if embedded:
            section = next(one for one in self.config.destinations.values() if isinstance(one, EmbeddedConfig))
            self.dashboard = Dashboard(directory, section, self.metrics)
            parts = self.dashboard.store, self.dashboard.hub
            destination = EmbeddedDestination(
                "dashboard", section, *parts, activity=self.dashboard.activity, classes=self.dashboard.classes
            )
        self.spool = DirectSpool(destination)
        self.spool.kept |= kept or {}
        self.backend = Backend(
            config=self.config,
            metrics=self.metrics,
            spool=self.spool,
            dashboard=self.dashboard,
            status=lambda: {"started": 1.0, "rejected": len(self.spool.rejected)},
            readiness=lambda: self.problems,
            liveness=lambda: self.problems,
            tools=tools,
            publish=publish,
            alerts=None if make_alerts is None else make_alerts(self),
            insight=insight,
        )
        self.server = HttpServer(self.config.http, create_app(self.backend))
        self.server.start()
        super().__init__(self.server.url)

    def stop(self) -> None:
        self.server.stop()
        self.session.close()
        if self.dashboard is not None:
            self.dashboard.close()


@contextmanager
def serve(
    directory: Path,
    http: dict[str, Any] | None = None,
    *,
    embedded: bool = True,
    tools: Tools | None = None,
    kept: dict[str, str] | None = None,
    config: dict[str, Any] | None = None,
    publish: Callable[[str, bytes, int, bool], None] | None = None,
    make_alerts: Callable[[Served], AlertsDesk] | None = None,
    insight: Insight | None = None,
) -> Iterator[Served]:
    """A running server. `kept` is what the spool kept of an earlier one; `config` has further sections."""
    served = Served(
        directory,
        http,
        embedded=embedded,
        tools=tools,
        kept=kept,
        config=config,
        publish=publish,
        make_alerts=make_alerts,
        insight=insight,
    )
    try:
        yield served
    finally:
        served.stop()
