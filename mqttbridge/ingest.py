"""The way in: socket -> frames -> rules -> commit -> acknowledge, in one pass on one thread.

Invariant: nothing is acknowledged before the transaction that holds its events (or its rejection) has been synced,
and acknowledgements go out in arrival order. While the spool cannot take anything, nothing more is read: TCP and
the broker's in-flight window are the back-pressure, and only the connection's heartbeat goes on.

Whatever arrives ends in exactly one of: matched, unmatched, rejected before any rule, dropped for a stated reason.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from mqttbridge.announced import Announced
from mqttbridge.config.mqtt import RetainedPolicy
from mqttbridge.errors import SpoolError
from mqttbridge.events import Batch, EventTuple, Reason, Rejected
from mqttbridge.lastknown import LastKnown
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.routes import Route
from mqttbridge.metrics import Metrics
from mqttbridge.rebirths import Rebirths
from mqttbridge.sources.frames import OVERSIZED, RETAINED, Publish
from mqttbridge.spool import Spool
from mqttbridge.unmatched import Unmatched

log = logging.getLogger(__name__)

# How long one wait for messages lasts; a stop signal ends it early, so it only bounds the housekeeping's delay.
_POLL_SECONDS: Final = 1.0
# At most one commit a millisecond: at 5,000 messages a second that is five messages a commit, a fifth of the work,
# for half a millisecond of delay on average. Longer would slow brokers that send only 20 messages ahead
# (Mosquitto's default for 3.1.1). A read that holds this many is worth a commit of its own at any time.
_COMMIT_GAP: Final = 0.001
_WORTH_A_COMMIT: Final = 64
# Pause between attempts while the spool blocks: soon enough to go on when there is room, and to keep the
# broker's connection alive, without burdening a full disk.
_BLOCKED_PAUSE: Final = 0.2
# How often thinning intervals are looked after that no further event ends.
_TICK_SECONDS: Final = 1.0
# Arrival times run ahead of the clock by a microsecond a message. By more than this they do when it was set back, as
# on a board that learns the time after it started; then they follow it.
_MOST_AHEAD: Final = 1.0
# A node that numbers its messages wrongly has a gap at each; the metric counts them all.
_GAPS_PAUSE: Final = 60.0


class Source(Protocol):
    """Where messages come from: sources/mqtt.py and sources/http_poll.py are the real ones."""

    def poll(self, timeout: float) -> list[Publish]: ...
    def acknowledge(self) -> None: ...
    def keep_alive(self) -> None: ...
    def subscribe(self, filters: Sequence[str]) -> None: ...
    def publish(self, topic: str, payload: bytes) -> None: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class Ingest:
    """The loop of the ingest thread. `step` is one turn of it.

    Args:
        source: where messages come from.
        rulebook: what becomes of them.
        spool: where events go.
        metrics: counted here: received, matched, unmatched, dropped.
        retained: what to do with retained messages.
        own_topic: the bridge's own availability topic, which is not data.
        linger: seconds to gather more messages before a commit.
        linger_messages: how many messages end the gathering early.
        kind: of the source, as the metrics call it.
        strays: told the messages that are nobody's.
    """

    def __init__(
        self,
        source: Source,
        rulebook: Rulebook,
        spool: Spool,
        metrics: Metrics,
        *,
        retained: RetainedPolicy = RetainedPolicy.CHANGED,
        own_topic: str | None = None,
        linger: float = 0.0,
        linger_messages: int = 4096,
        kind: str = "mqtt",
        strays: Unmatched | None = None,
        learn: Callable[[Mapping[tuple[str, str], str]], None] = lambda _: None,
    ) -> None:
        self._source, self._rulebook, self._spool, self._metrics = source, rulebook, spool, metrics
        self._retained = retained
        self._own_topic = own_topic.encode() if own_topic else None
        self._linger, self._linger_messages = linger, linger_messages
        self._kind = kind
        self._strays = strays if strays is not None else Unmatched()
        self._learn = learn
        self._stop = threading.Event()
        self._last_arrival = self._last_commit = self._gaps_told_again = 0.0
        self._gave_up = False
        self._known = LastKnown(rulebook, spool, metrics) if retained is RetainedPolicy.CHANGED else None
        self._units: dict[tuple[str, ...], dict[tuple[str, str], str]] = {}
        self._rules: dict[tuple[str, ...], dict[tuple[str, str], str]] = {}
        """Units of streams met, and the rules that made them, by destinations, until a batch of theirs takes them."""
        self._next_tick = 0.0 if rulebook.has_intervals else float("inf")
        rulebook.memory.keep(self._recall)
        self._rebirths = Rebirths(source.publish)
        self._announced = Announced(rulebook, spool, source.subscribe) if rulebook.announces else None

    def run(self) -> None:
        """Work until `stop`; then keep what was last known and say goodbye to the source."""
        while not self._stop.is_set():
            self.step()
        self._store_intervals(self._rulebook.flush())
        # What could not be stored comes again, and must not be taken for known then.
        if self._known is not None and not self._gave_up:
            self._known.save_all()
        if self._announced is not None:
            self._announced.save()
        self._source.close()

    def stop(self) -> None:
        """Ask `run` to end; from any thread."""
        self._stop.set()
        self._source.wake()

    def step(self, timeout: float = _POLL_SECONDS) -> None:
        """Read once, map, commit, acknowledge."""
        messages = self._gather(timeout)
        if messages:
            now = time.time()
            arrival = now if self._last_arrival - now > _MOST_AHEAD else max(now, self._last_arrival)
            batches, rejected = self._apply(messages, arrival)
            if not self._commit(batches, rejected):
                self._gave_up = True  # stopped while blocked: not stored, so not acknowledged
                return
            self._source.acknowledge()
            self._metrics.ingest_lag.observe(max(0.0, time.time() - arrival), weight=len(messages))
        if (now := time.time()) >= self._next_tick:
            self._next_tick = now + _TICK_SECONDS
            self._store_intervals(self._rulebook.tick(now))
        if self._known is not None:
            self._known.save_when_due()
        if self._announced is not None:
            self._announced.follow()

    def _store_intervals(self, passed: list[tuple[tuple[str, ...], list[EventTuple]]]) -> None:
        """Store the events of thinning intervals that are over; their messages were acknowledged long ago."""
        self._count_thinned()
        batches = [self._batch(events, to) for to, events in passed]
        if not self._commit(batches, []):
            lost = sum(len(batch.events) for batch in batches)
            self._metrics.dropped.add(lost, reason="thinned_unsaved")
            log.error(
                "%d events of thinning intervals are lost: the spool takes nothing, and we were told to stop", lost
            )

    def _count_thinned(self) -> None:
        for reason, events in self._rulebook.take_thinned().items():
            self._metrics.dropped.add(events, reason=reason)

    def _gather(self, timeout: float) -> list[Publish]:
        """Messages for one commit: what is there, and what comes within the gap or the linger that is asked for."""
        messages = self._source.poll(timeout)
        if not messages or len(messages) >= _WORTH_A_COMMIT:
            return messages
        gap = self._last_commit + _COMMIT_GAP - time.monotonic()
        if gap > 0 and not self._linger:
            time.sleep(gap)
            return [*messages, *self._source.poll(0)]
        messages = list(messages)
        until = time.monotonic() + self._linger
        while (left := until - time.monotonic()) > 0 and len(messages) < self._linger_messages:
            if self._stop.is_set():
                break
            messages += self._source.poll(left)
        return messages

    def _apply(self, messages: Sequence[Publish], arrival: float) -> tuple[list[Batch], list[Rejected]]:
        """Map messages. Arrival times are a microsecond apart, so that no two values of a stream share one."""
        rejected: list[Rejected] = []
        batches: dict[tuple[str, ...], list[EventTuple]] = {}
        micros, unmatched, not_data = round(arrival * 1e6), 0, 0
        met, own_topic, policy, known = self._rulebook.met, self._own_topic, self._retained, self._known
        to: tuple[str, ...] | None = None
        batch: list[EventTuple] = []
        for topic, payload, first in messages:
            micros += 1
            arrival = micros / 1e6
            if (routes := met(topic)) is None:
                routes = self._rulebook.routes(topic)
            if type(routes) is Rejected:
                rejected.append(replace(routes, payload=payload))
                not_data += 1
                continue
            if not routes:
                unmatched += 1
                self._strays.note(topic, payload, arrival)
                continue
            if topic == own_topic or (first & RETAINED and policy is RetainedPolicy.IGNORE):
                self._metrics.dropped.add(reason="own_availability" if topic == own_topic else "retained_ignored")
                not_data += 1
                continue
            if first & OVERSIZED:
                rejected.append(_too_large(topic, payload, routes[0].rule))
                not_data += 1
                continue
            for route in routes:
                events = route.apply(payload, arrival)
                tally = route.tally
                tally.messages += 1
                tally.topic, tally.at = topic, arrival
                if type(events) is Rejected:
                    tally.rejected += 1
                    rejected.append(events)
                    continue
                if known is not None:
                    if first & RETAINED:
                        events = known.only_changed(route, events)
                    elif (last := route.last) is None or len(last) == len(events):
                        route.last = events  # as `keep` does, without the cost of a call
                    else:
                        known.keep(route, events)
                if route.new_units:
                    self._take_streams(route)
                if (thinner := route.thinner) is not None:
                    events = [kept for event in events for kept, _, _ in thinner.offer(event, arrival, None)]
                if route.to is not to:
                    to = route.to
                    batch = batches.setdefault(to, [])
                batch += events
        self._last_arrival = arrival
        self._count_gaps()
        self._metrics.received.add(len(messages), source=self._kind)
        self._metrics.matched.add(len(messages) - unmatched - not_data)
        if unmatched:
            self._metrics.unmatched.add(unmatched)
        self._count_thinned()
        return [self._batch(events, to) for to, events in batches.items() if events], rejected

    def _take_streams(self, route: Route) -> None:
        """What a route tells of streams that it met first."""
        if route.compiled.tells_streams:
            self._rules.setdefault(route.to, {}).update(dict.fromkeys(route.new_units, route.rule))
        units = {stream: unit for stream, unit in route.new_units.items() if unit}
        self._units.setdefault(route.to, {}).update(units)
        if classes := route.compiled.device_classes:
            fields = route.fields_by_stream().items()
            met = {stream: classes[field] for stream, field in fields if stream in route.new_units and field in classes}
            self._learn(met)
        route.new_units = {}

    def _batch(self, events: list[EventTuple], to: tuple[str, ...]) -> Batch:
        return Batch(events, to, self._units.pop(to, {}), self._rules.pop(to, {}))

    def _count_gaps(self) -> None:
        gaps = self._rulebook.gaps
        if gaps.rebirths:
            self._rebirths.order(gaps.rebirths)
        if not gaps.count:
            return
        self._metrics.sequence_gaps.add(gaps.count)
        gaps.count = 0
        if time.monotonic() >= self._gaps_told_again:
            self._gaps_told_again = time.monotonic() + _GAPS_PAUSE
            log.warning("messages of a Sparkplug node never came: %r", gaps.latest)

    def _recall(self, key: str) -> str | None:
        try:
            return self._spool.known(key)
        except SpoolError as error:  # as if nothing were known: a first sample again
            log.debug("what was remembered of %r cannot be read: %s", key, error)
            return None

    def _commit(self, batches: list[Batch], rejected: list[Rejected]) -> bool:
        """Store, however long it takes. Returns False when a stop came first."""
        # With the events that counters and thinning made of it, so that after a crash neither is without the other.
        known = self._rulebook.memory.take()
        if not batches and not rejected and not known:
            return True
        while True:
            try:
                self._spool.append(batches, rejected, known, source=self._kind)
                self._last_commit = time.monotonic()
            except SpoolError as error:  # the spool has said so, once
                log.debug("waiting for the spool: %s", error)
                self._source.keep_alive()
                if self._stop.wait(_BLOCKED_PAUSE):
                    return False
            else:
                return True


def _too_large(topic: bytes, payload: bytes, rule: str) -> Rejected:
    return Rejected(
        Reason.PAYLOAD_TOO_LARGE,
        "the payload is longer than its source's limit (mqtt.max_payload, max_size); only its beginning is kept",
        topic.decode(errors="backslashreplace"),
        payload,
        rule,
    )
