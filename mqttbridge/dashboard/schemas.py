"""The shapes of requests and answers, for `/openapi.json` and the tests that hold the handlers to it.

Handlers build these by hand: a page of points is thousands of numbers, which need no second look.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mqttbridge.dashboard.pushed import MAX_TAGS
from mqttbridge.dashboard.store.model import Kind
from mqttbridge.events import MAX_NAME_CHARS, MAX_TEXT_CHARS

Epoch = Annotated[float, Field(description="Seconds since 1970, UTC.")]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
Scalar = float | int | bool | str


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class PushedEvent(_Model):
    """One event, as clients of the Events API send it. Other fields are ignored."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)
    key: Name
    """The stream."""
    value: bool | float | Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    """A string that reads as a number is stored as that number."""
    epoch: float | str | None = None
    """Seconds since 1970, UTC; wins over `iso8601`. Without either the time is the server's."""
    iso8601: str | None = None


class NewBucket(_Model):
    """A bucket to create. Other fields are ignored."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)
    bucketKey: Annotated[Name, Field(pattern="^[^:\"']+$")]  # noqa: N815  # the API's own name
    bucketName: Name | None = None  # noqa: N815
    """Shown instead of the key. The first name wins."""
    tags: Annotated[list[Name], Field(max_length=MAX_TAGS)] | None = None
    """Shown with the bucket. The first ones win."""


class CreatedBucket(_Model):
    """The bucket as it was created."""

    bucketKey: str  # noqa: N815
    bucketName: str | None  # noqa: N815
    tags: list[str]


class QuotaExceeded(_Model):
    """The key's events are used up."""

    message: str


class EventsApiErrorDetail(_Model):
    """What was wrong."""

    type: str
    message: str


class EventsApiErrorMessage(_Model):
    """The envelope that clients of the Events API look into."""

    error: EventsApiErrorDetail


class EventsApiError(_Model):
    """An error of the Events API."""

    message: EventsApiErrorMessage


class LatestValue(_Model):
    """The newest value of a stream, as a string."""

    value: str
    epoch: Epoch


class Error(_Model):
    """An error of this server's own API."""

    error: str


class Changed(_Model):
    """Somebody else changed it meanwhile."""

    error: str
    version: int
    """The version it has now; 0 when it is gone."""


class Spark(_Model):
    """The last hour of a bucket's most telling stream."""

    made: Epoch
    """The greatest of these is the next request's `spark`."""
    stream: str
    kind: Kind
    unit: str
    value: Scalar
    epochs: list[float]
    values: list[Scalar]


class Bucket(_Model):
    """One bucket."""

    key: str
    name: str
    tags: list[str]
    streams: int
    last: Epoch | None
    """When its newest point was."""
    rate: float = 0.0
    """Points a second, over the last minute."""
    spark: Spark | None = None
    """Where it was asked for, and made anew since."""


class Buckets(_Model):
    """Every bucket, that with the newest point first."""

    now: Epoch
    buckets: list[Bucket]


class BucketName(_Model):
    """A bucket's key and the name it is shown by."""

    key: str
    name: str


class Last(_Model):
    """The newest value of a stream."""

    value: Scalar
    epoch: Epoch


class Stream(_Model):
    """One stream of a bucket."""

    stream: str
    kind: Kind
    unit: str
    device_class: str
    """What a device says that it is, in Home Assistant's words; empty where none did."""
    last: Last
    interval: float | None
    """The usual seconds between its readings of late; null while too few are known."""


class Streams(_Model):
    """A bucket's streams, by name."""

    now: Epoch
    live: str
    """Pass it to the live stream as `last_event_id` to get everything after these values."""
    bucket: BucketName
    streams: list[Stream]


class Series(_Model):
    """Points of one stream, in order of time."""

    kind: Kind
    unit: str
    epochs: list[float]
    values: list[Scalar]


class Statistics(_Model):
    """What cells of time hold of one stream: columns of equal length, a row a cell that holds a number."""

    width: float
    """Of every cell, in seconds."""
    epochs: list[float]
    """Where each cell begins: multiples of `width`, in UTC."""
    counts: list[int]
    minima: list[float]
    maxima: list[float]
    sums: list[float]
    firsts: list[float]
    lasts: list[float]


class Deleted(_Model):
    """What was deleted is gone."""

    deleted: bool


class Points(_Model):
    """Points of a bucket's streams."""

    now: Epoch
    live: str
    """Pass it to the live stream as `last_event_id` to get everything after these points."""
    after: Epoch
    before: Epoch
    series: dict[str, Series]
    derived: dict[str, Series] = {}
    """Values of the expressions asked for, by their text."""
    errors: dict[str, str] = {}
    """What is wrong with those that have none, in words."""
    statistics: dict[str, Statistics] = {}
    """By stream, where they were asked for."""


class StoredRows(_Model):
    """Points as they were stored, a page of them."""

    now: Epoch
    rows: list[tuple[Epoch, str, Scalar]]
    """Time, stream, value; in the order asked for."""
    units: dict[str, str]
    """Of the streams that are in `rows` and have one."""
    next: str | None
    """Pass it as `cursor` for what follows; null when there is no more. Before that a page may be short, even empty."""


class StreamSummary(_Model):
    """One stream's points in a range. Booleans count as 0 and 1; null: it held no number."""

    count: int
    least: Scalar | None
    mean: float | None
    greatest: Scalar | None
    first: Last | None
    last: Last | None


class Summary(_Model):
    """Each stream that has a point in the range."""

    now: Epoch
    streams: dict[str, StreamSummary]


class Frame(_Model):
    """The data of a `points` event of the live stream."""

    now: Epoch
    series: dict[str, Series]
    derived: dict[str, Series] = {}
    """New values of expressions whose points were asked for of late, by their text."""


class Status(BaseModel):
    """How the bridge is doing, part by part."""

    model_config = ConfigDict(extra="allow")
    version: str
    now: Epoch
    zone: str | None = None
    """The time zone that the bridge's machine is set to, by its IANA name; null where that is not known."""
    broker: dict[str, Any] = {}
    sources: dict[str, dict[str, Any]] = {}
    spool: dict[str, Any] = {}
    destinations: dict[str, dict[str, Any]] = {}
    counts: dict[str, Any] = {}
    rejected: int = 0


class Health(_Model):
    """Whether all is well, and what is not."""

    ok: bool
    problems: dict[str, str]
    warnings: dict[str, str] = {}
    """What waits for a human though all that this address watches is well; on `/readyz` alone."""


class FigureSummary(_Model):
    """One figure on the shelf."""

    figure: str
    title: str
    """Of its layout; empty without one."""
    traces: list[str]
    last: Epoch | None
    """When its newest write came; null before the first."""


class Figures(_Model):
    """Every figure, that with the newest write first."""

    now: Epoch
    figures: list[FigureSummary]


class TraceFrame(_Model):
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


class Figure(_Model):
    """A figure with the points on screen."""

    now: Epoch
    figure: str
    layout: dict[str, Any]
    """`title`, `xaxis` and `yaxis` in Plotly's words."""
    traces: dict[str, TraceFrame]


class FigureChange(_Model):
    """The data of a `change` event of a figure's live feed."""

    now: Epoch
    layout: dict[str, Any] | None = None
    traces: dict[str, TraceFrame]


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


class RejectedSelection(_Model):
    """Which rejected messages are meant: all of them by `{}`, less by each thing that is said."""

    ids: Annotated[list[int], Field(max_length=1000)] = []
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


class Replayed(_Model):
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
