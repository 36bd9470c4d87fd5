"""The rulebook: which rules a topic falls under, and what they make of a payload.

    topic bytes --routes--> Route, Route, ... --apply(payload, arrival)--> events, or Rejected

Everything about a topic is worked out when it is met first, and kept: its rules, its bucket, its streams' names.
For a message there remain one dictionary lookup, the payload's parse, and a tuple an event. What is kept is
bounded in bytes, since topics and keys come from the network: past the bound the older half of the topics is
forgotten, and worked out again when it is met again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from sys import intern
from typing import TYPE_CHECKING, Final, TypeAlias

from mqttbridge.config.model import Config
from mqttbridge.events import EventTuple, Reason, Rejected
from mqttbridge.mapping.compiling import CompiledRule, InvalidRules, Loc, compile_rules
from mqttbridge.mapping.families import compile_families, discoveries
from mqttbridge.mapping.flatten import Fields
from mqttbridge.mapping.templates import checked_name
from mqttbridge.mapping.topics import FilterTrie, without_covered
from mqttbridge.mapping.unusable import Unusable

if TYPE_CHECKING:
    from mqttbridge.mapping.families.discovery import Discovery

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
        warnings: what is allowed and surely not meant, by place in the configuration.
    """

    def __init__(self, config: Config) -> None:
        """Compile the rules.

        Raises:
            InvalidRules: with everything that is wrong with rules and models.
        """
        self._rules, self._discoveries = _compile_all(config, self._forget)
        self._trie = FilterTrie(rule.filter.levels for rule in self._rules)
        self._filters: tuple[str, ...] | None = None
        self.warnings: Final = tuple(self._unreachable(len(config.rules)))
        self._routes: dict[bytes, Routes] = {}
        self._room = _Room(MAX_KEPT_BYTES)

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to at the broker; filters that another one covers are left out.

        Another tuple once devices have announced topics, or taken them back.
        """
        if self._filters is None:
            own = [rule.filter.subscription for rule in self._rules]
            self._filters = without_covered([*own, *(each for found in self._discoveries for each in found.filters)])
        return self._filters

    @property
    def announces(self) -> bool:
        """Whether there are devices that announce their topics."""
        return bool(self._discoveries)

    @property
    def announced(self) -> int:
        """How often what devices announce has changed."""
        return sum(discovery.changes for discovery in self._discoveries)

    def announcements(self) -> dict[str, bytes]:
        """What devices have announced and what still holds, by topic: for `recall` after a restart."""
        return {topic: payload for found in self._discoveries for topic, payload in found.announcements.items()}

    def recall(self, announcements: Mapping[str, bytes]) -> None:
        """Know what an earlier run was told: its session's messages may come before it is told again."""
        for topic, payload in announcements.items():
            if not isinstance(routes := self.routes(topic.encode()), Rejected):
                for route in routes:
                    route.apply(payload, 0.0)

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
                yield from routes

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
            try:
                bucket = checked_name("".join(rule.bucket.bind(captured)), "the bucket's name")
            except Unusable as unusable:
                return Rejected(unusable.reason, unusable.detail, text, b"", rule.name)
            routes.append(Route(rule, topic, intern(bucket), rule.stream.bind(captured), self._room))
            if not rule.goes_on:
                break
        else:
            for discovery in self._discoveries:
                for rule in discovery.rules_for(text):
                    (bucket,), stream = rule.bucket.parts, rule.stream.parts
                    routes.append(Route(rule, topic, intern(bucket), stream, self._room))
        return tuple(routes)

    def _forget(self, topics: Iterable[str]) -> None:
        """Their rules are others now: they are worked out when they are met again."""
        self._filters = None
        for topic in topics:
            self._forget_topic(topic.encode())

    def _forget_older_half(self) -> None:
        for topic in list(islice(self._routes, (len(self._routes) + 1) // 2)):
            self._forget_topic(topic)

    def _forget_topic(self, topic: bytes) -> None:
        routes = self._routes.pop(topic, None)
        if routes is None:
            return
        self._room.left += _size(topic, routes)
        if not isinstance(routes, Rejected):
            for route in routes:
                route.forget_streams()

    def _unreachable(self, own: int) -> list[tuple[Loc, str]]:
        """Of the configuration's own rules; a family's are behind them, and overlap on purpose."""
        warnings: list[tuple[Loc, str]] = []
        for index, rule in enumerate(self._rules[:own]):
            for earlier in self._trie.matching(rule.filter.levels):
                if earlier < index and not self._rules[earlier].goes_on:
                    what = f"is never reached: {self._rules[earlier].name!r} before it takes each of its topics"
                    warnings.append((("rules", index, "topic"), what))
                    break
        return warnings


def _compile_all(
    config: Config, changed: Callable[[Iterable[str]], None]
) -> tuple[tuple[CompiledRule, ...], tuple[Discovery, ...]]:
    """The configuration's rules and behind them those of the families in use; and the families that announce theirs."""
    compiled: list[CompiledRule] = []
    found: tuple[Discovery, ...] = ()
    problems: list[tuple[Loc, str]] = []
    for compile_some in (compile_rules, compile_families):
        try:
            compiled += compile_some(config)
        except InvalidRules as invalid:
            problems += invalid.problems
    try:
        found = discoveries(config, changed)
    except InvalidRules as invalid:
        problems += [problem for problem in invalid.problems if problem not in problems]
    if problems:
        raise InvalidRules(problems)
    return tuple(compiled), found


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
    """

    __slots__ = (
        "_at_once", "_compiled", "_pieces", "_room", "_streams", "_topic",
        "bucket", "last", "new_units", "rule", "saved", "to",
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


def _stream_size(field: str, stream: str) -> int:
    return _STREAM_BYTES + len(field) + len(stream)
