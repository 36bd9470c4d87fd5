"""What alerts must know after a restart, in the dashboard's records: states, firings with their notices, silences.

Firings take the place of old ones that are settled, in a fixed number of records, so the history is bounded and
nothing needs to be deleted. A firing is written before its state, and both before anything is sent; a crash between
them works the same points through again and finds the firing by its id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

from mqttbridge.alerting.duty import LEASE
from mqttbridge.alerting.firings import Firing, firing_from_json, firing_to_json, state_from_json, state_to_json
from mqttbridge.alerting.machine import StreamState
from mqttbridge.alerting.matching import StreamKey
from mqttbridge.dashboard.records import Record, Records

log = logging.getLogger(__name__)

RULES: Final = "alert-rule"
_STATES: Final = "alert-state"
_FIRINGS: Final = "alert-firing"
_SILENCES: Final = "alert-silence"
_ALIVE: Final = "alert-alive"
_ONLY: Final = "only"
HISTORY: Final = 1000
"""How many firings are kept."""

States: TypeAlias = dict[StreamKey, StreamState]


@dataclass(frozen=True, slots=True)
class SilencePeriod:
    """Until when nothing is sent for a rule, or for one stream of it. Times are epoch seconds of our clock.

    Attributes:
        bucket, stream: None: every stream of the rule.
    """

    id: str
    rule: str
    bucket: str | None
    stream: str | None
    made: float
    until: float
    comment: str = ""

    def covers(self, firing: Firing) -> bool:
        """Whether it silences this firing, while it lasts."""
        ours = self.stream is None or (self.bucket, self.stream) == (firing.bucket, firing.stream)
        return self.rule == firing.rule and ours


class Ledger:
    """Reads all by `load` and writes through from then on. Used under its owner's lock.

    What comes of watching is written only by who holds the lease for it; rules and silences by everybody.

    Args:
        records: where it is kept.

    Raises:
        StoreError: it cannot be read; from the methods: it cannot be written now, and what is in memory is ahead.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self.firings: dict[str, Firing] = {}
        self.silences: list[SilencePeriod] = []
        self.forgotten = 0
        """Firings that made room before they were over and told, since the start."""
        self._slots: dict[str, int] = {}
        self._free: list[int] = []

    def load(self) -> None:
        """All as it is kept now; what was in memory alone is forgotten."""
        self._load_firings()
        self.load_silences()

    def watch(self, changed: Callable[[], None]) -> None:
        """Be told, on another thread, when other bridges have changed any of it."""
        for kind in (RULES, _STATES, _FIRINGS, _SILENCES):
            self._records.watch(kind, changed)

    def alive(self) -> float | None:
        """When `keep_alive` was last called; None before the first time."""
        kept = self._records.get(_ALIVE, _ONLY)
        return None if kept is None else float(kept.body["at"])

    def keep_alive(self, at: float) -> None:
        """Remember that we listened until now."""
        self._records.put_all(_ALIVE, {_ONLY: {"at": at}}, holding=LEASE)

    # -- rules of the page

    def rules(self) -> list[Record]:
        """The rules made on the page, with their versions."""
        return self._records.all(RULES)

    def put_rule(self, rule: str, body: Mapping[str, object], expected: int | None) -> Record:
        """Write a rule; Conflict unless it replaces the version that is expected."""
        return self._records.put(RULES, rule, body, expected)

    def delete_rule(self, rule: str, expected: int | None) -> bool:
        """Whether there was one; Conflict unless it is the version that is expected."""
        return self._records.delete(RULES, rule, expected)

    # -- states

    def states(self, rule: str, fingerprint: str) -> States:
        """The states of a rule's streams; none where they are those of another condition under its name."""
        kept = self._records.get(_STATES, rule)
        if kept is None or kept.body.get("fingerprint") != fingerprint:
            return {}
        found: States = {}
        for one in kept.body["streams"]:
            try:
                bucket, stream, state = state_from_json(one)
            except (KeyError, TypeError, ValueError):
                log.warning("a state of the alert %r cannot be read and begins anew", rule)
                continue
            found[bucket, stream] = state
        return found

    def save_states(self, rules: Mapping[str, tuple[str, States]]) -> None:
        """Write the states of rules, with the fingerprint of each, in one synced transaction."""
        bodies = {
            rule: {
                "fingerprint": fingerprint,
                "streams": [state_to_json(*key, state) for key, state in states.items()],
            }
            for rule, (fingerprint, states) in rules.items()
        }
        if bodies:
            self._records.put_all(_STATES, bodies, holding=LEASE)

    def forget_states(self, rule: str) -> None:
        """A rule is gone."""
        self._records.drop(_STATES, [rule])

    # -- firings

    def save(self, firings: Iterable[Firing]) -> None:
        """Write firings as they are now, in one synced transaction; new ones among them."""
        bodies = {}
        for firing in firings:
            if firing.id not in self._slots:
                self._slots[firing.id] = self._take_slot()
                self.firings[firing.id] = firing
            bodies[f"{self._slots[firing.id]:04}"] = firing_to_json(firing)
        if bodies:
            self._records.put_all(_FIRINGS, bodies, holding=LEASE)

    def _take_slot(self) -> int:
        if self._free:
            return self._free.pop()
        # In memory they are in the order they were made: the oldest that is settled makes room, or else the oldest.
        # Those that this very save is about to write are there, too, and have no slot to give.
        kept = [one for one in self.firings.values() if one.id in self._slots]
        oldest = next((one for one in kept if one.settled), None)
        if oldest is None:
            oldest = kept[0]
            if self.forgotten % HISTORY == 0:  # a storm of them is said once
                log.warning("more than %d alerts fire or wait to be told: the oldest are forgotten untold", HISTORY)
            self.forgotten += 1
        del self.firings[oldest.id]
        return self._slots.pop(oldest.id)

    def _load_firings(self) -> None:
        found: list[tuple[int, Firing]] = []
        for record in self._records.all(_FIRINGS):
            try:
                found.append((int(record.key), firing_from_json(record.body)))
            except (KeyError, TypeError, ValueError):
                log.warning("a firing in the history cannot be read; it is left out")
        self.firings.clear()  # the engine has this very one
        self._slots = {}
        for slot, firing in sorted(found, key=lambda one: one[1].fired):
            self.firings[firing.id], self._slots[firing.id] = firing, slot
        taken = set(self._slots.values())
        self._free = [slot for slot in range(HISTORY - 1, -1, -1) if slot not in taken]

    # -- silences

    def load_silences(self) -> None:
        """Those that are kept now."""
        kept = []
        for record in self._records.all(_SILENCES):
            try:
                kept.append(SilencePeriod(**record.body))
            except TypeError:
                log.warning("a silence cannot be read; it is left out")
        self.silences = sorted(kept, key=lambda one: one.made)

    def silence(self, one: SilencePeriod) -> None:
        """Write a silence."""
        self._records.put_all(_SILENCES, {one.id: asdict(one)})
        self.silences = [*self.silences, one]

    def unsilence(self, ended: Collection[str]) -> None:
        """Silences that are over, or are to be; by id."""
        if ended:
            self._records.drop(_SILENCES, ended)
        self.silences = [one for one in self.silences if one.id not in ended]
