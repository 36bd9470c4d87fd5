"""The state machine: hold times, hysteresis, event time; and what must hold for any history of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings, strategies as st

from mqttbridge.alerting.firings import state_from_json, state_to_json
from mqttbridge.alerting.machine import NEW, State, StreamState, Transition, due, restarted, step, tick
from mqttbridge.config.alerts import AlertRuleConfig

Points = Sequence[tuple[float, Any]]

OK, PENDING, FIRING, UNKNOWN = State.OK, State.PENDING, State.FIRING, State.UNKNOWN


def rule(when: dict[str, Any], **rest: Any) -> AlertRuleConfig:
    return AlertRuleConfig.model_validate({"name": "r", "stream": "s", "when": when, **rest})


def above(bound: float = 30, clear: float | None = None, **rest: Any) -> AlertRuleConfig:
    return rule({"is": ">", "value": bound, "clear": clear}, **rest)


def replay(of: AlertRuleConfig, points: Points, state: StreamState = NEW) -> tuple[StreamState, list[Transition]]:
    """Values as they come, each heard at its own time."""
    made: list[Transition] = []
    for epoch, value in points:
        done = step(of, state, epoch, value, epoch)
        state = done.state
        made += done.transitions
    return state, made


def changes(of: AlertRuleConfig, points: Points) -> list[tuple[State, float]]:
    return [(one.after, one.at) for one in replay(of, points)[1]]


def test_after_a_time_of_the_far_future_values_are_judged_again() -> None:
    held, now, future = above(**{"for": "10s"}), 1_800_000_000.0, 2_147_000_000.0
    for lost in ([(future, 20)], [(future, 31)], [(future, 31), (future + 20, 31)]):
        state, _ = replay(held, lost)
        made = [step(held, state, now, 20, now)]
        made += [step(held, made[-1].state, now + 1, 31, now + 1)]
        made += [step(held, made[-1].state, now + 12, 31, now + 12)]
        assert [one.state.state for one in made] == [OK, PENDING, FIRING]
    device_ahead = step(held, replay(held, [(future, 20)])[0], future - 1, 31, now)
    assert device_ahead.late


# -- thresholds, hold times, hysteresis


def test_a_bound_is_crossed_and_left_again() -> None:
    assert changes(above(), [(1, 20), (2, 31), (3, 32), (4, 30)]) == [(OK, 1), (FIRING, 2), (OK, 4)]


def test_it_fires_when_it_was_true_for_as_long_as_asked_and_says_when_that_was() -> None:
    held = above(**{"for": "10s"})
    assert changes(held, [(0, 31), (4, 31), (9.9, 31)]) == [(PENDING, 0)]
    assert changes(held, [(0, 31), (4, 31), (12, 31)]) == [(PENDING, 0), (FIRING, 10)]


def test_a_dip_begins_the_hold_time_anew() -> None:
    assert changes(above(**{"for": "10s"}), [(0, 31), (9, 29), (10, 31), (19, 31), (20, 31)]) == [
        (PENDING, 0), (OK, 9), (PENDING, 10), (FIRING, 20)
    ]  # fmt: skip


def test_it_is_over_only_beyond_the_clear_value() -> None:
    assert changes(above(30, 28), [(0, 31), (1, 29), (2, 28.1), (3, 31), (4, 28)]) == [(FIRING, 0), (OK, 4)]
    low = rule({"is": "<=", "value": 5, "clear": 8})
    assert changes(low, [(0, 5), (1, 7), (2, 8), (3, 7)]) == [(FIRING, 0), (OK, 2)]


def test_between_bound_and_clear_value_nothing_begins() -> None:
    assert changes(above(30, 28, **{"for": "5s"}), [(0, 31), (2, 29), (6, 29)]) == [(PENDING, 0), (OK, 2)]


def test_a_value_that_cannot_be_judged_is_unknown_but_ends_no_alarm() -> None:
    assert changes(above(), [(0, "offline"), (1, 20), (2, "offline"), (3, 31), (4, "offline"), (5, 20)]) == [
        (OK, 1), (UNKNOWN, 2), (FIRING, 3), (OK, 5)
    ]  # fmt: skip


# -- the other conditions


def test_a_text_or_state_is_compared_as_it_is() -> None:
    assert changes(rule({"is": "=", "value": True}), [(0, False), (1, True), (2, False)]) == [
        (OK, 0), (FIRING, 1), (OK, 2)
    ]  # fmt: skip
    assert changes(rule({"is": "!=", "value": "ok"}), [(0, "ok"), (1, "lost"), (2, 5)]) == [(OK, 0), (FIRING, 1)]


def test_a_text_matches_by_what_it_contains_or_by_an_expression() -> None:
    assert changes(rule({"is": "matches", "text": "error"}), [(0, "fine"), (1, "An ERROR")]) == [(OK, 0), (FIRING, 1)]
    found = rule({"is": "matches", "pattern": "^E[0-9]{3}"})
    assert changes(found, [(0, "E12"), (1, "E123 hot")]) == [(OK, 0), (FIRING, 1)]


def test_a_change_counts_within_its_window_and_is_over_when_the_window_is_quiet() -> None:
    moves = rule({"is": "changes_by", "value": 5, "within": "60s"})
    assert changes(moves, [(0, 10), (50, 14), (100, 18), (105, 19)]) == [(OK, 0), (FIRING, 105)]
    state, _ = replay(moves, [(0, 10), (10, 16)])
    assert due(moves, state) == 70
    assert [(one.after, one.at) for one in tick(moves, state, 71).transitions] == [(OK, 70)]


def test_a_change_without_a_window_is_from_value_to_value() -> None:
    assert changes(rule({"is": "changes_by", "value": 5}), [(0, 10), (1, 14), (2, 9), (3, 9)]) == [
        (OK, 0), (FIRING, 2), (OK, 3)
    ]  # fmt: skip


def test_silence_fires_by_the_clock_and_ends_with_the_next_value() -> None:
    silent = rule({"is": "no_data", "after": "60s"})
    state, _ = replay(silent, [(0, 1)])
    assert not tick(silent, state, 59).transitions
    done = tick(silent, state, 65)
    assert [(one.after, one.at) for one in done.transitions] == [(FIRING, 60)]
    assert [one.after for one in step(silent, done.state, 100, 1, 100).transitions] == [OK]


def test_a_gap_in_times_that_nobody_waited_through_is_no_silence() -> None:
    assert changes(rule({"is": "no_data", "after": "60s"}), [(0, 1), (3600, 1)]) == [(OK, 0)]


def test_a_circle_is_left_and_come_back_to_with_a_margin() -> None:
    leaves = rule({"is": "leaves", "lat": 0, "lon": 0, "radius": 1000, "margin": 200})
    inside, edge, outside = "0,0.005", "0,0.0085", "0,0.02"  # 556 m, 945 m, 2.2 km
    assert changes(leaves, [(0, inside), (1, outside), (2, edge), (3, inside)]) == [(OK, 0), (FIRING, 1), (OK, 3)]


def test_where_it_begins_is_no_entering() -> None:
    enters = rule({"is": "enters", "lat": 52.52, "lon": 13.405, "radius": 500})
    here, away = "52.52,13.405", "52.6,13.405"
    assert changes(enters, [(0, here), (1, away), (2, here), (3, away)]) == [(OK, 0), (FIRING, 2), (OK, 3)]


# -- event time


def test_what_is_older_than_the_newest_value_is_not_judged() -> None:
    state, _ = replay(above(), [(10, 20)])
    done = step(above(), state, 5, 99, 11)
    assert done.late
    assert done.state is state
    assert not step(above(), state, 10, 99, 11).late  # the same point once more


def test_a_device_whose_clock_is_slow_gets_its_hold_time_all_the_same() -> None:
    held = above(**{"for": "60s"})
    state = step(held, NEW, 1000, 31, heard=5000).state
    assert not tick(held, state, 5059).transitions
    assert [(one.after, one.at) for one in tick(held, state, 5061).transitions] == [(FIRING, 1060)]


def test_time_in_which_nobody_listened_does_not_count() -> None:
    silent = rule({"is": "no_data", "after": "60s"})
    state, _ = replay(silent, [(0, 1)])
    resumed = restarted(state, stopped=30, clock=1000)
    assert due(silent, resumed) == 1030


# -- for any history

VALUES = st.floats(0, 60, allow_nan=False).map(lambda value: round(value, 1))
HISTORIES = st.lists(st.tuples(st.integers(1, 40), VALUES), max_size=40).map(
    lambda steps: [(float(sum(gap for gap, _ in steps[: i + 1])), value) for i, (_, value) in enumerate(steps)]
)
RULES = st.one_of(
    st.builds(
        lambda is_, value, band, hold: rule(
            {"is": is_, "value": value, "clear": value - band if is_.startswith(">") else value + band},
            **{"for": f"{hold}s"},
        ),
        st.sampled_from([">", ">=", "<", "<="]), st.integers(10, 50), st.integers(0, 15), st.integers(0, 60),
    ),
    st.builds(
        lambda by, within, hold: rule({"is": "changes_by", "value": by, "within": within}, **{"for": f"{hold}s"}),
        st.integers(1, 30), st.sampled_from([None, "20s", "60s"]), st.integers(0, 30),
    ),
)  # fmt: skip


@settings(deadline=None)
@given(HISTORIES, st.integers(10, 50), st.integers(1, 15))
def test_inside_the_band_nothing_ever_flaps(points: Points, bound: int, band: int) -> None:
    last = None
    for one in replay(above(bound, bound - band), points)[1]:
        value = dict(points)[one.at]
        if one.after is FIRING:
            assert value > bound
        elif one.before is FIRING:
            assert value <= bound - band
        assert one.after is not last
        last = one.after


@settings(deadline=None)
@given(HISTORIES, st.integers(10, 50), st.integers(1, 60))
def test_what_was_not_true_for_long_enough_never_fires(points: Points, bound: int, hold: int) -> None:
    for one in replay(above(bound, **{"for": f"{hold}s"}), points)[1]:
        if one.after is FIRING:
            assert one.at == one.began + hold
            assert all(value > bound for epoch, value in points if one.began <= epoch < one.at)


@settings(deadline=None)
@given(RULES, HISTORIES, st.integers(0, 40))
def test_a_restart_at_any_point_changes_nothing(of: AlertRuleConfig, points: Points, at: int) -> None:
    state, before = replay(of, points[:at])
    _, _, revived = state_from_json(state_to_json("b", "s", state))
    assert revived == state
    assert before + replay(of, points[at:], revived)[1] == replay(of, points)[1]


@settings(deadline=None)
@given(RULES, HISTORIES, st.lists(st.integers(1, 900), max_size=40))
def test_the_clock_makes_known_earlier_what_the_values_would_say_anyway(
    of: AlertRuleConfig, points: Points, ticks: list[int]
) -> None:
    state, made = NEW, []
    end = points[-1][0] if points else 0.0
    moments = [(epoch, 0, value) for epoch, value in points] + [(at, 1, None) for at in ticks if at < end]
    for at, is_tick, value in sorted(moments, key=lambda one: one[:2]):
        done = tick(of, state, at) if is_tick else step(of, state, at, value, at)
        state = done.state
        made += done.transitions

    assert made == replay(of, points)[1]


@settings(deadline=None)
@given(RULES, HISTORIES)
def test_the_same_points_once_more_change_nothing(of: AlertRuleConfig, points: Points) -> None:
    state, _ = replay(of, points)
    assert replay(of, points, state) == (state, [])
