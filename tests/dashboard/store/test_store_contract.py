"""What every store promises, whichever engine it has: it keeps what it is given exactly, and answers the same.

An engine joins by a factory in `ENGINES`: for one test it makes a function that, given a retention and a clock, opens
that test's store, and the same one each time.
"""

import random
import threading

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mqttbridge.dashboard.store import Column, Kind, SqliteStore
from mqttbridge.dashboard.store.downsample import grid_width, m4
from mqttbridge.dashboard.store.postgres import PostgresStore
from mqttbridge.events import INT64_MAX, INT64_MIN, Position

NOW = 1_800_000_000.0
LOOK_BACK = 1000  # points in which the beginning of a text is looked for, at least


def sqlite_engine(request):
    directory = request.getfixturevalue("tmp_path")
    return lambda retention, clock: SqliteStore(directory / "dashboard", retention, clock)


def postgres_engine(request):
    postgres = request.getfixturevalue("postgres")
    schema = postgres.new_schema()
    return lambda retention, clock: PostgresStore(postgres.url, "test", retention, clock, schema=schema)


ENGINES = {"sqlite": sqlite_engine, "postgres": postgres_engine}


@pytest.fixture(params=ENGINES)
def open_store(request):
    """Opens the store of this test, again and again if need be; closes what the test left open."""
    engine = ENGINES[request.param](request)
    opened = []

    def open_(retention=0.0, clock=lambda: NOW):
        opened.append(engine(retention, clock))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store):
    return open_store()


def values_of(store, bucket, stream, *window):
    return store.points(bucket, [stream], *(window or (NOW - 1000,)))[stream].values


def series(count, start=NOW - 900_000, step=1.0, stream="t"):
    return [("b", stream, float(n % 97), start + n * step) for n in range(count)]


@pytest.mark.parametrize(
    "value",
    [0.1 + 0.2, 1e308, 5e-324, -0.0, 3, INT64_MAX, INT64_MIN, True, False, "", 'it\'s "so"\n\0\x1f', "日本 😀", "1.5"],
)
def test_values_come_back_exactly_as_they_went_in(store, value):
    store.append([("b", "s", value, NOW)])

    (point,) = values_of(store, "b", "s")
    (stream,) = store.streams("b")

    assert (point, type(point)) == (value, type(value))
    assert (stream.last.value, type(stream.last.value)) == (value, type(value))


def test_times_are_kept_to_the_microsecond(store):
    store.append([("b", "s", 1, NOW + 0.123456), ("b", "s", 2, NOW + 0.123457)])

    assert store.points("b", (), NOW)["s"].epochs == [NOW + 0.123456, NOW + 0.123457]


def test_of_two_values_at_one_time_the_later_one_stays(store):
    store.append([("b", "s", 1, NOW), ("b", "s", 2, NOW)])
    store.append([("b", "s", 3, NOW)])

    assert values_of(store, "b", "s") == [3]
    assert store.streams("b")[0].last.value == 3


def test_a_batch_stored_twice_changes_nothing(store):
    batch = series(100)
    store.append(batch, {}, Position(4, 0))
    before = store.points("b", (), NOW - 10**6)

    store.append(batch, {}, Position(4, 0))

    assert store.points("b", (), NOW - 10**6) == before
    assert store.cursor == Position(4, 0)


def test_the_cursor_is_none_until_a_position_came_with_events(store):
    store.append([("b", "s", 1, NOW)])

    assert store.cursor is None


def test_points_and_cursor_outlast_a_restart(open_store):
    first = open_store()
    first.append([("b", "s", 1.5, NOW)], {("b", "s"): "°C"}, Position(7, 3))
    first.close()

    again = open_store()

    assert again.cursor == Position(7, 3)
    assert again.points("b", (), NOW - 1)["s"] == Column([int(NOW * 1e6)], [1.5], Kind.NUMBER, "°C")
    again.append([("b", "s", 2.5, NOW + 1)])
    assert values_of(again, "b", "s") == [1.5, 2.5]


def test_a_late_point_does_not_become_the_last_value(store):
    store.append([("b", "s", 2, NOW)])
    store.append([("b", "s", 1, NOW - 60)])

    assert store.streams("b")[0].last.value == 2
    assert values_of(store, "b", "s") == [1, 2]


def test_a_stream_has_the_kind_of_its_newest_value_and_keeps_its_history(store):
    store.append([("b", "s", 1.5, NOW - 3)])
    store.append([("b", "s", "unavailable", NOW - 2)])
    assert store.points("b", (), NOW - 9)["s"].kind is Kind.TEXT
    assert values_of(store, "b", "s") == ["unavailable"]

    store.append([("b", "s", 2.5, NOW - 1)])

    assert store.points("b", (), NOW - 9)["s"].kind is Kind.NUMBER
    assert values_of(store, "b", "s") == [1.5, 2.5]


