"""What an HTTP answer means for the batch it answers: one table, from status to settlement.

Two sides err differently: to call a batch refused that was not loses its events to Rejected, to keep one that
will never be taken only delays. So whatever the table does not name is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Refused, Settlement

# The longest wait a server may ask of us: a wrong clock there must not silence us for a day.
MAX_RETRY_AFTER: Final = 3600.0
# How much of a server's words is worth showing.
_MAX_QUOTE: Final = 200


class _Verdict(Enum):
    ACCEPT = auto()
    REFUSE = auto()
    """Halved, and rejected when it is one event."""
    KEEP = auto()
    """Tried again, later each time or when the server says."""
    PAUSE = auto()
    """Kept; nothing helps but a human."""
    QUOTA = auto()
    """Kept; nothing helps but time or money."""


_TABLE: Final[dict[int, tuple[_Verdict, str]]] = {
    400: (_Verdict.REFUSE, ""),
    413: (_Verdict.REFUSE, ""),
    422: (_Verdict.REFUSE, ""),
    401: (_Verdict.PAUSE, "the access key is not accepted, check access_key"),
    403: (_Verdict.PAUSE, "the access key may not do this, check access_key"),
    402: (_Verdict.QUOTA, "the plan's events are used up"),
    404: (_Verdict.KEEP, "there is no Events API at this address, check url"),
    405: (_Verdict.KEEP, "there is no Events API at this address, check url"),
    408: (_Verdict.KEEP, ""),
    425: (_Verdict.KEEP, ""),
    429: (_Verdict.KEEP, "the server's rate limit is used up; a lower rate_limit avoids this"),
}
_SUCCESS: Final = (_Verdict.ACCEPT, "")
_REDIRECT: Final = (_Verdict.KEEP, "redirects are not followed, since keys must not travel on; put its target into url")
_SERVER_FAULT: Final = (_Verdict.KEEP, "")
_UNKNOWN: Final = (_Verdict.KEEP, "that is no answer of an Events API, check url")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are looked up as they are written here: give a case-insensitive mapping."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def settlement_of(answer: Answer, *, bucket: str, now: float, quota_pause: float) -> Settlement:
    """Look the answer up.

    Args:
        answer: to a request about one bucket.
        bucket: its name.
        now: epoch seconds, for dates among the headers where the server does not tell its own time.
        quota_pause: how long to pause after 402, in seconds.
    """
    verdict, advice = _row(answer.status)
    detail = _in_words(answer, advice)
    match verdict:
        case _Verdict.ACCEPT:
            return Accepted(quiet=_rate_limit_pause(answer, now) or 0.0)
        case _Verdict.REFUSE if answer.status == 400 and _error_type(answer.body) == "BUCKET_REMOVED":
            return BucketGone(bucket, detail)
        case _Verdict.REFUSE:
            return Refused(detail)
        case _Verdict.PAUSE:
            return Kept(detail, pause=True)
        case _Verdict.QUOTA:
            return Kept(detail, retry_after=quota_pause, pause=True)
        case _Verdict.KEEP:
            asked = retry_after(answer, now)
            return Kept(detail, retry_after=_rate_limit_pause(answer, now) if asked is None else asked)


def _row(status: int) -> tuple[_Verdict, str]:
    if status in _TABLE:
        return _TABLE[status]
    by_hundreds = {2: _SUCCESS, 3: _REDIRECT, 5: _SERVER_FAULT}
    return by_hundreds.get(status // 100, _UNKNOWN)


def retry_after(answer: Answer, now: float) -> float | None:
    """Seconds of `Retry-After`, given as a number or as a date; None when it is absent or nonsense."""
    text = answer.headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is None and (date := _epoch(text)) is not None:
        seconds = date - _server_time(answer, now)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _rate_limit_pause(answer: Answer, now: float) -> float | None:
    """Seconds until the server's rate limit renews, if it says that nothing is left of it."""
    remaining = _number(answer.headers.get("X-RateLimit-Remaining", ""))
    reset = _number(answer.headers.get("X-RateLimit-Reset", ""))
    if remaining is None or remaining > 0 or reset is None:
        return None
    return min(max(reset - _server_time(answer, now), 0.0), MAX_RETRY_AFTER)


def _server_time(answer: Answer, now: float) -> float:
    """The server's own clock where it tells it: dates it gives are by that one."""
    date = _epoch(answer.headers.get("Date", ""))
    return now if date is None else date


def _number(text: str) -> float | None:
    match = re.fullmatch(r"[0-9]{1,12}(\.[0-9]{0,9})?", text.strip())
    return float(match[0]) if match else None


def _epoch(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        # "-0000" makes a naive one, which means UTC all the same.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _error_type(body: bytes) -> str:
    """`BUCKET_REMOVED` of `{"message": {"error": {"type": "BUCKET_REMOVED"}}}`; empty for anything else."""
    try:
        found: Any = from_json(body)
    except ValueError:
        return ""
    for key in ("message", "error", "type"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _in_words(answer: Answer, advice: str) -> str:
    try:
        words = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    except ValueError:
        words = str(answer.status)
    quote = one_line(_said(answer.body))
    return words + (f": {advice}" if advice else "") + (f' (it said "{quote}")' if quote else "")


def _said(body: bytes) -> str:
    """The body as text; one that is a JSON string, such as `"ACCESS_DENIED_KEY"`, without its quotes."""
    try:
        found: Any = from_json(body)
    except ValueError:
        found = None
    return found if isinstance(found, str) else body.decode(errors="replace")


def one_line(text: str) -> str:
    """Foreign text as it may stand in a log: one line, nothing unprintable, cut."""
    text = "".join(c if c.isprintable() else " " for c in text[: 10 * _MAX_QUOTE])
    text = " ".join(text.split())
    return text if len(text) <= _MAX_QUOTE else text[:_MAX_QUOTE] + "..."
