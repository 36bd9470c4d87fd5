"""YAML as a tree in which every key and value knows its line.

The text is read event by event, so nothing is built from it but our own three kinds of node: no tag runs code,
a key that stands twice is seen, and depth, size and the growth by aliases are bounded (a file of 300 bytes can
otherwise grow to gigabytes). What a plain value such as `5` or `true` means is decided in `scalars.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

# libyaml reads ten thousand rules in 0.1 s, the pure Python parser in 2 s; both give the same events.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_TEXT_BYTES: Final = 16 * 2**20  # a hundred thousand rules
MAX_DEPTH: Final = 32  # our own sections nest six deep
MAX_ALIASED_NODES: Final = 100_000  # values that aliases may add to what is written out

_NOT_TEXT: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # as YAML 1.2 section 5.1 has it
)


class YamlError(Exception):
    """The text is not usable as YAML.

    Attributes:
        line: where, counted from 1.
        what: what is wrong, in words.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line, self.what = line, what


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `plain` when it stands without quotes; `tag` as written, such as `!file`, or empty."""

    line: int
    text: str
    plain: bool = False
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping. `entries` holds each key's line and value; `repeated` the keys that stand there again."""

    line: int
    entries: dict[str, tuple[int, Node]]
    repeated: tuple[tuple[int, str], ...] = ()


Node: TypeAlias = Scalar | Items | Table


def parse_yaml(text: str) -> Node | None:
    """The one document in `text`, or None if there is none (only comments, or nothing at all).

    Raises:
        YamlError: not YAML, more than one document, or beyond the bounds above.
    """
    if (strange := _NOT_TEXT.search(text)) is not None:
        line = text.count("\n", 0, strange.start()) + 1
        raise YamlError(line, f"the character {strange[0]!r} cannot stand in a YAML file")
    try:
        return _Composer(text).document()
    except yaml.MarkedYAMLError as error:
        raise YamlError(*_in_words(error, text)) from None
    except yaml.YAMLError as error:  # what the parser's own reader refuses, without a line
        raise YamlError(1, f"not valid YAML: {error}") from None


class _Composer:
    """Builds nodes from the parser's events."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._aliased = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise YamlError(_line(event), "a second document starts here ('---'): one is expected")
                root, _, _ = self._node(next(self._events), 0)
        return root

    def _node(self, event: Any, depth: int) -> tuple[Node, int, int]:
        """The node that starts with `event`, how many values it holds and how deep they nest."""
        if depth > MAX_DEPTH:
            raise YamlError(_line(event), f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        size = levels = 1
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(_line(event), event.value, plain=not event.style, tag=event.tag or "")
        elif isinstance(event, yaml.SequenceStartEvent):
            _no_tag(event)
            nodes = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                item, item_size, item_levels = self._node(inner, depth + 1)
                nodes.append(item)
                size, levels = size + item_size, max(levels, 1 + item_levels)
            node = Items(_line(event), tuple(nodes))
        else:
            _no_tag(event)
            node, size, levels = self._table(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node, size, levels
        return node, size, levels

    def _alias(self, event: Any, depth: int) -> tuple[Node, int, int]:
        # An anchor is known only once its node is complete, so nothing can hold itself.
        if event.anchor not in self._anchors:
            raise YamlError(_line(event), f"the alias *{event.anchor} has no anchor &{event.anchor} before it")
        node, size, levels = self._anchors[event.anchor]
        self._aliased += size
        if self._aliased > MAX_ALIASED_NODES:
            raise YamlError(_line(event), f"aliases add more than {MAX_ALIASED_NODES} values")
        if depth + levels > MAX_DEPTH:
            raise YamlError(_line(event), f"nested deeper than {MAX_DEPTH} levels")
        return node, size, levels

    def _table(self, start: Any, depth: int) -> tuple[Table, int, int]:
        entries: dict[str, tuple[int, Node]] = {}
        merged: dict[str, tuple[int, Node]] = {}
        repeated = []
        size = levels = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise YamlError(_line(event), "a key must be a plain text")
            key, line = event.value, _line(event)
            value, value_size, value_levels = self._node(next(self._events), depth + 1)
            size, levels = size + value_size, max(levels, 1 + value_levels)
            if key == "<<" and not event.style:
                for table in value.nodes if isinstance(value, Items) else (value,):
                    if not isinstance(table, Table):
                        raise YamlError(line, "'<<' merges mappings only")
                    merged = table.entries | merged
            elif key in entries:
                repeated.append((line, key))
            else:
                entries[key] = (line, value)
        return Table(_line(start), merged | entries, tuple(repeated)), size, levels


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _no_tag(event: Any) -> None:
    if event.tag is not None:
        raise YamlError(_line(event), f"the tag {event.tag} cannot stand here: only '!file path' is known")


def _in_words(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Line and words of a syntax error, with what usually causes it."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, f"not valid YAML: {error.problem}"
    # The end of the text is a place below the last line, where there is nothing to look at.
    line = min(mark.line + 1, text.rstrip().count("\n") + 1)
    context = f", {error.context}" if error.context and "next token" not in error.context else ""
    what = f"not valid YAML: {error.problem}{context}"
    found = text[mark.index : mark.index + 1]
    if found == "\t":
        return line, "a tab indents this line: YAML wants spaces"
    if found and found in "@`%*&!|>":
        return line, f"{what} (a text that starts with {found!r} needs quotes)"
    if "{" in text.split("\n")[line - 1]:
        return line, f"{what} (a text that starts with '{{' needs quotes, and so does ${{NAME}} inside of {{ }} or [ ])"
    if "mapping values are not allowed" in str(error.problem):
        return line, f"{what} (a text with ': ' in it needs quotes, and keys of one section start in one column)"
    return line, what
