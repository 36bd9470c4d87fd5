"""The rulebook: which rules a topic falls under, and what they make of a payload.

    topic bytes --routes--> Route, Route, ... --apply(payload, arrival)--> events, or Rejected

Everything about a topic is worked out when it is met first, and kept: its rules, its bucket, its streams' names.
For a message there remain one dictionary lookup, the payload's parse, and a tuple an event. What is kept is
bounded in bytes, since topics and keys come from the network: past the bound the older half of the topics is
forgotten, and worked out again when it is met again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from sys import intern
from typing import Final, TypeAlias

from mqttbridge.config.model import Config
from mqttbridge.events import EventTuple, Reason, Rejected
from mqttbridge.mapping.compiling import CompiledRule, Loc, compile_rules
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.message_names import values_of
from mqttbridge.mapping.templates import checked_name
from mqttbridge.mapping.topics import FilterTrie, without_covered
from mqttbridge.mapping.unusable import Unusable

# A fleet of 100,000 devices, each with a topic and three streams of its own, fits.
MAX_KEPT_BYTES: Final = 128 * 2**20
# What CPython 3.11 takes, beside the texts themselves (benchmarks/mapping_micro.py measures it); a stream's
# share of the route's last events is counted with it.
_TOPIC_BYTES: Final = 160
_ROUTE_BYTES: Final = 320
_STREAM_BYTES: Final = 200

Routes: TypeAlias = "tuple[Route, ...] | Rejected"


class Rulebook:
    """All the rules of a configuration; for one thread.

    Attributes:
        filters: what to subscribe to at the broker; filters that another one covers are left out.
        warnings: what is allowed and surely not meant, by place in the configuration.
        needs_properties: whether any rule takes something from a message's MQTT 5 properties.
    """

    def __init__(self, config: Config) -> None:
        """Compile the rules.

        Raises:
            InvalidRules: with everything that is wrong with rules and models.
        """
        self._rules = compile_rules(config)
        self._trie = FilterTrie(rule.filter.levels for rule in self._rules)
        self.filters: Final = without_covered(rule.filter.subscription for rule in self._rules)
        self.warnings: Final = (*self._unreachable(), *self._overlapping_shares())
        self.needs_properties: Final = any(rule.needs_properties for rule in self._rules)
        self._routes: dict[bytes, Routes] = {}
        self._room = _Room(MAX_KEPT_BYTES)

    def routes(self, topic: bytes) -> Routes:
        """The rules that a message on this topic falls under, in their order; empty when it is nobody's.

        A Rejected (its payload empty) is for every message on this topic: no UTF-8, or a bucket without a name.
        """
        known = self._routes.get(topic)
        return self._meet(topic) if known is None else known

    def known_routes(self) -> Iterator[Route]:
        """The routes of every topic that is kept now."""
        for routes in self._routes.values():
            if not isinstance(routes, Rejected):
                for route in routes:
                    yield from route.named_routes()

    def _meet(self, topic: bytes) -> Routes:
        routes = self._find(topic)
        size = _size(topic, routes)
        if self._room.left < size:
            self._forget_older_half()
        self._room.left -= size
        self._routes[topic] = routes
        return routes

    def _find(self, topic: bytes) -> Routes:
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            shown = topic.decode(errors="backslashreplace")
            return Rejected(Reason.TOPIC_NOT_UTF8, "the topic is not UTF-8", shown, b"")
        levels = text.split("/")
        routes: list[Route] = []
        for index in self._trie.matching(levels):
            rule = self._rules[index]
            if not rule.filter.accepts(levels):
                continue
            captured = rule.filter.capture(levels)
            try:
                if rule.named_by:
                    routes.append(MessageNamedRoute(rule, topic, captured, self._room))
                else:
                    routes.append(_named_route(rule, topic, captured, self._room))
            except Unusable as unusable:
                return Rejected(unusable.reason, unusable.detail, text, b"", rule.name)
            if not rule.goes_on:
                break
        return tuple(routes)

    def _forget_older_half(self) -> None:
        for topic in list(islice(self._routes, (len(self._routes) + 1) // 2)):
            routes = self._routes.pop(topic)
            self._room.left += _size(topic, routes)
            if not isinstance(routes, Rejected):
                for route in routes:
                    route.forget_streams()

    def _unreachable(self) -> list[tuple[Loc, str]]:
        warnings: list[tuple[Loc, str]] = []
        for index, rule in enumerate(self._rules):
            for earlier in self._trie.matching(rule.filter.levels):
                before = self._rules[earlier]
                if earlier < index and not before.goes_on and before.filter.covers(rule.filter):
                    what = f"is never reached: {before.name!r} before it takes each of its topics"
                    warnings.append((("rules", index, "topic"), what))
                    break
        return warnings

    def _overlapping_shares(self) -> Iterator[tuple[Loc, str]]:
        """Shared subscriptions beside one of another kind that brings the same messages."""
        for index, rule in enumerate(self._rules):
            for other in self._trie.matching(rule.filter.levels):
                share, theirs = rule.filter.share, self._rules[other].filter.share
                if share != theirs:
                    what = f"overlaps with {self._rules[other].name!r}, which is not in the same shared subscription"
                    yield ("rules", index, "topic"), f"{what}: messages may arrive twice"
                    break


class _Room:
    """How many more bytes may be kept."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


