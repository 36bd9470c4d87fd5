"""How values lie in columns, so that they come back as they went in, and so that people can query them.

    kind    number                         whole                said
    0       a real                         -                    -
    1       an integer                     when it is too long for `number`
    2       a boolean, as 0 or 1           -                    -
    3       -                              -                    a text

PostgreSQL's texts hold every character but NUL, which is written as SUB and `0`, and SUB itself as SUB and `1`.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from mqttbridge.dashboard.store.model import Kind
from mqttbridge.events import Value

REAL, WHOLE, FLAG, TEXT = range(4)

# The columns of a value, as every question names them: kind, number, whole, said.
Lying: TypeAlias = tuple[int, float | None, int | None, str | None]

KINDS: Final = (Kind.NUMBER, Kind.NUMBER, Kind.BOOLEAN, Kind.TEXT)

_EXACT: Final = 2**53  # beyond it not every integer is a double
_SUB: Final = "\x1a"


def laid(value: Value) -> Lying:
    """The columns of a value."""
    if isinstance(value, str):
        return TEXT, None, None, written(value)
    if isinstance(value, bool):
        return FLAG, float(value), None, None
    if isinstance(value, int):
        return WHOLE, float(value), None if -_EXACT <= value <= _EXACT else value, None
    return REAL, value, None, None


def raised(kind: int, number: Any, whole: int | None, said: str | None) -> Value:
    """The value of its columns."""
    if kind == REAL:
        return float(number)
    if kind == WHOLE:
        return int(number) if whole is None else whole
    return bool(number) if kind == FLAG else read(said or "")


def written(text: str) -> str:
    """A text as PostgreSQL can hold it."""
    if "\0" not in text and _SUB not in text:
        return text
    return text.replace(_SUB, _SUB + "1").replace("\0", _SUB + "0")


def sought(text: str) -> str:
    """A text to look for: what PostgreSQL cannot hold, half a pair of surrogates, is equal to nothing that it holds."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SUB  # which `written` never leaves alone
    return written(text)


def read(text: str) -> str:
    """What `written` wrote."""
    return text if _SUB not in text else text.replace(_SUB + "0", "\0").replace(_SUB + "1", _SUB)
