"""The rulebook: which rules a topic falls under, and what they make of a payload.

    topic bytes --routes--> Route, Route, ... --apply(payload, arrival)--> events, or Rejected

Everything about a topic is worked out when it is met first, and kept: its rules, its bucket, its streams' names.
For a message there remain one dictionary lookup, the payload's parse, and a tuple an event. What is kept is
bounded in bytes, since topics and keys come from the network: past the bound the older half of the topics is
forgotten, and worked out again when it is met again.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable, Mapping
from itertools import islice
from sys import intern
from typing import ClassVar, Final, TypeAlias

from mqttbridge.config.model import Config
from mqttbridge.events import EventTuple, Reason, Rejected
from mqttbridge.mapping.compiling import CompiledRule, Loc, compile_rules
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.formats import Gaps
from mqttbridge.mapping.points import OpenPoints, without_clashes
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

# New origins that one message may speak of: a name is worked out for each, at some 15 us.
_MAX_NEW_ORIGINS: Final = 1_000

Routes: TypeAlias = "tuple[Route, ...] | Rejected"


class Rulebook:
    """All the rules of a configuration; for one thread.

    Attributes:
        filters: what to subscribe to at the broker; filters that another one covers are left out.
        warnings: what is allowed and surely not meant, by place in the configuration.
        gaps: messages that never came, as sequence numbers tell; the ingest loop takes the count.
    """

    def __init__(self, config: Config) -> None:
        """Compile the rules.

        Raises:
            InvalidRules: with everything that is wrong with rules and models.
        """
        self._rules = compile_rules(config)
        self._trie = FilterTrie(rule.filter.levels for rule in self._rules)
        self.filters: Final = without_covered(rule.filter.subscription for rule in self._rules)
        self.warnings: Final = tuple(self._unreachable())
        self.gaps: Final = Gaps()
        # What formats remember of earlier messages is here and nowhere else.
        self._open = {i: rule.points.open(self.gaps) for i, rule in enumerate(self._rules) if rule.points is not None}
        self._routes: dict[bytes, Routes] = {}
        self._room = _Room(MAX_KEPT_BYTES)

    def routes(self, topic: bytes) -> Routes:
        """The rules that a message on this topic falls under, in their order; empty when it is nobody's.

        A Rejected (its payload empty) is for every message on this topic: no UTF-8, or a bucket without a name.
        """
        known = self._routes.get(topic)
        return self._meet(topic) if known is None else known

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
            captured = rule.filter.capture(levels)
            if (points := self._open.get(index)) is not None:
                routes.append(PointsRoute(rule, points, topic, captured, self._room))
                if not rule.goes_on:
                    break
                continue
            try:
                bucket = checked_name("".join(rule.bucket.bind(captured)), "the bucket's name")
            except Unusable as unusable:
                return Rejected(unusable.reason, unusable.detail, text, b"", rule.name)
            routes.append(Route(rule, topic, intern(bucket), rule.stream.bind(captured), self._room))
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
                if earlier < index and not self._rules[earlier].goes_on:
                    what = f"is never reached: {self._rules[earlier].name!r} before it takes each of its topics"
                    warnings.append((("rules", index, "topic"), what))
                    break
        return warnings


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
        several: whether a message may have several events of one stream, in buckets of their own.
    """

    several: ClassVar[bool] = False

    __slots__ = ("_compiled", "_pieces", "_room", "_streams", "_topic", "bucket", "last", "new_units", "rule", "to")

    def __init__(self, compiled: CompiledRule, topic: bytes, bucket: str, pieces: tuple[str, ...], room: _Room) -> None:
        self._compiled = compiled
        self._topic = topic
        self._pieces = pieces
        self._room = room
        self._streams: dict[str, str] = {}
        self.rule = compiled.name
        self.to = compiled.to
        self.bucket = bucket
        self.new_units: dict[tuple[str, str], str] = {}
        self.last: list[EventTuple] | None = None

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
        try:
            fields, epoch = self._compiled.read(payload, arrival)
            bucket, streams = self.bucket, self._streams
            try:
                return [(bucket, streams[field], value, epoch) for field, value in fields.items()]
            except KeyError:
                streams = self._name(fields)
                return [(bucket, streams[field], value, epoch) for field, value in fields.items()]
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)

    def forget_streams(self) -> None:
        """Give the room of the streams' names back."""
        self._room.left += sum(_stream_size(field, stream) for field, stream in self._streams.items())
        self._streams = {}

    def known_stream(self, field: str) -> str:
        """Name of a field's stream, empty unless it was met before."""
        return self._streams.get(field, "")

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
    """One rule of a format of points applied to one topic: a route for each origin that the topic speaks of.

    Its `bucket` is empty: each event says its own.
    """

    __slots__ = ("_captured", "_origins", "_points", "_reader")

    several: ClassVar[bool] = True

    def __init__(
        self, compiled: CompiledRule, points: OpenPoints, topic: bytes, captured: dict[str, str], room: _Room
    ) -> None:
        super().__init__(compiled, topic, "", (), room)
        self._points, self._reader = points
        self._captured = captured
        self._origins: dict[Hashable, Route] = {}

    def apply(self, payload: bytes, arrival: float) -> list[EventTuple] | Rejected:
        """The events of all points of a message, or why it is rejected as a whole; see `Route.apply`."""
        try:
            return self._events(payload, arrival)
        except Unusable as unusable:
            return Rejected(unusable.reason, unusable.detail, self.topic, payload, self.rule)

    def _events(self, payload: bytes, arrival: float) -> list[EventTuple]:
        events: list[EventTuple] = []
        clock = self._points.clock
        new = 0
        for document, epoch, origin, units in self._reader.read(self._topic, payload):
            route = self._origins.get(origin)
            if route is None:
                new += 1
                if new > _MAX_NEW_ORIGINS:
                    raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {_MAX_NEW_ORIGINS} new series in one message")
                route = self._meet(origin)
            mapped = route.apply(document, arrival if epoch is None else clock.of_point(epoch, arrival))
            if isinstance(mapped, Rejected):
                if mapped.reason is Reason.NO_VALUES:
                    continue  # a line of empty columns beside full ones
                raise Unusable(mapped.reason, mapped.detail)
            events += mapped
            if route.new_units or units:
                self._take_units(route, units)
        if not events and not self._points.format.may_be_silent:
            raise Unusable(Reason.NO_VALUES, "there is nothing to store in the payload")
        return without_clashes(events)

    def _meet(self, origin: Hashable) -> Route:
        # What the format says goes before what the topic says: a node's death speaks of its devices, too.
        labels = ChainMap(self._points.format.labels(origin), self._captured)
        bucket = checked_name("".join(self._compiled.bucket.bind(labels)), "the bucket's name")
        pieces = self._points.pieces(self._compiled.stream, labels)
        route = Route(self._compiled, self._topic, intern(bucket), pieces, self._room)
        if self._room.left > 0:
            self._origins[origin] = route
            self._room.left -= _origin_size(origin)
        return route

    def _take_units(self, route: Route, units: Mapping[str, str]) -> None:
        """Units that the rule knows, and those that the message itself tells of its fields."""
        self.new_units.update(route.new_units)
        route.new_units.clear()
        for field, unit in units.items():
            if stream := route.known_stream(field):
                self.new_units[route.bucket, stream] = unit

    def forget_streams(self) -> None:
        """Give the room of the origins and their streams back."""
        for origin, route in self._origins.items():
            route.forget_streams()
            self._room.left += _origin_size(origin)
        self._origins = {}


def _origin_size(origin: Hashable) -> int:
    return _ROUTE_BYTES + len(str(origin))


def _stream_size(field: str, stream: str) -> int:
    return _STREAM_BYTES + len(field) + len(stream)
