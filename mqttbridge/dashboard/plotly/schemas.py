"""The shapes of figures, of what changes in them live, and of stream tokens."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mqttbridge.dashboard.plotly.tokens import MAX_TOKEN_CHARS
from mqttbridge.dashboard.plotly.update import DEFAULT_POINTS, MAX_POINTS
from mqttbridge.dashboard.schemas import Epoch, Model, Name


class FigureSummary(Model):
    """One figure on the shelf."""

    figure: str
    title: str
    """Of its layout; empty without one."""
    traces: list[str]
    last: Epoch | None
    """When its newest write came; null before the first."""


class Figures(Model):
    """Every figure, that with the newest write first."""

    now: Epoch
    figures: list[FigureSummary]


class TraceFrame(Model):
    """Points of one trace of a figure. Without `kind`, `maxpoints` and `style` these are as they were."""

    replace: bool
    """Whether these are all its points; else they come after those that were."""
    x: list[float | str]
    """Numbers, epoch seconds or categories, by `kind`."""
    y: list[float | None]
    kind: Literal["number", "date", "category"] | None = None
    maxpoints: int | None = None
    style: dict[str, Any] | None = None
    """`mode`, `line` and `marker` in Plotly's words."""


class Figure(Model):
    """A figure with the points on screen."""

    now: Epoch
    figure: str
    layout: dict[str, Any]
    """`title`, `xaxis` and `yaxis` in Plotly's words."""
    traces: dict[str, TraceFrame]


class FigureChange(Model):
    """The data of a `change` event of a figure's live feed."""

    now: Epoch
    layout: dict[str, Any] | None = None
    traces: dict[str, TraceFrame]


class NewStreamToken(Model):
    """A token for a program that speaks Plotly's streaming API."""

    figure: Name
    """Also the bucket of its points."""
    trace: Name
    """Also their stream."""
    maxpoints: Annotated[int, Field(ge=0, le=MAX_POINTS)] = DEFAULT_POINTS
    mode: Literal["lines", "markers", "lines+markers"] = "lines"
    token: Annotated[str, Field(max_length=MAX_TOKEN_CHARS)] | None = None
    """One that a program has already; null makes one."""


class StreamToken(Model):
    """What is known of a stream token."""

    id: str
    figure: str
    trace: str
    maxpoints: int
    mode: str
    created: Epoch


class StreamTokens(Model):
    """Every stream token, the oldest first."""

    tokens: list[StreamToken]
    listen: str | None
    """Where programs stream to; null while `plotly.listen` is not set."""


class MadeStreamToken(Model):
    """A new stream token, which is shown this once."""

    secret: str
    token: StreamToken
