"""MQTT topic filters with named captures, and a trie that finds every filter that matches a topic.

`fleet/{site}/+/{rest#}` subscribes to `fleet/+/+/#` and remembers that level 1 is `site` and that the levels
from 3 on are `rest`. Matching follows MQTT 5.0 section 4.7: `#` also matches its parent level, levels may be
empty, and a wildcard at the first level does not match topics that start with `$`.

A capture may say what its level looks like, `{id:[0-9a-f]+}`. The broker cannot know, so the subscription is the same
`+`, and `TopicFilter.accepts` narrows what the trie finds. `$share/group/` before a filter belongs to the
subscription alone: topics come without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mqttbridge.mapping.patterns import InvalidPattern, Pattern, parse_pattern

# A topic filter is an MQTT string: two bytes of length, so no longer than this in UTF-8.
MAX_FILTER_BYTES: Final = 65_535

SINGLE: Final = "+"
REST: Final = "#"

_SHARE: Final = "$share"

_CAPTURE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(#?)(?::(.*))?\}", re.DOTALL)
_OPEN_PATTERN: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*#?:")
# The template names a payload's field with it, so no capture may take it.
_RESERVED: Final = "field"


class InvalidFilter(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """Not a topic filter; the text says why."""


@dataclass(frozen=True, slots=True)
class TopicFilter:
    """A parsed topic filter.

    Attributes:
        levels: as the broker sees them, captures turned into `+` and `#`.
        captures: names by the index of the level they stand for.
        rest: name of the capture of all the last levels, if there is one.
        patterns: what captured levels must look like, by the index of the level.
        share: the group of a shared subscription; empty for one of our own.
    """

    levels: tuple[str, ...]
    captures: tuple[tuple[str, int], ...] = ()
    rest: str | None = None
    patterns: tuple[tuple[int, Pattern], ...] = ()
    share: str = ""

    @property
    def subscription(self) -> str:
        """The filter to subscribe to at the broker."""
        levels = "/".join(self.levels)
        return f"{_SHARE}/{self.share}/{levels}" if self.share else levels

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the captures, from left to right."""
        names = tuple(name for name, _ in self.captures)
        return names if self.rest is None else (*names, self.rest)

    def accepts(self, topic_levels: Sequence[str]) -> bool:
        """Whether the levels of a topic that the trie found look as the captures' patterns say."""
        return all(pattern.matches(topic_levels[level]) for level, pattern in self.patterns)

    def covers(self, other: TopicFilter) -> bool:
        """Of a filter whose levels match all that `other`'s match: whether its patterns do so as well."""
        theirs = dict(other.patterns)
        return all(
            theirs.get(level) == pattern
            or (
                (level < len(other.levels) and other.levels[level] not in (SINGLE, REST))
                and pattern.matches(other.levels[level])
            )
            for level, pattern in self.patterns
        )

    def capture(self, topic_levels: Sequence[str]) -> dict[str, str]:
        """What the captures stand for in a topic that this filter matches; `/` in the rest becomes `.`."""
        captured = {name: topic_levels[level] for name, level in self.captures}
        if self.rest is not None:
            captured[self.rest] = ".".join(topic_levels[len(self.levels) - 1 :])
        return captured


def parse_filter(text: str) -> TopicFilter:
    """Parse a topic filter with `+`, `#`, `{name}`, `{name:pattern}` and `{name#}`, maybe after `$share/group/`.

    Raises:
        InvalidFilter: with what is wrong in plain words.
    """
    if not text or "\0" in text or len(text.encode("utf-8", "replace")) > MAX_FILTER_BYTES:
        raise InvalidFilter(f"a topic filter has 1 to {MAX_FILTER_BYTES} bytes and no NUL character")
    share, parts = _without_share(text)
    levels: list[str] = []
    captures: list[tuple[str, int]] = []
    patterns: list[tuple[int, Pattern]] = []
    rest: str | None = None
    for index, part in enumerate(parts):
        capture = _CAPTURE.fullmatch(part)
        takes_rest = part == REST or (capture is not None and capture[2] == "#")
        if takes_rest and index != len(parts) - 1:
            raise InvalidFilter(f"{part!r} must be the last level (got {text!r})")
        if capture is not None:
            name = capture[1]
            if name == _RESERVED:
                raise InvalidFilter("'{field}' is the payload's field in `stream`; give the capture another name")
            if name == rest or any(name == other for other, _ in captures):
                raise InvalidFilter(f"'{{{name}}}' is captured twice")
            if takes_rest:
                rest = name
            else:
                captures.append((name, index))
            if capture[3] is not None:
                patterns.append((index, _pattern(capture[3], part, takes_rest=takes_rest)))
            levels.append(REST if takes_rest else SINGLE)
        else:
            _check_plain_level(part)
            levels.append(part)
    return TopicFilter(tuple(levels), tuple(captures), rest, tuple(patterns), share)


