"""Alerts as a whole: points come in from the store's commits, one thread evaluates them, keeps and tells.

What holds: a firing is on disk before anybody is told of it; points that were stored and not evaluated, because of a
crash or of a load that evaluation could not follow, are read back from the store. So nothing is missed, and the ids of
firings see to it that nothing is made twice.

Of several bridges over one database one does all this (duty.py); the others show what it has kept.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from mqttbridge.alerting.actions import Publish, Result
from mqttbridge.alerting.backlog import Backlog
from mqttbridge.alerting.dispatcher import Dispatcher, settle_notice
from mqttbridge.alerting.duty import Duty
from mqttbridge.alerting.engine import Engine, Entry, Outcomes
from mqttbridge.alerting.firings import Firing, Notice, Outcome
from mqttbridge.alerting.inbox import Heard, Inbox
from mqttbridge.alerting.ledger import Ledger
from mqttbridge.alerting.machine import restarted
from mqttbridge.alerting.matching import StreamKey
from mqttbridge.alerting.rules import config_id, entry_of
from mqttbridge.alerting.standings import Note, Standings
from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.dashboard.records import LEASES, Records
from mqttbridge.dashboard.store import Column, Store
from mqttbridge.errors import StoreError
from mqttbridge.metrics import Metrics

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
# States that only moved on in time are written this often: after a crash their points are read back anyway.
SAVE_SECONDS: Final = 30.0
# How long a silence that is being counted may lose by a crash.
ALIVE_SECONDS: Final = 60.0
# A clock that gains or loses more than this on the monotonic one was set.
CLOCK_WAS_SET: Final = 60.0
# A stream that the store has no more and that was not heard for so long is gone.
GONE_SECONDS: Final = 600.0


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
        monotonic: seconds that nobody sets.

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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self.clock, self._monotonic = config, clock, monotonic
        self.store, self._metrics = store, metrics
        self.lock = threading.RLock()
        """Held by whoever reads or changes what follows."""
        self.ledger = Ledger(records)
        self.engine = Engine(self.ledger.firings)
        self.standings = Standings(note)
        self.dispatcher = Dispatcher(config, self._settled, self._wake_up, publish)
        self._backlog = Backlog(store, self.engine, clock)
        self._duty = Duty(records, wanted=config.evaluate)
        self._watching = False  # from the moment on in which it is ours: what comes must not be missed
        self._taken_up_in: int | None = None  # which term of ours; 0: only to look on
        self._unkept: dict[str, Firing] = {}
        self._waiting: dict[str, Firing] = {}
        self._forgotten = 0
        self._inbox = Inbox()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._changed_elsewhere, self._missed_some = threading.Event(), threading.Event()
        self.ledger.watch(self._note_change)
        records.watch(LEASES, self._note_release)
        self._saved = self._alive = self._passed = self._looked = self._clock_ahead = 0.0
        self._store_trouble = ""
        metrics.alerts_firing.set(lambda: float(sum(one.over is None for one in list(self.ledger.firings.values()))))
        metrics.alerts_on_duty.set(lambda: float(self._on_duty))
        metrics.alert_notices_waiting.set(lambda: float(len(self._waiting)))

    # -- life

    def recall(self) -> None:
        """Take up the rules and where they stood, and evaluate what was stored since. Before the first `observe`.

        Raises:
            StoreError: what is kept, or the store, cannot be read.
        """
        with self.lock:
            self._begin_in(self._duty.ask())
            self._say_how_it_stands(self.clock())

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
        """End what is being told, and leave the rest to others; after `run`."""
        self.dispatcher.stop()
        with self.lock, suppress(StoreError):
            if self._on_duty:
                self.ledger.save(self._unkept.values())
            self._duty.end()

    # -- whose it is to watch

    @property
    def _on_duty(self) -> bool:
        """Whether it is ours to evaluate, to keep and to tell, and all is taken up for it."""
        return bool(self._taken_up_in)

    def _begin_in(self, term: int) -> None:
        """Take up all as it is kept; and to watch, evaluate what was stored since. Under the lock."""
        watching = term > 0
        self._watching, self._taken_up_in = watching, None
        self._unkept, self._waiting = {}, {}
        self.ledger.load()
        now, alive = self.clock(), self.ledger.alive()
        self._clock_ahead = now - self._monotonic()
        entries = [Entry(config_id(rule.name), rule, "config") for rule in self.config.rules]
        entries += [entry for record in self.ledger.rules() if (entry := entry_of(record)) is not None]
        for entry in entries:
            entry.states = self.ledger.states(entry.id, entry.fingerprint)
            if watching:
                entry.states = {key: restarted(state, alive or now, now) for key, state in entry.states.items()}
        self.engine.replace(entries)
        self._looked = now
        if watching:
            self._go_on(now, alive)
        self._taken_up_in = term

    def _go_on(self, now: float, alive: float | None) -> None:
        """From where it stood when somebody last watched."""
        made = Outcomes()
        for firing in list(self.ledger.firings.values()):
            if _has_waiting(firing):
                self._waiting[firing.id] = firing
            if firing.over is None and not self._still_fires(firing):
                self.engine.close_open(firing.rule, now, "the rule is gone or is another one now", made)
        # States are kept every half minute: a stream that came after the last time has none.
        before_the_end = None if alive is None else alive - 2 * SAVE_SECONDS
        self._backlog.catch_up(self.engine.entries.values(), lambda _: before_the_end, made)
        self._keep(made)

    def _see_whose_it_is(self, now: float) -> None:
        """Take over where nobody watches any more, step aside where another does, and hear what others changed."""
        try:
            term = self._duty.ask()
            if term != self._taken_up_in:
                self._begin_in(term)
                log.info("alerts are evaluated %s", "here from now on" if term else "by another bridge")
            elif self._changed_elsewhere.is_set() and (term or _is_due(self._looked, TICK_SECONDS, now)):
                self.take_rules()
        except StoreError as error:
            self._note_trouble(error)

    def take_rules(self) -> None:
        """The rules of the page and the silences as they are kept now, whoever changed them. Under the lock.

        Raises:
            StoreError: they cannot be read now; it is tried again.
        """
        self._changed_elsewhere.clear()
        try:
            if self._on_duty:
                self._compare_rules()
            else:
                self._begin_in(0)
        except StoreError:
            self._changed_elsewhere.set()
            raise
        self._wake_up()

    def _compare_rules(self) -> None:
        self.ledger.load_silences()
        made, now = Outcomes(), self.clock()
        kept = {entry.id: entry for record in self.ledger.rules() if (entry := entry_of(record)) is not None}
        known = {entry.id: entry for entry in self.engine.entries.values() if entry.source == "page"}
        for gone in known.keys() - kept.keys():
            self.ledger.forget_states(gone)
            self.engine.remove(gone)
            self.engine.close_open(gone, now, "the rule was removed", made)
        for entry in kept.values():
            before = known.get(entry.id)
            if before is not None and before.version == entry.version:
                continue
            if before is not None and before.watches_like(entry):
                entry.states, entry.pairs, entry.dirty = before.states, before.pairs, before.dirty
            elif before is not None:
                self.engine.close_open(entry.id, now, "the rule was changed", made)
            self._adopt(entry, made)
        self._keep(made)
        self._tell(now)

    def _adopt(self, entry: Entry, made: Outcomes) -> None:
        """Watch by a rule that is new or changed: from the last values of its streams on."""
        self.engine.put(entry)
        try:
            self._backlog.catch_up([entry], lambda _: None, made)
        except StoreError as error:
            self._note_trouble(error)

    def _note_change(self) -> None:
        self._changed_elsewhere.set()
        self._wake.set()

    def _note_release(self) -> None:
        self._duty.doubt()
        self._wake.set()

    # -- points

    def observe(self, columns: Mapping[StreamKey, Column]) -> None:
        """Points were committed. Called on the thread that stores: takes what is watched, and returns."""
        if not self._watching or self.engine.is_idle:
            return
        heard = [
            Heard(key, list(zip(column.epochs, column.values, strict=True)))
            for key, column in columns.items()
            if self.engine.watchers(key)
        ]
        if heard:
            self._inbox.put(heard)
            self._wake.set()

    def missed(self) -> None:
        """Points may have been committed that were not told to `observe`. From any thread."""
        self._missed_some.set()
        self._wake.set()

    def turn(self) -> None:
        """One turn of the loop: what came, what is due, what can be told."""
        heard, behind = self._inbox.take()
        with self.lock:
            made, now = Outcomes(), self.clock()
            self._see_whose_it_is(now)
            if not self._on_duty:
                self._say_how_it_stands(now)
                return
            self._follow_clock(now)
            self.engine.batch(((one.key, one.points) for one in heard), now, made)
            if behind:
                self._read_back(behind, made)
            if self._missed_some.is_set():
                self._read_back_all(now, made)
            if _is_due(self._passed, TICK_SECONDS, now):  # it asks every state, and turns may come by the dozen
                self._passed = now
                self.engine.pass_time(now, made)
            if _is_due(self._saved, SAVE_SECONDS, now):
                self._forget_gone(now, made)
            self._keep(made)
            self._save_when_due(now)
            self._tell(now)
            self._say_how_it_stands(now)

    def _follow_clock(self, now: float) -> None:
        """Where our clock was set, nothing was silent, and nobody waited to be told, for as long as it gained."""
        ahead = now - self._monotonic()
        if abs(gain := ahead - self._clock_ahead) > CLOCK_WAS_SET:
            self.engine.follow_clock(gain)
            for firing in self._waiting.values():
                for notice in firing.notices:
                    notice.made += gain
        self._clock_ahead = ahead

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
            entries = [self.engine.entries[rule] for rule in rules if rule in self.engine.entries]
            self._backlog.catch_up(entries, keys.get, made)
        except StoreError as error:
            self._note_trouble(error)
            self._inbox.fall_behind(keys.items())

    def _read_back_all(self, now: float, made: Outcomes) -> None:
        self._missed_some.clear()
        try:
            self._backlog.catch_up(self.engine.entries.values(), lambda _: now - 2 * SAVE_SECONDS, made)
        except StoreError as error:
            self._missed_some.set()
            self._note_trouble(error)

    def forget_bucket(self, bucket: str) -> None:
        """Let go of the streams of a bucket that is gone; under the lock. Who is not on duty has nothing to let go."""
        if not self._on_duty:
            return
        now, made = self.clock(), Outcomes()
        for entry in self.engine.entries.values():
            for key in [key for key in entry.states if key[0] == bucket]:
                self.engine.forget(entry, key, now, made)
        self._keep(made)
        self._tell(now)

    # -- keeping and telling

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
        self._count_forgotten()

    def _count_forgotten(self) -> None:
        """Those that the ledger let go, so that nothing is told of them either."""
        if fresh := self.ledger.forgotten - self._forgotten:
            self._forgotten += fresh
            self._metrics.alerts_forgotten.add(fresh)
            self._waiting = {name: one for name, one in self._waiting.items() if name in self.ledger.firings}

    def _tell(self, now: float) -> None:
        """Only of what is kept, and only while nobody else can be at it."""
        if not self._duty.is_sure:
            return
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
            if not self._on_duty:
                return  # who watches now tells it again, under the same key
            settle_notice(notice, result, self.clock())
            self._count(notice)
            self._unkept[firing.id] = firing
            self._keep(Outcomes())
            self.standings.changed([firing.bucket])

    def _count(self, notice: Notice) -> None:
        outcome = "failed" if notice.outcome is Outcome.WAITING else notice.outcome.value
        self._metrics.alert_notices.add(action=notice.action, outcome=outcome)

    def _save_when_due(self, now: float) -> None:
        if self._unkept or _is_due(self._saved, SAVE_SECONDS, now):
            self._saved = now
            self._save(now)

    def _save(self, now: float) -> None:
        with self.lock:
            if not self._on_duty:
                return
            self._keep(Outcomes())
            dirty = [entry for entry in self.engine.entries.values() if entry.dirty]
            try:
                self._save_states(dirty)
                due = self.engine.waits and _is_due(self._alive, ALIVE_SECONDS, now)
                if dirty or due or self._stop.is_set():
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
        self._duty.doubt()  # it may be that another took over
        if str(error) != self._store_trouble:
            self._store_trouble = str(error)
            log.error("alerts: %s; nobody is told before it can be kept", error)

    def _wake_up(self) -> None:
        self._wake.set()


def _is_due(last: float, seconds: float, now: float) -> bool:
    """Whether something was done so long ago; by a clock that was set back, too."""
    return not 0 <= now - last < seconds


def _has_waiting(firing: Firing) -> bool:
    return any(notice.outcome is Outcome.WAITING for notice in firing.notices)
