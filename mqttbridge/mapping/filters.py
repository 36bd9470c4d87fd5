r"""Filters of templates, written after a name: `{device|lower}`, `{site|replace:_,-}`, `{payload.id|default:none}`.

A filter makes a text of a text. None stands for "nothing there"; all but `default` leave that as it is.
In an argument, `\` takes the special meaning of the character after it: `replace:\,,.` makes dots of commas.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches
from typing import Final, TypeAlias

from mqttbridge.events import MAX_NAME_CHARS, Reason
from mqttbridge.mapping.unusable import Unusable

Filter: TypeAlias = Callable[[str | None], str | None]

# Sixteen names' worth: whatever is longer is no name, and is not worth the work of making one of it.
MAX_CHARS: Final = 16 * MAX_NAME_CHARS

_INTEGER: Final = re.compile(r"([+-]?)([0-9]+)(?:\.0*)?")
_NO_WORD: Final = re.compile(r"[\W_]+")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class InvalidFilterCall(ValueError):  # noqa: N818  # names what it is about, as InvalidTemplate does
    """An unknown filter, or one with the wrong arguments; the text says why."""


def parse_filter_call(call: str) -> Filter:
    """The filter that `name` or `name:argument,argument` calls.

    Raises:
        InvalidFilterCall: with what is wrong in plain words.
    """
    name, colon, arguments = call.partition(":")
    if name in _PLAIN:
        if colon:
            raise InvalidFilterCall(f"the filter {name!r} takes no argument (got {call!r})")
        return _of_text(_PLAIN[name])
    if name == "default":
        if not arguments:
            raise InvalidFilterCall("the filter 'default' needs the text that stands in, as in 'default:none'")
        return _default(_plain_text(arguments))
    if name == "replace":
        pair = split_unescaped(arguments, ",")
        if len(pair) != 2 or not pair[0]:
            raise InvalidFilterCall(
                f"the filter 'replace' needs what goes and what comes, as in 'replace:_,-' (got {call!r}; "
                r"write '\,' for a comma itself)"
            )
        return _of_text(_replacing(*map(_plain_text, pair)))
    known = ", ".join(FILTERS)
    close = get_close_matches(name, FILTERS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f" (known: {known})"
    raise InvalidFilterCall(f"unknown filter {name!r}{hint}")


def split_unescaped(text: str, separator: str) -> list[str]:
    r"""Split at each separator that no `\` stands before; escapes stay as they are."""
    parts = [""]
    for token in re.findall(r"\\.|.", text, re.DOTALL):
        if token == separator:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _plain_text(escaped: str) -> str:
    return _ESCAPED.sub(r"\1", escaped)


def _of_text(make: Callable[[str], str | None]) -> Filter:
    def apply(text: str | None) -> str | None:
        if text is None:
            return None
        made = make(text)
        if made is not None and len(made) > MAX_CHARS:
            raise Unusable(Reason.BAD_NAME, f"a part of the name has {len(made)} characters")
        return made

    return apply


def _default(stand_in: str) -> Filter:
    return lambda text: text or stand_in


def _replacing(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def _slug(text: str) -> str:
    """`Küche / Ofen` is `kuche-ofen`; letters and digits of every script stay."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _NO_WORD.sub("-", unicodedata.normalize("NFC", bare).lower()).strip("-")


def _int(text: str) -> str | None:
    """`007` is `7` and `21.0` is `21`; what is no whole number is nothing."""
    match = _INTEGER.fullmatch(text.strip())
    if match is None:
        return None
    digits = match[2].lstrip("0") or "0"
    return f"-{digits}" if match[1] == "-" and digits != "0" else digits


_PLAIN: Final[dict[str, Callable[[str], str | None]]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "slug": _slug,
    "int": _int,
}
FILTERS: Final = (*_PLAIN, "replace", "default")
