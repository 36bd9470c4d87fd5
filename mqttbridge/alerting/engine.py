"""The rules at work: states by rule and stream, and the firings that come of them. No thread, no clock, no network.

Used under its owner's lock, but for `watchers`, which any thread may ask.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import itemgetter
from typing import Final, Literal, TypeAlias

from mqttbridge.alerting.firings import About, Firing, Notice, Outcome, firing_id
from mqttbridge.alerting.machine import NEW, State, Step, StreamState, Transition, due, moved, step, tick
from mqttbridge.alerting.matching import Part, StreamKey, Watcher, watchers_of
from mqttbridge.alerting.positions import Pair, Point, join
from mqttbridge.alerting.wording import over_text_of, text_of
from mqttbridge.config.alerts import AlertRuleConfig, PageRule
from mqttbridge.events import Value

log = logging.getLogger(__name__)

MAX_STREAMS: Final = 1000
"""Streams that one rule watches; patterns take what devices name, and they might name without end."""
_MAX_KNOWN: Final = 100_000
PAGE_WEBHOOK: Final = "@webhook"
"""Stands for a rule's own webhook where an action is named; no action may be called so."""

Source: TypeAlias = Literal["config", "page"]


@dataclass(slots=True)
class Entry:
    """One rule and how its streams stand.

    Attributes:
        version: of a rule of the page; 0 for one of the configuration.
        dirty: whether states are ahead of what is kept.
        turned_away: streams that were too many.
    """

    id: str
    rule: AlertRuleConfig
    source: Source
    version: int = 0
    states: dict[StreamKey, StreamState] = field(default_factory=dict)
    pairs: dict[StreamKey, Pair] = field(default_factory=dict)
    dirty: bool = False
    turned_away: set[StreamKey] = field(default_factory=set)

    @property
    def fingerprint(self) -> str:
        """What the states are of: another condition begins anew."""
        watched = self.rule.model_dump_json(include={"bucket", "stream", "when", "for_"})
        return blake2b(watched.encode(), digest_size=8).hexdigest()

    def watches_like(self, other: Entry) -> bool:
        """Whether the states of one are those of the other, too."""
        return self.fingerprint == other.fingerprint and self.rule.enabled and other.rule.enabled

    @property
    def told(self) -> list[str]:
        """Whom it tells: names of actions, and its own webhook."""
        own = isinstance(self.rule, PageRule) and self.rule.webhook is not None
        return [*dict.fromkeys(self.rule.actions), *([PAGE_WEBHOOK] if own else [])]