def test_units_are_kept_and_may_change(store):
    store.append([("b", "s", 1, NOW)], {("b", "s"): "°C"})
    store.append([("b", "s", 2, NOW + 1)])
    assert store.streams("b")[0].unit == "°C"

    columns = store.append([("b", "s", 3, NOW + 2)], {("b", "s"): "K"})

    assert columns["b", "s"].unit == "K"
    assert store.streams("b")[0].unit == "K"


def test_buckets_are_listed_with_the_newest_activity_first(store):
    store.append([("old", "s", 1, NOW - 60), ("new", "s", 1, NOW), ("new", "t", 1, NOW - 5)])
    store.create_bucket("empty", "Nothing yet")

    assert [(b.key, b.name, b.streams, b.last) for b in store.buckets()] == [
        ("new", "new", 2, NOW),
        ("old", "old", 1, NOW - 60),
        ("empty", "Nothing yet", 0, None),
    ]


def test_the_first_name_of_a_bucket_wins(store):
    assert store.create_bucket("b", "First")
    assert not store.create_bucket("b", "Second")

    assert store.bucket_name("b") == "First"


def test_a_bucket_that_events_made_is_named_by_the_first_who_names_it(store):
    store.append([("b", "s", 1, NOW)])
    assert not store.create_bucket("b")

    assert store.create_bucket("b", "Home")
    assert not store.create_bucket("b", "Other")
    assert store.bucket_name("b") == "Home"


@pytest.mark.parametrize("name", ["a/b", "..", "<img src=x>", "日本", "it's", '"', "%", "\0", "a" * 250])
def test_any_name_will_do(store, name):
    store.append([(name, name, 1, NOW)])

    assert store.streams(name)[0].stream == name
    assert list(store.points(name, [name], NOW - 1)) == [name]


def test_what_no_name_can_be_is_asked_for_in_vain(store):
    store.append([("b", "s", 1, NOW), ("\x1a", "\x1a", 1, NOW)])
    store.made_by({("b", "\ud800"): "rule", ("b", "s"): "rule"})

    for bucket, stream in (("\ud800", "s"), ("b", "\ud800")):
        assert store.points(bucket, [stream], 0) == {}
        assert store.statistics(bucket, [stream], 0) == {}
        assert list(store.rows(bucket, [stream], 0, NOW + 1)) == []
        assert not store.delete_stream(bucket, stream)
    assert (store.streams("\ud800"), store.bucket_name("\ud800"), store.delete_bucket("\ud800")) == ([], None, False)
    assert store.streams("\x1a")[0].stream == "\x1a"


def test_streams_are_sorted_and_only_those_asked_for_are_read(store):
    store.append([("b", name, 1, NOW) for name in "cab"])

    assert [one.stream for one in store.streams("b")] == ["a", "b", "c"]
    assert list(store.points("b", ["c", "a", "nothing"], NOW - 1)) == ["a", "c"]


def test_an_unknown_bucket_has_neither_name_nor_streams(store):
    assert store.bucket_name("no") is None
    assert store.streams("no") == []
    assert store.points("no", (), 0) == {}


def test_the_point_before_the_window_comes_along(store):
    store.append(series(100, start=NOW - 100))

    times = store.points("b", (), NOW - 10, NOW)["t"].epochs

    assert times == [NOW - 11 + n for n in range(11)]


def test_without_an_end_points_of_clocks_that_run_ahead_come_along(store):
    store.append([("b", "s", 1, NOW - 1), ("b", "s", 2, NOW + 3600)])

    assert values_of(store, "b", "s") == [1, 2]
    assert values_of(store, "b", "s", NOW - 1000, NOW) == [1]


def test_few_points_are_not_thinned(store):
    store.append(series(1200, start=NOW - 1200))

    assert len(values_of(store, "b", "t", NOW - 1200, NOW)) == 1200


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40))
def test_many_points_are_thinned_as_m4_does_it(store, seed, buckets):
    luck = random.Random(seed)
    stream = f"s{luck.random()}"
    times = sorted(luck.sample(range(10**9), 500))
    values = [luck.choice([luck.gauss(20, 5), luck.randint(-5, 5)]) for _ in times]
    base = int(NOW) * 10**6
    store.append([("m4", stream, value, (base + time) / 1e6) for time, value in zip(times, values, strict=True)])
    whole = store.points("m4", [stream], NOW, NOW + 1000, 10_000)[stream]

    thinned = store.points("m4", [stream], NOW, NOW + 1000, buckets)[stream]

    assert thinned == m4(whole, grid_width(10**9, buckets))


