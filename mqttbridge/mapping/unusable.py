"""How the inside of this package says that a message cannot be stored.

Outside it, bad data is a value: `Route.apply` and `Rulebook.routes` turn every `Unusable` into a `Rejected`.
Inside, parsing recurses, and a raise costs the good messages nothing, where a check of each result would.
"""

from __future__ import annotations

import json
from typing import Final

from pydantic_core import PydanticSerializationError, to_json

from mqttbridge.events import Reason

# A user's model may say anything at any length; ten thousand details are kept.
_MAX_DETAIL_CHARS: Final = 500
# Enough to recognise a value in a log line; the payload itself is kept beside the detail.
_MAX_SHOWN_CHARS: Final = 60


class Unusable(Exception):  # noqa: N818  # never leaves this package: not an error of its interface
    """A message that is to be rejected.

    Attributes:
        reason: the Rejected's reason.
        detail: where in the message and what was found, in plain words.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail if len(detail) <= _MAX_DETAIL_CHARS else detail[:_MAX_DETAIL_CHARS] + "..."


def named(field: str) -> str:
    """A field's name in a detail: cut short, control characters escaped, `value` for a bare value."""
    if not field:
        return "value"
    text = field if field.isprintable() else json.dumps(field)[1:-1]
    return _cut(text)


def shown(value: object) -> str:
    """The value as it stands in JSON, cut short; an object or a list by its kind only."""
    match value:
        case str():
            text = json.dumps(value[: _MAX_SHOWN_CHARS + 1], ensure_ascii=False)
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            try:
                text = to_json(value, inf_nan_mode="constants").decode()
            except (PydanticSerializationError, ValueError):
                text = type(value).__name__
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_CHARS else text[:_MAX_SHOWN_CHARS] + "..."