def _size(topic: bytes, routes: Routes) -> int:
    """About how much memory a topic takes, its streams apart."""
    if isinstance(routes, Rejected):
        return _TOPIC_BYTES + _ROUTE_BYTES + 5 * len(topic)  # shown escaped, a byte may take four characters
    return _TOPIC_BYTES + len(topic) + len(routes) * (_ROUTE_BYTES + len(topic))


class Route:
    """One rule applied to one topic.

    Attributes:
        rule: the rule's name.
        to: names of destinations; empty means every one.
        bucket: name of the bucket.
        new_units: units of streams met first, by (bucket, stream); the ingest loop takes and clears it.
        last: the last events of its streams, owned by the ingest loop.
        saved: what of `last` is on disk, likewise.
        named_by: what in the message its names were made of, if anything.
    """

    __slots__ = (
        "_at_once", "_compiled", "_pieces", "_room", "_streams", "_topic",
        "bucket", "last", "named_by", "new_units", "rule", "saved", "to",
    )  # fmt: skip

    def __init__(self, compiled: CompiledRule, topic: bytes, bucket: str, pieces: tuple[str, ...], room: _Room) -> None:
        self._compiled = compiled
        self._at_once = compiled.read_at_once
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
            try:
                return [(bucket, streams[field], value, epoch) for field, value in fields.items()]
            except KeyError:
                streams = self._name(fields)
                return [(bucket, streams[field], value, epoch) for field, value in fields.items()]
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)

    def named_routes(self) -> Iterable[Route]:
        """The routes with names of their own: itself, unless its names come from the messages."""
        return (self,)

    def forget_streams(self) -> None:
        """Give the room of the streams' names back."""
        self._room.left += sum(_stream_size(field, stream) for field, stream in self._streams.items())
        self._streams = {}

    def _name(self, fields: Fields) -> dict[str, str]:
        """Streams of all these fields; those that are new are kept while there is room."""
        names: dict[str, str] = {}
        for field in fields:
            stream = self._streams.get(field)
            if stream is None:
                stream = checked_name(self._compiled.stream_of(field, self._pieces), "a stream's name")
                if unit := self._compiled.unit_of(field):
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
        bucket = self.bucket
        try:
            for fields, epoch in self._compiled.read_points(payload, arrival):
                streams = self._streams
                if not fields.keys() <= streams.keys():
                    streams = self._name(fields)
                events += [(bucket, streams[field], value, epoch) for field, value in fields.items()]
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)
        return events


class MessageNamedRoute(Route):
    """A rule applied to a topic, whose bucket or streams are named by something in each message.

    For each value of that there is a plain route, kept while there is room: values come from the network. What the
    ingest loop keeps with a route, it keeps with the one that the last message took.
    """

    __slots__ = ("_captured", "_routes", "_taken")

    def __init__(self, compiled: CompiledRule, topic: bytes, captured: dict[str, str], room: _Room) -> None:
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
            self._taken = self._route(payload)
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)
        return self._taken.apply(payload, arrival)

    def named_routes(self) -> Iterable[Route]:
        """The routes for all that was met in messages."""
        return self._routes.values()

    def forget_streams(self) -> None:
        """Give the room of all its routes back."""
        self._forget(list(self._routes))

    def _route(self, payload: bytes) -> Route:
        values = values_of(self._compiled.named_by, self._compiled.parse, payload)
        route = self._routes.get(values)
        if route is None:
            names = (name.name for name in self._compiled.named_by)
            known = self._captured | dict(zip(names, values, strict=True))
            route = _named_route(self._compiled, self._topic, known, self._room, values)
            size = self._size(values)
            if self._room.left < size:
                self._forget(list(islice(self._routes, (len(self._routes) + 1) // 2)))
            if self._room.left >= size:
                self._room.left -= size
                self._routes[values] = route
        return route

    def _forget(self, some: list[tuple[str, ...]]) -> None:
        for values in some:
            self._routes.pop(values).forget_streams()
            self._room.left += self._size(values)

    def _size(self, values: tuple[str, ...]) -> int:
        return _TOPIC_BYTES + _ROUTE_BYTES + sum(map(len, values))


def _named_route(
    rule: CompiledRule, topic: bytes, known: Mapping[str, str], room: _Room, named_by: tuple[str, ...] = ()
) -> Route:
    """The route whose names are made of what is known.

    Raises:
        Unusable: no name of a bucket or stream can be made of it.
    """
    bucket = checked_name("".join(rule.bucket.bind(known)), "the bucket's name")
    kind = PointsRoute if rule.has_points else Route
    route = kind(rule, topic, intern(bucket), rule.stream.bind(known), room)
    route.named_by = named_by
    return route


def _stream_size(field: str, stream: str) -> int:
    return _STREAM_BYTES + len(field) + len(stream)
