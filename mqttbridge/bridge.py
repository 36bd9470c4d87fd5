"""The composition root: builds the parts, starts them downstream first, stops them upstream first.

    MQTT broker --> MqttSource --> Ingest --append--> Spool --cursor--> Uploader --> EmbeddedDestination --> Store
                        ^            |                  ^   |                                 `--> Hub --> browsers
                        `-- PUBACK --'                  |   `--cursor--> Uploader --> InitialStateDestination
    HTTP push (Events API) -------- append -------------|
    JSON APIs <-- HttpPollSource --> Ingest -- append --'

Threads: `ingest`, `poll-<name>` for each polled source, `upload-<name>` for each destination, `alerts`, `http`, and the
main one, which waits, keeps the spool's house and watches the others. A loop that dies ends the process with a non-zero
code: the spool is durable, and a supervisor starts the bridge again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mqttbridge.ageclock import AgeClock
from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.config.model import Config
from mqttbridge.config.mqtt import RetainedPolicy
from mqttbridge.datadir import DataDir, remedy
from mqttbridge.delivery.pacer import Pacers
from mqttbridge.delivery.uploader import Uploader
from mqttbridge.destinations import DestinationContext, create
from mqttbridge.errors import BrokerError, SpoolError, StoreError
from mqttbridge.logtail import LogTail
from mqttbridge.loops import Loops
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.tally import Tally
from mqttbridge.metrics import Metrics
from mqttbridge.sayings import Sayings
from mqttbridge.spool import Spool
from mqttbridge.standing import Standing, show
from mqttbridge.unmatched import Unmatched

if TYPE_CHECKING:
    from mqttbridge.alerting.service import Alerts
    from mqttbridge.dashboard.alerts.desk import AlertsDesk
    from mqttbridge.dashboard.server import HttpServer
    from mqttbridge.ingest import Ingest
    from mqttbridge.sources.http_poll import HttpPollSource
    from mqttbridge.sources.mqtt import MqttSource
    from mqttbridge.tools.insight import Insight

log = logging.getLogger(__name__)

# How often the main thread looks after the others. A stop signal ends the wait at once.
_WATCH_INTERVAL: Final = 1.0
# A last word to the broker and the end of the current commit; more would eat into the time for delivery.
_INGEST_STOP_TIMEOUT: Final = 5.0
# What is being told is given a moment; what is not told waits for the next start.
_ALERTS_STOP_TIMEOUT: Final = 5.0
_FILTERS_KEY: Final = "session filters"


class Bridge:
    """One bridge: `start`, `wait` until it is to end, `stop`.

    Args:
        config: checked configuration.
        rulebook: its rules, compiled.

    Attributes:
        standing: how it stands, once it is started.
    """

    def __init__(self, config: Config, rulebook: Rulebook) -> None:
        self._config, self._rulebook = config, rulebook
        self.metrics = Metrics()
        self._sayings = Sayings(self.metrics)
        self._loops = Loops()
        self._uploaders: list[Uploader] = []
        self._ingest: Ingest | None = None
        self._source: MqttSource | None = None
        self._polls: dict[str, tuple[HttpPollSource, Ingest]] = {}
        self._http: HttpServer | None = None
        self._dashboard: Any = None
        self._alerts: Alerts | None = None
        self._strays, self._log_tail = Unmatched(), LogTail()
        self._insight: Insight | None = None
        self._poll_books: tuple[Rulebook, ...] = ()

    def start(self) -> None:
        """Build and start everything.

        Raises:
            ConfigError, DataDirError, SpoolError, StoreError, ListenError: it cannot start; nothing is left running.
        """
        try:
            self._start()
        except (SpoolError, StoreError) as error:
            self.stop()
            if advice := remedy(Path(self._config.data_dir)):
                raise type(error)(f"{error}. {advice}") from error
            raise
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        config = self._config
        if config.http.enabled:
            self._log_tail.install()
        self._data_dir = DataDir(Path(config.data_dir))
        self._age_clock = AgeClock(self._data_dir.path / "clock.json")
        self.spool = Spool(
            self._data_dir.path / "spool.db",
            config.spool,
            self.metrics,
            tuple(config.destinations),
            on_rejected=self._sayings.rejected,
            age_clock=self._age_clock,
        )
        show(self.spool, self.metrics, tuple(config.destinations))
        self.standing = Standing(
            self.spool,
            self.metrics,
            self._loops,
            self._uploaders,
            broker=lambda: self._source.status if self._source is not None else None,
            polls=lambda: {name: source.status for name, (source, _) in list(self._polls.items())},
            wants_broker=config.mqtt is not None,
        )
        self._make_dashboard()
        self._make_alerts()
        self._make_uploaders()
        self._make_http()
        self._make_ingest()
        self._make_polls()

    @property
    def http_url(self) -> str | None:
        """Where the dashboard is, or None when it is switched off."""
        return self._http.url if self._http is not None else None

    @property
    def first_key_url(self) -> str | None:
        """Where the first key is made, once; None when nobody needs it."""
        return self._http.first_key_url if self._http is not None else None

    def wait(self, stop: threading.Event) -> int:
        """Watch over the threads until `stop` is set or one of them dies.

        Returns:
            The process's exit code: 0 after `stop`, 1 after a failure.
        """
        while not stop.wait(_WATCH_INTERVAL):
            self._age_clock.save_when_due()
            self.spool.maintain()
            if self._dashboard is not None:
                self._dashboard.maintain()
            self._sayings.tell()
            if self._insight is not None:
                self._insight.look()
            if self._http is not None and self._http.failed:
                log.critical("the HTTP server ended unexpectedly")
                return 1
            if self._loops.failed:
                return 1
        return 0

    def stop(self) -> None:
        """Stop upstream first: nothing more comes in, then what is there is delivered until the deadline."""
        deadline = time.monotonic() + self._config.shutdown_timeout
        ingests = [ingest for _, ingest in self._polls.values()]
        if self._ingest is not None:
            ingests.append(self._ingest)
        for ingest in ingests:
            ingest.stop()
        sources_stop = time.monotonic() + _INGEST_STOP_TIMEOUT
        for name in ("ingest", *(f"poll-{name}" for name in self._polls)):
            self._loops.join(name, max(0.0, sources_stop - time.monotonic()))
        if self._insight is not None:
            self._insight.close()
        if self._http is not None:
            self._http.stop()
        for uploader in self._uploaders:
            uploader.stop(deadline)
        for uploader in self._uploaders:
            # A request in flight at the deadline is given a moment to end, so that it is not sent twice.
            self._loops.join(f"upload-{uploader.name}", max(0.0, deadline - time.monotonic()) + 1.0)
        if self._alerts is not None:
            self._alerts.stop()
            self._loops.join("alerts", _ALERTS_STOP_TIMEOUT)
            self._alerts.close()
        if self._dashboard is not None:
            self._dashboard.close()
        self._sayings.tell(at_once=True)
        if hasattr(self, "spool"):
            left = {name: kept for name, kept in self.spool.stats().kept.items() if kept}
            if left:
                log.info("left in the spool for the next start: %s", left)
            self.spool.close()
            self._age_clock.save()
        if hasattr(self, "_data_dir"):
            self._data_dir.release()
        self._log_tail.remove()

    # --- the parts, in the order in which they start -------------------------------------------------------

    def _make_dashboard(self) -> None:
        for config in self._config.destinations.values():
            if isinstance(config, EmbeddedConfig):
                from mqttbridge.dashboard import Dashboard  # noqa: PLC0415  # a bridge without one spares its memory

                kept = {rule.name: rule.retention for rule in self._config.rules if rule.retention is not None}
                self._dashboard = Dashboard(self._data_dir.path, config, self.metrics, kept, age_clock=self._age_clock)

    def _make_alerts(self) -> None:
        if self._dashboard is None:
            return
        from mqttbridge.alerting.service import Alerts  # noqa: PLC0415  # likewise

        self._alerts = Alerts(
            self._config.alerts,
            self._dashboard.store,
            self._dashboard.records,
            self.metrics,
            publish=self._publish,
            note=self._dashboard.hub.note,
        )
        self._dashboard.observe, self._dashboard.lost = self._alerts.observe, self._alerts.missed
        self._alerts.recall()
        self._loops.start("alerts", self._alerts.run)

    def _alerts_desk(self) -> AlertsDesk | None:
        if self._alerts is None:
            return None
        from mqttbridge.alerting.desk import Desk  # noqa: PLC0415  # likewise

        return Desk(self._alerts)

    def _learn(self, classes: Mapping[tuple[str, str], str]) -> None:
        if self._dashboard is not None:
            self._dashboard.classes.learn(classes)

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        if self._source is None:
            raise BrokerError("there is no connection to a broker")
        self._source.outbox.publish(topic, payload, qos, retain=retain)

    def _make_uploaders(self) -> None:
        context = DestinationContext(
            data_dir=self._data_dir.path,
            dashboard=self._dashboard,
            observe=self._alerts.observe if self._alerts is not None else None,
        )
        pacers = Pacers()
        for name, config in self._config.destinations.items():
            destination = create(name, config, context)
            uploader = Uploader(
                destination,
                self.spool,
                self.metrics,
                pacer=pacers.of(destination.limits.rate),
                thin=() if isinstance(config, EmbeddedConfig) else config.thin,
                shutdown_timeout=self._config.shutdown_timeout,
            )
            self._uploaders.append(uploader)
            self._loops.start(f"upload-{name}", uploader.run)

    def _make_http(self) -> None:
        if not self._config.http.enabled:
            return
        from mqttbridge.dashboard.app import Backend, create_app  # noqa: PLC0415  # likewise
        from mqttbridge.dashboard.server import HttpServer  # noqa: PLC0415
        from mqttbridge.tools.insight import Insight  # noqa: PLC0415
        from mqttbridge.tools.live import LiveTools  # noqa: PLC0415

        tools = LiveTools(self._config, self.spool)
        self._insight = Insight(
            self._config,
            self.metrics,
            self.spool,
            status=self.standing.status,
            tallies=self._tallies,
            strays=self._strays,
            log_tail=self._log_tail,
            tools=tools,
        )
        self._insight.look()
        backend = Backend(
            config=self._config,
            metrics=self.metrics,
            spool=self.spool,
            dashboard=self._dashboard,
            status=self.standing.status,
            readiness=self.standing.readiness,
            warnings=self.standing.warnings,
            liveness=self.standing.liveness,
            tools=tools,
            alerts=self._alerts_desk(),
            publish=self._publish if self._config.mqtt is not None else None,
            insight=self._insight,
        )
        self._http = HttpServer(self._config.http, create_app(backend))
        self._http.start()

    def _make_ingest(self) -> None:
        mqtt = self._config.mqtt
        if mqtt is None:
            return
        from mqttbridge.announced import recall_announcements  # noqa: PLC0415  # a dashboard alone needs no paho
        from mqttbridge.ingest import Ingest  # noqa: PLC0415
        from mqttbridge.sources.mqtt import MqttSource  # noqa: PLC0415

        recall_announcements(self._rulebook, self.spool)
        key = f"{_FILTERS_KEY} {mqtt.url} {mqtt.client_id}"
        self._source = MqttSource(
            mqtt,
            self._rulebook.filters,
            recall=lambda: self.spool.meta(key),
            remember=lambda filters: self.spool.set_meta(key, filters),
            properties=self._rulebook.needs_properties,
        )
        self._ingest = Ingest(
            self._source,
            self._rulebook,
            self.spool,
            self.metrics,
            retained=mqtt.retained,
            own_topic=mqtt.own_topic,
            linger=self._config.spool.linger,
            # Half the window, so that the broker has always something to send while the other half is committed.
            linger_messages=max(1, mqtt.receive_maximum // 2),
            strays=self._strays,
            learn=self._learn,
        )
        self._loops.start("ingest", self._ingest.run)
        source = self._source
        self.metrics.broker_connected.set(lambda: float(source.status.state == "connected"))

    def _make_polls(self) -> None:
        if not self._config.sources:
            return
        from mqttbridge.ingest import Ingest  # noqa: PLC0415  # as above
        from mqttbridge.sources.http_poll import HttpPollSource  # noqa: PLC0415

        for name, config in self._config.sources.items():
            source = HttpPollSource(name, config, self.metrics)
            # A rulebook is for one thread, so each source has one; thinning and counters are by it, too.
            rulebook = Rulebook(self._config)
            self._poll_books += (rulebook,)
            ingest = Ingest(
                source,
                rulebook,
                self.spool,
                self.metrics,
                retained=RetainedPolicy.ACCEPT,
                kind=config.type,
                strays=self._strays,
            )
            self._polls[name] = source, ingest
            self._loops.start(f"poll-{name}", ingest.run)

    def _tallies(self) -> list[Tally]:
        return [tally for book in (self._rulebook, *self._poll_books) for tally in book.tallies]
