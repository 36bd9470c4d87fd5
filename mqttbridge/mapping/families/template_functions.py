"""The functions of Home Assistant's templates that discovery payloads use, as documented and within bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jinja2 import Undefined
from jinja2.exceptions import UndefinedError
from pydantic_core import from_json, to_json

from mqttbridge.mapping.families.template_budget import MAX_TEXT, Budget, TooMuch

MAX_TEMPLATE_CHARS: Final = 4_000
_MAX_ITEMS: Final = 1_000
_FORMAT: Final = re.compile(r"[^%]*%[-+ 0#]{0,5}[0-9]{0,2}(?:\.[0-9]{1,2})?[dsfgeGxX](?:%%|[^%])*")

_NONE: Final = object()


def _defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise UndefinedError("the value is undefined")
    return value


def _float(value: Any, default: Any = _NONE) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, UndefinedError):
        if default is _NONE:
            _defined(value)
            raise ValueError("float got what is no number, and no default") from None
        return default


def _int(value: Any, default: Any = _NONE, base: int = 10) -> Any:
    try:
        return int(value, base) if isinstance(value, str) and base != 10 else int(float(value))
    except (TypeError, ValueError, OverflowError, UndefinedError):
        if default is _NONE:
            _defined(value)
            raise ValueError("int got what is no number, and no default") from None
        return default


def _bool(value: Any, default: Any = _NONE) -> Any:
    word = str(_defined(value)).strip().lower()
    if word in {"true", "yes", "on", "enable", "1", "1.0"}:
        return True
    if word in {"false", "no", "off", "disable", "0", "0.0"}:
        return False
    if default is _NONE:
        raise ValueError("bool got another word, and no default")
    return default


def _round(value: Any, precision: int = 0, method: str = "common", default: Any = _NONE) -> Any:
    number = _float(value, default)
    if number is default:
        return default
    scale = 10.0 ** min(max(int(precision), -30), 30)
    match method:
        case "ceil":
            number = math.ceil(number * scale) / scale
        case "floor":
            number = math.floor(number * scale) / scale
        case "half":
            number = round(number * 2) / 2
        case _:
            number = round(number, int(precision))
    return number if precision else int(number)


def _iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = _NONE) -> Any:
    if value is None and if_none is not _NONE:
        return if_none
    return if_true if value else if_false


def is_number(value: Any) -> bool:
    """Whether it is a finite number, or a text of one."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError, UndefinedError):
        return False


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float) or is_number(value):
        return datetime.fromtimestamp(float(value), UTC)
    moment = datetime.fromisoformat(str(_defined(value))[:64])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_timestamp(value: Any, default: Any = _NONE) -> Any:
    try:
        return _moment(value).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        if default is _NONE:
            raise
        return default


def _as_datetime(value: Any, default: Any = _NONE) -> Any:
    try:
        return _moment(value)
    except (TypeError, ValueError, OverflowError, OSError):
        if default is _NONE:
            raise
        return default


def _iso(value: Any) -> str:
    return _moment(value).isoformat()


def _multiply(value: Any, amount: Any, default: Any = _NONE) -> Any:
    number = _float(value, default)
    return default if number is default else number * float(amount)


def _add(value: Any, amount: Any, default: Any = _NONE) -> Any:
    number = _float(value, default)
    return default if number is default else number + float(amount)


def replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    """The text with one text in place of another."""
    text, sought, put = str(_defined(value)), str(old), str(new)
    if len(text) + text.count(sought) * len(put) > MAX_TEXT:
        raise TooMuch("makes too long a text")
    return text.replace(sought, put, count)


def _join(values: Any, separator: Any = "") -> str:
    texts, between = [str(value) for value in values], str(separator)
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_TEXT:
        raise TooMuch("makes too long a text")
    return between.join(texts)


def _format(pattern: Any, *values: Any) -> str:
    text = str(pattern)
    if len(values) != 1 or len(text) > MAX_TEMPLATE_CHARS or not _FORMAT.fullmatch(text):
        raise ValueError("format takes one value, and a pattern such as '%.1f'")
    return text % (_defined(values[0]),)


def _from_json(text: Any) -> Any:
    return from_json(str(_defined(text)).encode())


def _to_json(value: Any) -> str:
    return to_json(_defined(value)).decode()


def _range(*bounds: int) -> range:
    if len(numbers := range(*bounds)) > _MAX_ITEMS:
        raise TooMuch("takes too long")
    return numbers


def _timedelta(**amounts: Any) -> timedelta:
    return timedelta(**{unit: float(amount) for unit, amount in amounts.items()})


def _zip(*sequences: Any) -> list[tuple[Any, ...]]:
    return list(zip(*sequences, strict=False))


class Dictionaries:
    """`dict(...)` and `dict.from_keys(...)`, which both make one of pairs."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def __call__(self, pairs: Any = (), **named: Any) -> dict[Any, Any]:
        """A dictionary of pairs, and of what is named."""
        return {**dict(self._budget.pay_for(list(pairs))), **named}

    from_keys = __call__

    def __repr__(self) -> str:
        return "dict"


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "float": _float, "int": _int, "bool": _bool, "iif": _iif, "is_number": is_number, "as_timestamp": _as_timestamp,
    "as_datetime": _as_datetime,
}  # fmt: skip
FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    **_FUNCTIONS,
    "round": _round, "is_defined": _defined, "multiply": _multiply, "add": _add, "format": _format,
    "from_json": _from_json, "to_json": _to_json, "tojson": _to_json, "timestamp_utc": _iso, "timestamp_local": _iso,
    "bitwise_and": lambda left, right: int(left) & int(right), "bitwise_or": lambda left, right: int(left) | int(right),
    "sqrt": lambda value: math.sqrt(_float(value)), "log": lambda value, base=math.e: math.log(_float(value), base),
    "ord": ord, "contains": lambda values, value: value in values, "zip": _zip, "replace": replace, "join": _join,
}  # fmt: skip
GLOBALS: Final[Mapping[str, Callable[..., Any]]] = {
    **_FUNCTIONS,
    "min": min, "max": max,
    "sqrt": lambda value: math.sqrt(_float(value)), "log": lambda value, base=math.e: math.log(_float(value), base),
    "from_json": _from_json, "to_json": _to_json, "range": _range, "timedelta": _timedelta, "zip": _zip,
}  # fmt: skip
