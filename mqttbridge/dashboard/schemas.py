"""The shapes of requests and answers, for `/openapi.json` and the tests that hold the handlers to it.

Handlers build these by hand: a page of points is thousands of numbers, which need no second look.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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


class CreatedBucket(_Model):
    """The bucket as it was created."""

    bucketKey: str  # noqa: N815
    bucketName: str | None  # noqa: N815


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


class Bucket(_Model):
    """One bucket."""

    key: str
    name: str
    streams: int
    last: Epoch | None
    """When its newest point was."""


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
    last: Last
    interval: float | None
    """The usual seconds between its readings of late; null while too few are known."""


class Streams(_Model):
    """A bucket's streams, by name."""

    now: Epoch
    bucket: BucketName
    streams: list[Stream]


class Series(_Model):
    """Points of one stream, in order of time."""

    kind: Kind
    unit: str
    epochs: list[float]
    values: list[Scalar]


class Points(_Model):
    """Points of a bucket's streams."""

    now: Epoch
    live: str
    """Pass it to the live stream as `last_event_id` to get everything after these points."""
    after: Epoch
    before: Epoch
    series: dict[str, Series]


class Frame(_Model):
    """The data of a `points` event of the live stream."""

    now: Epoch
    series: dict[str, Series]


class ShareLink(_Model):
    """Where others see one bucket."""

    url: str
    """On this server; with a token that reads this bucket alone, where keys are set."""


class Status(BaseModel):
    """How the bridge is doing, part by part."""

    model_config = ConfigDict(extra="allow")
    version: str
    now: Epoch
    broker: dict[str, Any] = {}
    spool: dict[str, Any] = {}
    destinations: dict[str, dict[str, Any]] = {}
    counts: dict[str, Any] = {}
    rejected: int = 0


class Health(_Model):
    """Whether all is well, and what is not."""

    ok: bool
    problems: dict[str, str]
