"""Reads the page's modules as text: their strings, and what their HTML templates say between the expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Stands for an expression in a template's text.
HOLE: Final = "\0"

_BEFORE_REGEX: Final = frozenset("(,=:[!&|?{};+-*%<>~^\n")


@dataclass(frozen=True)
class Literal:
    """One string of a module: `text` is as written, with HOLE for each `${...}`."""

    text: str
    line: int
    is_html: bool


def literals(source: str) -> Iterator[Literal]:
    """Every string and template of a JavaScript module, those inside a template's expressions too; no comments."""
    found: list[Literal] = []
    _code(source, 0, found, "")
    yield from found


def _code(source: str, at: int, found: list[Literal], end: str) -> int:
    """Read code up to the brace that ends an expression, or to the module's end."""
    depth = 0
    while at < len(source):
        char = source[at]
        if source.startswith("//", at):
            at = _index(source, "\n", at)
        elif source.startswith("/*", at):
            at = _index(source, "*/", at) + 2
        elif char in "\"'":
            begin, at = at, _string(source, at)
            found.append(Literal(source[begin + 1 : at - 1], source.count("\n", 0, begin) + 1, is_html=False))
        elif char == "`":
            at = _template(source, at, found)
        elif char == "/" and source[:at].rstrip(" ")[-1:] in _BEFORE_REGEX:
            at = _regex(source, at)
        elif char == end and depth == 0:
            return at
        else:
            depth += (char == "{") - (char == "}")
            at += 1
    return at


def _template(source: str, at: int, found: list[Literal]) -> int:
    begin, text = at, ""
    at += 1
    while source[at] != "`":
        if source[at] == "\\":
            text += source[at : at + 2]
            at += 2
        elif source.startswith("${", at):
            at = _code(source, at + 2, found, "}") + 1
            text += HOLE
        else:
            text += source[at]
            at += 1
    found.append(Literal(text, source.count("\n", 0, begin) + 1, source[:begin].endswith("html")))
    return at + 1


def _string(source: str, at: int) -> int:
    quote = source[at]
    at += 1
    while source[at] != quote:
        at += 2 if source[at] == "\\" else 1
    return at + 1


def _regex(source: str, at: int) -> int:
    at, in_class = at + 1, False
    while source[at] != "/" or in_class:
        in_class = (in_class or source[at] == "[") and source[at] != "]"
        at += 2 if source[at] == "\\" else 1
    return at + 1


def _index(source: str, wanted: str, at: int) -> int:
    found = source.find(wanted, at)
    return len(source) if found < 0 else found
