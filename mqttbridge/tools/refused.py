"""Rejected messages sent through the rules again, and purged: the same whether the bridge runs or not.

Once: a message leaves the rejected in the transaction that stores its events (`Spool.settle_rejected`). What the
rules still refuse stays where it is. The spool has one writer, so this works with the `Spool` of whoever holds the
data directory: the running bridge, asked over HTTP, or the command itself while no bridge runs.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_NAME_CHARS, Batch, EventTuple, Reason, Rejected
from mqttbridge.mapping import Route, Rulebook
from mqttbridge.spool import RejectedRow, Spool
from mqttbridge.spool.inspection import RejectedQuery, SpoolInspector
from mqttbridge.spool.rejected import MAX_PAYLOAD_BYTES

# Rows and events of one transaction: the ingest loop waits for the spool no longer than for a commit of its own.
_ROWS_A_COMMIT: Final = 200
_EVENTS_A_COMMIT: Final = 20_000
# Rows that one call looks at; whoever wants more calls again from `last_id` on.
MAX_ROWS: Final = 2_000

# What `dashboard/events/pushed.py` has in place of a rule's name.
_PUSHED: Final = "Events API"

CUT: Final = "only the beginning of the payload was kept"
UNMATCHED: Final = "no rule takes its topic now"
NOT_A_MESSAGE: Final = "it was pushed over HTTP and is no message"
NO_DESTINATION: Final = "its destination is not configured now"
DAMAGED: Final = "what was kept is no event"


@dataclass(slots=True)
class Replayed:
    """What a replay came to.

    Attributes:
        looked_at: rows that were meant, up to the limit.
        accepted: rows whose events are in the spool now.
        still_rejected: rows that the rules refuse still, by reason.
        left: rows that cannot be replayed, by why not.
        last_id: the last row looked at; 0 when there was none.
    """

    looked_at: int = 0
    accepted: int = 0
    events: int = 0
    still_rejected: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    last_id: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "looked_at": self.looked_at,
            "accepted": self.accepted,
            "events": self.events,
            "still_rejected": dict(self.still_rejected),
            "left": dict(self.left),
            "last_id": self.last_id,
        }


@dataclass(slots=True)
class _Commit:
    """What goes into one transaction: rows to forget, and events by destinations."""

    ids: list[int] = field(default_factory=list)
    events: dict[tuple[str, ...], list[EventTuple]] = field(default_factory=dict)
    units: dict[tuple[str, str], str] = field(default_factory=dict)
    rules: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.events.values()))

    def batches(self) -> list[Batch]:
        return [Batch(events, to, self.units, self.rules) for to, events in self.events.items() if events]


class Refused:
    """The rejected messages of one spool, to be replayed and purged; safe to call from any thread.

    Args:
        spool: the data directory's writer.
        rules: makes the rules to go by, when they are needed first.
        destinations: names of those that are configured.
    """

    def __init__(self, spool: Spool, rules: Callable[[], Rulebook], destinations: Collection[str]) -> None:
        self._spool, self._rules, self._destinations = spool, rules, frozenset(destinations)
        self._one_at_a_time = threading.Lock()

    def replay(self, query: RejectedQuery) -> Replayed:
        """Send messages through the rules again; the oldest first, at most MAX_ROWS.

        Raises:
            SpoolError: the spool cannot take the events now; what was replayed before that stays so.
            InvalidFilter: `query.topic` is no topic filter.
        """
        with self._one_at_a_time:
            done, commit, book = Replayed(), _Commit(), self._rules()
            for row in self._meant(query):
                done.looked_at += 1
                done.last_id = row.id
                self._replay(book, row, commit, done)
                if len(commit.ids) >= _ROWS_A_COMMIT or commit.size >= _EVENTS_A_COMMIT:
                    commit = self._settle(commit, done)
            self._settle(commit, done)
            return done

    def purge(self, query: RejectedQuery) -> Replayed:
        """Forget rejected messages, the oldest first, at most MAX_ROWS. `accepted` counts them.

        Raises:
            SpoolError, InvalidFilter: as `replay`.
        """
        with self._one_at_a_time:
            rows = self._meant(query)
            done = Replayed(looked_at=len(rows), last_id=rows[-1].id if rows else 0)
            self._settle(_Commit([row.id for row in rows]), done)
            return done

    def _meant(self, query: RejectedQuery) -> Sequence[RejectedRow]:
        """The rows, read at once: a reader that stays open would keep the file from shrinking."""
        bounded = RejectedQuery(
            query.ids, query.reason, query.rule, query.topic, query.since, query.after_id,
            min(query.limit, MAX_ROWS), newest_first=False,
        )  # fmt: skip
        with SpoolInspector(self._spool.path) as inspector:
            return list(inspector.rejected(bounded))

    def _settle(self, commit: _Commit, done: Replayed) -> _Commit:
        if commit.ids:
            self._spool.settle_rejected(commit.ids, commit.batches())
            done.accepted += len(commit.ids)
            done.events += commit.size
        return _Commit()

    def _replay(self, book: Rulebook, row: RejectedRow, commit: _Commit, done: Replayed) -> None:
        if row.destination:
            self._send_again(row, commit, done)
        elif row.rule == _PUSHED:
            done.left[NOT_A_MESSAGE] += 1
        elif row.reason == Reason.PAYLOAD_TOO_LARGE or len(row.payload) >= MAX_PAYLOAD_BYTES:
            done.left[CUT] += 1
        else:
            self._map_again(book, row, commit, done)

    def _map_again(self, book: Rulebook, row: RejectedRow, commit: _Commit, done: Replayed) -> None:
        # As a message that comes now but for its time: what the rules read from the payload is held against the
        # arrival of then.
        routes = book.routes(row.topic.encode())
        if isinstance(routes, Rejected):
            done.still_rejected[str(routes.reason)] += 1
            return
        if not routes:
            done.left[UNMATCHED] += 1
            return
        mapped: list[tuple[Route, list[EventTuple]]] = []
        # What other rules made of the message is stored already, as long as the one that refused it is still there.
        for route in [route for route in routes if route.rule == row.rule] or routes:
            result = route.apply(row.payload, row.at)
            if isinstance(result, Rejected):
                done.still_rejected[str(result.reason)] += 1
                return
            mapped.append((route, result))
        commit.ids.append(row.id)
        for route, events in mapped:
            commit.events.setdefault(route.to, []).extend(events)
            commit.units |= {stream: unit for stream, unit in route.new_units.items() if unit}
            if route.compiled.tells_streams:
                commit.rules |= dict.fromkeys(route.new_units, route.rule)
            route.new_units = {}

    def _send_again(self, row: RejectedRow, commit: _Commit, done: Replayed) -> None:
        """An event that a destination refused goes to that destination again."""
        if row.destination not in self._destinations:
            done.left[NO_DESTINATION] += 1
            return
        event = _event(row.payload)
        if event is None:
            done.left[DAMAGED] += 1
            return
        commit.ids.append(row.id)
        commit.events.setdefault((row.destination,), []).append(event)


def _event(payload: bytes) -> EventTuple | None:
    """The event that the uploader wrote down when a destination refused it."""
    try:
        kept = from_json(payload, allow_inf_nan=False)
        bucket, stream, value, epoch = (kept[key] for key in ("bucket", "stream", "value", "epoch"))
    except (ValueError, TypeError, KeyError):
        return None
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_NAME_CHARS for name in (bucket, stream)):
        return None
    if isinstance(epoch, bool) or not isinstance(epoch, int | float) or not isinstance(value, float | int | bool | str):
        return None
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return None
    return bucket, stream, value, float(epoch)
