"""The part of the spool a destination is working on: which events go next, and how far everything is settled.

Rows come in spool order; each bucket's events wait in a lane of their own, so that batches of one bucket fill up
although buckets alternate on the wire. A lane is settled from its head only, which gives both promises:

1. Order within a stream is kept: an event is never sent before an older one of its lane is settled.
2. `position` is the longest settled prefix. All lanes being settled from their heads, it is the oldest head; where
   a destination thins its events out, it is also before all that an event on its way, or yet to be made, stands for.

After a crash everything behind `position` is sent again: never more than one window, which is bounded. The pure
core holds here: no clock, no socket; times are given.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import repeat
from typing import TYPE_CHECKING, Final, TypeAlias

from mqttbridge.delivery.lane import Lane, approximate_size
from mqttbridge.destinations.base import BatchLimits
from mqttbridge.events import EventTuple, Position

if TYPE_CHECKING:
    from mqttbridge.spool import Row

# Enough to fill batches of some hundred busy buckets, and a few MiB of memory when a destination is down; larger
# only where a configured batch would not fit.
_MIN_EVENTS: Final = 20_000
_MIN_BYTES: Final = 8 * 2**20

# An event of a thinned row: see `Window.add_thinned`.
Pick: TypeAlias = tuple[int, EventTuple, Position]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A batch that may be sent now: the first events of one lane.

    Attributes:
        bucket: whose they are; None where a batch may mix buckets.
        events: in spool order.
        created: when each was committed to the spool, in epoch seconds.
        end: the spool position after the last event; meaningful only where batches mix buckets.
        units: units of streams first met in these rows, only where batches mix buckets.
        rules: the rules that made such streams, likewise.
    """

    bucket: str | None
    events: list[EventTuple]
    created: list[float]
    end: Position
    units: Mapping[tuple[str, str], str]
    rules: Mapping[tuple[str, str], str]
    lane: Lane = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Span:
    """Which indexes of the window are which row's."""

    first: int
    past: int
    row: Row


