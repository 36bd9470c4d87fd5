"""What can be an event: names and values as the Events API takes them. What no server could store is refused here.

The caller hears of it at once, with the stream's name, instead of losing a whole batch to a 400 later.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite
from numbers import Integral, Real
from typing import Any, Final

from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_NAME_CHARS, MAX_TEXT_CHARS, Value

# Stated by the Events API for the keys of buckets; their names may hold them.
ILLEGAL_IN_BUCKET_KEY: Final = frozenset(":\"'")


def storable(stream: str, value: Any) -> Value:
    """The value as JSON can carry it: numbers of NumPy, decimals, enumerations and times become plain ones.

    Raises:
        TypeError: it is no number, boolean or text, nor anything that has one of them for its value.
        ValueError: it is NaN, infinite, an integer beyond 64 bits, or too long or broken text.
    """
    plain: Value | None = _plain(value)
    if isinstance(plain, str):
        if len(plain) > MAX_TEXT_CHARS:
            raise ValueError(f"{stream!r}: the text has {len(plain)} characters, at most {MAX_TEXT_CHARS} can be sent")
        if not _is_unicode(plain):
            raise ValueError(f"{stream!r}: the text holds half a surrogate pair and cannot be sent")
    elif isinstance(plain, float):
        if not isfinite(plain):
            raise ValueError(f"{stream!r}: {plain} is not a finite number; JSON has none of its kind")
    elif isinstance(plain, int):
        if not INT64_MIN <= plain <= INT64_MAX:
            raise ValueError(f"{stream!r}: the integer does not fit into 64 bits")
    else:
        raise TypeError(f"{stream!r}: a {type(value).__name__} is no number, boolean or text")
    return plain


def is_value(value: Any) -> bool:
    """Whether `storable` takes this type."""
    return isinstance(_plain(value), str | float | int)


def stream_name(key: Any) -> str:
    """The name of a stream; numbers and enumerations become text.

    Raises:
        TypeError: it is neither text nor a number.
        ValueError: it is empty, too long or broken text.
    """
    name = key.value if isinstance(key, Enum) else key
    if isinstance(name, int | float):
        name = str(name)
    if not isinstance(name, str):
        raise TypeError(f"a stream's name is text, not a {type(key).__name__}")
    return _checked("a stream's name", str(name))


def bucket_key(key: str) -> str:
    """The key of a bucket, checked.

    Raises:
        ValueError: the Events API has no such keys.
    """
    _checked("bucket_key", key)
    if bad := sorted(ILLEGAL_IN_BUCKET_KEY & set(key)):
        raise ValueError(f"bucket_key must not hold {' '.join(bad)}")
    if not key.isprintable() or key != key.strip():
        raise ValueError("bucket_key travels in a header: it must be printable, without spaces at its ends")
    return key


def bucket_name(name: str) -> str:
    """The displayed name of a bucket, checked; may be empty.

    Raises:
        ValueError: it is too long or broken text.
    """
    return _checked("bucket_name", name) if name else ""


def _checked(what: str, name: str) -> str:
    if not name:
        raise ValueError(f"{what} is empty")
    if len(name) > MAX_NAME_CHARS:
        raise ValueError(f"{what} has {len(name)} characters, at most {MAX_NAME_CHARS} are allowed")
    if not _is_unicode(name):
        raise ValueError(f"{what} holds half a surrogate pair")
    return name


def _plain(value: Any) -> Any:
    """The built-in value of whatever stands for one; itself where it does not."""
    match value:
        case Enum():
            return _plain(value.value)
        case bool():
            return value
        case int() | Integral():
            return int(value)
        case float() | Real() | Decimal():
            return float(value)
        case str():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
    # NumPy's booleans and arrays of one element have no class to be known by without importing it.
    if type(value).__module__ == "numpy" and getattr(value, "size", 0) == 1:
        return _plain(value.item())
    return value


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
