"""pydantic's errors in words that a user of the file understands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from mqttbridge.config import schema
from mqttbridge.config.draft import Draft

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from mqttbridge.config.schema import Loc
    from mqttbridge.errors import Problem

# Errors that a plain number or boolean gives where a text is wanted: the text as written may do.
WANTS_TEXT: Final = frozenset({"string_type", "literal_error", "enum"})

# What other programs call it, where the names are too far apart for a guess.
_INSTEAD: Final[Mapping[Loc, str]] = {
    **{
        ("mqtt", key): "put it into mqtt.url, as in mqtt://localhost:1883"
        for key in ("host", "hostname", "port", "broker", "server", "address", "transport")
    },
    **{("http", key): "put it into http.listen, as in 127.0.0.1:8080" for key in ("host", "port", "address", "bind")},
    ("mqtt", "user"): "did you mean 'username'?",
}

_WORDS: Final[Mapping[str, str]] = {
    "missing": "required, but missing",
    "string_type": "expected text",
    "string_unicode": "expected text in UTF-8",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "int_parsing_size": "expected a whole number of at most 64 bits",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "dict_type": "expected a mapping, as in 'name: value'",
    "model_type": "expected a mapping, as in 'name: value'",
    "model_attributes_type": "expected a mapping, as in 'name: value'",
    "tuple_type": "expected a list",
}
_WORDS_WITH: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "literal_error": lambda c: f"expected {c['expected']}",
    "enum": lambda c: f"expected {c['expected']}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
    "greater_than": lambda c: f"must be greater than {c['gt']}",
    "less_than": lambda c: f"must be less than {c['lt']}",
    "string_too_short": lambda c: _not_shorter(c["min_length"], "characters"),
    "string_too_long": lambda c: f"must have at most {c['max_length']} characters",
    "too_short": lambda c: _not_shorter(c["min_length"], "entries"),
    "too_long": lambda c: f"must have at most {c['max_length']} entries",
    "value_error": lambda c: _said(c["error"]),
}


def in_words(draft: Draft, errors: Iterable[ErrorDetails]) -> list[Problem]:
    """One problem for each place that pydantic complains of."""
    by_place: dict[Loc, list[ErrorDetails]] = {}
    for error in errors:
        if not draft.is_unreadable(error["loc"]):
            by_place.setdefault(draft.place(error["loc"]), []).append(error)
    return [_problem(draft, place, found) for place, found in by_place.items()]


def _problem(draft: Draft, loc: Loc, errors: list[ErrorDetails]) -> Problem:
    error = errors[0]
    if {each["type"] for each in errors} == {"enum", "string_type"}:  # one of ours, or a name of the user's
        return draft.problem(loc, "expected text")
    if len(errors) > 1:  # one for each type that the value might have had
        return draft.problem(loc, "expected text, a number, true or false")
    match error["type"]:
        case "extra_forbidden":
            # The value is not shown: the key may be a misspelt `password`.
            return draft.problem(loc, f"unknown key{_suggestion(loc)}", show=False)
        case "union_tag_not_found":
            return draft.problem((*loc, _tag(loc)), f"required, but missing: {_variants(loc)}")
        case "union_tag_invalid":
            return draft.problem((*loc, _tag(loc)), f"expected {_variants(loc)}")
        case "string_type" if draft.keys_at(loc):  # bucket: {site}
            return draft.problem(loc, "expected text, which needs quotes where it starts with '{'")
        case kind if kind in _WORDS:
            return draft.problem(loc, _WORDS[kind])
        case kind if kind in _WORDS_WITH:
            return draft.problem(loc, _WORDS_WITH[kind](error["ctx"]))
        case _:
            return draft.problem(loc, error["msg"].replace("Input should be", "expected"))


def _suggestion(loc: Loc) -> str:
    if loc in _INSTEAD:
        return f"; {_INSTEAD[loc]}"
    key, known = str(loc[-1]), schema.keys_at(loc[:-1])
    close = [near for near in get_close_matches(key.lower(), known, n=2) if near != key]
    if close:
        return f"; did you mean {close[0]!r}?"
    if key in known:
        return " for this type"
    return f"; known here: {', '.join(known)}" if known else ""


def _variants(loc: Loc) -> str:
    return " or ".join(repr(choice) for choice in schema.choices_at((*loc, _tag(loc))))


def _tag(loc: Loc) -> str:
    """The key that says of which kind a section is."""
    return "is" if "is" in schema.keys_at(loc) else "type"


def _said(error: ValueError) -> str:
    text = str(error)
    # The standard library's words for a URL's port quote what it found there, which may be half a password.
    return "expected a port from 0 to 65535 after the host" if text.startswith("Port ") else text


def _not_shorter(length: int, of_what: str) -> str:
    return "must not be empty" if length == 1 else f"must have at least {length} {of_what}"
