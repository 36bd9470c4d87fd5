"""Firings and the notices of them: what is kept, and as which JSON. Pure.

A firing's id is made of what it is: rule, stream and the time its condition became true. Working the same points
through again after a crash finds the firing that is there instead of making another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from mqttbridge.alerting.conditions import Memory
from mqttbridge.alerting.machine import State, StreamState
from mqttbridge.config.alerts import Level
from mqttbridge.events import Value

MAX_DETAIL_CHARS: Final = 300


class About(StrEnum):
    """What a notice tells."""

    FIRING = "firing"
    OVER = "over"
    TEST = "test"


class Outcome(StrEnum):
    """How delivering a notice stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver will never take it."""
    EXPIRED = "expired"
    SILENCED = "silenced"
    """It was silenced for as long as it fired."""
    NEEDLESS = "needless"
    """That it fired was not told, so that it is over need not be."""


@dataclass(slots=True)
class Notice:
    """What is to be told to one action. Of one firing there is at most one for each action and `about`.

    Attributes:
        made: when, by our clock; `expire` counts from it.
        attempts: how many were begun and ended.
        detail: what came of the last one, in words.
        at: when it ended; None before the first.
    """

    action: str
    about: About
    made: float
    outcome: Outcome = Outcome.WAITING
    attempts: int = 0
    detail: str = ""
    at: float | None = None


@dataclass(slots=True)
class Firing:
    """A rule fired for a stream. Times are epoch seconds of the values.

    Attributes:
        began: when the condition became true.
        fired: when it had been so for as long as the rule asks.
        over: when it ended; None while it fires.
        text: what is told, in one line.
        webhook: where to, besides the actions: the page's own webhook of the rule.
    """

    id: str
    rule: str
    name: str
    level: Level
    bucket: str
    stream: str
    began: float
    fired: float
    value: Value | None
    text: str
    over: float | None
    over_text: str
    notices: list[Notice]
    over_value: Value | None = None
    tell_when_over: bool = True
    webhook: str | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more can come of it."""
        return self.over is not None and all(one.outcome is not Outcome.WAITING for one in self.notices)


def firing_id(rule: str, bucket: str, stream: str, began: float) -> str:
    """The same for the same firing, always; 24 characters."""
    digest = blake2b(digest_size=12)
    for part in (rule, bucket, stream, repr(began)):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def idempotency_key(firing: str, about: About) -> str:
    """What tells a receiver that it had a notice already: the same at each attempt."""
    return f"{firing}-{about.value}"


def firing_to_json(firing: Firing) -> dict[str, Any]:
    return asdict(firing)


def firing_from_json(body: Mapping[str, Any]) -> Firing:
    """The firing that `firing_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: it did not write this.
    """
    known = dict(body)
    notices = [
        Notice(**{**one, "about": About(one["about"]), "outcome": Outcome(one["outcome"])}) for one in known["notices"]
    ]
    return Firing(**{**known, "level": Level(known["level"]), "notices": notices})


def state_to_json(bucket: str, stream: str, state: StreamState) -> dict[str, Any]:
    return {"bucket": bucket, "stream": stream, **asdict(state)}


def state_from_json(body: Mapping[str, Any]) -> tuple[str, str, StreamState]:
    """Bucket, stream and state, as `state_to_json` wrote them.

    Raises:
        KeyError, TypeError, ValueError: it did not write this.
    """
    known = dict(body)
    bucket, stream, kept = known.pop("bucket"), known.pop("stream"), known.pop("memory")
    memory = Memory(kept["armed"], tuple((int(a), b, c) for a, b, c in kept["slots"]), kept["previous"])
    return bucket, stream, StreamState(**{**known, "state": State(known["state"]), "memory": memory})
