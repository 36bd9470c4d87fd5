"""Alerts as a whole: points come in from the store's commits, one thread evaluates them, keeps and tells.

What holds: a firing is on disk before anybody is told of it; points that were stored and not evaluated, because of a
crash or of a load that evaluation could not follow, are read back from the store. So nothing is missed, and the ids of
firings see to it that nothing is made twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mqttbridge.alerting.actions import Publish, Result
from mqttbridge.alerting.dispatcher import Dispatcher, settle_notice
from mqttbridge.alerting.engine import Engine, Entry, Outcomes
from mqttbridge.alerting.firings import Firing, Notice, Outcome
from mqttbridge.alerting.ledger import Ledger
from mqttbridge.alerting.machine import restarted
from mqttbridge.alerting.matching import StreamKey, pair_of, stars_of
from mqttbridge.alerting.positions import Point
from mqttbridge.alerting.rules import config_id, entry_of
from mqttbridge.alerting.standings import Note, Standings
from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.dashboard.records import Records
from mqttbridge.dashboard.store import Column, Kind, Store, StreamInfo
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.errors import StoreError
from mqttbridge.metrics import Metrics

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
# States that only moved on in time are written this often: after a crash their points are read back anyway.
SAVE_SECONDS: Final = 30.0
# How long a silence that is being counted may lose by a crash.
ALIVE_SECONDS: Final = 60.0
# A stream that the store has no more and that was not heard for so long is gone.
GONE_SECONDS: Final = 600.0
# Points that wait for evaluation; past it they are read back from the store, thinned, when there is time.
MAX_WAITING: Final = 200_000
# Into how many buckets of time what was missed is cut at most, each of four points (M4).
_CATCH_UP_BUCKETS: Final = 10_000
_MICROSECOND: Final = 1e-6


@dataclass(frozen=True, slots=True)
class _Heard:
    """Points of one stream that some rule watches."""

    key: StreamKey
    points: Sequence[Point]


class Alerts:
    """Watches what the dashboard stores.

    Args:
        config: the `alerts` section.
        store: read for what was missed.
        records: where rules of the page, states, firings and silences are kept.
        metrics: of the bridge.
        publish: how to publish to the broker; None where there is none.
        note: tells who looks on how streams stand.
        clock: seconds since 1970.

    Raises:
        ConfigError: an action cannot be used.
        StoreError: what is kept cannot be read.
    """

    def __init__(
        self,
        config: AlertsConfig,
        store: Store,
        records: Records,
        metrics: Metrics,
        *,
        publish: Publish | None = None,
        note: Note = lambda *_: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config, self.clock = config, clock
        self.store, self._metrics = store, metrics
        self.lock = threading.RLock()
        """Held by whoever reads or changes what follows."""
        self.ledger = Ledger(records)
        self.engine = Engine(self.ledger.firings)
        self.standings = Standings(note)
        self.dispatcher = Dispatcher(config, self._settled, self._wake_up, publish)
        self._unkept: dict[str, Firing] = {}
        self._waiting: dict[str, Firing] = {
            firing.id: firing for firing in self.ledger.firings.values() if _has_waiting(firing)
        }
        self._inbox: list[_Heard] = []
        self._inbox_points = 0
        self._behind: dict[StreamKey, float] = {}
        self._inbox_lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._saved = self._alive = self._passed = 0.0
        self._store_trouble = ""
        metrics.alerts_firing.set(lambda: float(sum(one.over is None for one in list(self.ledger.firings.values()))))
        metrics.alert_notices_waiting.set(lambda: float(len(self._waiting)))

    # -- life

    def recall(self) -> None:
        """Take up the rules and where they stood, and evaluate what was stored since. Before the first `observe`.

        Raises:
            StoreError: what is kept, or the store, cannot be read.
        """
        with self.lock:
            now = self.clock()
            alive = self.ledger.alive()
            entries = [Entry(config_id(rule.name), rule, "config") for rule in self.config.rules]
            entries += [entry for record in self.ledger.rules() if (entry := entry_of(record)) is not None]
            for entry in entries:
                kept = self.ledger.states(entry.id, entry.fingerprint)
                entry.states = {key: restarted(state, alive or now, now) for key, state in kept.items()}
                self.engine.put(entry)
            made = Outcomes()
            for firing in list(self.ledger.firings.values()):
                if firing.over is None and not self._still_fires(firing):
                    self.engine.close_open(firing.rule, now, "the rule is gone or is another one now", made)
            # States are kept every half minute: a stream that came after the last time has none.
            before_the_end = None if alive is None else alive - 2 * SAVE_SECONDS
            self._catch_up(self.engine.entries.values(), lambda _: before_the_end, made)
            self._keep(made)
            self._say_how_it_stands(now)

    def run(self) -> None:
        """Evaluate, keep and tell until `stop`."""
        while not self._stop.is_set():
            self._wake.wait(self.standings.wait(TICK_SECONDS))
            self._wake.clear()
            self.turn()
        self._save(self.clock())

    def stop(self) -> None:
        """Ask `run` to end; from any thread."""
        self._stop.set()
        self._wake.set()

    def close(self) -> None:
        """End what is being told; after `run`."""
        self.dispatcher.stop()
        with self.lock, suppress(StoreError):
            self.ledger.save(self._unkept.values())

    # -- points

    def observe(self, columns: Mapping[StreamKey, Column]) -> None:
        """Points were committed. Called on the thread that stores: takes what is watched, and returns."""
        if self.engine.is_idle:
            return
        heard = [
            _Heard(key, list(zip(column.epochs, column.values, strict=True)))
            for key, column in columns.items()
            if self.engine.watchers(key)
        ]
        if not heard:
            return
        count = sum(len(one.points) for one in heard)
        with self._inbox_lock:
            if self._inbox_points + count > MAX_WAITING:
                self._fall_behind((one.key, min(epoch for epoch, _ in one.points)) for one in heard if one.points)
            else:
                self._inbox += heard
                self._inbox_points += count
        self._wake.set()

    def turn(self) -> None:
        """One turn of the loop: what came, what is due, what can be told."""
        with self._inbox_lock:
            heard, self._inbox, self._inbox_points = self._inbox, [], 0
            behind, self._behind = self._behind, {}
        if behind:
            heard = _without_those_behind(heard, behind)
        with self.lock:
            made, now = Outcomes(), self.clock()
            self.engine.batch(((one.key, one.points) for one in heard), now, made)
            if behind:
                self._read_back(behind, made)
            if not 0 <= now - self._passed < TICK_SECONDS:  # it asks every state, and turns may come by the dozen
                self._passed = now
                self.engine.pass_time(now, made)
            if now - self._saved >= SAVE_SECONDS:
                self._forget_gone(now, made)
            self._keep(made)
            self._save_when_due(now)
            self._tell(now)
            self._say_how_it_stands(now)

    def _fall_behind(self, since: Iterable[tuple[StreamKey, float]]) -> None:
        """Note what is to be read back, from when on; under the inbox's lock."""
        for key, epoch in since:
            self._behind[key] = min(epoch, self._behind.get(key, epoch))

    def _forget_gone(self, now: float, made: Outcomes) -> None:
        """Let go of streams that were deleted, or are past their retention: they would fire, and take room, for ever.

        What still speaks stays, since a clock that was never set may tell times that are not kept.
        """
        quiet = [
            (entry, key)
            for entry in self.engine.entries.values()
            for key, state in entry.states.items()
            if now - state.heard > GONE_SECONDS
        ]
        there = {
            (bucket, info.stream)
            for bucket in {bucket for _, (bucket, _) in quiet}
            for info in self.store.streams(bucket)
        }
        for entry, key in quiet:
            if key not in there:
                self.engine.forget(entry, key, now, made)

    def _read_back(self, keys: Mapping[StreamKey, float], made: Outcomes) -> None:
        log.warning("alerts could not follow the points as they came: they are read back from the store")
        rules = {watcher.rule for key in keys for watcher in self.engine.watchers(key)}
        try:
            self._catch_up([self.engine.entries[rule] for rule in rules if rule in self.engine.entries], keys.get, made)
        except StoreError as error:
            self._note_trouble(error)
            with self._inbox_lock:
                self._fall_behind(keys.items())

    def _catch_up(
        self, entries: Iterable[Entry], new_since: Callable[[StreamKey], float | None], made: Outcomes
    ) -> None:
        """Evaluate what the store has and the rules have not seen.

        Of streams that are new to a rule, what came since `new_since`, and the last value at least.
        """
        entries = [entry for entry in entries if entry.rule.enabled]
        if not entries:
            return
        for bucket in [one.key for one in self.store.buckets()]:
            concerned = [entry for entry in entries if stars_of(entry.rule.bucket, bucket) is not None]
            for info in self.store.streams(bucket) if concerned else ():
                key = (bucket, info.stream)
                for entry in concerned:
                    if stars_of(entry.rule.stream, info.stream) is None or not self.engine.has_room(entry, key):
                        continue
                    state = entry.states.get(key)
                    if state is None or state.last is None:
                        self._begin(entry, key, info, new_since(key), made)
                    elif info.last.epoch > state.last:
                        self._evaluate_since(entry, key, info, state.last, made)

    def _begin(self, entry: Entry, key: StreamKey, info: StreamInfo, since: float | None, made: Outcomes) -> None:
        last = info.last
        if (since is not None and since < last.epoch) or pair_of(entry.rule, info.stream) is not None:
            after = last.epoch if since is None else min(since, last.epoch)
            self._evaluate_since(entry, key, info, after - _MICROSECOND, made)
        else:  # by far the most of them, and each look into the store would cost milliseconds
            self.engine.batch([(key, [(last.epoch, last.value)])], self.clock(), made, only=entry)

    def _evaluate_since(self, entry: Entry, key: StreamKey, info: StreamInfo, after: float, made: Outcomes) -> None:
        bucket, stream = key
        pair = pair_of(entry.rule, stream)
        if pair is None and info.kind is Kind.TEXT:
            # Every one: of texts a line shows but the newest, and any of them may be the one that is looked for.
            for rows in self.store.rows(bucket, [stream], after, info.last.epoch + 1):
                points = [(at / MICROSECONDS, value) for at, _, value in rows if at / MICROSECONDS > after]
                self.engine.batch([(key, points)], self.clock(), made, only=entry)
            return
        names = [stream] if pair is None else [stream, pair]
        columns = self.store.points(bucket, names, after, None, _CATCH_UP_BUCKETS)
        batch = [
            ((bucket, name), [point for point in zip(column.epochs, column.values, strict=True) if point[0] > after])
            for name, column in columns.items()
        ]
        self.engine.batch(batch, self.clock(), made, only=entry)

    # -- keeping and telling

    def change(self, made: Outcomes) -> None:
        """Keep what a change of the rules made, and tell; under the lock."""
        self._keep(made)
        self._tell(self.clock())
        self._wake_up()

    def adopt(self, entry: Entry, made: Outcomes) -> None:
        """Watch by a rule that is new or changed: from the last values of its streams on. Under the lock."""
        self.engine.put(entry)
        try:
            self._catch_up([entry], lambda _: None, made)
        except StoreError as error:
            self._note_trouble(error)

    def silenced(self, firing: Firing, now: float) -> bool:
        """Whether nobody is told of it now."""
        return any(one.until > now and one.covers(firing) for one in self.ledger.silences)

    def _keep(self, made: Outcomes) -> None:
        self._metrics.alert_late.add(made.late)
        self._metrics.alerts_fired.add(made.fired)
        self._unkept |= made.firings
        if not self._unkept:
            return
        changed = {firing.rule for firing in self._unkept.values()}
        try:
            self.ledger.save(self._unkept.values())
            self._save_states(entry for entry in self.engine.entries.values() if entry.id in changed)
        except StoreError as error:
            self._note_trouble(error)
            return
        self._store_trouble = ""
        for firing in self._unkept.values():
            if _has_waiting(firing):
                self._waiting[firing.id] = firing
            else:
                self._waiting.pop(firing.id, None)
        self._unkept = {}

    def _tell(self, now: float) -> None:
        """Only of what is kept."""
        known = [firing for firing in self._waiting.values() if firing.id not in self._unkept]
        settled = self.dispatcher.pump(known, lambda firing: self.silenced(firing, now), now)
        for firing in settled:
            for notice in firing.notices:
                if notice.at == now:
                    self._count(notice)
            self._unkept[firing.id] = firing
        if settled:
            self._keep(Outcomes())

    def _say_how_it_stands(self, now: float) -> None:
        self.standings.changed(self.engine.stirred)
        self.engine.stirred.clear()
        self.standings.tell(self.engine.entries.values(), self.ledger.silences, now)

    def _settled(self, firing: Firing, notice: Notice, result: Result) -> None:
        with self.lock:
            settle_notice(notice, result, self.clock())
            self._count(notice)
            self._unkept[firing.id] = firing
            self._keep(Outcomes())
            self.standings.changed([firing.bucket])

    def _count(self, notice: Notice) -> None:
        outcome = "failed" if notice.outcome is Outcome.WAITING else notice.outcome.value
        self._metrics.alert_notices.add(action=notice.action, outcome=outcome)

    def _save_when_due(self, now: float) -> None:
        if self._unkept or now - self._saved >= SAVE_SECONDS:
            self._saved = now
            self._save(now)

    def _save(self, now: float) -> None:
        with self.lock:
            self._keep(Outcomes())
            dirty = [entry for entry in self.engine.entries.values() if entry.dirty]
            try:
                self._save_states(dirty)
                if dirty or (self.engine.waits and now - self._alive >= ALIVE_SECONDS) or self._stop.is_set():
                    self.ledger.keep_alive(now)
                    self._alive = now
            except StoreError as error:
                self._note_trouble(error)

    def _save_states(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        self.ledger.save_states({entry.id: (entry.fingerprint, entry.states) for entry in entries})
        for entry in entries:
            entry.dirty = False

    def _still_fires(self, firing: Firing) -> bool:
        entry = self.engine.entries.get(firing.rule)
        return entry is not None and entry.rule.enabled and (firing.bucket, firing.stream) in entry.states

    def _note_trouble(self, error: StoreError) -> None:
        if str(error) != self._store_trouble:
            self._store_trouble = str(error)
            log.error("alerts: %s; nobody is told before it can be kept", error)

    def _wake_up(self) -> None:
        self._wake.set()


def _without_those_behind(heard: list[_Heard], behind: dict[StreamKey, float]) -> list[_Heard]:
    """What can be judged as it came: of a stream that has a gap, all is read back, since what is judged closes it."""
    for one in heard:
        if one.key in behind and one.points:
            behind[one.key] = min(behind[one.key], *(epoch for epoch, _ in one.points))
    return [one for one in heard if one.key not in behind]


def _has_waiting(firing: Firing) -> bool:
    return any(notice.outcome is Outcome.WAITING for notice in firing.notices)
