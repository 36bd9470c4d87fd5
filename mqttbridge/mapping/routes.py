"""A rule applied to a topic: from a payload to events.

What is made of a message is worked out anew, what it is called is not: the streams' names are kept from one message
to the next, and so are the running totals of counters.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from itertools import islice
from sys import intern
from typing import Any, ClassVar, Final

from mqttbridge.events import EventTuple, Rejected
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.counters import Counters, Draft, Drafts
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.message_names import values_of
from mqttbridge.mapping.payload import Parser
from mqttbridge.mapping.room import Room
from mqttbridge.mapping.tally import UNCOUNTED
from mqttbridge.mapping.templates import checked_name
from mqttbridge.mapping.thinner import Thinner
from mqttbridge.mapping.unusable import Unusable

# What CPython 3.11 takes, beside the texts themselves (benchmarks/mapping_micro.py measures it); a stream's
# share of the route's last events is counted with it.
TOPIC_BYTES: Final = 160
ROUTE_BYTES: Final = 320
_STREAM_BYTES: Final = 200


class Route:
    """One rule applied to one topic.

    Attributes:
        rule: the rule's name.
        to: names of destinations; empty means every one.
        bucket: name of the bucket.
        new_units: units of streams met first, by (bucket, stream); the ingest loop takes and clears it. Where rules
            say how long their streams are kept, or a device what it measures, streams without a unit are among them,
            with an empty one.
        last: the last events of its streams, owned by the ingest loop.
        saved: what of `last` is on disk, likewise.
        named_by: what in the message its names were made of, if anything.
        thinner: of the rule, where that thins its streams out; for what `apply` makes, once it is to be stored.
        tally: of the rule, for the ingest loop to count in.
        several: whether a message may have several events of one stream, in buckets of their own.
    """

    several: ClassVar[bool] = False

    __slots__ = (
        "_at_once", "_compiled", "_counters", "_pieces", "_room", "_streams", "_topic", "_values",
        "bucket", "last", "named_by", "new_units", "rule", "saved", "tally", "thinner", "to",
    )  # fmt: skip

    def __init__(self, compiled: CompiledRule, topic: bytes, bucket: str, pieces: tuple[str, ...], room: Room) -> None:
        self._compiled = compiled
        self._values = compiled.values if compiled.values is not None and not compiled.values.is_plain else None
        self._counters = None
        if self._values is not None:
            # Bucket and stream, since one topic may speak of many origins.
            self._counters = Counters(room, "\n".join(("counters", compiled.name, topic.decode(), bucket, *pieces)))
        self._at_once = compiled.read_at_once if self._values is None else None
        self._topic = topic
        self._pieces = pieces
        self._room = room
        self._streams: dict[str, str] = {}
        self.rule = compiled.name
        self.to = compiled.to
        self.bucket = bucket
        self.new_units: dict[tuple[str, str], str] = {}
        self.last: list[EventTuple] | None = None
        self.saved: list[EventTuple] | None = None
        self.named_by: tuple[str, ...] = ()
        self.thinner: Thinner[None] | None = None
        self.tally = UNCOUNTED

    @property
    def compiled(self) -> CompiledRule:
        """The rule itself: not always one of the configuration, since devices may announce theirs."""
        return self._compiled

    @property
    def topic(self) -> str:
        """The topic, as text."""
        return self._topic.decode()

    def apply(self, payload: bytes, arrival: float) -> list[EventTuple] | Rejected:
        """The events of one message, or why it is rejected as a whole.

        Args:
            payload: as it came; any bytes.
            arrival: epoch seconds; the events' time unless the rule reads one from the payload.
        """
        bucket, streams = self.bucket, self._streams
        if self._at_once is not None and (plain := self._at_once(payload)):
            try:
                return [(bucket, streams[field], value, arrival) for field, value in plain.items()]
            except KeyError:
                pass  # a stream is met first
        try:
            fields, epoch = self._compiled.read(payload, arrival)
            if self._values is not None and self._counters is not None:
                fields = self._values.apply(fields, epoch, arrival, self._counters)
            try:
                return [(bucket, streams[field], value, epoch) for field, value in fields.items()]
            except KeyError:
                streams = self._name(fields)
                return [(bucket, streams[field], value, epoch) for field, value in fields.items()]
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)

    def events_of(
        self, document: Any, payload: bytes, moment: float, arrival: float, drafts: Drafts
    ) -> list[EventTuple]:
        """The events of one of the points of a message.

        Args:
            document: the point's.
            payload: the message's.
            moment: the point's time, unless the rule reads one from its document, in epoch seconds.
            arrival: the message's.
            drafts: what counters are to remember, should the whole message be taken.

        Raises:
            Unusable: the point cannot be taken; of reason `NO_VALUES` where there is nothing in it.
        """
        fields, epoch = self._compiled.read_document(document, payload, moment)
        if self._values is not None and self._counters is not None:
            fields = self._values.apply(fields, epoch, arrival, drafts.of(self._counters))
        streams = self._streams
        if not fields.keys() <= streams.keys():
            streams = self._name(fields)
        return [(self.bucket, streams[field], value, epoch) for field, value in fields.items()]

    def route_for(self, payload: bytes, parse: Parser) -> Route:  # noqa: ARG002  # other routes ask the message
        """The route with the names of this message's: itself, unless its names come from the messages.

        Args:
            payload: the message.
            parse: makes its document, or that of the point at hand.

        Raises:
            Unusable: no names can be made of the message.
        """
        return self

    def fields_by_stream(self) -> dict[tuple[str, str], str]:
        """Which field goes to which stream, by (bucket, stream), as far as met."""
        return {(self.bucket, stream): field for field, stream in self._streams.items()}

    def known_stream(self, field: str) -> str:
        """Name of a field's stream, empty unless it was met before."""
        return self._streams.get(field, "")

    def named_routes(self) -> Iterable[Route]:
        """The routes with names of their own: itself, unless its names come from the messages."""
        return (self,)

    def forget_streams(self) -> None:
        """Give the room of the streams' names and counters back."""
        self._room.left += sum(_stream_size(field, stream) for field, stream in self._streams.items())
        self._streams = {}
        if self._counters is not None:
            self._counters.forget()

    def _name(self, fields: Fields) -> dict[str, str]:
        """Streams of all these fields; those that are new are kept while there is room."""
        names: dict[str, str] = {}
        for field in fields:
            stream = self._streams.get(field)
            if stream is None:
                stream = checked_name(self._compiled.stream_of(field, self._pieces), "a stream's name")
                unit = self._compiled.unit_of(field)
                if unit or self._compiled.tells_streams or field in self._compiled.device_classes:
                    self.new_units[self.bucket, stream] = unit
                if self._room.left > 0:
                    self._streams[field] = stream
                    self._room.left -= _stream_size(field, stream)
            names[field] = stream
        return names


