"""How the bridge stands: at a glance for the page, and what is wrong for `/readyz` and `/livez`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from mqttbridge import __version__
from mqttbridge.delivery.health import State
from mqttbridge.delivery.uploader import Uploader
from mqttbridge.loops import Loops
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

if TYPE_CHECKING:
    from mqttbridge.sources.http_poll import PollStatus
    from mqttbridge.sources.mqtt import BrokerStatus


class Standing:
    """Asks the parts. They come one by one as the bridge starts, so all but the spool may be missing yet.

    Args:
        spool: its depth is shown as metrics, too.
        metrics: what was counted.
        loops: the threads.
        uploaders: one for each destination.
        broker: how the session with the broker stands; None before there is one, or where none is configured.
        polls: how each polled source stands, by name.
        wants_broker: whether one is configured.
    """

    def __init__(
        self,
        spool: Spool,
        metrics: Metrics,
        loops: Loops,
        uploaders: Sequence[Uploader],
        *,
        broker: Callable[[], BrokerStatus | None],
        polls: Callable[[], Mapping[str, PollStatus]],
        wants_broker: bool,
    ) -> None:
        self._started = time.time()
        self._spool, self._metrics, self._loops, self._uploaders = spool, metrics, loops, uploaders
        self._broker, self._polls, self._wants_broker = broker, polls, wants_broker

    def status(self) -> dict[str, Any]:
        """Everything an operator wants to see at a glance, as JSON values."""
        spool, broker = self._spool.stats(), self._broker()
        return {
            "version": __version__,
            "now": time.time(),
            "started": self._started,
            "broker": None if broker is None else asdict(broker),
            "sources": {name: asdict(status) for name, status in self._polls().items()},
            "spool": {
                "rows": spool.rows,
                "bytes": spool.bytes,
                "oldest": spool.oldest,
                "writable": spool.writable,
                "error": spool.error,
            },
            "destinations": {
                uploader.name: {
                    "state": str(status.state),
                    "detail": status.detail,
                    "since": status.since,
                    "kept": spool.kept[uploader.name],
                    "delivered": status.delivered,
                    "refused": status.refused,
                    "last_success": status.last_success,
                }
                for uploader in self._uploaders
                for status in (uploader.status(),)
            },
            "counts": self._counts(),
            "rejected": spool.rejected,
        }

    def readiness(self) -> dict[str, str]:
        """What keeps the bridge from doing its job now, by part; empty when it is ready."""
        problems: dict[str, str] = {}
        if self._wants_broker:
            broker = self._broker()
            if broker is None:
                problems["broker"] = "starting"
            elif broker.state != "connected":
                problems["broker"] = f"{broker.state}: {broker.detail}" if broker.detail else broker.state
        if error := self._spool.error:
            problems["spool"] = error
        return problems

    def warnings(self) -> dict[str, str]:
        """Destinations that wait for a human, by name; none keeps the bridge from taking and keeping messages."""
        statuses = {uploader.name: uploader.status() for uploader in self._uploaders}
        return {
            f"destination {name}": f"{status.state}: {status.detail}"
            for name, status in statuses.items()
            if status.state is State.PAUSED
        }

    def liveness(self) -> dict[str, str]:
        """Loops that ended though nobody asked them to, by name; empty when all is well."""
        return self._loops.ended()

    def _counts(self) -> dict[str, float]:
        metrics = self._metrics
        return {
            "received": metrics.received.total(),
            "matched": metrics.matched.total(),
            "unmatched": metrics.unmatched.total(),
            "rejected": metrics.rejected.total(),
            "dropped": metrics.dropped.total(),
            "spooled": metrics.spooled.total(),
            "delivered": metrics.delivered.total(),
        }


def show(spool: Spool, metrics: Metrics, destinations: Sequence[str]) -> None:
    """Have the metrics tell how full the spool is, whenever they are asked."""
    stats = spool.stats
    metrics.spool_bytes.set(lambda: stats().bytes)
    metrics.spool_oldest_seconds.set(lambda: time.time() - oldest if (oldest := stats().oldest) else 0.0)
    metrics.rejected_rows.set(lambda: stats().rejected)

    def kept(name: str) -> int:
        return stats().kept[name]

    for name in destinations:
        metrics.kept.set(partial(kept, name), destination=name)
