"""Templates of bucket and stream names: `{site}`, `{device}.{field}`; `{{` and `}}` are braces themselves.

A template is checked once, bound to a topic's captures once a topic, and rendered with a field's name once a
stream: what is left for a message is a dictionary lookup.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from mqttbridge.events import MAX_NAME_CHARS, Reason
from mqttbridge.mapping.unusable import Unusable, shown

FIELD: Final = "field"

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class InvalidTemplate(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """Not a template, or one with unknown names; the text says why."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: texts and names in turn, beginning and ending with a text (maybe an empty one)."""

    parts: tuple[str, ...]

    @property
    def has_field(self) -> bool:
        return FIELD in self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The names it uses."""
        return self.parts[1::2]

    def bind(self, captured: Mapping[str, str]) -> tuple[str, ...]:
        """Fill the captures in. What comes back are the pieces between the places of `{field}`."""
        pieces = [self.parts[0]]
        for name, text in zip(self.parts[1::2], self.parts[2::2], strict=True):
            if name == FIELD:
                pieces.append(text)
            else:
                pieces[-1] += captured[name] + text
        return tuple(pieces)


def parse_template(text: str, known: Collection[str]) -> Template:
    """Parse a template whose names must be among `known`.

    Raises:
        InvalidTemplate: with what is wrong in plain words.
    """
    if not text:
        raise InvalidTemplate("is empty")
    parts = [""]
    position = 0
    for token in _TOKEN.finditer(text):
        parts[-1] += text[position : token.start()]
        position = token.end()
        if token[0] in ("{{", "}}"):
            parts[-1] += token[0][0]
        elif token[1] is None:
            fault = "is never closed" if token[0] == "{" else "was never opened"
            raise InvalidTemplate(f"{token[0]!r} {fault} in {text!r} (write {token[0] * 2!r} for the brace itself)")
        else:
            parts += [_known(token[1], known), ""]
    parts[-1] += text[position:]
    return Template(tuple(parts))


def _known(name: str, known: Collection[str]) -> str:
    if name in known:
        return name
    names = ", ".join(f"{{{each}}}" for each in known) or "no names: the topic captures nothing"
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {{{close[0]}}}?" if close else ""
    raise InvalidTemplate(f"unknown name {{{name}}}; known here: {names}{hint}")


def checked_name(name: str, what: str) -> str:
    """The name itself when it can name a bucket or a stream.

    Raises:
        Unusable: it is empty, too long, or holds control characters.
    """
    if not name:
        raise Unusable(Reason.BAD_NAME, f"{what} came out empty")
    if len(name) > MAX_NAME_CHARS:
        raise Unusable(Reason.BAD_NAME, f"{what} has {len(name)} characters, at most {MAX_NAME_CHARS} are possible")
    if _CONTROL.search(name):
        raise Unusable(Reason.BAD_NAME, f"{what} holds a control character ({shown(name)})")
    return name
