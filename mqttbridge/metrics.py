"""Counters and gauges, and their Prometheus text form.

A counter that is bumped by one thread only needs no lock; those shared by several threads are bumped once a
batch, never once an event, so one lock for all of them is never contended.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

Labels = tuple[tuple[str, str], ...]


def _text(labels: Labels) -> str:
    if not labels:
        return ""
    escaped = ((name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for name, value in labels)
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"


class Counter:
    """A total that only grows, one for each set of label values."""

    kind = "counter"

    def __init__(self, name: str, help_text: str, lock: threading.Lock) -> None:
        self.name, self.help, self._lock = name, help_text, lock
        self._values: dict[Labels, float] = {}

    def add(self, amount: float = 1, **labels: str) -> None:
        key = tuple(labels.items())
        with self._lock:
            self._values[key] = self._values.get(key, 0) + amount

    def value(self, **labels: str) -> float:
        return self._values.get(tuple(labels.items()), 0)

    def total(self) -> float:
        with self._lock:
            return sum(self._values.values())

    def by(self, label: str) -> dict[str, float]:
        """The totals by the values of one label; what lacks it is under an empty text."""
        found: dict[str, float] = {}
        with self._lock:
            for labels, value in self._values.items():
                name = dict(labels).get(label, "")
                found[name] = found.get(name, 0) + value
        return found

    def samples(self) -> Iterable[tuple[str, Labels, float]]:
        with self._lock:
            return [(self.name, labels, value) for labels, value in self._values.items()]


class Gauge:
    """A value of this moment: set, or read from a function when somebody looks."""

    kind = "gauge"

    def __init__(self, name: str, help_text: str, lock: threading.Lock) -> None:
        self.name, self.help, self._lock = name, help_text, lock
        self._values: dict[Labels, float | Callable[[], float]] = {}

    def set(self, value: float | Callable[[], float], **labels: str) -> None:
        with self._lock:
            self._values[tuple(labels.items())] = value

    def value(self, **labels: str) -> float:
        value = self._values.get(tuple(labels.items()), 0)
        return value() if callable(value) else value

    def samples(self) -> Iterable[tuple[str, Labels, float]]:
        with self._lock:
            values = list(self._values.items())
        return [(self.name, labels, value() if callable(value) else value) for labels, value in values]


class Histogram:
    """Counts of observations up to each bound; observed once a batch or with a weight."""

    kind = "histogram"

    def __init__(self, name: str, help_text: str, lock: threading.Lock, bounds: Sequence[float]) -> None:
        self.name, self.help, self._lock, self._bounds = name, help_text, lock, tuple(bounds)
        self._series: dict[Labels, tuple[list[int], float]] = {}

    def observe(self, value: float, weight: int = 1, **labels: str) -> None:
        key = tuple(labels.items())
        with self._lock:
            counts, total = self._series.get(key) or ([0] * (len(self._bounds) + 1), 0.0)
            counts[bisect_left(self._bounds, value)] += weight
            self._series[key] = (counts, total + value * weight)

    def totals(self, **labels: str) -> tuple[int, float]:
        """How many observations there were of these labels, and their sum."""
        with self._lock:
            counts, total = self._series.get(tuple(labels.items())) or ((), 0.0)
            return sum(counts), total

    def samples(self) -> Iterable[tuple[str, Labels, float]]:
        with self._lock:
            series = [(labels, list(counts), total) for labels, (counts, total) in self._series.items()]
        out: list[tuple[str, Labels, float]] = []
        for labels, counts, total in series:
            running = list(accumulate(counts))
            names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
            out += [
                (f"{self.name}_bucket", (*labels, ("le", name)), count)
                for name, count in zip(names, running, strict=True)
            ]
            out += [(f"{self.name}_sum", labels, total), (f"{self.name}_count", labels, running[-1])]
        return out


# From a quick local hop to a backlog of a day: what lag can honestly be here.
LAG_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86400)


class Metrics:
    """All the numbers of one bridge, in the words of the flow: each is added to where the thing happens.

    received = matched + unmatched + oversized..., see docs/operations.md for the balance that always holds.
    """

    def __init__(self) -> None:
        lock = threading.Lock()

        def counter(name: str, text: str) -> Counter:
            return Counter(f"mqttbridge_{name}_total", text, lock)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"mqttbridge_{name}", text, lock)

        self.received = counter("messages_received", "Messages that arrived, by source (mqtt, http, http_poll).")
        self.matched = counter("messages_matched", "Messages that at least one rule matched.")
        self.polls = counter("polls", "Requests of poll sources, by source and outcome (message, unchanged, failed).")
        self.unmatched = counter("messages_unmatched", "Messages that no rule matched; acknowledged and dropped.")
        self.sequence_gaps = counter(
            "sequence_gaps", "Gaps in the sequence numbers of Sparkplug nodes: messages that never came."
        )
        self.rejected = counter("rejected", "Messages and events rejected, by reason; kept for inspection.")
        self.dropped = counter("dropped", "Messages or events dropped on purpose, by reason.")
        self.spooled = counter("events_spooled", "Events committed to the spool, by source (mqtt, http, replay).")
        self.spooled_for = counter(
            "events_spooled_for", "Events committed to the spool for a destination, by destination."
        )
        self.delivered = counter("events_delivered", "Events a destination accepted, by destination.")
        self.refused = counter("events_refused", "Events a destination refused for good, by destination.")
        self.requests = counter("destination_requests", "Requests to a destination, by destination and outcome.")
        self.kept = gauge("events_kept", "Events in the spool that a destination has not settled yet.")
        self.destination_state = gauge(
            "destination_state", "1 for the state a destination is in (ok, retrying, paused), else 0."
        )
        self.spool_bytes = gauge("spool_bytes", "Size of the spool on disk, in bytes.")
        self.spool_oldest_seconds = gauge("spool_oldest_age_seconds", "Age of the oldest event still in the spool.")
        self.spool_writable = gauge("spool_writable", "1 while the spool accepts events, 0 while it blocks.")
        self.broker_connected = gauge("broker_connected", "1 while connected and subscribed at the broker.")
        self.rejected_rows = gauge("rejected_rows", "Rejected messages kept for inspection now.")
        self.plotly_streams = gauge("plotly_streams", "Plotly streams connected now.")
        self.alerts_firing = gauge("alerts_firing", "Alerts that fire now.")
        self.alerts_on_duty = gauge("alerts_on_duty", "Whether it is this bridge that evaluates alerts.")
        self.alerts_fired = counter("alerts_fired", "Alerts that began to fire.")
        self.alerts_forgotten = counter(
            "alerts_forgotten", "Alerts forgotten before they were over and told: too many fired at once."
        )
        self.alert_late = counter(
            "alert_values_late", "Values older than the newest one an alert had judged: not judged."
        )
        self.alert_notices = counter(
            "alert_notices", "What came of telling somebody of an alert, by action and outcome."
        )
        self.alert_notices_waiting = gauge("alert_notices_waiting", "Alerts of which somebody is still to be told.")
        self.viewers = gauge("live_viewers", "Browsers connected to the live stream.")
        self.ingest_lag = Histogram(
            "mqttbridge_ingest_seconds",
            "From a message's arrival to its commit in the spool.",
            lock,
            LAG_BOUNDS,
        )
        self.delivery_lag = Histogram(
            "mqttbridge_delivery_seconds",
            "From an event's commit to its acceptance, by destination.",
            lock,
            LAG_BOUNDS,
        )

    def render(self) -> str:
        """The Prometheus text exposition format, version 0.0.4."""
        lines: list[str] = []
        for family in vars(self).values():
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
            lines += [f"{name}{_text(labels)} {value!r}" for name, labels, value in family.samples()]
        return "\n".join(lines) + "\n"
