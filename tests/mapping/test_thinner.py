from collections import Counter
from math import floor

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from mqttbridge.config.thinning import ThinConfig
from mqttbridge.mapping import thinned_stream, thinner as thinner_module
from mqttbridge.mapping.thinner import Thinner
from mqttbridge.mapping.thinning import compile_thinning

START = 1_760_000_040.0  # a whole minute


def thinner(*entries):
    return Thinner(compile_thinning([ThinConfig.model_validate(entry) for entry in entries]))


def event(value, epoch, stream="s"):
    return ("b", stream, value, epoch)


def run(thin, samples):
    """(value, epoch) or (value, epoch, arrival) one after the other; values of what passes, with their times."""
    passed = []
    for claim, (value, epoch, *arrival) in enumerate(samples):
        passed += thin.offer(event(value, epoch), arrival[0] if arrival else epoch, claim)
    return [(kept[2], kept[3]) for kept, _, _ in passed]


def values(thin, *given_values):
    return [value for value, _ in run(thin, [(value, START + n) for n, value in enumerate(given_values)])]


# --- by value


def test_a_deadband_passes_what_differs_from_the_last_one_kept_by_more():
    assert values(thinner({"deadband": 1}), 20, 20.5, 21, 21.1, 20.2, 20.0) == [20, 21.1, 20.0]


def test_a_percentage_is_of_the_last_one_kept():
    assert values(thinner({"deadband": "10%"}), 100, 110, 111, 121, 123, 0, 0, 0.1) == [100, 111, 123, 0, 0.1]


def test_of_texts_and_booleans_what_is_another_passes():
    thin = thinner({"deadband": 5})

    assert values(thin, "on", "on", "off", True, True, 1, 1.0, False) == ["on", "off", True, 1, False]


def test_changed_passes_what_is_not_the_same():
    thin = thinner({"changed": True})

    assert values(thin, 1, 1.0, 1.0001, True, True, "1") == [1, 1.0001, True, "1"]
    assert thin.take_dropped() == {"thinned_changed": 2}
    assert thin.take_dropped() == {}


def test_a_flat_line_stays_alive():
    thin = thinner({"deadband": 1, "at_least_every": "10s"})

    assert run(thin, [(20, START + second) for second in range(0, 31, 3)]) == [
        (20, START),
        (20, START + 12),
        (20, START + 24),
    ]


@given(st.lists(st.floats(-1e9, 1e9), max_size=50), st.floats(0, 1e3))
def test_what_a_deadband_keeps_back_is_within_it_of_the_last_one_kept(given_values, band):
    thin = thinner({"deadband": band})
    kept = None
    for n, value in enumerate(given_values):
        if thin.offer(event(value, START + n), START + n, None):
            kept = value
        assert abs(value - kept) <= band


# --- by time


def test_a_throttle_passes_the_first_at_once_and_then_none_for_so_long():
    thin = thinner({"throttle": {"every": "10s"}})

    assert run(thin, [(n, START + n) for n in range(25)]) == [(0, START), (10, START + 10), (20, START + 20)]
    assert thin.take_dropped() == {"thinned_throttle": 22}


def test_a_clock_that_was_wrong_does_not_silence_a_throttled_stream():
    thin = thinner({"throttle": {"every": "10s"}})

    assert run(thin, [(1, START + 80_000, START), (2, START + 1, START + 1)]) == [(1, START + 80_000), (2, START + 1)]


def test_a_throttle_may_pass_the_last_one_of_each_interval_instead():
    thin = thinner({"throttle": {"every": "10s", "keep": "last", "lateness": "0s"}})

    assert run(thin, [(n, START + n) for n in range(25)]) == [(9, START + 9), (19, START + 19)]
    assert thin.take_dropped() == {"thinned_throttle": 18}


def test_throttle_and_deadband_both_compare_with_the_last_one_kept():
    thin = thinner({"throttle": {"every": "10s"}, "deadband": 1})

    assert run(thin, [(0, START), (5, START + 5), (0.5, START + 11), (5, START + 12)]) == [(0, START), (5, START + 12)]


# --- one for an interval


