"""One write as the line that is sent: a trace and a layout to JSON, whatever library their numbers are of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

# As much as a server takes in one line unless it is set otherwise.
MAX_LINE_BYTES: Final = 2**20
_NUMPY_DATES: Final = "M"


def encode(trace: Any, layout: Any = None, *, validate: bool = True) -> bytes:
    """The line of one write.

    Args:
        trace: a mapping, or a plotly trace; scalars append, lists overwrite. NaN and infinities become gaps.
        layout: likewise, of the layout; rides along.
        validate: check that names are texts and that there is something to write.

    Raises:
        ValueError: it cannot be written; the text says why.
    """
    written = _mapping("trace", trace)
    written.pop("type", None)  # a stream cannot change it
    if layout is not None:
        written["layout"] = _mapping("layout", layout)
    if validate:
        if not written:
            raise ValueError("there is nothing to write: expected a trace such as dict(x=1, y=2)")
        unnamed = [name for name in written if not isinstance(name, str)]
        if unnamed:
            raise ValueError(f"a trace's keys are texts (got {unnamed[0]!r})")
    try:
        line = _dumps(written).encode()
    except RecursionError:
        raise ValueError("the trace is nested too deeply") from None
    except TypeError as error:
        raise ValueError(f"the trace cannot be written as JSON: {error}") from None
    if len(line) >= MAX_LINE_BYTES:
        raise ValueError(f"one write may be {MAX_LINE_BYTES} bytes (got {len(line)}): write fewer points at once")
    return line + b"\n"


def _mapping(what: str, given: Any) -> dict[Any, Any]:
    if hasattr(given, "to_plotly_json"):
        given = given.to_plotly_json()
    if not isinstance(given, Mapping):
        raise ValueError(f"a {what} is a mapping such as dict(x=1, y=2) (got {type(given).__name__})")  # noqa: TRY004
    return dict(given)


def _dumps(written: Any) -> str:
    try:
        return json.dumps(written, default=_plain, allow_nan=False, separators=(",", ":"))
    except ValueError:  # JSON has no NaN: found seldom, so looked for only now
        return json.dumps(_with_gaps(written), default=_plain, allow_nan=False, separators=(",", ":"))


def _with_gaps(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _with_gaps(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_gaps(one) for one in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return _with_gaps(_plain(value))


def _plain(value: Any) -> Any:
    """What JSON has no word for: numpy's and pandas' numbers and arrays, dates, decimals, plotly's objects."""
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if getattr(getattr(value, "dtype", None), "kind", "") == _NUMPY_DATES and hasattr(value, "astype"):
        value = value.astype("datetime64[us]")  # finer ones would become bare integers
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset | range):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is neither a number nor a text nor a list of them")
