"""What a pydantic validation error means for a message: a reason, and words that a person can act on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import ValidationError

from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_TEXT_CHARS, Reason
from mqttbridge.mapping.unusable import Unusable, named, shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# The first few say what is wrong; the payload beside them says the rest.
_MAX_ERRORS: Final = 3

_WORDS: Final = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be above {gt}",
    "less_than": "must be below {lt}",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match its pattern",
    "finite_number": "must be a finite number",
    "dict_type": "must be an object",
}


def unusable(error: ValidationError, within: Sequence[str] = ()) -> Unusable:
    """The rejection that a model's refusal amounts to.

    Args:
        error: what pydantic says.
        within: the path to what was validated, where that is not the whole payload.
    """
    errors = error.errors(include_url=False)
    detail = "; ".join(describe(each, within) for each in errors[:_MAX_ERRORS])
    if len(errors) > _MAX_ERRORS:
        detail += f"; and {len(errors) - _MAX_ERRORS} more"
    return Unusable(_reason(errors), detail)


def describe(error: ErrorDetails, within: Sequence[str] = ()) -> str:
    """One error as `temperature: must be at most 85 (got 120)`."""
    where = location((*within, *error["loc"]))
    if error["type"] == "missing":
        return f"{where} is missing"
    context = {key: _brief(value) for key, value in error.get("ctx", {}).items()}
    try:
        words = _WORDS[error["type"]].format_map(context)
    except KeyError:
        words = error["msg"][:1].lower() + error["msg"][1:]
    return f"{where}: {words} (got {shown(error['input'])})"


def _brief(bound: Any) -> Any:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def location(path: Sequence[str | int]) -> str:
    """Path of a field in the payload, for people."""
    return named(".".join(map(str, path))) if path else "the payload"


def _reason(errors: Sequence[ErrorDetails]) -> Reason:
    """What cannot be stored at all is said as such; everything else is the model's own no."""
    for error in errors:
        match error["input"]:
            case float(number) if not math.isfinite(number):
                return Reason.NOT_FINITE
            case int(number) if not INT64_MIN <= number <= INT64_MAX:
                return Reason.INTEGER_TOO_LARGE
            case str(text) if len(text) > MAX_TEXT_CHARS:
                return Reason.TEXT_TOO_LONG
            case _:
                continue
    return Reason.VALIDATION


def message_of(error: BaseException) -> str:
    """An unexpected exception in one short line."""
    line = str(error).split("\n", 1)[0].encode(errors="backslashreplace").decode()
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
