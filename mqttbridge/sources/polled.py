"""What a polled API's answer means: a message, nothing new, or a failure, and who is to wait after it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from mqttbridge.destinations.http_outcome import Answer, one_line, retry_after
from mqttbridge.mapping.paths import find, parse_path

_NOTHING_NEW: Final = frozenset({204, 304})
# These are about us or the whole API, not about the one target that happened to be asked.
_OF_ALL: Final[Mapping[int, str]] = {
    401: "what `auth` says is not accepted",
    403: "what `auth` says may not do this",
    402: "the plan's requests are used up",
    429: "too many requests, a longer `every` avoids this",
    503: "",
}
_REDIRECT: Final = (
    "redirects to elsewhere are not followed, since secrets must not travel on; put the target into `url`"
)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A message's payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing has changed since the last answer."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No message came of it.

    Attributes:
        detail: in words, with secrets masked.
        of_all: whether all targets are to wait, not this one alone.
        retry_after: seconds that the server asks for, if it does.
    """

    detail: str
    of_all: bool
    retry_after: float | None = None


Meaning: TypeAlias = Fresh | Unchanged | Failed


Mask: TypeAlias = Callable[[str], str]
"""Takes secrets out of a text; before it is cut, since half a secret is not recognised."""

# What is masked of a body: far more than is shown of it.
_MASKED_BYTES: Final = 64 * 1024


class Expectation:
    """What a good answer has at some payload paths.

    APIs differ on whether a code is the number 200 or the text "200", often with themselves, so values are
    compared as text.
    """

    def __init__(self, expect: Mapping[str, Any]) -> None:
        self._expected = [(path, parse_path(path), value) for path, value in expect.items()]

    def objection(self, body: bytes, mask: Mask) -> str:
        """Why the answer is none that was expected; empty when it is."""
        if not self._expected:
            return ""
        try:
            document = from_json(body)
        except ValueError:
            return "the answer is not JSON"
        for name, path, value in self._expected:
            if _as_text(found := find(document, path)) != _as_text(value):
                return f"expected {name} to be {_as_text(value)}, found {one_line(mask(_as_text(found)))}"
        return ""


def meaning_of(answer: Answer, expectation: Expectation, mask: Mask, *, oversized: bool, now: float) -> Meaning:
    """Look the answer up.

    Args:
        answer: to a GET.
        expectation: of the answer's body.
        mask: for what is shown of it.
        oversized: whether the body was cut; what is left of it is no JSON any more.
        now: epoch seconds, for a `Retry-After` that is a date.
    """
    status = answer.status
    if status in _NOTHING_NEW:
        return Unchanged()
    if 200 <= status < 300:
        objection = "" if oversized else expectation.objection(answer.body, mask)
        return Failed(_said(objection, answer.body, mask), of_all=False) if objection else Fresh(answer.body)
    advice = _OF_ALL.get(status, _REDIRECT if 300 <= status < 400 else "")
    asked = retry_after(answer, now)
    detail = _said(_status_in_words(status) + (f": {advice}" if advice else ""), answer.body, mask)
    return Failed(detail, of_all=status in _OF_ALL or asked is not None, retry_after=asked)


def _status_in_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _said(what: str, body: bytes, mask: Mask) -> str:
    quote = one_line(mask(body[:_MASKED_BYTES].decode(errors="replace")))
    return f'{what} (it said "{quote}")' if quote else what


def _as_text(value: Any) -> str:
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)
