"""What the HTTP side needs of the bridge, in one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mqttbridge.config.model import Config
from mqttbridge.dashboard import Dashboard
from mqttbridge.events import Batch, Rejected
from mqttbridge.metrics import Metrics


class Appender(Protocol):
    """The part of the spool that the Events API uses."""

    def append(self, batches: Sequence[Batch], rejected: Sequence[Rejected] = (), *, source: str = "mqtt") -> None:
        """Return once everything is synced; SpoolError when nothing was stored."""
        ...


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
    """

    config: Config
    metrics: Metrics
    spool: Appender
    dashboard: Dashboard | None = None
    status: Callable[[], dict[str, Any]] = field(default=dict)
    readiness: Callable[[], dict[str, str]] = _no_problems
    warnings: Callable[[], dict[str, str]] = _no_problems
    liveness: Callable[[], dict[str, str]] = _no_problems
