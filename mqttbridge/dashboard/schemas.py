"""The shapes of requests and answers, for `/openapi.json` and the tests that hold the handlers to it.

Here: what every part says, and buckets, streams and points. Each other part has its own `schemas.py`.
Handlers build these by hand: a page of points is thousands of numbers, which need no second look.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mqttbridge.dashboard.store.model import Kind
from mqttbridge.events import MAX_NAME_CHARS

Epoch = Annotated[float, Field(description="Seconds since 1970, UTC.")]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
Scalar = float | int | bool | str


class Model(BaseModel):
    """What is sent or answered: these fields and no other."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Error(Model):
    """An error of this server's own API."""

    error: str


class Changed(Model):
    """Somebody else changed it meanwhile."""

    error: str
    version: int
    """The version it has now; 0 when it is gone."""


class Spark(Model):
    """The last hour of a bucket's most telling stream."""

    made: Epoch
    """The greatest of these is the next request's `spark`."""
    stream: str
    kind: Kind
    unit: str
    value: Scalar
    epochs: list[float]
    values: list[Scalar]


class Bucket(Model):
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


class Buckets(Model):
    """Every bucket, that with the newest point first."""

    now: Epoch
    buckets: list[Bucket]


class BucketName(Model):
    """A bucket's key and the name it is shown by."""

    key: str
    name: str


class Last(Model):
    """The newest value of a stream."""

    value: Scalar
    epoch: Epoch


class Stream(Model):
    """One stream of a bucket."""

    stream: str
    kind: Kind
    unit: str
    device_class: str
    """What a device says that it is, in Home Assistant's words; empty where none did."""
    last: Last
    interval: float | None
    """The usual seconds between its readings of late; null while too few are known."""


class Streams(Model):
    """A bucket's streams, by name."""

    now: Epoch
    live: str
    """Pass it to the live stream as `last_event_id` to get everything after these values."""
    bucket: BucketName
    streams: list[Stream]


class Series(Model):
    """Points of one stream, in order of time."""

    kind: Kind
    unit: str
    epochs: list[float]
    values: list[Scalar]


class Statistics(Model):
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


class Deleted(Model):
    """What was deleted is gone."""

    deleted: bool


class Points(Model):
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


class Frame(Model):
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


class Health(Model):
    """Whether all is well, and what is not."""

    ok: bool
    problems: dict[str, str]
    warnings: dict[str, str] = {}
    """What waits for a human though all that this address watches is well; on `/readyz` alone."""
