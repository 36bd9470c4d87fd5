"""The plain formats: a payload's bytes become a document, what JSON can hold, or one bare number, boolean or text.

All formats, with what they take, are in mqttbridge/mapping/formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from mqttbridge.events import Reason
from mqttbridge.mapping.unusable import Unusable, shown

_WHITESPACE: Final = b" \t\r\n"
_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]+(\.[0-9]*)?|(\.[0-9]+))([eE][+-]?[0-9]+)?")
# `int` refuses longer texts; whatever is longer than this does not fit into 64 bits unless it is padded.
_MAX_INTEGER_DIGITS: Final = 1_000
_BOOLEANS: Final = {
    b"true": True, b"on": True, b"yes": True, b"1": True, b"online": True, b"open": True,
    b"false": False, b"off": False, b"no": False, b"0": False, b"offline": False, b"closed": False,
}  # fmt: skip
_CLEAR_BOOLEANS: Final = {b"true": True, b"false": False}
# What `printf` and Python write where there is no number: a failed reading, not a text.
_NOT_FINITE: Final = frozenset(sign + word for sign in (b"", b"+", b"-") for word in (b"nan", b"inf", b"infinity"))
# What makes JSON slow to read is not its length but its lists, objects and keys: as many as this take some 20 ms. The
# bytes that mark them are counted, so a long text full of braces counts, too; a short payload cannot hold as many.
MAX_JSON_PARTS: Final = 60_000
LONG_JSON: Final = MAX_JSON_PARTS
_MARKS: Final = (b"[", b"{", b":")

_JSON_STARTS: Final = frozenset(b'{["-0123456789tfn \t\r\n')

Parser: TypeAlias = Callable[[bytes], Any]
"""From a payload to a document: what JSON can hold. It raises `Unusable` and nothing else."""


def parse_json(payload: bytes) -> Any:
    """The JSON document. NaN and infinities come through: who stores them says no, and says where.

    Raises:
        Unusable: empty, not JSON, too much of it, or a key stands twice in one object.
    """
    if len(payload) > LONG_JSON:
        check_parts(payload)
    try:
        document = from_json(payload)
    except ValueError as error:
        raise _unparseable(payload, error) from None
    # Each key has its colon. Most payloads have no other, and one pass over the bytes settles the matter.
    if type(document) is dict:
        if payload.count(b":") > len(document):
            _check_keys(payload, document)
    elif type(document) is list and b":" in payload:
        _check_keys(payload, document)
    return document


def check_parts(payload: bytes) -> None:
    """Look at long JSON before any work is done for it.

    Raises:
        Unusable: it has more lists, objects and keys than a message may have.
    """
    if sum(map(payload.count, _MARKS)) > MAX_JSON_PARTS:
        raise Unusable(Reason.TOO_MANY_FIELDS, f"more than {MAX_JSON_PARTS} lists, objects and keys in one payload")


def parse_number(payload: bytes) -> float | int:
    """One number.

    Raises:
        Unusable: empty, or anything else.
    """
    try:
        number = from_json(payload)
    except ValueError:
        number = _lenient_number(payload)
    if type(number) is not float and type(number) is not int:
        raise Unusable(Reason.MALFORMED, f"expected a number (got {shown(number)})")
    return number


def parse_boolean(payload: bytes) -> bool:
    """One boolean, by the words that devices use.

    Raises:
        Unusable: empty, or another word.
    """
    value = _BOOLEANS.get(payload.strip().lower())
    if value is None:
        raise Unusable(Reason.MALFORMED, f"expected true or false, on or off (got {shown(parse_text(payload))})")
    return value


def parse_text(payload: bytes) -> str:
    """The payload as text.

    Raises:
        Unusable: empty, or not UTF-8.
    """
    if not payload:
        raise Unusable(Reason.EMPTY_PAYLOAD, "the payload is empty")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise Unusable(Reason.NOT_UTF8, f"byte {error.start} of the payload is not UTF-8") from None


def parse_auto(payload: bytes) -> Any:
    """JSON where it is JSON, else text.

    What begins like an object must be one: half of one is a broken message and not a text. A list has no such
    claim, since log lines begin with `[` as well.

    Raises:
        Unusable: empty, not UTF-8, broken JSON, a word for "not a number".
    """
    if payload and payload[0] in _JSON_STARTS:
        try:
            return parse_json(payload)
        except Unusable as unusable:
            if unusable.reason is not Reason.MALFORMED or payload.lstrip(_WHITESPACE).startswith(b"{"):
                raise
    word = payload.strip().lower()
    if word in _NOT_FINITE:
        raise Unusable(Reason.NOT_FINITE, f"value: {parse_text(payload)} is not a finite number")
    if word in _CLEAR_BOOLEANS:
        return _CLEAR_BOOLEANS[word]
    return parse_text(payload)


def _unparseable(payload: bytes, error: ValueError) -> Unusable:
    try:
        parse_text(payload)
    except Unusable as unusable:
        return unusable
    return Unusable(Reason.MALFORMED, f"not JSON: {error}")


def _lenient_number(payload: bytes) -> float | int:
    text = payload.strip()
    match = _NUMBER.fullmatch(text)
    if match is None:
        if text.lower() in _NOT_FINITE:
            return float(text)
        raise Unusable(Reason.MALFORMED, f"expected a number (got {shown(parse_text(payload))})")
    if any(match.groups()):
        return float(text)
    if len(text) > _MAX_INTEGER_DIGITS:
        raise Unusable(Reason.INTEGER_TOO_LARGE, f"value: an integer of {len(text)} digits")
    return int(text)


def _check_keys(payload: bytes, document: Any) -> None:
    """Say no when an object holds a key twice: a parser keeps the last one, the device meant both."""
    # Nothing but a key stands before `":`, save odd texts: so there are at least as many as there are keys,
    # and a repeated key is in the bytes but not in the document.
    keys = payload.translate(None, _WHITESPACE).count(b'":')
    if keys > len(document) and keys > _count_keys(document):
        json.loads(payload, object_pairs_hook=_unique, parse_int=len, parse_float=len)


def _count_keys(document: Any) -> int:
    if type(document) is dict:
        return len(document) + sum(map(_count_keys, document.values()))
    if type(document) is list:
        return sum(map(_count_keys, document))
    return 0


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise Unusable(Reason.DUPLICATE_KEYS, f"the key {shown(key)} stands twice in one object")
        unique[key] = value
    return unique