def _without_share(text: str) -> tuple[str, list[str]]:
    """The group of a shared subscription, empty if it is none, and the levels of the filter behind it."""
    parts = text.split("/")
    if parts[0] != _SHARE:
        return "", parts
    share = parts[1] if len(parts) > 1 else ""
    if not share or any(character in share for character in "+#{}"):
        raise InvalidFilter(f"a shared subscription has a plain name for its group: '$share/group/...' (got {text!r})")
    if not any(parts[2:]):
        raise InvalidFilter(f"a shared subscription needs a filter after its group: '$share/group/...' (got {text!r})")
    return share, parts[2:]


def _pattern(text: str, part: str, *, takes_rest: bool) -> Pattern:
    if takes_rest:
        raise InvalidFilter(f"a pattern is for one level, and {part!r} takes all the rest")
    try:
        return parse_pattern(text)
    except InvalidPattern as error:
        raise InvalidFilter(f"{error} in {part!r}") from None


def names_in(text: str) -> tuple[str, ...]:
    """Names of the captures in a text that is no topic filter as a whole."""
    return tuple(dict.fromkeys(found[1] for part in text.split("/") for found in _CAPTURE.finditer(part)))


def _check_plain_level(level: str) -> None:
    if level in (SINGLE, REST):
        return
    if _OPEN_PATTERN.match(level):
        raise InvalidFilter(f"a capture's pattern ends with '}}' and holds no '/', as no level does (got {level!r})")
    for wildcard in (SINGLE, REST):
        if wildcard in level:
            raise InvalidFilter(f"{wildcard!r} must stand alone in its level (got {level!r})")
    if "{" in level or "}" in level:
        raise InvalidFilter(
            f"a capture takes a whole level, as '{{name}}' or, at the end, '{{name#}}', "
            f"with a name of letters, digits and '_' (got {level!r})"
        )


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    rests: list[int] = field(default_factory=list)


class FilterTrie:
    """All filters of a rulebook, level by level: finding takes time by the topic's levels, not by the filters."""

    def __init__(self, filters: Iterable[Sequence[str]] = ()) -> None:
        self._root = _Node()
        for index, levels in enumerate(filters):
            self._add(levels, index)

    def _add(self, levels: Sequence[str], index: int) -> None:
        node = self._root
        for level in levels:
            if level == REST:
                node.rests.append(index)
                return
            node = node.children.setdefault(level, _Node())
        node.ends.append(index)

    def matching(self, levels: Sequence[str]) -> list[int]:
        """Indexes, ascending, of the filters that match a topic.

        Given a filter's levels instead, those of the filters that match every topic it matches (itself too).
        """
        found: list[int] = []
        nodes = [self._root]
        for depth, level in enumerate(levels):
            wild = depth > 0 or not level.startswith("$")
            following: list[_Node] = []
            for node in nodes:
                if wild:
                    found += node.rests
                if level != REST and (child := node.children.get(level)) is not None:
                    following.append(child)
                if wild and level not in (SINGLE, REST) and (child := node.children.get(SINGLE)) is not None:
                    following.append(child)
            if not following:
                break
            nodes = following
        else:
            for node in nodes:
                found += node.ends
                found += node.rests  # `a/#` matches `a` as well
        return sorted(found)


def without_covered(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters, in order, without repeats and without those that another one covers.

    Overlapping subscriptions make some brokers deliver a message twice.
    """
    unique = list(dict.fromkeys(filters))
    levels = [text.split("/") for text in unique]
    trie = FilterTrie(levels)
    return tuple(
        text for index, text in enumerate(unique) if all(other == index for other in trie.matching(levels[index]))
    )