@pytest.mark.parametrize(
    ("take", "expected"),
    [("mean", (4.0, 50)), ("min", (1, 10)), ("max", (9, 0)), ("last", (2, 50)), ("count", (3, 50))],
)
def test_an_interval_has_one_event_with_the_time_of_one_of_its_own(take, expected):
    thin = thinner({"sample": {"every": "1m", "take": take}})

    passed = run(thin, [(9, START), (1, START + 10), (2, START + 50), (0, START + 62)])
    assert passed == [(expected[0], START + expected[1])]
    assert thin.take_dropped() == {"thinned_sample": 2}


def test_texts_and_booleans_have_no_mean_so_the_last_is_taken():
    thin = thinner({"sample": {"every": "1m", "lateness": "0s"}})

    assert run(thin, [(1, START), ("x", START + 1), (True, START + 2), (0, START + 60)]) == [(True, START + 2)]


def test_an_interval_waits_for_late_events_and_no_longer():
    thin = thinner({"sample": {"every": "1m", "take": "count", "lateness": "5s"}})

    samples = [(0, START), (0, START + 64), (0, START + 59), (0, START + 65), (0, START + 58)]
    assert run(thin, samples) == [(2, START + 59)]
    assert thin.take_dropped() == {"thinned_sample": 1, "thinned_late": 1}


def test_an_interval_ends_by_the_time_that_passes_when_nothing_more_comes():
    thin = thinner({"sample": {"every": "1m", "lateness": "5s"}})
    run(thin, [(7, START + 1)])

    assert thin.tick(START + 64.9) == []
    assert thin.tick(START + 65.1) == [(event(7, START + 1), 0, 0)]
    assert thin.tick(START + 1000) == []


def test_a_device_whose_clock_is_slow_has_intervals_by_its_own_clock():
    thin = thinner({"sample": {"every": "1m", "take": "count", "lateness": "0s"}})
    hour = 3600

    assert run(thin, [(0, START - hour, START), (0, START - hour + 30, START + 30)]) == []
    assert thin.tick(START + 59) == []
    assert [kept[2] for kept, _, _ in thin.tick(START + 61)] == [2]


def test_a_time_that_is_still_to_come_ends_no_interval_early():
    thin = thinner({"sample": {"every": "1m", "take": "count", "lateness": "0s"}})

    samples = [
        (0, START, START),
        (0, START + 80_000, START + 1),
        (0, START + 2, START + 2),
        (0, START + 60, START + 60),
    ]
    assert run(thin, samples) == [(2, START + 2)]


def test_wrong_times_open_no_more_than_a_few_intervals():
    thin = thinner({"sample": {"every": "1s", "lateness": "0s"}})
    run(thin, [(0, START + n, START) for n in range(1000)])

    assert len(thin._ledger.opened) <= thinned_stream._SPARE_INTERVALS + 1


def test_a_flush_ends_all_intervals_as_they_are():
    thin = thinner({"sample": {"every": "1m", "take": "last"}})
    thin.offer(event(1, START, "x"), START, None)
    thin.offer(event(2, START, "y"), START, None)

    assert [kept[1:3] for kept, _, _ in thin.flush()] == [("x", 1), ("y", 2)]
    assert thin.flush() == []
    assert thin.oldest_claim is None


def test_a_mean_beyond_what_a_float_can_add_up_stays_in_bounds():
    thin = thinner({"sample": {"every": "1m"}})
    run(thin, [(1.7e308, START), (1.6e308, START + 1)])

    ((kept, _, _),) = thin.flush()
    assert 1.6e308 <= kept[2] <= 1.7e308


