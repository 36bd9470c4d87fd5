"""How streams stand, for whoever looks on: told when it changed, and no more often than it can be worked out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final, TypeAlias

from mqttbridge.alerting.engine import Entry
from mqttbridge.alerting.ledger import SilencePeriod
from mqttbridge.alerting.machine import State, StreamState
from mqttbridge.alerting.matching import StreamKey
from mqttbridge.dashboard.hub import EVERYWHERE

Note: TypeAlias = Callable[[str, str, Any], None]
"""Bucket, name and content, as the live hub takes them."""

NAME: Final = "alerts"
# What changes at once is told at once; after that a pause, of 20 times what working it out costs but at least this.
PAUSE_SECONDS: Final = 0.25
PAUSE_FACTOR: Final = 20
# As many as a page shows of one bucket.
MOST_STREAMS: Final = 5000

WORST_FIRST: Final = {State.FIRING: 0, State.PENDING: 1, State.UNKNOWN: 2, State.OK: 3}
_LEVELS: Final = {"critical": 0, "warning": 1, "info": 2}

Row: TypeAlias = dict[str, Any]


class Standings:
    """What the pages are told. Used under the lock of the alerts.

    Args:
        note: who tells them.
        clock: seconds that only grow.
    """

    def __init__(self, note: Note, clock: Callable[[], float] = time.monotonic) -> None:
        self._note, self._clock = note, clock
        self._changed: set[str] = set()
        self._told: dict[str, list[Row]] = {}
        self._worst: dict[str, Row] = {}
        self._quiet: frozenset[str] = frozenset()
        self._not_before = clock()

    def changed(self, buckets: Iterable[str]) -> None:
        """Something of these is otherwise now."""
        self._changed.update(buckets)

    def wait(self, most: float) -> float:
        """Seconds until something is to be told; `most` when there is nothing."""
        return min(most, max(0.0, self._not_before - self._clock())) if self._changed else most

    def tell(self, entries: Collection[Entry], silences: Iterable[SilencePeriod], now: float) -> None:
        """Tell what changed, once the pause is over: of each bucket how its streams stand, and of all the worst."""
        began = self._clock()
        if began < self._not_before:
            return
        active = [one for one in silences if one.until > now]
        quiet = frozenset(one.id for one in active)
        if quiet != self._quiet:
            self._quiet = quiet
            self.changed(bucket for entry in entries for bucket, _ in entry.states)
        if not self._changed:
            return
        changed, self._changed = self._changed, set()
        found: dict[str, dict[str, Row]] = {bucket: {} for bucket in changed}
        for entry in entries:
            for key, row in _rows(entry, changed, active):
                streams = found[key[0]]
                before = streams.get(key[1])
                if before is None or badness(row) < badness(before):
                    streams[key[1]] = row
        for bucket, streams in found.items():
            self._tell(bucket, sorted(streams.values(), key=badness)[:MOST_STREAMS])
        self._note(EVERYWHERE, NAME, dict(self._worst))
        ended = self._clock()
        self._not_before = ended + max(PAUSE_SECONDS, PAUSE_FACTOR * (ended - began))

    def _tell(self, bucket: str, rows: list[Row]) -> None:
        if rows == self._told.get(bucket, []):
            return  # as when all is read anew, since another bridge watches
        self._note(bucket, NAME, rows or None)
        if rows:
            self._told[bucket], self._worst[bucket] = rows, worst_of(rows)
        else:
            del self._told[bucket], self._worst[bucket]


def badness(row: Row) -> tuple[int, int]:
    """Orders rows, the worst first."""
    return WORST_FIRST[row["state"]], _LEVELS[row["level"]]


def worst_of(rows: Collection[Row]) -> Row:
    """The worst state that is not silenced, and how many streams are in it; of a bucket where all are, that of all."""
    heard = [row for row in rows if not row["silenced"]]
    worst = min(heard or rows, key=badness)
    count = sum(row["state"] == worst["state"] for row in heard or rows)
    return {"state": worst["state"], "level": worst["level"], "silenced": worst["silenced"], "streams": count}


def is_silenced(entry: Entry, key: StreamKey, active: Iterable[SilencePeriod]) -> bool:
    """Whether nobody is told of a stream under a rule, as long as these last."""
    return any(one.rule == entry.id and (one.stream is None or (one.bucket, one.stream) == key) for one in active)


def _rows(entry: Entry, buckets: Collection[str], active: Collection[SilencePeriod]) -> Iterator[tuple[StreamKey, Row]]:
    if not entry.rule.enabled:
        return
    for key, state in entry.states.items():
        if key[0] in buckets:
            yield key, _row(entry, key[1], state, silenced=is_silenced(entry, key, active))


def _row(entry: Entry, stream: str, state: StreamState, *, silenced: bool) -> Row:
    return {
        "stream": stream,
        "rule": entry.id,
        "name": entry.rule.name,
        "level": entry.rule.level,
        "state": state.state,
        "since": state.since,
        "silenced": silenced,
    }