class PointsRoute(Route):
    """A rule applied to a topic, whose messages hold points of several times."""

    __slots__ = ()

    def apply(self, payload: bytes, arrival: float) -> list[EventTuple] | Rejected:
        """As `Route.apply`; the events come in the order of time."""
        events: list[EventTuple] = []
        bucket, values = self.bucket, self._values
        draft = Draft(self._counters) if self._counters is not None else None
        try:
            for read, epoch in self._compiled.read_points(payload, arrival):
                fields = read
                if values is not None and draft is not None:
                    fields = values.apply(read, epoch, arrival, draft)
                streams = self._streams
                if not fields.keys() <= streams.keys():
                    streams = self._name(fields)
                events += [(bucket, streams[field], value, epoch) for field, value in fields.items()]
            if draft is not None:
                draft.settle()
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)
        return events


class MessageNamedRoute(Route):
    """A rule applied to a topic, whose bucket or streams are named by something in each message.

    For each value of that there is a plain route with counters of its own, kept while there is room: values come from
    the network. What the ingest loop keeps with a route, it keeps with the one that the last message took; the thinner
    is the rule's, and so this one's.
    """

    __slots__ = ("_captured", "_routes", "_taken")

    def __init__(self, compiled: CompiledRule, topic: bytes, captured: MutableMapping[str, str], room: Room) -> None:
        self._captured = captured
        self._routes: dict[tuple[str, ...], Route] = {}
        self._taken = Route(compiled, topic, "", (), room)  # a stand-in until the first message
        super().__init__(compiled, topic, "", (), room)

    @property
    def new_units(self) -> dict[tuple[str, str], str]:
        return self._taken.new_units

    @new_units.setter
    def new_units(self, units: dict[tuple[str, str], str]) -> None:
        self._taken.new_units = units

    @property
    def last(self) -> list[EventTuple] | None:
        return self._taken.last

    @last.setter
    def last(self, events: list[EventTuple] | None) -> None:
        self._taken.last = events

    @property
    def named_by(self) -> tuple[str, ...]:
        return self._taken.named_by

    @named_by.setter
    def named_by(self, values: tuple[str, ...]) -> None:
        self._taken.named_by = values

    def apply(self, payload: bytes, arrival: float) -> list[EventTuple] | Rejected:
        """As `Route.apply`; which bucket and streams it is about is in the message."""
        try:
            self._taken = self.route_for(payload, self._compiled.parse)
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)
        return self._taken.apply(payload, arrival)

    def named_routes(self) -> Iterable[Route]:
        """The routes for all that was met in messages."""
        return self._routes.values()

    def forget_streams(self) -> None:
        """Give the room of all its routes back."""
        self._forget(list(self._routes))

    def route_for(self, payload: bytes, parse: Parser) -> Route:
        """The route for what the message says; see `Route.route_for`."""
        values = values_of(self._compiled.named_by, parse, payload)
        route = self._routes.get(values)
        if route is None:
            names = (name.name for name in self._compiled.named_by)
            known: Mapping[str, str] = ChainMap(dict(zip(names, values, strict=True)), self._captured)
            size = self._size(values)
            if self._room.left < size:
                self._forget(list(islice(self._routes, (len(self._routes) + 1) // 2)))
            is_kept = self._room.left >= size
            route = named_route(self._compiled, self._topic, known, self._room if is_kept else Room(0), values)
            if is_kept:
                self._room.left -= size
                self._routes[values] = route
        return route

    def _forget(self, some: list[tuple[str, ...]]) -> None:
        for values in some:
            self._routes.pop(values).forget_streams()
            self._room.left += self._size(values)

    def _size(self, values: tuple[str, ...]) -> int:
        return TOPIC_BYTES + ROUTE_BYTES + sum(map(len, values))


def named_route(
    rule: CompiledRule, topic: bytes, known: Mapping[str, str], room: Room, named_by: tuple[str, ...] = ()
) -> Route:
    """The route whose names are made of what is known.

    Raises:
        Unusable: no name of a bucket or stream can be made of it.
    """
    bucket = checked_name("".join(rule.bucket.bind(known)), "the bucket's name")
    kind = PointsRoute if rule.has_points else Route
    route = kind(rule, topic, intern(bucket), rule.pieces_of(known), room)
    route.named_by = named_by
    return route


def _stream_size(field: str, stream: str) -> int:
    return _STREAM_BYTES + len(field) + len(stream)
