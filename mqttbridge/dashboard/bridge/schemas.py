"""The shapes of what the bridge's page asks and is answered, for its handlers and `/openapi.json`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mqttbridge.dashboard.schemas import Epoch, Model
from mqttbridge.events import MAX_NAME_CHARS, MAX_TEXT_CHARS


class ProposeFor(Model):
    """Which topic a rule is wanted for."""

    topic: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]


class ListenTo(Model):
    """What to listen to, and for how long."""

    topic: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)] = "#"
    """A topic filter."""
    seconds: Annotated[float, Field(gt=0, le=300)] = 60


class BridgeSnapshot(BaseModel):
    """What the bridge is doing: all of Status, with rates, forecasts and rules."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)
    version: str
    now: Epoch
    rates: dict[str, float | None]
    """A second, over the last ten; null while too little is known."""
    received: dict[str, float]
    """Messages by source."""
    rejections: dict[str, float]
    """By reason."""
    drops: dict[str, float]
    """By reason."""
    lag: float | None
    """Seconds from a message's arrival to its commit, the average of the last minute."""
    rules: list[dict[str, Any]]
    """What each took: messages, rejected ones, the last one's topic and time."""
    strays: int
    """Topics that no rule takes."""
    charts: dict[str, Any] = {}
    """The rates of the last minutes, the oldest first, where they were asked for."""


class Stray(Model):
    """A topic that no rule takes, with its last payload."""

    topic: str
    messages: int
    at: Epoch
    payload: str = ""
    payload_base64: str = ""
    """In place of `payload` where that is no text."""
    cut: bool
    """Whether that is only its beginning."""


class Listening(Model):
    """How the listening to everything stands."""

    state: str
    """`idle`, `connecting`, `listening`, `done` or `failed`."""
    detail: str
    topic: str
    until: Epoch
    heard: int
    unmatched: int
    possible: bool
    """Whether there is a broker."""


class Strays(Model):
    """The topics that no rule takes, the last to speak first."""

    now: Epoch
    topics: list[Stray]
    more: int
    """How many more there were, or are known and not shown."""
    listening: Listening


class RuleProposed(Model):
    """A rule that was tried on what is known of its topics."""

    text: str
    """YAML, to be put into the configuration; empty where there is nothing to propose."""
    why: str
    """Why there is not."""
    topic: str
    """Its topic filter."""
    topics: list[str]
    messages: int
    mapped: int


class RejectedRowShown(Model):
    """One rejected message, or an event that a destination refused."""

    id: int
    at: Epoch
    reason: str
    detail: str
    topic: str
    rule: str
    destination: str
    payload: str = ""
    payload_base64: str = ""
    cut: bool


class RejectedRows(Model):
    """Rejected messages, the newest first."""

    now: Epoch
    kept: int
    """How many are kept in all."""
    rows: list[RejectedRowShown]


class LogLine(Model):
    """One line of the log."""

    id: int
    at: Epoch
    level: str
    part: str
    message: str


class LogLines(Model):
    """The log's last lines, the oldest first."""

    now: Epoch
    last: int
    """Pass it as `after` for what follows."""
    lines: list[LogLine]


class Explanation(BaseModel):
    """What the rules make of a message, and why."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)
    topic: str
    verdict: str
    """`mapped`, `rejected` or `unmatched`."""
    rules: list[dict[str, Any]]
    """What each rule that takes the message makes of it: captures, fields, events, or why it is rejected."""
    passed: list[dict[str, str]]
    """The rules above them that do not match, and why."""
    nearest: dict[str, str] | None
    """When no rule takes it: the one that came closest, and what is different."""


class RejectedSelection(Model):
    """Which rejected messages are meant: all of them by `{}`, less by each thing that is said."""

    ids: Annotated[tuple[int, ...], Field(max_length=1000)] = ()
    reason: Annotated[str, Field(max_length=MAX_NAME_CHARS)] = ""
    rule: Annotated[str, Field(max_length=MAX_NAME_CHARS)] = ""
    topic: Annotated[str, Field(max_length=MAX_TEXT_CHARS)] = ""
    """A topic filter, with `+` and `#`."""
    since: Annotated[float, Field(ge=0)] = 0
    """Not rejected before this; seconds since 1970, UTC."""
    after_id: Annotated[int, Field(ge=0)] = 0
    """Go on after the `last_id` of an earlier answer."""
    limit: Annotated[int, Field(ge=1)] = 2000
    """How many to look at, the oldest first; more than 2000 are never looked at in one request."""


class Replayed(Model):
    """What came of it."""

    looked_at: int
    accepted: int
    """How many left the rejected: their events are in the spool, synced (or they were purged)."""
    events: int
    still_rejected: dict[str, int]
    """By reason."""
    left: dict[str, int]
    """How many cannot be replayed, by why not."""
    last_id: int
    """0 when nothing more is meant."""
