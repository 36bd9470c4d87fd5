"""The shapes of the Events API and the Read API, as Initial State's clients speak them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from mqttbridge.dashboard.events.pushed import MAX_TAGS
from mqttbridge.dashboard.schemas import Epoch, Model, Name
from mqttbridge.events import MAX_TEXT_CHARS


class PushedEvent(Model):
    """One event, as clients of the Events API send it. Other fields are ignored."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)
    key: Name
    """The stream."""
    value: bool | float | Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
    """A string that reads as a number is stored as that number."""
    epoch: float | str | None = None
    """Seconds since 1970, UTC; wins over `iso8601`. Without either the time is the server's."""
    iso8601: str | None = None


class NewBucket(Model):
    """A bucket to create. Other fields are ignored."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)
    bucketKey: Annotated[Name, Field(pattern="^[^:\"']+$")]  # noqa: N815  # the API's own name
    bucketName: Name | None = None  # noqa: N815
    """Shown instead of the key. The first name wins."""
    tags: Annotated[list[Name], Field(max_length=MAX_TAGS)] | None = None
    """Shown with the bucket. The first ones win."""


class CreatedBucket(Model):
    """The bucket as it was created."""

    bucketKey: str  # noqa: N815
    bucketName: str | None  # noqa: N815
    tags: list[str]


class QuotaExceeded(Model):
    """The key's events are used up."""

    message: str


class EventsApiErrorDetail(Model):
    """What was wrong."""

    type: str
    message: str


class EventsApiErrorMessage(Model):
    """The envelope that clients of the Events API look into."""

    error: EventsApiErrorDetail


class EventsApiError(Model):
    """An error of the Events API."""

    message: EventsApiErrorMessage


class LatestValue(Model):
    """The newest value of a stream, as a string."""

    value: str
    epoch: Epoch
