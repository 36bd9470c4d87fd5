"""The shapes of what the bridge's page asks and is answered, for its handlers and `/openapi.json`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mqttbridge.dashboard.schemas import Epoch
from mqttbridge.events import MAX_TEXT_CHARS


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ProposeFor(_Model):
    """Which topic a rule is wanted for."""

    topic: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]


class ListenTo(_Model):
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


class Stray(_Model):
    """A topic that no rule takes, with its last payload."""

    topic: str
    messages: int
    at: Epoch
    payload: str = ""
    payload_base64: str = ""
    """In place of `payload` where that is no text."""
    cut: bool
    """Whether that is only its beginning."""


class Listening(_Model):
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


class Strays(_Model):
    """The topics that no rule takes, the last to speak first."""

    now: Epoch
    topics: list[Stray]
    more: int
    """How many more there were, or are known and not shown."""
    listening: Listening


class RuleProposed(_Model):
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


class RejectedRowShown(_Model):
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


class RejectedRows(_Model):
    """Rejected messages, the newest first."""

    now: Epoch
    kept: int
    """How many are kept in all."""
    rows: list[RejectedRowShown]


class LogLine(_Model):
    """One line of the log."""

    id: int
    at: Epoch
    level: str
    part: str
    message: str


class LogLines(_Model):
    """The log's last lines, the oldest first."""

    now: Epoch
    last: int
    """Pass it as `after` for what follows."""
    lines: list[LogLine]
