"""Old points go with their files, a little at a time where they go sooner, and nothing else does."""

import pytest

from mqttbridge.dashboard.store import SqliteStore, retention
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
    opened = SqliteStore(tmp_path / "d", DAY, clock)
    yield opened
    opened.close()


def tick(store, clock, seconds=2.0):
    clock.now += seconds
    store.append([("clock", "tick", 1, clock.now)])


def count(store, bucket, stream):
    points = store.points(bucket, [stream], 0, None, 10_000)
    return len(points[stream].times) if stream in points else 0


def test_points_older_than_the_retention_are_not_shown(store, clock):
    store.append([("b", "s", n, START - DAY - 100 + n) for n in range(200)])
    assert count(store, "b", "s") == 100

    tick(store, clock)

    assert count(store, "b", "s") == 98
    assert sum(map(len, store.rows("b", (), 0, clock.now))) == 98


def test_a_file_goes_when_its_time_is_over(store, clock, tmp_path):
    store.append([("b", "s", 1, START), ("b", "s", 2, START + 2 * DAY)])
    first = min((tmp_path / "d").glob("20*.db"))

    tick(store, clock, DAY)
    assert first.exists()
    tick(store, clock, DAY)

    assert not list((tmp_path / "d").glob(first.name + "*"))
    assert count(store, "b", "s") == 1


def test_what_comes_past_its_retention_makes_no_file(store, tmp_path):
    store.append([("b", "s", 1, START - 100 * DAY)], {}, Position(5, 0))

    assert not list((tmp_path / "d").glob("20*.db"))
    assert store.streams("b") == []
    assert store.cursor == Position(5, 0)


def test_series_beyond_one_sweep_have_their_turn(store, clock, monkeypatch):
    monkeypatch.setattr(retention, "SERIES_PER_SWEEP", 3)
    store.append([("b", f"s{n}", 1, START - DAY + 1) for n in range(10)])

    for _ in range(7):
        tick(store, clock)

    assert store.streams("b") == []


def test_a_stream_goes_with_its_last_point_and_may_come_back(store, clock):
    store.append([("b", "s", 1, START - DAY + 1), ("b", "kept", 1, START)], {("b", "s"): "V"})
    tick(store, clock)
    tick(store, clock)
    assert [one.stream for one in store.streams("b")] == ["kept"]

    store.append([("b", "s", 2, clock.now)])

    assert [one.stream for one in store.streams("b")] == ["kept", "s"]
    assert count(store, "b", "s") == 1


def test_sweeps_go_on_after_the_clock_was_set_back(store, clock):
    tick(store, clock)
    clock.now -= 10 * DAY
    store.append([("b", "s", 1, clock.now - DAY + 1)])

    tick(store, clock)
    tick(store, clock)

    assert [bucket.streams for bucket in store.buckets() if bucket.key == "b"] == [0]


def test_zero_keeps_everything(tmp_path, clock):
    store = SqliteStore(tmp_path / "for-ever", 0.0, clock)
    store.append([("b", "s", 1, 1.0)], {}, Position(1, 0))

    tick(store, clock)

    assert count(store, "b", "s") == 1
    store.close()


def test_a_bucket_with_a_shorter_retention_loses_its_old_chunks_before_the_file_goes(tmp_path, clock):
    store = SqliteStore(tmp_path / "d", 0.0, clock, {"short*": DAY, "long": 40 * DAY})
    for bucket in ("short-1", "long", "ever"):
        store.append([(bucket, "s", n, START - 3000 + n) for n in range(3000)])
    for span in store.spans:
        span.seal_all()
    before = {bucket: store.size(bucket) for bucket in ("short-1", "long", "ever")}

    for _ in range(3):
        tick(store, clock, 2 * DAY)
        store.append([(bucket, "s", 1, clock.now) for bucket in before])

    assert store.size("short-1") == 0
    assert store.size("long") == before["long"]
    assert (count(store, "short-1", "s"), count(store, "long", "s")) == (1, 3003)
    tick(store, clock, 60 * DAY)
    assert (count(store, "long", "s"), count(store, "ever", "s")) == (0, 3003)
    store.close()


def test_points_that_come_past_their_retention_are_counted(tmp_path, clock):
    counted = []
    store = SqliteStore(tmp_path / "d", DAY, clock, {"ever": 0}, counted.append)

    store.append([("b", "s", 1, 10.0), ("b", "s", 2, clock.now), ("b", "t", 1, 20.0), ("ever", "s", 1, 10.0)])
    store.append([("b", "s", 3, clock.now)])
    store.close()

    assert counted == [2]