class Window:
    """See the module's text. Used by one thread.

    Args:
        limits: of a batch.
        one_bucket: whether a batch holds events of one bucket only.
        start: where the destination stands in the spool.
    """

    def __init__(self, limits: BatchLimits, start: Position, *, one_bucket: bool) -> None:
        self._limits, self._one_bucket = limits, one_bucket
        self._max_events = max(_MIN_EVENTS, 2 * limits.max_events)
        self._max_bytes = max(_MIN_BYTES, limits.max_bytes)
        self._lanes: dict[str | None, Lane] = {}
        self._heads: list[tuple[int, Lane]] = []
        """A heap of the lanes by their heads; entries whose head has moved on are skipped when they surface."""
        self._full_lanes: OrderedDict[Lane, None] = OrderedDict()
        """The lanes that could fill a batch, as a line: who was served goes to its end."""
        self._spans: deque[_Span] = deque()
        self._settled = self._past = 0
        """Indexes below the first are settled, the second is the next one to come."""
        self._bytes = 0
        self._reached = start
        """Where the heads of the lanes allow the position to be."""
        self._claims: list[Position] = []
        """A heap of the claims of events on their way; those that were settled are skipped when they surface."""
        self._released: Counter[Position] = Counter()
        self._hold: Position | None = None
        self.position = start
        """Everything before it is settled."""
        self.tail = start
        """Where reading goes on."""

    @property
    def room(self) -> int:
        """How many more events to read now: none until half the window is free, so that reads are worth it."""
        held = self._past - self._settled
        return 0 if self.is_full or held > self._max_events // 2 else self._max_events - held

    @property
    def is_full(self) -> bool:
        return self._past - self._settled >= self._max_events or self._bytes >= self._max_bytes

    def add(self, row: Row) -> None:
        """Take in the row that follows the last one. A row without events only moves the position on."""
        first = self._past
        self._past += len(row.events)
        self._spans.append(_Span(first, self._past, row))
        self.tail = row.end
        if self._one_bucket:
            self._deal(row, first)
        elif row.events:
            lane = self._lane(None, first)
            sizes = list(map(approximate_size, row.events))
            lane.events += row.events
            lane.indexes += range(first, self._past)
            lane.created += repeat(row.created, len(row.events))
            lane.sizes += sizes
            self._grew(lane, sum(sizes))
        self._advance()

    def add_thinned(self, row: Row, passed: Sequence[Pick], hold: Position | None) -> None:
        """Take in a row of which these events are to be sent: its own, or some that stand for it and rows before.

        `Parcel.end` means nothing then: only `position` knows what events stand for.

        Args:
            row: the next one; or one without events that begins and ends at `tail`, for events that come by time.
            passed: index in the row, event, and where the first event stands that it stands for; in order.
            hold: the position stays before this, since events from there on are still to be thinned out.
        """
        first = self._past
        self._past += max(len(row.events), 1 if passed else 0)
        self._spans.append(_Span(first, self._past, replace(row, events=[])))
        self.tail = row.end
        self._hold = hold
        for index, event, claim in passed:
            lane = self._lane(event[0] if self._one_bucket else None, first + index)
            size = approximate_size(event)
            lane.events.append(event)
            lane.indexes.append(first + index)
            lane.created.append(row.created)
            lane.sizes.append(size)
            lane.claims.append(claim)
            heappush(self._claims, claim)
            self._grew(lane, size)
        self._advance()

    def _deal(self, row: Row, first: int) -> None:
        """Put each event into its bucket's lane."""
        lanes, created = self._lanes, row.created
        for index, event in enumerate(row.events, first):
            lane = lanes.get(event[0]) or self._lane(event[0], index)
            size = approximate_size(event)
            lane.events.append(event)
            lane.indexes.append(index)
            lane.created.append(created)
            lane.sizes.append(size)
            self._grew(lane, size)

    def _lane(self, bucket: str | None, index: int) -> Lane:
        """The bucket's lane; a new one gets `index` as its head."""
        lane = self._lanes.get(bucket)
        if lane is None:
            lane = self._lanes[bucket] = Lane(bucket)
            heappush(self._heads, (index, lane))
        return lane

    def _grew(self, lane: Lane, size: int) -> None:
        lane.bytes += size
        self._bytes += size
        if lane.is_full(self._limits):
            self._full_lanes.setdefault(lane)

    def next(self, now: float, *, flush: bool = False) -> Parcel | None:
        """The parcel to send now, or None while what there is may still wait for company.

        The lane with the oldest event comes first once that has waited `max_wait` (or everything has to go, or
        no more company fits in); before that, lanes that are full, in the order they became so.

        Args:
            now: epoch seconds, as the rows' `created`.
            flush: whether to wait no longer.
        """
        if not self._heads:
            return None
        if flush or self.is_full or self.due_in(now) == 0:
            return self._parcel(self._heads[0][1])
        full = next(iter(self._full_lanes), None)
        return None if full is None else self._parcel(full)

    def due_in(self, now: float) -> float | None:
        """Seconds until the oldest event has waited long enough; None when there is none."""
        if not self._heads:
            return None
        age = now - self._spans[0].row.created
        # Younger than now is possible when the clock was set back; nothing waits for a clock to catch up.
        return max(0.0, self._limits.max_wait - age) if age >= 0 else 0.0

    def _parcel(self, lane: Lane) -> Parcel:
        count = lane.next_size(self._limits)
        past = lane.indexes[count - 1] + 1
        units: dict[tuple[str, str], str] = {}
        rules: dict[tuple[str, str], str] = {}
        end = self.tail
        if not self._one_bucket:
            for span in self._spans:
                units |= span.row.units
                rules |= span.row.rules
                if span.past >= past:
                    end = _position(span, past)
                    break
        return Parcel(lane.bucket, lane.events[:count], lane.created[:count], end, units, rules, lane)

    def settle(self, parcel: Parcel) -> None:
        """Forget a parcel whose events were all accepted or rejected."""
        lane = parcel.lane
        if lane.pieces:
            lane.pieces.pop()
        self._released.update(lane.claims[: len(parcel.events)])
        self._bytes -= lane.drop(len(parcel.events))
        self._full_lanes.pop(lane, None)
        if lane.is_full(self._limits):
            self._full_lanes[lane] = None
        if lane.events:
            heappush(self._heads, (lane.indexes[0], lane))
        else:
            del self._lanes[lane.bucket]
        self._advance()

    def halve(self, parcel: Parcel) -> None:
        """Next time send the first half of a refused parcel of two or more, then the second."""
        lane, count = parcel.lane, len(parcel.events)
        if lane.pieces:
            lane.pieces.pop()
        lane.pieces += [count - count // 2, count // 2]
        self._grew(lane, 0)

    def _advance(self) -> None:
        """Move the position up to the oldest unsettled event."""
        heads = self._heads
        while heads and not heads[0][1].begins_at(heads[0][0]):
            heappop(heads)
        self._settled = heads[0][0] if heads else self._past
        while self._spans and self._spans[0].past <= self._settled:
            self._reached = self._spans.popleft().row.end
        if self._spans:
            self._reached = _position(self._spans[0], self._settled)
        self.position = self._reached if self._hold is None else min(self._reached, self._hold)
        claims, released = self._claims, self._released
        while claims and released[claims[0]]:
            released[claims[0]] -= 1
            if not released[claims[0]]:
                del released[claims[0]]
            heappop(claims)
        if claims and claims[0] < self.position:
            self.position = claims[0]

    def __len__(self) -> int:
        """How many events are not settled yet."""
        return sum(len(lane.events) for lane in self._lanes.values())


def _position(span: _Span, index: int) -> Position:
    """The spool position before the event of this index."""
    if index >= span.past:
        return span.row.end
    return Position(span.row.start.seq, span.row.start.offset + index - span.first)
