"""The rulebook: which rules a topic falls under, and what they make of a payload.

    topic bytes --routes--> Route, Route, ... --apply(payload, arrival)--> events, or Rejected

Everything about a topic is worked out when it is met first, and kept: its rules, its bucket, its streams' names.
For a message there remain one dictionary lookup, the payload's parse, and a tuple an event. What is kept is
bounded in bytes, since topics and keys come from the network: past the bound the older half of the topics is
forgotten, and worked out again when it is met again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeAlias

from mqttbridge.config.model import Config
from mqttbridge.config.thinning import ThinConfig
from mqttbridge.events import EventTuple, Reason, Rejected
from mqttbridge.mapping.compiled import CompiledRule
from mqttbridge.mapping.compiling import InvalidRules, Loc, compile_rules
from mqttbridge.mapping.families import Announcer, Changed, compile_families, discoveries, name_of_use
from mqttbridge.mapping.formats import Gaps
from mqttbridge.mapping.memory import Memory
from mqttbridge.mapping.room import Room
from mqttbridge.mapping.routes import ROUTE_BYTES, TOPIC_BYTES, MessageNamedRoute, Route, named_route
from mqttbridge.mapping.series_route import SeriesRoute
from mqttbridge.mapping.tally import Tally
from mqttbridge.mapping.thinned_stream import Passed
from mqttbridge.mapping.thinner import Thinner
from mqttbridge.mapping.thinning import Thinned, compile_thinning
from mqttbridge.mapping.topics import FilterTrie, without_covered
from mqttbridge.mapping.unusable import Unusable

# A fleet of 100,000 devices, each with a topic and three streams of its own, fits.
MAX_KEPT_BYTES: Final = 128 * 2**20

_NO_CAPTURES: Final[Mapping[str, str]] = {}
# Stands for the rules that come and go with what devices announce.
ANNOUNCED: Final = "homeassistant: announced"

Routes: TypeAlias = tuple[Route, ...] | Rejected


class Rulebook:
    """All the rules of a configuration; for one thread.

    Attributes:
        rules: compiled: those of the configuration in its order, and behind them those of the families in use.
        warnings: what is allowed and surely not meant, by place in the configuration.
        tallies: what each rule has taken, in their order; all rules that devices announce have one together.
        met: the quick half of `routes`: those of a topic that is known, or None.
        gaps: messages that never came, as sequence numbers tell; the ingest loop takes the count.
        memory: what counters and thinning know across restarts.
        needs_properties: whether any rule takes something from a message's MQTT 5 properties.
    """

    def __init__(self, config: Config) -> None:
        """Compile the rules.

        Raises:
            InvalidRules: with everything that is wrong with rules and models.
        """
        self.rules, self._announcers = _compile_all(config, self._forget)
        self._trie = FilterTrie(rule.filter.levels for rule in self.rules)
        self._filters: tuple[str, ...] | None = None
        self.warnings: Final = (*self._unreachable(len(config.rules)), *self._overlapping_shares(len(config.rules)))
        self.needs_properties: Final = any(rule.needs_properties for rule in self.rules)
        self._announced_tally = Tally(ANNOUNCED)
        own = tuple(Tally(rule.name, rule.filter.subscription) for rule in self.rules)
        self.tallies: Final = (*own, self._announced_tally) if self._announcers else own
        self.gaps: Final = Gaps()
        # What formats remember of earlier messages is here and nowhere else.
        self._open = {i: rule.series.open(self.gaps) for i, rule in enumerate(self.rules) if rule.series is not None}
        # Births of Sparkplug are kept across restarts as what other devices announce is.
        readers = [opened.reader for opened in self._open.values()]
        self._announcers += tuple(reader for reader in readers if isinstance(reader, Announcer))
        self.memory: Final = Memory()
        self._thinners = tuple(self._thinner(rule.thin, rule.name) if rule.thin else None for rule in self.rules)
        # Of rules that come and go with announcements.
        self._announced_thinners = {
            (use.to, use.thin): self._thinner(use.thin, name_of_use(use)) for use in config.use if use.thin
        }
        # With the destinations of what passes.
        self._all_thinners = (
            *((rule.to, one) for rule, one in zip(self.rules, self._thinners, strict=True) if one is not None),
            *((to, one) for (to, _), one in self._announced_thinners.items()),
        )
        self._routes: dict[bytes, Routes] = {}
        self.met: Final[Callable[[bytes], Routes | None]] = self._routes.get
        self._room = Room(MAX_KEPT_BYTES, self.memory)

    def _thinner(self, entries: Iterable[ThinConfig], name: str) -> Thinner[None]:
        return Thinner(compile_thinning(entries), memory=self.memory, name=name)

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to at the broker; filters that another one covers are left out.

        Another tuple once devices have announced topics, or taken them back.
        """
        if self._filters is None:
            own = [rule.filter.subscription for rule in self.rules]
            self._filters = without_covered([*own, *(each for one in self._announcers for each in one.filters)])
        return self._filters

    @property
    def announces(self) -> bool:
        """Whether there are devices that announce their topics."""
        return bool(self._announcers)

    @property
    def announced(self) -> int:
        """How often what devices announce has changed."""
        return sum(announcer.changes for announcer in self._announcers)

    def announcements(self) -> dict[str, bytes]:
        """What devices have announced and what still holds, by topic: for `recall` after a restart."""
        return {topic: payload for one in self._announcers for topic, payload in one.announcements.items()}

    def recall(self, announcements: Mapping[str, bytes]) -> None:
        """Know these and no others: what an earlier run was told, whose session's messages may come before the rest.

        They may come in any order: those on shorter topics are heard first, as a node's birth before its devices'.
        """
        known = self.announcements()
        gone = dict.fromkeys(known.keys() - announcements.keys(), b"")
        for topic, payload in sorted((gone | dict(announcements)).items(), key=_depth):
            if known.get(topic) != payload and not isinstance(routes := self.routes(topic.encode()), Rejected):
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
                for route in routes:
                    yield from route.named_routes()

    @property
    def has_intervals(self) -> bool:
        """Whether `tick` is needed: some rule makes one event of an interval's."""
        return any(thinner.has_intervals for _, thinner in self._all_thinners)

    def tick(self, now: float) -> list[tuple[tuple[str, ...], list[EventTuple]]]:
        """Events of thinning intervals that are over although nothing more came, with their rules' destinations.

        Args:
            now: epoch seconds, by the clock of the arrivals.
        """
        return self._passed(lambda thinner: thinner.tick(now))

    def flush(self) -> list[tuple[tuple[str, ...], list[EventTuple]]]:
        """Events of all open thinning intervals as they are, at the end."""
        return self._passed(Thinner.flush)

    def take_thinned(self) -> Counter[Thinned]:
        """How many events were thinned out since the last call, by reason."""
        thinned: Counter[Thinned] = Counter()
        for _, thinner in self._all_thinners:
            thinned.update(thinner.take_dropped())
        return thinned

    def _passed(self, ask: Callable[[Thinner[None]], Passed[None]]) -> list[tuple[tuple[str, ...], list[EventTuple]]]:
        return [
            (to, [event for event, _, _ in passed]) for to, thinner in self._all_thinners if (passed := ask(thinner))
        ]

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
            rule = self.rules[index]
            if not rule.filter.accepts(levels):
                continue
            captured = rule.filter.capture(levels)
            if rule.for_topic is not None:
                rule = rule.for_topic(rule, text)
            try:
                if (series := self._open.get(index)) is not None:
                    route: Route = SeriesRoute(rule, series, topic, captured, self._room)
                elif rule.named_by:
                    route = MessageNamedRoute(rule, topic, captured, self._room)
                else:
                    route = named_route(rule, topic, captured, self._room)
            except Unusable as unusable:
                return Rejected(unusable.reason, unusable.detail, text, b"", rule.name)
            route.thinner, route.tally = self._thinners[index], self.tallies[index]
            routes.append(route)
            if not rule.goes_on:
                break
        else:
            routes += self._announced_routes(topic, text)
        return tuple(routes)

    def _announced_routes(self, topic: bytes, text: str) -> Iterator[Route]:
        """Of the announcers that know a topic the first takes it: one device may announce itself in two ways."""
        for announcer in self._announcers:
            if rules := announcer.rules_for(text):
                for rule in rules:
                    route = named_route(rule, topic, _NO_CAPTURES, self._room)
                    route.thinner = self._announced_thinners.get((rule.to, rule.thin))
                    route.tally = self._announced_tally
                    yield route
                return

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
        for index, rule in enumerate(self.rules[:own]):
            for earlier in self._trie.matching(rule.filter.levels):
                before = self.rules[earlier]
                if earlier < index and not before.goes_on and before.filter.covers(rule.filter):
                    what = f"is never reached: {before.name!r} before it takes each of its topics"
                    warnings.append((("rules", index, "topic"), what))
                    break
        return warnings

    def _overlapping_shares(self, own: int) -> Iterator[tuple[Loc, str]]:
        """Shared subscriptions beside one of another kind that brings the same messages."""
        for index, rule in enumerate(self.rules):
            for other in self._trie.matching(rule.filter.levels):
                share, theirs = rule.filter.share, self.rules[other].filter.share
                if share != theirs and min(index, other) < own:  # a family's rules are of one kind
                    place, family = (index, other) if index < own else (other, index)
                    what = f"overlaps with {self.rules[family].name!r}, which is not in the same shared subscription"
                    yield ("rules", place, "topic"), f"{what}: messages may arrive twice"
                    break


