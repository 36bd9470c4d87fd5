"""Old points go, a little at a time, and nothing else does."""

from itertools import pairwise

import pytest

from mqttbridge.dashboard.store import Store, retention
from mqttbridge.events import Position

DAY = 86400.0
START = 1_800_000_000.0


class Clock:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    opened = Store(tmp_path / "dashboard.db", DAY, clock)
    yield opened
    opened.close()


def tick(store, clock, seconds=2.0):
    clock.now += seconds
    store.append([("clock", "tick", 1, clock.now)])


def count(store, bucket, stream):
    points = store.points(bucket, [stream], 0, None, 10_000)
    return len(points[stream].times) if stream in points else 0


def test_points_older_than_the_retention_are_deleted(store, clock):
    store.append([("b", "s", n, START - DAY - 100 + n) for n in range(200)])

    tick(store, clock)

    assert count(store, "b", "s") == 98


def test_no_sweep_deletes_more_than_its_bound(store, clock, monkeypatch):
    monkeypatch.setattr(retention, "ROWS_PER_SWEEP", 10)
    store.append([("b", "s", n, START - 2 * DAY + n) for n in range(100)])
    left = [count(store, "b", "s")]

    for _ in range(20):
        tick(store, clock)
        left.append(count(store, "b", "s"))

    # The first sweep's bound grows with what was inserted; the others take ten at most.
    assert all(before - after <= 10 for before, after in pairwise(left[1:]))
    assert left[-1] == 0


def test_series_beyond_one_sweep_have_their_turn(store, clock, monkeypatch):
    monkeypatch.setattr(retention, "SERIES_PER_SWEEP", 3)
    store.append([("b", f"s{n}", 1, START - 2 * DAY) for n in range(10)])

    for _ in range(6):
        tick(store, clock)

    assert store.streams("b") == []


def test_a_stream_goes_with_its_last_point_and_may_come_back(store, clock):
    store.append([("b", "s", 1, START - 2 * DAY), ("b", "kept", 1, START)], {("b", "s"): "V"})
    tick(store, clock)
    assert [one.stream for one in store.streams("b")] == ["kept"]

    store.append([("b", "s", 2, clock.now)])

    assert [one.stream for one in store.streams("b")] == ["kept", "s"]
    assert count(store, "b", "s") == 1


def test_a_sweep_comes_once_a_second_at_most(store, clock):
    tick(store, clock)
    store.append([("b", "s", 1, START - 2 * DAY)])

    tick(store, clock, 0.1)
    assert count(store, "b", "s") == 1

    tick(store, clock)
    assert count(store, "b", "s") == 0


def test_sweeps_go_on_after_the_clock_was_set_back(store, clock):
    tick(store, clock)
    clock.now -= 10 * DAY
    store.append([("b", "s", 1, clock.now - 2 * DAY)])

    tick(store, clock)

    assert count(store, "b", "s") == 0


def test_zero_keeps_everything(tmp_path, clock):
    store = Store(tmp_path / "for-ever.db", 0.0, clock)
    store.append([("b", "s", 1, 1.0)], {}, Position(1, 0))

    tick(store, clock)

    assert count(store, "b", "s") == 1
    store.close()
