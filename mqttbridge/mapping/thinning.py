"""The entries of `thin`, compiled: by value (deadband, changed), by time (throttle), or one event for an interval."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate

from mqttbridge.config.thinning import Keep, Take, ThinConfig


class Thinned(StrEnum):
    """Why an event was not kept; also the metric's label."""

    DEADBAND = "thinned_deadband"
    CHANGED = "thinned_changed"  # it had not
    THROTTLE = "thinned_throttle"
    SAMPLE = "thinned_sample"  # it is part of the event of its interval
    LATE = "thinned_late"  # its interval was over
    REPEATED = "thinned_repeated"  # read again after a restart, and delivered before it


@dataclass(frozen=True, slots=True)
class Thinning:
    """One entry of `thin`, compiled.

    Attributes:
        pattern: of the streams' names.
        by_value: why an event is not kept that does not differ; None where it need not.
        band, fraction: by how much it has to differ, as a number and of the last value kept.
        at_least_every: seconds after which it need not.
        apart: seconds from the last event kept, at least; 0 for none.
        every: seconds of an interval; 0 for none.
        take: what an interval is worth.
        lateness: seconds that an interval waits for late events.
        interval: why an event is not kept when another one stands for its interval.
    """

    pattern: re.Pattern[str]
    by_value: Thinned | None = None
    band: float = 0.0
    fraction: float = 0.0
    at_least_every: float | None = None
    apart: float = 0.0
    every: float = 0.0
    take: Take = Take.LAST
    lateness: float = 0.0
    interval: Thinned = Thinned.SAMPLE


def compile_thinning(configs: Iterable[ThinConfig]) -> tuple[Thinning, ...]:
    """The entries of a `thin` section, in order."""
    return tuple(map(_compile, configs))


def _compile(config: ThinConfig) -> Thinning:
    by_value = Thinned.CHANGED if config.changed else Thinned.DEADBAND if config.by_value else None
    band, fraction = config.band
    apart = every = lateness = 0.0
    take, interval = Take.LAST, Thinned.THROTTLE
    if config.sample is not None:
        every, take, lateness = config.sample.every, config.sample.take, config.sample.lateness
        interval = Thinned.SAMPLE
    elif config.throttle is not None and config.throttle.keep is Keep.LAST:
        every, lateness = config.throttle.every, config.throttle.lateness
    elif config.throttle is not None:
        apart = config.throttle.every
    return Thinning(
        pattern=re.compile(translate(config.streams)),
        by_value=by_value,
        band=band,
        fraction=fraction,
        at_least_every=config.at_least_every,
        apart=apart,
        every=every,
        take=take,
        lateness=lateness,
        interval=interval,
    )
