"""A rule of a format of points applied to a topic: from one payload to the events of many origins.

A point goes the way of a message of its own, through a route of its origin's. A message is taken whole or rejected:
what counters would remember of its points is a draft until the last of them was taken.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, ClassVar, Final

from mqttbridge.events import EventTuple, Reason, Rejected
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.counters import Drafts
from mqttbridge.mapping.room import Room
from mqttbridge.mapping.routes import ROUTE_BYTES, MessageNamedRoute, Route, named_route
from mqttbridge.mapping.series import OpenSeries, without_clashes
from mqttbridge.mapping.unusable import Unusable

# New origins that one message may speak of: a name is worked out for each, at some 15 us.
_MAX_NEW_ORIGINS: Final = 1_000


class SeriesRoute(Route):
    """One rule of a format of points applied to one topic: a route for each origin that the topic speaks of.

    Its `bucket` is empty: each event says its own.
    """

    __slots__ = ("_captured", "_last", "_origins", "_reader", "_series")

    several: ClassVar[bool] = True

    def __init__(
        self, compiled: CompiledRule, series: OpenSeries, topic: bytes, captured: dict[str, str], room: Room
    ) -> None:
        self._last: list[EventTuple] | None = None
        super().__init__(compiled, topic, "", (), room)
        self._series, self._reader = series.series, series
        self._captured = captured
        self._origins: dict[Hashable, Route] = {}

    @property
    def last(self) -> list[EventTuple] | None:
        return self._last

    @last.setter
    def last(self, events: list[EventTuple] | None) -> None:
        # Of a history of thousands of points the latest of each stream is enough to keep.
        self._last = None if events is None else list({event[:2]: event for event in events}.values())

    def apply(self, payload: bytes, arrival: float) -> list[EventTuple] | Rejected:
        """The events of all points of a message, or why it is rejected as a whole; see `Route.apply`."""
        drafts = Drafts()
        try:
            events = self._events(payload, arrival, drafts)
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)
        drafts.settle()
        if self.thinner is not None:
            events.sort(key=_epoch)  # the latest line may come first, and intervals are over in the order of time
        return events

    def fields_by_stream(self) -> dict[tuple[str, str], str]:
        """The fields of all its origins; see `Route.fields_by_stream`."""
        return {
            stream: field
            for origin in self._origins.values()
            for route in origin.named_routes()
            for stream, field in route.fields_by_stream().items()
        }

    def forget_streams(self) -> None:
        """Give the room of the origins and their streams back."""
        for origin, route in self._origins.items():
            route.forget_streams()
            self._room.left += _origin_size(origin)
        self._origins = {}

    def _events(self, payload: bytes, arrival: float, drafts: Drafts) -> list[EventTuple]:
        events: list[EventTuple] = []
        clock, is_named_by_message = self._series.clock, bool(self._compiled.named_by)
        new = 0
        for document, epoch, origin, units in self._reader.read(self._topic, payload):
            route = self._origins.get(origin)
            if route is None:
                new += 1
                if new > _MAX_NEW_ORIGINS:
                    raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {_MAX_NEW_ORIGINS} new series in one message")
                route = self._meet(origin)
            if is_named_by_message:
                route = route.route_for(payload, partial(_the_document, document))
            moment = clock.of_point(epoch, arrival)
            try:
                events += route.events_of(document, payload, moment, arrival, drafts)
            except Unusable as unusable:
                if unusable.reason is not Reason.NO_VALUES:
                    raise
                continue  # a line of empty columns beside full ones
            if route.new_units or units:
                self._take_units(route, units)
        if not events and not (self._series.format.may_be_silent or self._makes_less):
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return without_clashes(events)

    @property
    def _makes_less(self) -> bool:
        """Whether there may be fields and no events, as of the first sample of a counter."""
        return self._values is not None

    def _meet(self, origin: Hashable) -> Route:
        # What the format says goes before what the topic says: a node's death speaks of its devices, too.
        labels = ChainMap(self._series.format.labels(origin), self._captured)
        size = _origin_size(origin)
        room = self._room if (is_kept := self._room.left >= size) else Room(0)
        if self._compiled.named_by:
            route: Route = MessageNamedRoute(self._compiled, self._topic, labels, room)
        else:
            route = named_route(self._compiled, self._topic, labels, room)
        if is_kept:
            self._origins[origin] = route
            self._room.left -= size
        return route

    def _take_units(self, route: Route, units: Mapping[str, str]) -> None:
        """Units that the rule knows, and those that the message itself tells of fields that stay as they are."""
        self.new_units.update(route.new_units)
        route.new_units.clear()
        for field, unit in units.items():
            if self._values is not None and self._values.changes(field):
                continue
            if stream := route.known_stream(field):
                self.new_units[route.bucket, stream] = unit


def _the_document(document: Any, payload: bytes) -> Any:  # noqa: ARG001  # it was parsed with the message
    return document


def _epoch(event: EventTuple) -> float:
    return event[3]


def _origin_size(origin: Hashable) -> int:
    return ROUTE_BYTES + len(str(origin))