def _compile_all(config: Config, changed: Changed) -> tuple[tuple[CompiledRule, ...], tuple[Announcer, ...]]:
    """The configuration's rules and behind them those of the families in use; and what their devices announce."""
    compiled: list[CompiledRule] = []
    announcers: list[Announcer] = []
    problems: list[tuple[Loc, str]] = []
    try:
        compiled += compile_rules(config)
    except InvalidRules as invalid:
        problems += invalid.problems
    try:
        of_families, told = compile_families(config, changed)
    except InvalidRules as invalid:
        problems += invalid.problems
    else:
        compiled += of_families
        announcers += told
    try:
        announcers += discoveries(config, changed)
    except InvalidRules as invalid:
        problems += [problem for problem in invalid.problems if problem not in problems]
    if problems:
        raise InvalidRules(problems)
    return tuple(compiled), tuple(announcers)


def _depth(announcement: tuple[str, bytes]) -> int:
    return announcement[0].count("/")


def _size(topic: bytes, routes: Routes) -> int:
    """About how much memory a topic takes, its streams apart."""
    if isinstance(routes, Rejected):
        return TOPIC_BYTES + ROUTE_BYTES + 5 * len(topic)  # shown escaped, a byte may take four characters
    return TOPIC_BYTES + len(topic) + len(routes) * (ROUTE_BYTES + len(topic))
