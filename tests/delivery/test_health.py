import logging

import pytest

from mqttbridge.delivery.health import Health, State
from mqttbridge.delivery.settlement import Kept
from mqttbridge.metrics import Metrics
from tests.support.memory_spool import FakeTime


@pytest.fixture
def time():
    return FakeTime()


@pytest.fixture
def health(time):
    return Health("cloud", Metrics(), time, time, lambda: 1.0)


def test_it_begins_well_and_says_nothing(health, caplog):
    health.worked()
    assert (health.state, health.detail, health.failures) == (State.OK, "", 0)
    assert caplog.records == []


def test_pauses_grow_with_failures_and_begin_anew_after_a_success(health):
    assert [health.failed(Kept("503")) for _ in range(3)] == [1.0, 2.0, 4.0]
    health.worked()
    assert health.failed(Kept("503")) == 1.0


@pytest.mark.parametrize(
    ("kept", "delay"),
    [
        (Kept("429", retry_after=17.0), 17.0),
        (Kept("429", retry_after=0.2), 1.0),
        (Kept("401", pause=True), 60.0),
        (Kept("402", retry_after=3600.0, pause=True), 3600.0),
    ],
)
def test_what_the_server_asks_for_counts_if_it_is_a_wait_at_all(health, kept, delay):
    assert health.failed(kept) == delay


def test_each_change_of_state_is_one_line_however_often_it_fails(health, time, caplog):
    caplog.set_level(logging.INFO)
    for kept in (Kept("503 busy"), Kept("timeout"), Kept("401 no", pause=True), Kept("401 still no", pause=True)):
        time.sleep(10)
        health.failed(kept)
    assert health.detail == "401 still no"
    assert health.since == time.now - 10
    health.worked()
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.ERROR, logging.INFO]
    assert "after 30 s and 4 failed tries" in caplog.records[-1].message