def test_a_window_that_moves_a_little_shows_the_same_points(store):
    store.append(series(20_000, start=NOW - 20_000))

    first = store.points("b", (), NOW - 18_000, NOW - 1000, 100)["t"].epochs
    second = store.points("b", (), NOW - 17_990, NOW - 990, 100)["t"].epochs

    width = grid_width(17_000 * 10**6, 100) / 1e6
    inside = (NOW - 17_990 + width, NOW - 1000 - width)
    assert [t for t in first if inside[0] < t < inside[1]] == [t for t in second if inside[0] < t < inside[1]]


def test_of_texts_the_newest_are_shown(store):
    store.append([("b", "log", f"line {n}", NOW - 500 + n) for n in range(500)])

    assert values_of(store, "b", "log", NOW - 1000, None, 3)[-3:] == ["line 497", "line 498", "line 499"]
    assert 200 <= len(values_of(store, "b", "log")) <= 202


def test_a_text_comes_with_the_point_where_it_was_first_said_and_the_one_that_proves_it(store):
    said = [("idle", 3000), ("idle", 2500), ("heat", 2000), ("heat", 240), ("heat", 120), ("heat", 10)]
    store.append([("b", "mode", text, NOW - ago) for text, ago in said])

    whole = store.points("b", (), NOW - 300)["mode"]
    nothing_inside = store.points("b", (), NOW - 100, NOW - 90)["mode"]

    assert [NOW - at for at in whole.epochs] == [2500, 2000, 240, 120, 10]
    assert [NOW - at for at in nothing_inside.epochs] == [2500, 2000]


def test_a_text_that_repeats_for_longer_than_we_look_back_gives_its_last_point(store):
    store.append([("b", "mode", "idle", NOW - 5000)])
    store.append([("b", "mode", "heat", NOW - 2 * LOOK_BACK + n) for n in range(LOOK_BACK + 1)])

    assert values_of(store, "b", "mode", NOW - 10) == ["heat"]


def test_the_usual_interval_is_that_between_bursts(store):
    store.append([("b", "slow", 1, NOW - 600 * n) for n in range(8)])
    store.append([("b", "fast", 1, NOW - n / 10) for n in range(900)])
    store.append([("b", "one-burst", 1, NOW - n / 40) for n in range(20)])
    store.append([("b", "bursts", 1, NOW - 60 * n - i / 100) for n in range(9) for i in range(9)])

    usual = store.intervals("b")

    assert usual == {"slow": 600, "fast": 5, "bursts": pytest.approx(60, abs=0.2)}
    assert store.intervals("nothing") == {}


def test_booleans_stay_booleans_when_there_are_many(store):
    store.append([("b", "on", n % 1000 < 500, NOW - 5000 + n) for n in range(5000)])

    shown = values_of(store, "b", "on", NOW - 5000, NOW, 50)

    assert set(map(type, shown)) == {bool}
    assert len(shown) < 300


def test_an_event_that_can_never_be_stored_is_said_and_nothing_of_its_batch_stays(store):
    with pytest.raises(OverflowError):
        store.append([("b", "s", 1, NOW), ("b", "s", 2**64, NOW)], {}, Position(1, 0))

    assert store.buckets() == []
    assert store.cursor is None
    store.append([("b", "s", 1, NOW)])
    assert values_of(store, "b", "s") == [1]


def test_a_series_of_a_batch_that_failed_is_made_again(store):
    with pytest.raises(OverflowError):
        store.append([("b", "s", 1, NOW), ("c", "t", 2**64, NOW)])

    store.append([("b", "s", 1, NOW), ("c", "t", 2, NOW)])

    assert [bucket.key for bucket in store.buckets()] == ["b", "c"]


def test_readers_in_other_threads_see_each_batch_whole(store):
    failures = []
    done = threading.Event()

    def read():
        while not done.is_set():
            counts = {len(column.times) for column in store.points("b", (), NOW - 10).values()}
            if len(counts) > 1:
                failures.append(counts)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(50):
        store.append([("b", stream, n, NOW + n) for stream in "abc"])
    done.set()
    for reader in readers:
        reader.join()

    assert failures == []


def test_a_point_of_the_far_future_is_the_latest_until_the_streams_next_reading(store):
    store.append([("b", "s", 1, NOW - 1)])
    store.append([("b", "s", 2099, NOW + 70 * 365 * 86_400)])
    assert store.streams("b")[0].last.value == 2099

    store.append([("b", "s", 3, NOW)])

    assert store.streams("b")[0].last.value == 3
    assert values_of(store, "b", "s", NOW - 10, NOW + 1) == [1, 3]


def test_of_one_batch_that_runs_ahead_the_reading_that_came_last_is_the_latest(store):
    store.append([("b", "s", 2099, NOW + 70 * 365 * 86_400), ("b", "s", 3, NOW)])

    assert store.streams("b")[0].last.value == 3


def test_a_clock_a_little_ahead_is_taken_as_it_is(store):
    store.append([("b", "s", 1, NOW + 5)])
    store.append([("b", "s", 2, NOW)])

    assert store.streams("b")[0].last.value == 1
