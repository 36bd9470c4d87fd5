"""What a server says of points, read; and a window that holds each point once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.client.live.points import Column, Latest, Malformed, Window, read_latest, read_points


def series(epochs, values, kind="number"):
    return json.dumps({"now": 1, "series": {"s": {"kind": kind, "unit": "", "epochs": epochs, "values": values}}})


def numbers(*times):
    return Column("number", list(times), [float(time) for time in times])


def test_points_are_read_in_order_of_time_and_each_time_once():
    assert read_points(series([2.5, 1, 2.5], [1, 2.5, True]).encode()) == {
        "s": Column("number", [1_000_000, 2_500_000], [2.5, True])
    }
    assert read_points(series([], []).encode()) == {}
    assert read_points(series([1e300], [1]).encode()) == {}  # a time that no calendar has


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"series": []}', series([1], []), series(["x"], [1]), series([1], [[]])],
)
def test_what_makes_no_sense_is_malformed(text):
    assert isinstance(read_points(text.encode()), Malformed)


def test_the_latest_values_are_read():
    text = '{"streams": [{"stream": "s", "kind": "text", "unit": "V", "last": {"value": "x", "epoch": 1.5}, "a": 1}]}'

    assert read_latest(text.encode()) == [Latest("s", "V", "x", 1_500_000)]
    assert isinstance(read_latest(b'{"streams": [{}]}'), Malformed)
    assert read_latest(text.replace("1.5", "1e99").encode()) == []


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=10, unique=True), max_size=20))
def test_a_window_holds_the_newest_points_each_once_and_tells_each_once(batches):
    window, told = Window(10), []
    for batch in batches:
        told += window.merge(numbers(*sorted(batch)), history=False).fresh.times

    everything = sorted({time for batch in batches for time in batch})
    kept = list(window.newest(10).times)
    assert kept == sorted(set(kept))
    assert set(kept) <= set(everything)
    if len(everything) <= 10:
        assert kept == everything
        assert sorted(told) == everything


def test_a_correction_counts_when_it_comes_live_and_not_when_history_says_otherwise():
    window = Window(10)
    window.merge(numbers(1, 2))

    assert window.merge(Column("number", [2], [9.0]), history=True).fresh.times == []
    assert window.merge(Column("number", [2], [9.0])).fresh.times == [2]
    assert list(window.newest(10).values) == [1.0, 9.0]


def test_a_stream_of_another_kind_begins_anew_unless_that_is_past():
    window = Window(10)
    window.merge(numbers(1, 2))
    begun = window.merge(Column("text", [3], ["on"]))
    late = window.merge(numbers(1, 2), history=True)

    assert begun.begun_anew
    assert not late.fresh.times
    assert window.newest(10) == Column("text", [3], ["on"])
