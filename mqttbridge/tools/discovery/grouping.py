"""Topics that read alike become one topic filter: levels that vary are captures, named as people would.

`fleet/brewery/cellar/climate`, `fleet/workshop/hall/climate` -> `fleet/{site}/{device}/climate`. Topics of one
length, first and last level are looked at column by column: where they differ is a name, where they agree a word.
Where the last level is met under one parent only, it names a device itself, and its neighbours of the same shape join
it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mqttbridge.mapping.topics import SINGLE, TopicFilter, parse_filter
from mqttbridge.tools.discovery.families import LeftOut
from mqttbridge.tools.discovery.hearing import OBJECT, TopicHeard
from mqttbridge.tools.discovery.quantities import CHANNELS

_ID: Final = re.compile(
    r"0x[0-9a-fA-F]{4,}|[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}|(?=.*[0-9])[0-9a-fA-F]{8,}"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[A-Za-z][A-Za-z0-9]*[-_](?=[0-9A-Fa-f]*[0-9])[0-9A-Fa-f]{4,}"
    r"|[0-9]{4,}"
)
_ROOMS: Final = frozenset({
    "kitchen", "bathroom", "bath", "bedroom", "livingroom", "living_room", "living-room", "living room", "hall",
    "hallway", "office", "garage", "attic", "basement", "cellar", "garden", "nursery", "toilet", "study", "balcony",
})  # fmt: skip
_PLURALS: Final = {
    "devices": "device", "sensors": "sensor", "rooms": "room", "sites": "site", "nodes": "node", "plants": "plant",
    "lines": "line", "machines": "machine", "meters": "meter", "floors": "floor", "zones": "zone",
    "buildings": "building", "floor": "floor", "room": "room", "site": "site", "device": "device", "node": "node",
    "line": "line",
}  # fmt: skip
# How alike two payloads' keys must be for their topics to be of one kind.
_ALIKE: Final = 0.5

Key: TypeAlias = tuple[object, ...]
Column: TypeAlias = tuple[int, str, int]
"""A level of topics: how many they have, the first of them, and which one this is."""


@dataclass(slots=True)
class Group:
    """Topics that one rule takes.

    Attributes:
        topic: the filter, with named captures.
    """

    topic: str
    members: list[TopicHeard]

    @property
    def filter(self) -> TopicFilter:
        return parse_filter(self.topic)


@dataclass(slots=True)
class Grouped:
    """All topics: in groups, left out for a reason that stands beside them, or not to be expressed as a filter."""

    groups: list[Group] = field(default_factory=list)
    left_out: dict[LeftOut, list[TopicHeard]] = field(default_factory=dict)


def group(topics: Iterable[TopicHeard]) -> Grouped:
    """Sort topics into groups, those with fewer captures first, so that each meets its own rule."""
    grouped = Grouped()
    others = _without_the_unusable(topics, grouped)
    parts = [part for members in _clusters(others) for part in _split_by_kind(members)]
    names = _columns_of_names(parts)
    for part in parts:
        grouped.groups.append(Group("/".join(_template(part, names)), part))
    grouped.groups.sort(key=lambda one: (len(one.filter.names), one.topic))
    return grouped


def _without_the_unusable(topics: Iterable[TopicHeard], grouped: Grouped) -> list[TopicHeard]:
    usable = []
    for topic in topics:
        if not topic.usable:
            reason = topic.unusable.most_common(1)[0][0]
            grouped.left_out.setdefault(LeftOut("", f"nothing can be stored of it ({reason})"), []).append(topic)
        elif any(set(level) & set("{}+#") for level in topic.levels) or topic.levels[0].startswith("$"):
            grouped.left_out.setdefault(LeftOut("", "no filter can name it"), []).append(topic)
        else:
            usable.append(topic)
    return usable


def _clusters(topics: list[TopicHeard]) -> list[list[TopicHeard]]:
    parents: defaultdict[Key, set[tuple[str, ...]]] = defaultdict(set)
    for topic in topics:
        parents[_tail(topic)].add(topic.levels[:-1])
    by_tail: defaultdict[Key, list[TopicHeard]] = defaultdict(list)
    by_shape: defaultdict[Key, list[TopicHeard]] = defaultdict(list)
    for topic in topics:
        last = topic.levels[-1]
        is_word = len(topic.levels) > 1 and not is_id(last)
        if is_word and (len(parents[_tail(topic)]) > 1 or last.lower() in CHANNELS):
            by_tail[_tail(topic)].append(topic)
        else:
            root = topic.levels[0] if len(topic.levels) > 1 else ""
            by_shape[len(topic.levels), root, tuple(sorted(topic.kinds))].append(topic)
    return [*by_tail.values(), *(part for members in by_shape.values() for part in _alike(members))]


def _tail(topic: TopicHeard) -> Key:
    return len(topic.levels), topic.levels[0], topic.levels[-1]


def _alike(members: list[TopicHeard]) -> list[list[TopicHeard]]:
    """Parts of which each has payloads that are alike; a part of one is a topic by itself."""
    if OBJECT not in members[0].kinds:
        return [members]
    parts: list[tuple[set[str], list[TopicHeard]]] = []
    for topic in members:
        keys = set(topic.fields)
        for known, part in parts:
            if len(keys & known) >= _ALIKE * min(len(keys), len(known)):
                known.update(keys)
                part.append(topic)
                break
        else:
            parts.append((keys, [topic]))
    return [part for _, part in parts]


def _split_by_kind(members: list[TopicHeard]) -> list[list[TopicHeard]]:
    """Numbers apart from objects, where a level of the topic tells them apart."""
    if len({frozenset(topic.kinds) for topic in members}) == 1:
        return [members]
    best: dict[str, list[TopicHeard]] = {}
    for place in range(len(members[0].levels)):
        values: defaultdict[str, list[TopicHeard]] = defaultdict(list)
        for topic in members:
            values[topic.levels[place]].append(topic)
        pure = all(len({frozenset(topic.kinds) for topic in part}) == 1 for part in values.values())
        if pure and len(values) > 1 and (not best or len(values) < len(best)):
            best = values
    return list(best.values()) or [members]


def _columns_of_names(parts: Sequence[Sequence[TopicHeard]]) -> set[Column]:
    """Columns that hold names in most topics of one length and first level.

    There the only meter of each site, `mains`, is a device's name as well, though no other meter tells so.
    """
    topics: Counter[Column] = Counter()
    varying: Counter[Column] = Counter()
    for part in parts:
        for place, values in enumerate(_columns(part)[:-1]):
            column = len(part[0].levels), part[0].levels[0], place
            topics[column] += len(part)
            varying[column] += len(part) * (len(values) > 1)
    return {column for column, count in varying.items() if column[2] and 2 * count > topics[column]}


def _columns(members: Sequence[TopicHeard]) -> list[list[str]]:
    """What stands at each level, without repeats."""
    return [list(dict.fromkeys(column)) for column in zip(*(topic.levels for topic in members), strict=True)]


def _template(members: Sequence[TopicHeard], names_at: set[Column]) -> list[str]:
    """The levels of the filter: words where all agree, named captures where they differ."""
    columns = _columns(members)
    length, root = len(columns), columns[0][0]
    varies = [
        len(values) > 1 or is_id(values[0]) or (length, root, place) in names_at for place, values in enumerate(columns)
    ]
    names: list[str] = []
    template: list[str] = []
    for place, values in enumerate(columns):
        if not varies[place]:
            template.append(values[0])
            continue
        before = columns[place - 1][0] if place and not varies[place - 1] else ""
        to_come = sum(varies[later] and not _are_numbers(columns[later]) for later in range(place + 1, length))
        name = _name(values, before, to_come)
        name = _unique(name, names)
        names.append(name)
        template.append(f"{{{name}}}")
    return template


def _name(values: Sequence[str], before: str, to_come: int) -> str:
    """A name for a level that varies, from the word before it, its values, and how many such levels follow."""
    if before.lower() in _PLURALS:
        return _PLURALS[before.lower()]
    rooms = sum(value.lower() in _ROOMS for value in values)
    if rooms * 2 >= len(values):
        return "room"
    if _are_numbers(values):
        return "number"
    return ("device", "site")[to_come] if to_come < 2 else "area"


def _are_numbers(values: Sequence[str]) -> bool:
    """Whether they count something: channels, floors. Longer numbers are serial numbers."""
    return all(value.isdecimal() and len(value) < 4 for value in values)


def _unique(name: str, names: Sequence[str]) -> str:
    if name not in names:
        return name
    better = {"device": "part", "site": "area", "number": "index"}.get(name, name)
    candidates = [better, *(f"{name}_{number}" for number in range(2, 100))]
    return next(one for one in candidates if one not in names)


def is_id(level: str) -> bool:
    """Whether a level is a serial number, an address or the like, which the next device has another of."""
    return _ID.fullmatch(level) is not None


def wildcards(topic: str) -> str:
    """The filter as a broker sees it."""
    return "/".join(SINGLE if level.startswith("{") else level for level in topic.split("/"))
