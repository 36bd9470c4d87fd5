"""Rates and forecasts from numbers that are looked at once a second."""

import pytest

from mqttbridge.flow import FINE_SECONDS, FlowHistory, time_until


@pytest.fixture
def history():
    return FlowHistory(["events"])


def feed(history, rates):
    total = 0.0
    history.sample(0.0, {"events": 0})
    for second, rate in enumerate(rates, 1):
        total += rate
        history.sample(float(second), {"events": total})


def test_nothing_is_known_before_two_looks(history):
    assert history.rate("events", 10) is None
    feed(history, [])
    assert history.rate("events", 10) is None
    assert history.rates("events", 5) == []


def test_a_rate_is_of_the_last_seconds_or_of_as_many_as_are_known(history):
    feed(history, [100] * 20 + [10] * 10)

    assert history.rate("events", 10) == 10
    assert history.rate("events", 20) == 55
    assert history.rate("events", 200) == 70
    assert history.known(200) == 30
    assert history.rate("events", 200, least=60) is None


def test_more_than_five_minutes_are_remembered_by_five_minutes(history):
    feed(history, [1] * 900 + [4] * 900)

    assert history.rate("events", FINE_SECONDS) == 4
    assert history.rate("events", 86_400) == 2.5
    assert len(history.rates("events", 5)) == 60


@pytest.mark.parametrize(
    ("left", "a_second", "seconds"),
    [(100, 10, 10), (100, 0, None), (100, -1, None), (100, None, None), (1e12, 1, None)],
)
def test_a_forecast_is_given_where_there_is_an_end_in_sight(left, a_second, seconds):
    assert time_until(left, a_second) == seconds
