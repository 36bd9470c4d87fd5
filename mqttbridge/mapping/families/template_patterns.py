"""Regular expressions in value templates, with a bound on their work that is known before they are run.

They come from the network, and the engine behind Python's `re` goes back and tries again, which can take for ever. So
an expression is read here first: what it costs at most follows from where it has a choice. What is not understood is
refused, and whoever runs one pays for its worst case on a text of that length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_PATTERN_CHARS: Final = 300
_MAX_REPEATS: Final = 1_000
# No bound is told above this: it is too much anyway, and the numbers would grow without end.
_MANY: Final = 10**9

_REPEAT: Final = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\[dDwWsSnrt\W]|[^\]\\\[])*\]")
# What Python means to give another meaning one day.
_SETS: Final = ("--", "&&", "||", "~~")
_GROUP: Final = re.compile(r"\((?:\?:|\?P<[A-Za-z_]\w{0,30}>)?(?!\?)")
_ESCAPED: Final = re.compile(r"\\[dDwWsSbBnrt\W]")

_Cost: TypeAlias = tuple[int, int]
"""Steps of one's own, and how many ways out there are, each of which what follows may be tried on."""


class InvalidExpression(ValueError):  # noqa: N818  # names what it is about, as InvalidTemplate does
    """Not a regular expression that is offered; the text says why."""


@dataclass(frozen=True, slots=True)
class _One:
    """One character, or a place between two."""

    def cost(self, length: int) -> _Cost:  # noqa: ARG002  # the same for each
        return 1, 1


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of several sequences."""

    branches: tuple[tuple[_Node, ...], ...]

    def cost(self, length: int) -> _Cost:
        own = ways = 0
        for branch in self.branches:
            branch_own, branch_ways = 1, 1
            for node in branch:
                node_own, node_ways = node.cost(length)
                branch_own, branch_ways = branch_own + branch_ways * node_own, branch_ways * node_ways
            own, ways = own + branch_own, ways + branch_ways
        return min(own, _MANY), min(ways, _MANY)


@dataclass(frozen=True, slots=True)
class _Repeat:
    """Something several times; `most` is None where there is no end to it."""

    what: _Node
    least: int
    most: int | None

    def cost(self, length: int) -> _Cost:
        own, ways = self.what.cost(length)
        most = length if self.most is None else min(self.most, max(length, self.least))
        if ways == 1:
            return min((most + 1) * (own + 1), _MANY), max(most - self.least + 1, 1)
        total = exits = 0
        ways_here = 1
        for count in range(most + 1):  # not many, as each has at least twice as many as the one before
            exits += ways_here if count >= self.least else 0
            total += ways_here * (own + 1)
            ways_here *= ways
            if total > _MANY:
                return _MANY, _MANY
        return total, max(exits, 1)


_Node: TypeAlias = _One | _Choice | _Repeat


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression, ready to be used."""

    compiled: re.Pattern[str]
    _tree: _Choice
    _anchored: bool

    def steps(self, length: int) -> int:
        """How many steps it takes at most to find all there is in a text of so many characters."""
        own, ways = self._tree.cost(length)
        return (own + ways) * (1 if self._anchored else length + 1)


def parse_expression(text: str, *, ignore_case: bool = False) -> Expression:
    """Read an expression.

    Raises:
        InvalidExpression: it is broken, too long, or has what is not offered (look-around, back-references, flags).
    """
    if len(text) > MAX_PATTERN_CHARS:
        raise InvalidExpression(f"the regular expression has more than {MAX_PATTERN_CHARS} characters")
    tokens = _tokens(text)
    tree = _choice(tokens, nested=False)
    try:
        compiled = re.compile(text, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidExpression(f"not a regular expression: {error}") from None
    return Expression(compiled, tree, text.startswith("^") and len(tree.branches) == 1)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match text[at]:
            case "\\":
                found = _ESCAPED.match(text, at)
            case "[":
                found = _CLASS.match(text, at)
            case "(":
                found = _GROUP.match(text, at)
            case "{":
                found = _REPEAT.match(text, at)
            case "}" | "]":
                found = None
            case character:
                at += 1
                yield character
                continue
        if found is None or (text[at] == "[" and any(each in found[0] for each in _SETS)):
            raise InvalidExpression(f"not a regular expression, or not one that is offered: {text[at : at + 40]!r}")
        at = found.end()
        yield found[0]


def _choice(tokens: Iterator[str], *, nested: bool) -> _Choice:
    """What stands up to the end, or to the end of a group."""
    branches: list[list[_Node]] = [[]]
    repeatable = repeated = False  # whether what stands before may be repeated; whether it just was
    for found in tokens:
        sequence = branches[-1]
        if found == ")" and nested:
            return _Choice(tuple(map(tuple, branches)))
        if found == ")":
            raise InvalidExpression("not a regular expression: there is a ) too many")
        if found == "?" and repeated:
            repeated = False  # a lazy one takes as many steps
        elif found[0] in "*+?{":
            if not repeatable:
                raise InvalidExpression("not a regular expression: nothing to repeat, or a repeat of a repeat")
            sequence[-1] = _Repeat(sequence[-1], *_bounds(found))
            repeatable, repeated = False, True
        else:
            repeatable, repeated = found != "|", False
            if found == "|":
                branches.append([])
            else:
                sequence.append(_choice(tokens, nested=True) if found[0] == "(" else _One())
    if nested:
        raise InvalidExpression("not a regular expression: a ) is missing")
    return _Choice(tuple(map(tuple, branches)))


def _bounds(quantifier: str) -> tuple[int, int | None]:
    match quantifier[0]:
        case "*":
            return 0, None
        case "+":
            return 1, None
        case "?":
            return 0, 1
    found = _REPEAT.fullmatch(quantifier)
    assert found is not None  # noqa: S101  # it was one when it was found
    least = int(found[1])
    most = least if found[2] is None else int(found[3]) if found[3] else None
    if max(least, most or 0) > _MAX_REPEATS:
        raise InvalidExpression(f"the regular expression repeats something more than {_MAX_REPEATS} times")
    return least, most
