from itertools import accumulate, pairwise

import pytest
from hypothesis import given, strategies as st

from mqttbridge.mapping.counters import CounterRule, Counters, Reading
from mqttbridge.mapping.room import Room


def growths(rule, *samples):
    """What (total, epoch) or (total, epoch, arrival) amount to, one after the other."""
    before, found = None, []
    for total, epoch, *arrival in samples:
        before, growth = rule.growth(before, Reading(total, epoch, arrival[0] if arrival else epoch))
        found.append(growth)
    return found


DELTA = CounterRule()


def test_the_first_sample_says_nothing_and_the_next_what_was_added():
    assert growths(DELTA, (100, 0), (130, 10), (130, 20)) == [None, 30, 0]


def test_a_rate_is_the_growth_in_a_time():
    assert growths(CounterRule(per=3600), (0, 0), (1, 60)) == [None, 60]


def test_a_total_that_falls_was_reset():
    assert growths(DELTA, (100, 0), (7, 10)) == [None, 7]
    assert growths(DELTA, (100, 0), (-7, 10)) == [None, 0]


def test_a_total_goes_on_from_0_where_it_wraps():
    assert growths(CounterRule(wraps_at=256), (250, 0), (4, 1)) == [None, 10]


def test_a_fall_that_is_too_long_for_a_wrap_is_a_reset():
    assert growths(CounterRule(wraps_at=256), (100, 0), (4, 1)) == [None, 4]


def test_a_late_sample_says_nothing_that_the_next_does_not_say():
    assert growths(DELTA, (100, 0), (130, 20), (120, 10), (150, 30)) == [None, 30, None, 20]
    assert growths(DELTA, (100, 0), (130, 20), (130, 20)) == [None, 30, None]


def test_a_time_that_was_still_to_come_does_not_stop_the_counter():
    assert growths(CounterRule(per=1), (100, 90_000, 10), (130, 20, 20)) == [None, 3]


@given(st.lists(st.integers(0, 2**40), min_size=2, max_size=30))
def test_what_a_counter_that_only_grows_has_grown_by_is_all_there(steps):
    totals = list(accumulate(steps))
    found = growths(DELTA, *((total, n) for n, total in enumerate(totals)))

    assert sum(found[1:]) == totals[-1] - totals[0]


@given(st.lists(st.integers(0, 99), min_size=2, max_size=30))
def test_a_counter_that_wraps_loses_nothing(steps):
    totals = list(accumulate(steps))
    found = growths(CounterRule(wraps_at=200), *((total % 200, n) for n, total in enumerate(totals)))

    assert found[1:] == [later - earlier for earlier, later in pairwise(totals)]


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(0, 1e9), st.floats(0, 1e9)), max_size=30))
def test_growth_is_never_less_than_nothing(samples):
    assert all(growth is None or growth >= 0 for growth in growths(CounterRule(per=1.0, wraps_at=2**32), *samples))


@pytest.mark.parametrize(("left", "known"), [(10_000, True), (0, False)])
def test_readings_count_against_the_room_that_there_is(left, known):
    room = Room(left)
    counters = Counters(room)
    counters.remember({"a": Reading(1, 2, 3)})

    assert (counters.last("a") is not None) is known
    counters.forget()
    assert room.left == left
    assert counters.last("a") is None
