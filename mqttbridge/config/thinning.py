"""The sections that say which events of a stream are enough."""

from __future__ import annotations

import re
from enum import StrEnum
from math import isfinite
from typing import Self

from pydantic import Field, field_validator, model_validator

from mqttbridge.config.quantities import Duration
from mqttbridge.config.section import Section

# How many intervals may wait for late events, so that a stream's memory is bounded.
MAX_INTERVALS_LATE = 1_000

_PERCENT = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*%\s*")


class Keep(StrEnum):
    FIRST = "first"
    LAST = "last"


class Take(StrEnum):
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    COUNT = "count"


class ThrottleConfig(Section):
    """At most one event in `every`."""

    every: Duration = Field(gt=0)
    """How long it lets nothing more pass."""
    keep: Keep = Keep.FIRST
    """`first`: at once, then none for so long. `last`: the last one of each interval, once that is over."""
    lateness: Duration = 2.0
    """How long after its end an interval waits for late events; for `last`."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        _check_lateness(self.lateness, self.every)
        return self


class SampleConfig(Section):
    """One event for each interval of `every`: intervals begin at whole multiples of it since 1970, UTC."""

    every: Duration = Field(gt=0)
    """How long an interval is."""
    take: Take = Take.MEAN
    """Texts and booleans have no mean, min or max: of them the last is taken."""
    lateness: Duration = 2.0
    """How long after its end an interval waits for late events."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        _check_lateness(self.lateness, self.every)
        return self


class ThinConfig(Section):
    """Which events are enough, for the streams that `streams` matches."""

    streams: str = Field("*", min_length=1, max_length=250)
    """Pattern of streams' names: `*` is any text, `?` any character. The first entry that matches counts."""
    deadband: float | str | None = None
    """Only what differs from the last one kept by more than this: a number, or a percentage such as "2%"."""
    changed: bool = False
    """Only what differs from the last one kept."""
    throttle: ThrottleConfig | None = None
    """At most one event in a time."""
    sample: SampleConfig | None = None
    """One event for each interval."""
    at_least_every: Duration | None = Field(None, gt=0)
    """Let an event pass `deadband` and `changed` when the last one kept is older than this."""

    @field_validator("deadband")
    @classmethod
    def _sensible(cls, deadband: float | str | None) -> float | str | None:
        if isinstance(deadband, str) and not _PERCENT.fullmatch(deadband):
            raise ValueError("expected a number, or a percentage such as '2%'")
        if isinstance(deadband, float) and not (isfinite(deadband) and deadband >= 0):
            raise ValueError("must be a finite number of at least 0")
        return deadband

    @model_validator(mode="after")
    def _one_of_a_kind(self) -> Self:
        if self.throttle and self.sample:
            raise ValueError("throttle and sample exclude each other: both say how many events in a time")
        if self.changed and self.deadband is not None:
            raise ValueError("changed and deadband exclude each other: `changed` is a deadband of 0")
        if self.at_least_every and not self.by_value:
            raise ValueError("at_least_every needs a deadband or changed, which it makes an exception from")
        if not (self.by_value or self.throttle or self.sample):
            raise ValueError("thins nothing: give deadband, changed, throttle or sample")
        return self

    @property
    def by_value(self) -> bool:
        """Whether a value has to differ from the last one kept."""
        return self.changed or self.deadband is not None

    @property
    def band(self) -> tuple[float, float]:
        """The deadband as (a number, a fraction of the last value kept): one of them is 0."""
        if isinstance(self.deadband, str):
            match = _PERCENT.fullmatch(self.deadband)
            return 0.0, float(match[1]) / 100 if match else 0.0
        return self.deadband or 0.0, 0.0


def _check_lateness(lateness: float, every: float) -> None:
    if lateness > MAX_INTERVALS_LATE * every:
        raise ValueError(f"lateness can be at most {MAX_INTERVALS_LATE} times every")
