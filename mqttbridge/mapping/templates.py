"""Templates of bucket and stream names: `{site}`, `{device|slug}.{field}`, `{payload.id|default:none}`.

`{{` and `}}` are braces themselves. A template is checked once, bound to a topic's captures (and, where it names
something of the message, to each value of that) once, and rendered with a field's name once a stream: what is left
for a message is a dictionary lookup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from mqttbridge.events import MAX_NAME_CHARS, Reason
from mqttbridge.mapping.filters import MAX_CHARS, Filter, InvalidFilterCall, parse_filter_call, split_unescaped
from mqttbridge.mapping.unusable import Unusable, named, shown

FIELD: Final = "field"

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{((?:\\.|[^{}\\])*)\}|[{}]", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class InvalidTemplate(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """Not a template, or one with unknown names; the text says why.

    Attributes:
        may_follow: whether it may only follow from a mistake in the topic: a name that is like none of the known.
    """

    def __init__(self, what: str, *, may_follow: bool = False) -> None:
        super().__init__(what)
        self.may_follow = may_follow


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a template: a name, and the filters that its value goes through.

    Attributes:
        name: of a capture, of the field, or what leads to something in the message.
        filters: in the order in which they apply.
        needed: whether it is an error if there is no value; a capture of no levels is just empty.
    """

    name: str
    filters: tuple[Filter, ...] = ()
    needed: bool = False

    def render(self, value: str) -> str:
        """The text that stands there; an empty value counts as none.

        Raises:
            Unusable: there is no value, or none that a filter could use, and no `default`.
        """
        if self.filters and len(value) > MAX_CHARS:
            raise Unusable(Reason.BAD_NAME, f"{named(self.name)} has {len(value)} characters, too many for a name")
        text = value or None
        for each in self.filters:
            text = each(text)
        if text or not (self.needed or (value and text is None)):
            return text or ""
        if not value:
            raise Unusable(Reason.BAD_NAME, f"{named(self.name)} is missing or empty, and the name is made of it")
        raise Unusable(Reason.BAD_NAME, f"{named(self.name)}: no name can be made of it (got {shown(value)})")


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: texts and slots in turn, beginning and ending with a text (maybe an empty one)."""

    texts: tuple[str, ...]
    slots: tuple[Slot, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the slots, from left to right."""
        return tuple(slot.name for slot in self.slots)

    def bind(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Fill everything in but the field. What comes back are the pieces between the places of `{field}`.

        Raises:
            Unusable: a value is missing, or no name can be made of it.
        """
        pieces = [self.texts[0]]
        for slot, text in zip(self.slots, self.texts[1:], strict=True):
            if slot.name == FIELD:
                pieces.append(text)
            else:
                pieces[-1] += slot.render(values[slot.name]) + text
        return tuple(pieces)

    def bound(self, values: Mapping[str, str]) -> Template:
        """The template with everything filled in but the field.

        Raises:
            Unusable: as `bind` does.
        """
        return Template(self.bind(values), tuple(slot for slot in self.slots if slot.name == FIELD))

    def join(self, field: str, pieces: Sequence[str]) -> str:
        """The name with a field filled in between the pieces that `bind` made.

        Raises:
            Unusable: a filter can make no name of the field.
        """
        slots = [slot for slot in self.slots if slot.name == FIELD]
        return pieces[0] + "".join(slot.render(field) + piece for slot, piece in zip(slots, pieces[1:], strict=True))


def parse_template(
    text: str, known: Collection[str], of_message: Callable[[str], bool] = lambda _name: False
) -> Template:
    """Parse a template.

    Args:
        text: the template.
        known: the names that it may use.
        of_message: whether a name, known or not, leads to something in the message; may raise ValueError with what is
            wrong.

    Raises:
        InvalidTemplate: with what is wrong in plain words.
    """
    if not text:
        raise InvalidTemplate("is empty")
    texts, slots = [""], list[Slot]()
    position = 0
    for token in _TOKEN.finditer(text):
        texts[-1] += text[position : token.start()]
        position = token.end()
        if token[0] in ("{{", "}}"):
            texts[-1] += token[0][0]
        elif token[1] is None:
            fault = "is never closed" if token[0] == "{" else "was never opened"
            raise InvalidTemplate(f"{token[0]!r} {fault} in {text!r} (write {token[0] * 2!r} for the brace itself)")
        else:
            slots.append(_slot(token[1], known, of_message))
            texts.append("")
    texts[-1] += text[position:]
    return Template(tuple(texts), tuple(slots))


def _slot(text: str, known: Collection[str], of_message: Callable[[str], bool]) -> Slot:
    name, *calls = split_unescaped(text, "|")
    try:
        needed = of_message(name)
        if not needed and name not in known:
            raise _unknown(name, known)
        return Slot(name, tuple(map(parse_filter_call, calls)), needed)
    except InvalidTemplate:
        raise
    except InvalidFilterCall as error:
        raise InvalidTemplate(f"{error} in {{{text}}}") from None
    except ValueError as error:
        raise InvalidTemplate(str(error)) from None


def _unknown(name: str, known: Collection[str]) -> InvalidTemplate:
    names = ", ".join(f"{{{each}}}" for each in known) or "no names: the topic captures nothing"
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {{{close[0]}}}?" if close else ""
    return InvalidTemplate(f"unknown name {{{name}}}; known here: {names}{hint}", may_follow=not close)


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
