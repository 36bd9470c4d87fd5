"""Durations and sizes as people write them: `30s`, `5m`, `7d`, `64KiB`, `1GiB`."""

from __future__ import annotations

import re
from math import inf
from typing import Annotated, Any

from pydantic import BeforeValidator

# As defaults of what is written with a unit: seconds, bytes.
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
MIB, GIB = 2**20, 2**30

_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE_UNITS = {
    "B": 1,
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]+)\s*")  # bounded: more digits overflow


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `250ms`, `30s`, `5m`, `1.5h`, `7d`.

    Raises:
        ValueError: not a duration.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in _DURATION_UNITS:
        raise ValueError("expected a duration such as '250ms', '30s', '5m', '12h' or '7d'")
    return float(match[1]) * _DURATION_UNITS[match[2]]


def parse_size(text: str) -> int:
    """Bytes of a size such as `512B`, `64KiB`, `10MB`, `1GiB`.

    Raises:
        ValueError: not a size.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in _SIZE_UNITS:
        raise ValueError("expected a size such as '64KiB', '10MB' or '1GiB'")
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def _duration(value: Any) -> float:
    if isinstance(value, str):
        return parse_duration(value)
    # A bare number would leave the reader guessing its unit; 0 needs none. A default comes as float.
    if value == 0 or (isinstance(value, float) and 0 < value < inf):
        return float(value)
    raise ValueError("expected a duration with its unit, such as '30s'")


def _size(value: Any) -> int:
    if isinstance(value, str):
        return parse_size(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("expected a size such as '64KiB' or '1GiB'")


Duration = Annotated[float, BeforeValidator(_duration, json_schema_input_type=str)]
"""A duration in seconds, written with its unit."""

Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=str | int)]
"""A size in bytes, written with its unit or as a bare number of bytes."""
