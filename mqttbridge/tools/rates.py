"""How many events a configuration would send to Initial State, and whether the plan's month and the pace bear it.

The rate comes from whoever knows the fleet (`climate=4/min*100`: four messages a minute from each of 100 devices) or
from a recording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mqttbridge.config.destinations import InitialStateConfig, Transport
from mqttbridge.config.model import Config
from mqttbridge.mapping.compiling import Loc
from mqttbridge.mapping.families import name_of_use
from mqttbridge.mapping.linting import name_of
from mqttbridge.tools.summary import Summary

# What the free plan had; `check --monthly` says another plan's.
MONTHLY_EVENTS: Final = 25_000
_MONTH_HOURS: Final = 30 * 24.0

_RATE: Final = re.compile(
    r"(?P<rule>.+)=(?P<count>[0-9]{1,9}(?:\.[0-9]{1,6})?)/(?P<per>s|sec|min|m|h|hour|d|day)(?:\*(?P<devices>[0-9]{1,7}))?"
)
_SECONDS: Final = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400}
# Of a shorter recording, an hour's worth would be a guess.
MIN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one rule's messages come.

    Attributes:
        messages: of one device, in an hour.
        events: of one message; None when only the model can tell.
    """

    rule: str
    messages: float
    devices: int = 1
    events: float | None = None


def parse_rate(text: str) -> Rate:
    """A rate such as `climate=4/min*100`.

    Raises:
        ValueError: not a rate.
    """
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"expected RULE=COUNT/min or RULE=COUNT/min*DEVICES, with s, min, h or d (got {text!r})")
    hourly = float(match["count"]) * 3600 / _SECONDS[match["per"]]
    return Rate(match["rule"], hourly, int(match["devices"] or 1))


def rates_of(summary: Summary) -> list[Rate]:
    """The rates in a recording. A device is a topic, as the rule sees it.

    Raises:
        ValueError: it is too short to tell.
    """
    if summary.seconds < MIN_SECONDS:
        raise ValueError(f"the recording is {summary.seconds:.0f} s long: too short to tell a rate")
    rates = []
    for name, count in summary.rules.items():
        accepted = count.messages - count.rejected.total()
        if count.topics and accepted > 0:
            hourly = count.messages / len(count.topics) * 3600 / summary.seconds
            rates.append(Rate(name, hourly, len(count.topics), count.events / count.messages))
    return rates


def estimate(config: Config, rates: Sequence[Rate], monthly: int = MONTHLY_EVENTS) -> Iterator[tuple[Loc, str]]:
    """What each rule's rate would break at the destinations of type initialstate, by place in the configuration.

    Raises:
        ValueError: a rate is of a rule that there is not.
    """
    place_of = {rate.rule: _place(config, rate.rule) for rate in rates}
    for destination, section in config.destinations.items():
        if isinstance(section, InitialStateConfig):
            there = [rate for rate in rates if destination in (place_of[rate.rule][1] or (destination,))]
            total = 0.0
            for rate in there:
                loc, _ = place_of[rate.rule]
                one = rate.messages * _events_a_message(config, loc, rate)
                total += one * rate.devices
                yield from _month(rate, one, destination, loc, monthly)
            yield from _pace(section, total, destination)


def events_a_call(section: InitialStateConfig) -> int:
    """How many events one request takes."""
    return section.batch.max_events if section.transport is Transport.JSON else 1


def most_hourly(section: InitialStateConfig) -> float:
    """How many events the pace of requests lets through in an hour."""
    return section.rate_limit.calls / section.rate_limit.per * events_a_call(section) * 3600


def _place(config: Config, rule: str) -> tuple[Loc, tuple[str, ...]]:
    """Where a rule comes from, and its destinations: a family's rules, announced ones too, come from its `use`."""
    names = [name_of(config, index) for index in range(len(config.rules))]
    if rule in names:
        return ("rules", names.index(rule)), config.rules[names.index(rule)].to
    for index, use in enumerate(config.use):
        if rule.startswith(f"{name_of_use(use)}: "):
            return ("use", index), use.to
    known = ", ".join((*names, *(f"{name_of_use(use)}: ..." for use in config.use)))
    raise ValueError(f"there is no rule {rule!r} (known: {known})")


def _month(rate: Rate, hourly: float, destination: str, loc: Loc, monthly: int) -> Iterator[tuple[Loc, str]]:
    all_devices = hourly * rate.devices
    if all_devices * _MONTH_HOURS > monthly:
        together = f" ({all_devices:,.0f} for all {rate.devices:,})" if rate.devices > 1 else ""
        yield (
            loc,
            (
                f"rule `{rate.rule}`: about {hourly:,.0f} events/h per device{together}; the monthly {monthly:,} of "
                f"`{destination}` go in {_span(monthly / all_devices)}"
            ),
        )


def _pace(section: InitialStateConfig, hourly: float, destination: str) -> Iterator[tuple[Loc, str]]:
    a_call, most = events_a_call(section), most_hourly(section)
    if hourly > most:
        yield (
            ("destinations", destination),
            (
                f"about {hourly:,.0f} events/h come, and {section.rate_limit.calls} calls in "
                f"{section.rate_limit.per:g} s of {a_call} events take {most:,.0f}: the spool would fill"
            ),
        )


def _events_a_message(config: Config, loc: Loc, rate: Rate) -> float:
    """As many as the model has fields that are always there; without a model, one."""
    if rate.events is not None:
        return rate.events
    section, index = loc
    model = config.models.get(config.rules[int(index)].model or "") if section == "rules" else None
    return max(1, sum(not field.optional for field in model.values())) if model else 1


def _span(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} minutes"
