"""The state of one stream under one rule, and what a value or the passing of time makes of it. Pure.

Time here is that of the values. A value holds until the next one, so what a value began goes on between them; how far
a stream's time has come since its newest value is what has passed on our clock since we heard it. So neither a device
whose clock is wrong nor a backlog that is read late makes an alert fire before its time. The transitions are the same
whether the clock's ticks come between the values or not: a tick only makes them known earlier. `no_data` is the
exception, since a gap in the times alone does not say that anybody was listening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from mqttbridge.alerting.conditions import BLANK, Memory, Verdict, judge
from mqttbridge.config.alert_conditions import Change, Silence
from mqttbridge.config.alerts import AlertRuleConfig
from mqttbridge.events import Value


class State(StrEnum):
    UNKNOWN = "unknown"
    """No value that the condition can judge has come yet."""
    OK = "ok"
    PENDING = "pending"
    """True, but not for as long as the rule asks."""
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class StreamState:
    """How one stream stands under one rule. Times are epoch seconds of the values, but for `heard`.

    Attributes:
        since: when it came into `state`; None before the first value.
        began: when the condition became true; None while it is not.
        last: the time of the newest value that was judged.
        heard: when that came, by our clock.
        value: that value.
    """

    state: State = State.UNKNOWN
    since: float | None = None
    began: float | None = None
    last: float | None = None
    heard: float = 0.0
    value: Value | None = None
    memory: Memory = BLANK


NEW: Final = StreamState()

FAR_AHEAD: Final = 86_400.0
"""A value's time that is so far ahead of our clock was none, once a value comes whose time is not."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, at an epoch of the values. `value` is the newest one then, `began` as of the state."""

    before: State
    after: State
    at: float
    began: float
    value: Value | None


@dataclass(frozen=True, slots=True)
class Step:
    """What came of it. `late` is whether the value was older than the newest one, and so was not judged."""

    state: StreamState
    transitions: Sequence[Transition] = ()
    late: bool = False


def step(rule: AlertRuleConfig, now: StreamState, epoch: float, value: Value, heard: float) -> Step:
    """A value came.

    Args:
        rule: the rule.
        now: the state before.
        epoch: the value's time.
        value: the value.
        heard: when it came, by our clock; epoch seconds.
    """
    if now.last is not None and epoch <= heard + FAR_AHEAD < now.last:
        now = _without_future(now)
    if now.last is not None and epoch <= now.last:
        return Step(now, late=epoch < now.last)
    made: list[Transition] = []
    # What the value before began went on until this one. Silence is not judged from a gap: see above.
    if not isinstance(rule.when, Silence):
        now = _pass_time(rule, now, epoch, made)
    verdict, memory = judge(rule.when, now.memory, epoch, value, firing=now.state is State.FIRING)
    now = replace(now, last=epoch, heard=heard, value=value, memory=memory)
    now = _follow(rule, now, verdict, epoch, made)
    return Step(now, made)


def tick(rule: AlertRuleConfig, now: StreamState, clock: float) -> Step:
    """Time passed without a value. `clock` is ours, as `heard` is; epoch seconds."""
    if now.last is None:
        return Step(now)
    made: list[Transition] = []
    return Step(_pass_time(rule, now, now.last + max(0.0, clock - now.heard), made), made)


def due(rule: AlertRuleConfig, now: StreamState) -> float | None:
    """When, by our clock, time alone changes the state; None: never."""
    if now.last is None:
        return None
    at = _deadline(rule, now)
    return None if at is None else now.heard + at - now.last


def restarted(now: StreamState, stopped: float, clock: float) -> StreamState:
    """The state after a time in which nobody listened, from `stopped` until `clock`: that was no silence."""
    return replace(now, heard=min(clock, now.heard + max(0.0, clock - stopped)))


def moved(now: StreamState, seconds: float) -> StreamState:
    """The state after our clock was set by so much: what was counted of a silence stays counted, and no more."""
    return replace(now, heard=now.heard + seconds)


def _without_future(now: StreamState) -> StreamState:
    """The state to go on from after a time of the far future, which would make all that comes until then late."""
    return replace(NEW, state=State.FIRING, since=now.since, began=now.began) if now.state is State.FIRING else NEW


def _deadline(rule: AlertRuleConfig, now: StreamState) -> float | None:
    """When, by the values' time, time alone changes the state."""
    last = now.last if now.last is not None else 0.0
    if now.state is State.PENDING and now.began is not None:
        return now.began + rule.for_
    if isinstance(rule.when, Silence) and now.state is not State.FIRING:
        return last + rule.when.after
    if isinstance(rule.when, Change) and now.state is State.FIRING:
        # Nothing but the newest value is left in the window then; without one, that it moved is over at the next.
        return None if rule.when.within is None else last + rule.when.within
    return None


def _pass_time(rule: AlertRuleConfig, now: StreamState, until: float, made: list[Transition]) -> StreamState:
    while (at := _deadline(rule, now)) is not None and at <= until:
        if now.state is State.PENDING:
            now = _enter(now, State.FIRING, at, now.began or at, made)
        elif now.state is State.FIRING:
            now = _enter(now, State.OK, at, None, made)
        else:
            now = _begin(rule, now, at, made)
    return now


def _follow(
    rule: AlertRuleConfig, now: StreamState, verdict: Verdict, epoch: float, made: list[Transition]
) -> StreamState:
    match verdict, now.state:
        case Verdict.TRUE, State.OK | State.UNKNOWN:
            return _begin(rule, now, epoch, made)
        case Verdict.FALSE, State.PENDING | State.FIRING | State.UNKNOWN:
            return _enter(now, State.OK, epoch, None, made)
        case Verdict.UNKNOWN, State.PENDING | State.OK:
            return _enter(now, State.UNKNOWN, epoch, None, made)
        case _:
            return now


def _begin(rule: AlertRuleConfig, now: StreamState, at: float, made: list[Transition]) -> StreamState:
    return _enter(now, State.PENDING if rule.for_ > 0 else State.FIRING, at, at, made)


def _enter(now: StreamState, state: State, at: float, began: float | None, made: list[Transition]) -> StreamState:
    origin = began if began is not None else now.began if now.began is not None else at
    made.append(Transition(now.state, state, at, origin, now.value))
    return replace(now, state=state, since=at, began=began)
