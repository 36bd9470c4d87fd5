"""Events as all the clients of the Events API have ever sent them."""

import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.dashboard.events.pushed import Problem, as_epoch, as_value, from_body, from_parameters
from mqttbridge.events import Reason

NOW = 1_800_000_000.0


def body(*events, **one):
    return json.dumps(list(events) if events else one).encode()


def test_an_object_is_one_event_and_an_array_many():
    assert from_body(body(key="t", value=1), "b", NOW).events == [("b", "t", 1, NOW)]
    many = from_body(body({"key": "t", "value": 1}, {"key": "u", "value": "x"}), "b", NOW)
    assert many.events == [("b", "t", 1, NOW), ("b", "u", "x", NOW)]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (1, 1),
        (1.5, 1.5),
        (True, True),
        ("on", "on"),
        ("", ""),
        ("66.5", 66.5),
        ("66", 66),
        (" -3.5e2 ", -350.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("007", 7),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("١٢", "١٢"),
        ("0x10", "0x10"),
        ("1e999", "1e999"),
        ("12345678901234567890", "12345678901234567890"),
        ("1" * 500, "1" * 500),
        ("true", "true"),
        ("x" * 2000, "x" * 2000),
    ],
)
def test_a_string_that_reads_as_a_number_is_that_number(sent, stored):
    value = as_value(sent)

    assert value == stored
    assert type(value) is type(stored)


@pytest.mark.parametrize("value", [None, {}, [], [1], "x" * 2001])
def test_values_that_break_the_contract_are_problems(value):
    assert isinstance(as_value(value), Problem)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), Reason.NOT_FINITE),
        (float("-inf"), Reason.NOT_FINITE),
        (2**63, Reason.INTEGER_TOO_LARGE),
    ],
)
def test_values_a_sound_client_may_send_but_nothing_can_store_are_rejected_alone(value, reason):
    sent = from_body(body({"key": "t", "value": value}, {"key": "u", "value": 1}), "b", NOW)

    assert sent.problems == []
    assert sent.events == [("b", "u", 1, NOW)]
    assert [(one.reason, one.topic) for one in sent.rejected] == [(reason, "b/t")]


@pytest.mark.parametrize(
    ("event", "epoch"),
    [
        ({}, NOW),
        ({"epoch": NOW - 5}, NOW - 5),
        ({"epoch": str(NOW - 5)}, NOW - 5),
        ({"epoch": None, "iso8601": None}, NOW),
        ({"iso8601": "2027-01-15T08:00:00Z"}, NOW),
        ({"iso8601": "2027-01-15T08:00:00"}, NOW),
        ({"iso8601": "2027-01-15T14:00+06:00"}, NOW),
        ({"iso8601": "2027-01-15T08:00:00.1234567Z"}, NOW + 0.123456),
        ({"epoch": NOW - 7, "iso8601": "2027-01-15T08:00:00Z"}, NOW - 7),
        ({"epoch": NOW - 7, "iso8601": "garbage"}, NOW - 7),
        ({"epoch": 0}, NOW),
        ({"epoch": NOW - 11 * 365 * 86400}, NOW),
        ({"epoch": NOW - 9 * 365 * 86400}, NOW - 9 * 365 * 86400),
        ({"epoch": NOW + 3600}, NOW + 3600),
        ({"epoch": NOW + 2 * 86400}, NOW),
        ({"epoch": -1}, NOW),
    ],
)
def test_times_as_clients_send_them(event, epoch):
    assert as_epoch(event, NOW) == epoch


@pytest.mark.parametrize(
    "event",
    [
        {"epoch": "yesterday"},
        {"epoch": True},
        {"epoch": []},
        {"epoch": float("nan")},
        {"epoch": NOW * 1000},
        {"iso8601": "yesterday"},
        {"iso8601": 12},
        {"iso8601": "9999-12-31T23:59:59-23:59"},
    ],
)
def test_times_that_make_no_sense_are_problems_or_replaced(event):
    epoch = as_epoch(event, NOW)

    assert isinstance(epoch, Problem) or epoch == NOW


def test_a_time_beyond_all_numbers_breaks_nothing():
    huge = from_body(b'{"key": "s", "value": 1, "epoch": 1' + b"0" * 400 + b"}", "b", NOW)
    assert "milliseconds" in huge.problems[0][1].text
    assert as_epoch({"epoch": -(10**400)}, NOW) == NOW


def test_milliseconds_are_told_apart():
    problem = as_epoch({"epoch": NOW * 1000}, NOW)

    assert isinstance(problem, Problem)
    assert "milliseconds" in problem.text


@pytest.mark.parametrize("key", [None, "", 5, [], "k" * 251])
def test_a_key_that_is_missing_or_too_long_is_a_problem_of_its_event(key):
    sent = from_body(body({"key": "t", "value": 1}, {"key": key, "value": 1}), "b", NOW)

    assert [index for index, _ in sent.problems] == [1]


def test_a_key_of_250_characters_will_do():
    assert from_body(body(key="k" * 250, value=1), "b", NOW).problems == []


@pytest.mark.parametrize("sent", [b"", b"{", b"nonsense", b"\xff", b'{"key":"\\ud800"}', b"[" * 100_000])
def test_what_is_not_json_is_a_problem(sent):
    assert isinstance(from_body(sent, "b", NOW), Problem)


@pytest.mark.parametrize("sent", [b"5", b'"text"', b"null", b"[1, null, []]"])
def test_json_that_holds_no_events_is_a_problem_of_each(sent):
    assert from_body(sent, "b", NOW).problems


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["key", "value", "epoch", "iso8601"]) | st.text(), inner)
        ),
    )
)
def test_whatever_json_comes_is_stored_rejected_or_a_problem(anything):
    sent = from_body(json.dumps(anything).encode(), "b", NOW)

    assert isinstance(sent, Problem) or all(
        isinstance(value, float | int | str) and abs(epoch - NOW) < 11 * 365 * 86400
        for _, _, value, epoch in sent.events
    )


def test_every_parameter_is_an_event_at_the_time_it_came():
    sent = from_parameters([("temp", "1.5"), ("state", "on"), ("temp", "2")], "b", NOW)

    assert sent.events == [("b", "temp", 1.5, NOW), ("b", "state", "on", NOW), ("b", "temp", 2, NOW)]
