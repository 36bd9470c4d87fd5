"""What a running bridge is doing, as its page shows it: the flow, what is ahead of it, each rule, what nobody takes.

Everything is read from where it is counted anyway; `look` is called once a second by the thread that watches.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final

from mqttbridge.config.destinations import InitialStateConfig
from mqttbridge.config.model import Config
from mqttbridge.flow import FINE_SECONDS, FlowHistory, time_until
from mqttbridge.logtail import LogTail
from mqttbridge.mapping.linting import name_of
from mqttbridge.mapping.tally import Tally
from mqttbridge.mapping.topics import parse_filter
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from mqttbridge.spool.inspection import RejectedQuery, SpoolInspector
from mqttbridge.tools.live import LiveTools
from mqttbridge.tools.overhearing import Overhearing
from mqttbridge.tools.rates import MONTHLY_EVENTS, most_hourly
from mqttbridge.tools.recording import Recorded
from mqttbridge.unmatched import MAX_PAYLOAD_BYTES, Unmatched

# Rates are of the last seconds, forecasts of the last minute, what a month bears of the last day.
_NOW_SECONDS: Final = 10.0
_FORECAST_SECONDS: Final = 60.0
_LEAST_FORECAST: Final = 10.0
_DAY_SECONDS: Final = 86_400.0
_LEAST_QUOTA: Final = 60.0
# The page's small charts have a point each five seconds.
_CHART_STEP: Final = 5

_COUNTS: Final = ("received", "matched", "unmatched", "rejected", "dropped", "spooled")
_MAX_RULES: Final = 500
_MAX_SHOWN_TOPICS: Final = 200
# Of a payload, as much as one reads in a list; the command line shows the whole.
_SHOWN_BYTES: Final = 2048
_LEVELS: Final = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}


class Insight:
    """See `dashboard.backend.Insight`: every answer is of JSON values.

    Args:
        config: of the bridge.
        metrics: of the bridge.
        spool: of the bridge.
        status: the body of `/api/v1/status`.
        tallies: of all rulebooks at work.
        strays: what nobody takes.
        log_tail: the end of the log.
        tools: the bridge's.
    """

    def __init__(
        self,
        config: Config,
        metrics: Metrics,
        spool: Spool,
        *,
        status: Callable[[], dict[str, Any]],
        tallies: Callable[[], Iterable[Tally]],
        strays: Unmatched,
        log_tail: LogTail,
        tools: LiveTools,
    ) -> None:
        self._config, self._metrics, self._spool = config, metrics, spool
        self._status, self._tallies, self._strays, self._log = status, tallies, strays, log_tail
        self._destinations = tuple(config.destinations)
        of_each = ("for", "delivered", "kept", "lags", "lag sum")
        self._history = FlowHistory(
            (
                *_COUNTS,
                "spool bytes",
                "lags",
                "lag sum",
                *(f"{what} {d}" for d in self._destinations for what in of_each),
            )
        )
        self._overhearing = Overhearing(config.mqtt, tools.takes, strays)

    def look(self) -> None:
        """Take the numbers of this moment; call it once a second."""
        metrics, spool = self._metrics, self._spool.stats()
        numbers = {name: getattr(metrics, name).total() for name in _COUNTS}
        numbers["spool bytes"] = spool.bytes
        numbers["lags"], numbers["lag sum"] = metrics.ingest_lag.totals()
        for name in self._destinations:
            numbers[f"for {name}"] = metrics.spooled_for.value(destination=name)
            numbers[f"delivered {name}"] = metrics.delivered.value(destination=name)
            numbers[f"kept {name}"] = spool.kept[name]
            numbers[f"lags {name}"], numbers[f"lag sum {name}"] = metrics.delivery_lag.totals(destination=name)
        self._history.sample(time.monotonic(), numbers)

    def close(self) -> None:
        """End what listens."""
        self._overhearing.stop()

    def snapshot(self, *, charts: bool) -> dict[str, Any]:
        """How it goes now; with `charts` the last five minutes' rates as well."""
        status, rate = self._status(), self._history.rate
        status["rates"] = {name: rate(name, _NOW_SECONDS) for name in _COUNTS}
        status["received"] = self._metrics.received.by("source")
        status["rejections"] = self._metrics.rejected.by("reason")
        status["drops"] = self._metrics.dropped.by("reason")
        status["lag"] = self._lag("")
        status["spool"] |= self._spool_ahead(status["spool"]["bytes"])
        status["destinations"] = {
            name: known | self._of_destination(name, known["kept"]) for name, known in status["destinations"].items()
        }
        status["rules"] = self._rules()
        status["strays"] = len(self._strays.latest())
        if charts:
            named = {name: name for name in ("received", "spooled", "unmatched", "rejected", "dropped")}
            named |= {f"delivered {name}": f"delivered {name}" for name in self._destinations}
            status["charts"] = {
                "seconds": FINE_SECONDS,
                "step": _CHART_STEP,
                "rates": {name: self._history.rates(key, _CHART_STEP) for name, key in named.items()},
            }
        return status

    def unmatched(self) -> dict[str, Any]:
        """The topics that nobody takes, the last to speak first, and how the listening for more stands."""
        strays = self._strays.latest()
        return {
            "now": time.time(),
            "topics": [
                {"topic": one.topic.decode(errors="backslashreplace"), "messages": one.messages, "at": one.at}
                | _payload(one.samples[-1][0] if one.samples else b"", MAX_PAYLOAD_BYTES)
                for one in strays[:_MAX_SHOWN_TOPICS]
            ],
            "more": max(0, len(strays) - _MAX_SHOWN_TOPICS) + self._strays.forgotten,
            "listening": self._overhearing.status(),
        }

    def propose(self, topic: str) -> dict[str, Any]:
        """A rule for a topic of `unmatched`; `text` is empty and `why` says why where there is none to propose."""
        from mqttbridge.tools.discovery.one_rule import propose_rule  # noqa: PLC0415  # memory that few bridges need

        messages = [
            Recorded(stray.topic, payload, time=at, cut=len(payload) > MAX_PAYLOAD_BYTES)
            for stray in self._strays.latest()
            for payload, at in stray.samples
        ]
        rule_names = {name_of(self._config, index) for index in range(len(self._config.rules))}
        return asdict(propose_rule(topic, messages, rule_names, self._config.models.keys()))

    def listen(self, topic: str, seconds: float) -> dict[str, Any] | None:
        """Listen to all of a topic filter for a while; None where that cannot be begun now.

        Raises:
            InvalidFilter: `topic` is no topic filter.
        """
        parse_filter(topic)
        return self._overhearing.status() if self._overhearing.start(topic, seconds) else None

    def rejected(self, query: RejectedQuery) -> dict[str, Any]:
        """Rejected messages that a query means.

        Raises:
            SpoolError, InvalidFilter: as `SpoolInspector.rejected`.
        """
        with SpoolInspector(self._spool.path) as inspector:
            rows = list(inspector.rejected(query))
        return {
            "now": time.time(),
            "kept": self._spool.stats().rejected,
            "rows": [
                {
                    "id": row.id, "at": row.at, "reason": row.reason, "detail": row.detail, "topic": row.topic,
                    "rule": row.rule, "destination": row.destination,
                } | _payload(row.payload, _SHOWN_BYTES)
                for row in rows
            ],
        }  # fmt: skip

    def log(self, after: int, level: str) -> dict[str, Any]:
        """The log's last lines after the one of that number, from a level up."""
        least = _LEVELS.get(level, 0)
        lines = self._log.after(after)
        return {
            "now": time.time(),
            "last": lines[-1].id if lines else after,
            "lines": [asdict(line) for line in lines if _LEVELS.get(line.level, 0) >= least],
        }

    def _lag(self, of: str) -> float | None:
        """Seconds that one took of late, on average; None when there was none."""
        number, seconds = (self._history.rate(f"{what}{of}", _FORECAST_SECONDS) for what in ("lags", "lag sum"))
        return seconds / number if number and seconds is not None else None

    def _spool_ahead(self, used: int) -> dict[str, Any]:
        grows = self._history.rate("spool bytes", _FORECAST_SECONDS, least=_LEAST_FORECAST)
        waiting = any(self._spool.stats().kept.values())
        room = self._config.spool.max_size
        return {
            "max_bytes": room,
            "when_full": str(self._config.spool.when_full),
            # What is there and not waited for is only not cut off yet.
            "full_in": time_until(room - used, grows) if waiting else None,
        }

    def _of_destination(self, name: str, kept: int) -> dict[str, Any]:
        history = self._history
        grows = history.rate(f"kept {name}", _FORECAST_SECONDS, least=_LEAST_FORECAST)
        section = self._config.destinations[name]
        return {
            "type": section.type,
            "rate": history.rate(f"delivered {name}", _NOW_SECONDS),
            "incoming": history.rate(f"for {name}", _NOW_SECONDS),
            "lag": self._lag(f" {name}"),
            "empty_in": time_until(kept, -grows) if grows is not None and kept else None,
            "quota": self._quota(name, section) if isinstance(section, InitialStateConfig) else None,
        }

    def _quota(self, name: str, section: InitialStateConfig) -> dict[str, Any] | None:
        """What an account bears, beside what it gets; None while too little is known."""
        a_second = self._history.rate(f"for {name}", _DAY_SECONDS, least=_LEAST_QUOTA)
        if a_second is None:
            return None
        return {
            "hourly": a_second * 3600,
            "measured": self._history.known(_DAY_SECONDS),
            "monthly_events": MONTHLY_EVENTS,
            "gone_in": time_until(MONTHLY_EVENTS, a_second),
            "most_hourly": most_hourly(section),
        }

    def _rules(self) -> list[dict[str, Any]]:
        """Every rule with what it took. Polled sources have rulebooks of their own: a rule's counts are added up."""
        by_name: dict[str, dict[str, Any]] = {}
        for tally in self._tallies():
            new = {"rule": tally.rule, "filter": tally.filter, "messages": 0, "rejected": 0, "topic": "", "at": None}
            rule = by_name.setdefault(tally.rule, new)
            rule["messages"] += tally.messages
            rule["rejected"] += tally.rejected
            if tally.messages and tally.at >= (rule["at"] or 0.0):
                rule["topic"], rule["at"] = tally.topic.decode(errors="backslashreplace"), tally.at
        return list(by_name.values())[:_MAX_RULES]


def _payload(payload: bytes, most: int) -> dict[str, Any]:
    """A payload as JSON values: its text, or base64 where it is none."""
    cut = len(payload) > most
    try:
        return {"payload": payload[:most].decode(errors="ignore" if cut else "strict"), "cut": cut}
    except UnicodeDecodeError:
        return {"payload_base64": b64encode(payload[:most]).decode(), "cut": cut}
