"""Old points go with their files, a little at a time where they go sooner, and nothing else does."""

import pytest

from mqttbridge.ageclock import AgeClock
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


def test_a_clock_that_is_wrong_for_a_minute_costs_no_history(tmp_path, clock):
    up = Clock()
    store = SqliteStore(tmp_path / "d", DAY, clock, age_clock=AgeClock(tmp_path / "clock.json", clock, up))
    store.append([("b", "s", n, START - 600 + n) for n in range(100)])
    files = set((tmp_path / "d").glob("20*.db"))

    clock.now += 12 * 365 * DAY
    tick(store, clock)
    store.maintain()
    store.append([("b", "s", n, START - 300 + n) for n in range(100)])
    assert count(store, "b", "s") == 200
    clock.now = START + 60.0
    tick(store, clock)

    assert count(store, "b", "s") == 200
    assert files <= set((tmp_path / "d").glob("20*.db"))
    store.close()


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
    store = SqliteStore(tmp_path / "d", 0.0, clock, retention_by={"short*": DAY, "long": 40 * DAY})
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
    store = SqliteStore(tmp_path / "d", DAY, clock, retention_by={"ever": 0}, too_old=counted.append)

    store.append([("b", "s", 1, 10.0), ("b", "s", 2, clock.now), ("b", "t", 1, 20.0), ("ever", "s", 1, 10.0)])
    store.append([("b", "s", 3, clock.now)])
    store.close()

    assert counted == [2]


@pytest.fixture
def kept_by_rule(tmp_path, clock):
    """Opens a store that keeps everything for 40 days, and streams of some rules for a day or for ever."""
    opened = []

    def open_(**by_rule):
        for one in opened:
            one.close()
        opened.append(SqliteStore(tmp_path / "d", 40 * DAY, clock, retention_by_rule=by_rule))
        return opened[-1]

    yield open_
    opened[-1].close()


def sealed(store):
    for span in store.spans:
        span.seal_all()


def test_streams_of_one_bucket_are_kept_as_long_as_their_rules_say(kept_by_rule, clock):
    store = kept_by_rule(brief=DAY, ever=0.0)
    streams = ("brief", "ever", "other")
    store.made_by({("b", "brief"): "brief", ("b", "ever"): "ever", ("b", "other"): "nothing said"})
    store.append([("b", stream, n, START - 3000 + n) for stream in streams for n in range(3000)])
    sealed(store)

    for _ in range(3):
        tick(store, clock, 2 * DAY)
        store.append([("b", stream, 1, clock.now) for stream in streams])

    assert [count(store, "b", stream) for stream in streams] == [1, 3003, 3003]
    assert sum(map(len, store.rows("b", (), 0, clock.now + 1))) == 6007
    assert sum(store.statistics("b", ["brief"], 0, clock.now + 1)["brief"].counts) == 1
    tick(store, clock, 60 * DAY)
    assert [count(store, "b", stream) for stream in streams] == [0, 3003, 0]


def test_what_goes_sooner_goes_also_when_nothing_comes(kept_by_rule, clock):
    store = kept_by_rule(brief=DAY)
    store.made_by({("b", "brief"): "brief"})
    store.append([("b", stream, n, START - 3000 + n) for stream in ("brief", "other") for n in range(3000)])
    sealed(store)
    before = store.size("b")
    clock.now += DAY - 7200  # the stream itself is still there

    for _ in range(3):
        clock.now += 2.0
        store.maintain()
    assert store.size("b") == before

    clock.now += 7200 + 3600
    store.append([("b", "brief", 1, clock.now)])
    for _ in range(3):
        clock.now += 2.0
        store.maintain()
    assert store.size("b") == before // 2


def test_a_restart_knows_the_rules_and_goes_by_what_they_say_now(kept_by_rule, clock):
    store = kept_by_rule(brief=DAY)
    store.made_by({("b", "s"): "brief"})
    store.append([("b", "s", n, START + n) for n in range(10)], {}, Position(1, 0))
    clock.now = START + 2 * DAY

    assert count(kept_by_rule(brief=DAY), "b", "s") == 0
    assert count(kept_by_rule(brief=3 * DAY), "b", "s") == 10
    assert count(kept_by_rule(), "b", "s") == 10


def test_a_stream_that_went_with_its_last_point_is_kept_as_briefly_when_it_speaks_again(kept_by_rule, clock):
    store = kept_by_rule(brief=DAY)
    store.made_by({("b", "s"): "brief"})
    store.append([("b", "s", 1, clock.now)])
    for _ in range(3):
        tick(store, clock, 2 * DAY)
    assert store.streams("b") == []

    store.append([("b", "s", 2, clock.now)])
    assert count(store, "b", "s") == 1
    clock.now += 2 * DAY

    assert count(store, "b", "s") == 0


def test_a_stream_follows_the_rule_that_spoke_of_it_last(kept_by_rule, clock):
    store = kept_by_rule(brief=DAY)
    store.append([("b", "s", 1, clock.now)])
    clock.now += 2 * DAY
    store.made_by({("b", "s"): "brief"})
    assert count(store, "b", "s") == 0
    store.made_by({("b", "s"): "nothing said"})
    assert count(store, "b", "s") == 1