@dataclass(frozen=True, slots=True)
class _Table:
    """The rules of one moment, and the watchers of streams met since."""

    rules: tuple[tuple[str, AlertRuleConfig], ...]
    known: dict[StreamKey, tuple[Watcher, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Outcomes:
    """What a turn changed: firings to keep before anything is sent, and late values."""

    firings: dict[str, Firing] = field(default_factory=dict)
    fired: int = 0
    late: int = 0


class Engine:
    """Works points and time through the rules.

    Args:
        firings: by id, all that are kept; new ones are for the owner to add.
    """

    def __init__(self, firings: dict[str, Firing]) -> None:
        self._firings = firings
        self.entries: dict[str, Entry] = {}
        self.stirred: set[str] = set()
        """Buckets in which something is otherwise than it was; for the owner to take and clear."""
        self._table = _Table(())

    # -- rules

    def replace(self, entries: Iterable[Entry]) -> None:
        """Watch by these rules, and no others, from now on."""
        for rule in self.entries:
            self._stir(rule)
        self.entries = {entry.id: entry for entry in entries}
        for rule in self.entries:
            self._stir(rule)
        self._renew()

    def put(self, entry: Entry) -> None:
        """Watch by this rule from now on."""
        self._stir(entry.id)
        self.entries[entry.id] = entry
        self._stir(entry.id)
        self._renew()

    def remove(self, rule: str) -> None:
        """Watch by it no more."""
        self._stir(rule)
        self.entries.pop(rule, None)
        self._renew()

    def _stir(self, rule: str) -> None:
        if entry := self.entries.get(rule):
            self.stirred.update(bucket for bucket, _ in entry.states)

    def _renew(self) -> None:
        self._table = _Table(tuple((one.id, one.rule) for one in self.entries.values() if one.rule.enabled))

    @property
    def is_idle(self) -> bool:
        """Whether no rule watches anything."""
        return not self._table.rules

    def watchers(self, key: StreamKey) -> tuple[Watcher, ...]:
        """The rules that a stream's points concern. From any thread: one look into a dict, once it is known."""
        table = self._table
        found = table.known.get(key)
        if found is None:
            if len(table.known) >= _MAX_KNOWN:
                table.known.clear()
            found = table.known[key] = watchers_of(key, table.rules)
        return found

    # -- points and time

    def batch(
        self,
        columns: Iterable[tuple[StreamKey, Sequence[Point]]],
        clock: float,
        made: Outcomes,
        only: Entry | None = None,
    ) -> None:
        """Points of several streams that came together, each stream's in any order; for one rule only, or for all."""
        halves: dict[tuple[str, StreamKey], list[tuple[float, Part, Value]]] = {}
        for key, points in columns:
            for watcher in self.watchers(key):
                entry = self.entries.get(watcher.rule)
                if entry is None or (only is not None and entry is not only):
                    continue
                if watcher.part is Part.VALUE:
                    self._run(entry, key, sorted(points, key=itemgetter(0)), clock, made)
                else:
                    of_pair = halves.setdefault((watcher.rule, watcher.subject), [])
                    of_pair += [(epoch, watcher.part, value) for epoch, value in points]
        for (rule, subject), parts in halves.items():
            entry = self.entries[rule]
            pair, positions = join(entry.pairs.get(subject, Pair()), sorted(parts, key=itemgetter(0)))
            if self.has_room(entry, subject):
                entry.pairs[subject] = pair
                self._run(entry, subject, positions, clock, made)

    def pass_time(self, clock: float, made: Outcomes) -> None:
        """Time passed: what is due by now happens."""
        for entry in self.entries.values():
            if not entry.rule.enabled:
                continue
            late = [key for key, state in entry.states.items() if (at := due(entry.rule, state)) and at <= clock]
            for key in late:
                self._note(entry, key, tick(entry.rule, entry.states[key], clock), clock, made)

    def follow_clock(self, gain: float) -> None:
        """Our clock was set by so many seconds."""
        for entry in self.entries.values():
            entry.states = {key: moved(state, gain) for key, state in entry.states.items()}
            entry.dirty = True

    @property
    def waits(self) -> bool:
        """Whether time alone will change something."""
        return any(
            due(entry.rule, state) is not None for entry in self.entries.values() for state in entry.states.values()
        )

    def close_open(self, rule: str, at: float, why: str, made: Outcomes, key: StreamKey | None = None) -> None:
        """End the open firings of a rule, or of one stream under it, that nothing more can come of; nobody is told."""
        for firing in self._firings.values():
            if firing.rule == rule and firing.over is None and key in (None, (firing.bucket, firing.stream)):
                firing.over, firing.over_text = at, why
                for notice in firing.notices:
                    if notice.outcome is Outcome.WAITING:
                        notice.outcome, notice.detail = Outcome.NEEDLESS, why
                made.firings[firing.id] = firing

    def forget(self, entry: Entry, key: StreamKey, clock: float, made: Outcomes) -> None:
        """Watch a stream no more that there is no more, which makes room for another."""
        self.close_open(entry.id, clock, "the stream is gone", made, key)
        del entry.states[key]
        self.stirred.add(key[0])
        entry.pairs.pop(key, None)
        entry.turned_away.clear()
        entry.dirty = True

    def has_room(self, entry: Entry, key: StreamKey) -> bool:
        """Whether a rule watches this stream, or may begin to."""
        if key in entry.states or len(entry.states) < MAX_STREAMS:
            return True
        if key not in entry.turned_away and len(entry.turned_away) < MAX_STREAMS:
            if not entry.turned_away:
                log.warning("the alert %r takes more than %d streams: those beyond are not watched", entry.rule.name,
                            MAX_STREAMS)  # fmt: skip
            entry.turned_away.add(key)
        return False

    def _run(self, entry: Entry, key: StreamKey, points: Iterable[Point], clock: float, made: Outcomes) -> None:
        if not self.has_room(entry, key):
            return
        for epoch, value in points:
            self._note(entry, key, step(entry.rule, entry.states.get(key, NEW), epoch, value, clock), clock, made)

    def _note(self, entry: Entry, key: StreamKey, step: Step, clock: float, made: Outcomes) -> None:
        if step.late:
            made.late += 1
            return
        if step.transitions or key not in entry.states:
            self.stirred.add(key[0])
        entry.states[key] = step.state
        entry.dirty = True
        for transition in step.transitions:
            if transition.after is State.FIRING:
                self._fire(entry, key, transition, clock, made)
            elif transition.before is State.FIRING:
                self._end(entry, key, transition, clock, made)

    def _fire(self, entry: Entry, key: StreamKey, transition: Transition, clock: float, made: Outcomes) -> None:
        name = firing_id(entry.id, *key, transition.began)
        if name in self._firings or name in made.firings:
            return  # worked through before a crash
        rule, (bucket, stream) = entry.rule, key
        made.firings[name] = self._firings[name] = Firing(
            id=name,
            rule=entry.id,
            name=rule.name,
            level=rule.level,
            bucket=bucket,
            stream=stream,
            began=transition.began,
            fired=transition.at,
            value=transition.value,
            text=text_of(rule, bucket, stream, transition.value),
            over=None,
            over_text="",
            notices=[Notice(action, About.FIRING, made=clock) for action in entry.told],
            tell_when_over=rule.tell_when_over,
            webhook=rule.webhook if isinstance(rule, PageRule) else None,
        )
        made.fired += 1

    def _end(self, entry: Entry, key: StreamKey, transition: Transition, clock: float, made: Outcomes) -> None:
        firing = self._firings.get(firing_id(entry.id, *key, transition.began))
        if firing is None or firing.over is not None:
            return
        state = entry.states[key]
        firing.over, firing.over_value = transition.at, state.value
        firing.over_text = over_text_of(firing, state.value, transition.at)
        if firing.tell_when_over:
            told = [one.action for one in firing.notices if one.about is About.FIRING]
            firing.notices += [Notice(action, About.OVER, made=clock) for action in told]
        made.firings[firing.id] = firing
