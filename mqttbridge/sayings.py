"""What is rejected and what is dropped, said in the log: the first of each kind at once, then the numbers now and then.

A device that sends nonsense does so a thousand times an hour, and who runs the bridge has to hear of it once, with
what is wrong. Nothing here is in the way of the data: the spool tells of what it has stored as rejected, and drops are
read from their counters.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from mqttbridge.events import Rejected
from mqttbridge.metrics import Labels, Metrics

log = logging.getLogger(__name__)

# What somebody should look into is summed up each minute; what a policy of the configuration takes out each hour.
_TROUBLE_PAUSE: Final = 60.0
_POLICY_PAUSE: Final = 3600.0
# A kind that was quiet for so long is news when it comes back.
_FORGET_AFTER: Final = 3600.0
# What one line can hold: of a reason in words, and of a summary's kinds, the most frequent first.
_MAX_DETAIL_CHARS: Final = 300
_MAX_KINDS_TOLD: Final = 8

# Drops that go with a healthy bridge, and why; every other one loses what somebody may have wanted.
_POLICIES: Final = {
    "own_availability": "our own availability message, which is not data",
    "retained_unchanged": "a retained message says what was last known (mqtt.retained: changed)",
    "retained_ignored": "mqtt.retained: ignore",
    "thinned_deadband": "`thin`: it differs too little",
    "thinned_changed": "`thin`: it did not change",
    "thinned_throttle": "`thin`: too soon after the last one",
    "thinned_sample": "`thin`: one event stands for its interval",
    "thinned_late": "`thin`: its interval was over",
    "thinned_repeated": "`thin`: the destination had it before the restart",
}

Kind: TypeAlias = tuple[str, ...]


class Sayings:
    """Says it. `rejected` is for any thread, `tell` for one that comes by about once a second.

    Args:
        metrics: whose `dropped` is watched.
        clock: seconds that only grow.
    """

    def __init__(self, metrics: Metrics, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics, self._clock = metrics, clock
        self._lock = threading.Lock()
        self._rejected, self._lost = _Tally(_TROUBLE_PAUSE), _Tally(_TROUBLE_PAUSE)
        self._policies = _Tally(_POLICY_PAUSE)
        self._counted: dict[Labels, float] = {}

    def rejected(self, found: Sequence[Rejected]) -> None:
        """Say what was rejected, or note it for the next summary."""
        if not found:
            return
        with self._lock:
            now = self._clock()
            news = [one for one in found if self._rejected.add(_kind(one), 1, now, repr(one.topic))]
        for one in news:
            log.warning(
                "rejected %r: %s (%s): %s; it is kept, and more of this kind are summed up once a minute",
                one.topic, one.reason, _by(one.rule, one.destination), one.detail[:_MAX_DETAIL_CHARS],
            )  # fmt: skip

    def tell(self, *, at_once: bool = False) -> None:
        """Say which drops are new, and what is due of the summaries.

        Args:
            at_once: whether what is not due yet is said as well, as at the end.
        """
        now = self._clock()
        self._watch_drops(now)
        with self._lock:
            rejected = self._rejected.due(now, at_once=at_once)
        if rejected:
            parts = [
                f"{count} {reason} ({_by(rule, destination)}, the latest {latest})"
                for (reason, rule, destination), count, latest in rejected
            ]
            log.warning("rejected since the last report: %s", _joined(parts))
        for tally, level in ((self._lost, logging.WARNING), (self._policies, logging.INFO)):
            if dropped := tally.due(now, at_once=at_once):
                log.log(
                    level,
                    "dropped since the last report: %s",
                    _joined([f"{count} {_drop(kind)}" for kind, count, _ in dropped]),
                )

    def _watch_drops(self, now: float) -> None:
        for _, labels, total in self._metrics.dropped.samples():
            more = round(total - self._counted.get(labels, 0))
            if more <= 0:
                continue
            self._counted[labels] = total
            named = dict(labels)
            reason, destination = named.get("reason", ""), named.get("destination", "")
            policy = _POLICIES.get(reason)
            tally = self._lost if policy is None else self._policies
            if tally.add((reason, destination), more, now):
                level = logging.WARNING if policy is None else logging.INFO
                why = f": {policy}" if policy else ""
                log.log(level, "dropped %d %s%s", more, _drop((reason, destination)), why)


class _Tally:
    """What was met of each kind. Kinds are few: rules, destinations and reasons of one configuration."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._met: dict[Kind, float] = {}
        self._untold: dict[Kind, tuple[int, str]] = {}
        self._due = 0.0

    def add(self, kind: Kind, amount: int, now: float, latest: str = "") -> bool:
        """Note something; returns whether it is the first of its kind, which is said at once and not summed up."""
        last = self._met.get(kind)
        self._met[kind] = now
        if last is None or now - last > _FORGET_AFTER:
            return True
        if not self._untold:
            self._due = now + self._pause
        count, _ = self._untold.get(kind, (0, ""))
        self._untold[kind] = (count + amount, latest)
        return False

    def due(self, now: float, *, at_once: bool) -> list[tuple[Kind, int, str]]:
        """What is to be summed up now: kind, number and the latest, the most frequent first."""
        if not self._untold or (now < self._due and not at_once):
            return []
        untold, self._untold = self._untold, {}
        found = [(kind, count, latest) for kind, (count, latest) in untold.items()]
        return sorted(found, key=lambda one: one[1], reverse=True)


def _kind(one: Rejected) -> Kind:
    return str(one.reason), one.rule, one.destination


def _by(rule: str, destination: str) -> str:
    if destination:
        return f"destination {destination!r}"
    return f"rule {rule!r}" if rule else "before any rule"


def _drop(kind: Kind) -> str:
    reason, destination = kind
    return f"{reason} (destination {destination!r})" if destination else reason


def _joined(parts: Iterable[str]) -> str:
    parts = list(parts)
    more = [f"and {len(parts) - _MAX_KINDS_TOLD} kinds more"] if len(parts) > _MAX_KINDS_TOLD else []
    return ", ".join([*parts[:_MAX_KINDS_TOLD], *more])
