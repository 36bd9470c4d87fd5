"""What the HTTP side needs of the bridge, in one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mqttbridge.config.model import Config
from mqttbridge.dashboard import Dashboard
from mqttbridge.dashboard.alerts.desk import AlertsDesk
from mqttbridge.events import Batch, Rejected
from mqttbridge.metrics import Metrics
from mqttbridge.spool.inspection import RejectedQuery


class Appender(Protocol):
    """The part of the spool that the Events API uses."""

    def append(self, batches: Sequence[Batch], rejected: Sequence[Rejected] = (), *, source: str = "mqtt") -> None:
        """Return once everything is synced; SpoolError when nothing was stored."""
        ...

    def meta(self, key: str) -> str | None:
        """What `set_meta` kept under this key."""
        ...

    def set_meta(self, key: str, value: str) -> None:
        """Keep a text across restarts; SpoolError when that cannot be done now."""
        ...


class Tools(Protocol):
    """What may be asked of the rules and the rejected of a running bridge. From any thread; may take a second.

    The answers are JSON values. `replay` and `purge` raise SpoolError, and all InvalidFilter for a bad topic filter.
    """

    def explain(self, topic: bytes, payload: bytes) -> dict[str, Any]: ...
    def replay(self, query: RejectedQuery) -> dict[str, Any]: ...
    def purge(self, query: RejectedQuery) -> dict[str, Any]: ...


class Insight(Protocol):
    """What a running bridge is doing. From any thread; may take a second. The answers are JSON values.

    `listen` and `rejected` raise InvalidFilter for a bad topic filter, and `rejected` SpoolError.
    """

    def snapshot(self, *, charts: bool) -> dict[str, Any]: ...
    def unmatched(self) -> dict[str, Any]: ...
    def propose(self, topic: str) -> dict[str, Any]: ...
    def listen(self, topic: str, seconds: float) -> dict[str, Any] | None: ...
    def rejected(self, query: RejectedQuery) -> dict[str, Any]: ...
    def log(self, after: int, level: str) -> dict[str, Any]: ...


def _no_problems() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Backend:
    """The bridge as the HTTP side sees it.

    Attributes:
        dashboard: None when no embedded destination is configured.
        status: the body of `/api/v1/status`.
        readiness: what keeps the bridge from doing its work now, by part; empty when nothing does.
        warnings: what waits for a human though the bridge does its work, by part; empty when nothing does.
        liveness: which threads have died, by name; empty when none has.
        tools: None where there are no rules to ask.
        publish: topic, payload, QoS and whether it is retained; returns when the broker has it, BrokerError when it
            has not. None where there is no broker.
        alerts: None where there is no dashboard to watch over.
        insight: None where there is no bridge to look into.
    """

    config: Config
    metrics: Metrics
    spool: Appender
    dashboard: Dashboard | None = None
    status: Callable[[], dict[str, Any]] = field(default=dict)
    readiness: Callable[[], dict[str, str]] = _no_problems
    warnings: Callable[[], dict[str, str]] = _no_problems
    liveness: Callable[[], dict[str, str]] = _no_problems
    tools: Tools | None = None
    publish: Callable[[str, bytes, int, bool], None] | None = None
    alerts: AlertsDesk | None = None
    insight: Insight | None = None
