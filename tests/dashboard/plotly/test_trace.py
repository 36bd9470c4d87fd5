"""What a stream's lines do to a trace, and which of their values are history."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mqttbridge.dashboard.plotly.history import events_of
from mqttbridge.dashboard.plotly.trace import Change, Trace
from mqttbridge.dashboard.plotly.update import Malformed, Update, XKind, read_update, read_x, read_y
from mqttbridge.events import Reason, Rejected

# On a busy machine an example may take its time: what counts is what comes out.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOW = 1_790_000_000.0


def line(**given) -> Update:
    update = read_update(json.dumps(given).encode())
    assert isinstance(update, Update)
    return update


def drawn(*updates: Update, maxpoints: int = 500) -> list:
    trace = Trace("t", maxpoints)
    for update in updates:
        trace.write(update)
    return list(trace.points)


def test_a_scalar_appends_and_the_newest_stay():
    assert drawn(*(line(x=n, y=n * n) for n in range(5)), maxpoints=3) == [(2, 4), (3, 9), (4, 16)]


def test_a_list_overwrites():
    assert drawn(line(x=1, y=1), line(x=[5, 6], y=[7, 8])) == [(5, 7), (6, 8)]
    assert drawn(line(x=[1, 2, 3], y=[1, 2, 3]), maxpoints=2) == [(2, 2), (3, 3)]
    assert drawn(line(x=1, y=1), line(x=[], y=[])) == []


def test_one_array_alone_is_overwritten_too():
    assert drawn(line(x=[1, 2], y=[3, 4]), line(y=[5, 6])) == [(1, 5), (2, 6)]
    assert drawn(line(x=[1, 2], y=[3, 4]), line(y=[5, 6, 7])) == [(0, 5), (1, 6), (2, 7)]
    assert drawn(line(x=[1, 2], y=[3, 4]), line(x=[8, 9])) == [(8, 3), (9, 4)]


def test_a_list_beside_a_scalar_are_paired_from_their_newest_ends():
    assert drawn(line(x=1, y=10), line(x=[1, 2], y=20)) == [(1, 10), (2, 20)]


def test_a_y_without_an_x_gets_the_next_number_and_an_x_without_a_y_is_a_gap():
    assert drawn(line(y=5), line(y=6), line(y=7), maxpoints=2) == [(1, 6), (2, 7)]
    assert drawn(line(x=1, y=5), line(x=2), line(x=3, y=None)) == [(1, 5), (2, None), (3, None)]


def test_an_axis_has_one_kind_and_another_kind_begins_anew():
    trace = Trace("t")
    trace.write(line(x=1, y=1))
    change = trace.write(line(x="2026-01-02 03:04:05.678", y=2))

    assert trace.kind is XKind.DATE
    assert change.replaced
    assert [y for _, y in trace.points] == [2]


def test_style_and_layout_ride_along_and_only_what_can_be_shown_is_taken():
    update = line(
        y=1,
        mode="lines+markers+text",
        line={"color": "#f00", "width": 3, "dash": "dot", "shape": {"evil": 1}},
        marker={"color": "url(//evil)", "size": 1e9},
        layout={"title": {"text": "T"}, "xaxis": {"title": "X", "range": [0, "10"]}, "yaxis": 7, "font": {}},
    )

    assert update.style == {"mode": "lines+markers", "line": {"color": "#f00", "width": 3.0, "dash": "dot"}}
    assert update.layout == {"title": "T", "xaxis": {"title": "X", "range": [0.0, 10.0]}}


def test_a_change_of_looks_alone_is_a_change():
    trace = Trace("t")

    assert trace.write(line(mode="markers")) == Change(looks=True)
    assert trace.write(line(mode="markers")) == Change()


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"7", b'"x"', b"[" * 5000, b"\xff", b'{"x": "\\ud800"}'])
def test_what_is_no_object_is_malformed(text):
    assert isinstance(read_update(text), Malformed)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (1, (XKind.NUMBER, 1.0)),
        ("1.5", (XKind.NUMBER, 1.5)),
        ("2020", (XKind.NUMBER, 2020.0)),
        ("2026-01-02 03:04:05.5", (XKind.DATE, 1767323045.5)),
        ("2026-01-02T03:04:05+01:00", (XKind.DATE, 1767319445.0)),
        ("apple", (XKind.CATEGORY, "apple")),
        ("9 o'clock", (XKind.CATEGORY, "9 o'clock")),
        (None, None),
        ("", None),
        ({}, None),
        (math.inf, None),
        (10**400, None),
    ],
)
def test_an_x_is_a_number_a_date_or_a_category(raw, place):
    assert read_x(raw) == place


@pytest.mark.parametrize("raw", [None, "text", math.nan, -math.inf, [], {}, "1e999", "9" * 100])
def test_a_y_that_is_no_number_is_a_gap(raw):
    assert read_y(raw) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@unhurried
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["x", "y", "mode", "line", "marker", "layout"]), JSON, max_size=5), max_size=8
    ),
    st.integers(0, 5),
)
def test_whatever_lines_say_a_viewer_with_every_change_sees_what_a_late_one_gets(updates, maxpoints):
    trace = Trace("t", maxpoints)
    seen: list = []
    for given_ in updates:
        update = read_update(json.dumps(given_).encode())
        if isinstance(update, Malformed):
            continue
        change = trace.write(update)
        frame = trace.frame(change)
        fresh = list(zip(frame["x"], frame["y"], strict=True))
        seen = fresh if frame["replace"] else seen + fresh
        seen = seen[-maxpoints:] if maxpoints else []
        for event in events_of(update, "b", "s", NOW):
            assert isinstance(event, Rejected) or event[:2] == ("b", "s")
        assert len(trace.points) <= maxpoints

    whole = trace.shown()
    assert seen == list(zip(whole["x"], whole["y"], strict=True))


@unhurried
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4) | st.integers(0, 9), max_size=12), st.integers(1, 5)
)
def test_changes_that_are_joined_are_the_same_as_one_after_the_other(ys, maxpoints):
    trace, joined = Trace("t", maxpoints), Change()
    for y in ys:
        joined.join(trace.write(Update(y=y)), maxpoints)
    frame = trace.frame(joined)

    assert frame["y"][-maxpoints:] == [y for _, y in trace.points]
    assert len(joined.points) <= 2 * maxpoints + 4


# --- history ----------------------------------------------------------------------------------------------


def test_a_point_is_stored_at_its_x_if_that_is_a_time_and_else_at_its_arrival():
    at = "2026-09-21T14:13:20+00:00"

    assert events_of(line(x=at, y=1), "b", "s", NOW) == [("b", "s", 1, 1790000000.0)]
    assert events_of(line(x=NOW - 60, y=2), "b", "s", NOW) == [("b", "s", 2, NOW - 60)]
    assert events_of(line(x=1000 * (NOW - 60), y=2), "b", "s", NOW) == [("b", "s", 2, NOW - 60)]
    for x in (5, "apple", None, "1970-01-01", "9999-01-01"):
        assert events_of(line(x=x, y=3), "b", "s", NOW) == [("b", "s", 3, NOW)]


def test_a_list_is_stored_where_its_xs_are_times():
    assert events_of(line(x=[NOW - 1, 7], y=[1, 2]), "b", "s", NOW) == [("b", "s", 1, NOW - 1)]
    assert events_of(line(y=[1, 2]), "b", "s", NOW) == []
    assert events_of(line(x=3, y=[1, 2]), "b", "s", NOW) == []


def test_what_no_store_can_hold_is_rejected_and_a_gap_is_nothing():
    (nan,) = events_of(Update(y=math.nan), "b", "s", NOW)
    (large,) = events_of(Update(y=2**70), "b", "s", NOW)
    (long,) = events_of(Update(y="x" * 3000), "b", "s", NOW)

    assert [one.reason for one in (nan, large, long)] == [
        Reason.NOT_FINITE,
        Reason.INTEGER_TOO_LARGE,
        Reason.TEXT_TOO_LONG,
    ]
    assert events_of(line(x=1, y=None), "b", "s", NOW) == []
    assert events_of(line(x=1, y={}), "b", "s", NOW) == []
    assert events_of(line(mode="lines"), "b", "s", NOW) == []