def test_sample_and_deadband_make_one_event_an_interval_where_it_differs():
    thin = thinner({"sample": {"every": "10s", "take": "last", "lateness": "0s"}, "deadband": 1})

    assert run(thin, [(n // 30 * 2, START + n) for n in range(61)]) == [(0, START + 9), (2, START + 39)]


# --- what always holds

entries = st.sampled_from(
    [
        {"sample": {"every": "10s", "take": take, "lateness": lateness}}
        for take in ("mean", "min", "max", "last")
        for lateness in ("0s", "3s")
    ]
    + [{"throttle": {"every": "5s", "keep": keep}} for keep in ("first", "last")]
    + [{"deadband": "5%", "at_least_every": "7s"}, {"changed": True}]
)
samples = st.lists(
    st.tuples(st.floats(-100, 100) | st.booleans() | st.text(max_size=2), st.floats(0, 100), st.floats(0, 3)),
    max_size=60,
)


@given(entries, samples)
def test_nothing_is_invented_lost_or_put_out_of_order(entry, given_samples):
    thin = thinner(entry)
    arrivals = sorted(START + when for _, when, _ in given_samples)
    given_events = [event(v, a - late) for (v, _, late), a in zip(given_samples, arrivals, strict=True)]
    passed = [kept for e, a in zip(given_events, arrivals, strict=True) for kept in thin.offer(e, a, None)]
    passed = [kept for kept, _, _ in passed + thin.tick(START + 103) + thin.flush()]

    numbers = [e[2] for e in given_events if isinstance(e[2], float)]
    times = {e[3] for e in given_events}
    for kept in passed:
        assert kept[3] in times
        if "mean" not in str(entry):
            assert kept in given_events
        elif isinstance(kept[2], float):
            assert min(numbers) <= kept[2] <= max(numbers)
    assert len(passed) + sum(thin.take_dropped().values()) == len(given_events)
    if "sample" in entry:
        intervals = [floor(kept[3] / 10) for kept in passed]
        assert intervals == sorted(set(intervals))
    elif "keep': 'last" not in str(entry):
        rest = iter(given_events)
        assert all(kept in rest for kept in passed)  # a subsequence


@given(samples)
def test_ticks_make_no_difference_to_streams_that_are_on_time(given_samples):
    entry = {"sample": {"every": "10s", "take": "count", "lateness": "0s"}}
    times = sorted(START + when for _, when, _ in given_samples)
    still, ticked = thinner(entry), thinner(entry)
    without = [kept for t in times for kept in still.offer(event(0, t), t, None)] + still.flush()
    with_ticks = [kept for t in times for kept in [*ticked.tick(t), *ticked.offer(event(0, t), t, None)]]

    assert with_ticks + ticked.flush() == without
    assert Counter(floor(t / 10) for t in times) == Counter({floor(e[3] / 10): e[2] for e, _, _ in without})


# --- many streams


def test_the_first_entry_whose_pattern_matches_counts_and_others_pass():
    thin = thinner({"streams": "*.t", "deadband": 1}, {"streams": "a.*", "changed": True})
    offered = [("a.t", 1), ("a.t", 1.5), ("a.x", 1), ("a.x", 1.5), ("b.x", 1), ("b.x", 1)]

    assert [name for name, v in offered if thin.offer(event(v, START, name), START, None)] == [
        "a.t", "a.x", "a.x", "b.x", "b.x",
    ]  # fmt: skip


def test_streams_are_thinned_apart_in_each_bucket():
    thin = thinner({"changed": True})

    assert thin.offer(("b1", "s", 1, START), START, None)
    assert thin.offer(("b2", "s", 1, START), START, None)


def test_no_more_streams_are_remembered_than_there_is_room_for_and_none_is_lost(monkeypatch):
    monkeypatch.setattr(thinner_module, "MAX_STREAMS", 10)
    thin = thinner({"sample": {"every": "1m", "take": "count"}})
    passed = [kept for n in range(100) for kept in thin.offer(event(n, START, f"s{n}"), START, None)]

    assert len(thin._streams) <= 10
    assert {kept[1] for kept, _, _ in passed + thin.flush()} == {f"s{n}" for n in range(100)}


# --- what makes no sense


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "thins nothing"),
        ({"deadband": "2 percent"}, "such as '2%'"),
        ({"deadband": -1}, "at least 0"),
        ({"changed": True, "deadband": 1}, "exclude each other"),
        ({"throttle": {"every": "1s"}, "sample": {"every": "1s"}}, "exclude each other"),
        ({"throttle": {"every": "1s"}, "at_least_every": "1m"}, "needs a deadband or changed"),
        ({"sample": {"every": "1s", "lateness": "1h"}}, "at most 1000 times every"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(entry, words):
    with pytest.raises(ValidationError, match=words):
        ThinConfig.model_validate(entry)
