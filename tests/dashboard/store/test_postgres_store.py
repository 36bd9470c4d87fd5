"""What the store in PostgreSQL promises beside the contract: rollups, retention, a server that dies, other tables."""

import random
import threading
from collections.abc import Iterator

import pytest

from mqttbridge.ageclock import AgeClock
from mqttbridge.dashboard.store.postgres import PostgresStore, reading
from mqttbridge.dashboard.store.postgres.values import read, written
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, fold
from mqttbridge.errors import StoreError
from mqttbridge.events import Position
from tests.support.postgres import PASSWORD, PostgresServer, running_postgres

NOW = 1_800_000_000.0
DAY = 86_400.0


@pytest.fixture
def schema(postgres):
    return postgres.new_schema()


@pytest.fixture
def open_store(postgres, schema):
    opened = []

    def open_(retention=0.0, clock=lambda: NOW, writer="test", **more):
        opened.append(PostgresStore(postgres.url, writer, retention, clock, schema=schema, **more))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store):
    return open_store()


def cells_of(store, table):
    with store.connections.reading() as db:
        rows = db.execute(
            f"SELECT series, at, points, least, greatest, total, first_at, first, last_at, last FROM {table}"
        )
        return {(row[0], row[1]): row[2:] for row in rows.fetchall()}


def points_of(store):
    """By series: times and values of everything that is no text."""
    with store.connections.reading() as db:
        rows = db.execute("SELECT series, at, number FROM points WHERE kind < 3 ORDER BY series, at").fetchall()
    found = {}
    for series, at, number in rows:
        times, values = found.setdefault(series, ([], []))
        times.append(at)
        values.append(number)
    return found


# --- rollups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_rollups_agree_with_points_however_late_repeated_or_corrected_those_come(store, seed):
    luck = random.Random(seed)
    sent = [
        ("b", stream, luck.choice([luck.gauss(20, 5), luck.randint(-5, 5), True, "off"]), NOW - luck.randint(0, 9000))
        for stream in "ab"
        for _ in range(400)
    ]
    luck.shuffle(sent)
    batches = [sent[at : at + 90] for at in range(0, len(sent), 90)]
    for batch in [*batches, *luck.sample(batches, 4)]:
        store.append(batch)
        corrected = [(bucket, stream, luck.gauss(0, 9), epoch) for bucket, stream, _, epoch in luck.sample(batch, 5)]
        store.append(corrected)

    for table, width in (("minutes", MINUTE), ("hours", HOUR)):
        wanted = {
            (series, cell.start): pytest.approx(cell[1:])
            for series, (times, values) in points_of(store).items()
            for cell in fold(times, values, width)
        }
        assert cells_of(store, table) == wanted


def test_cells_before_1970_begin_where_others_do(store):
    store.append([("b", "s", 1.0, -30.0), ("b", "s", 2.0, -90.0)])

    assert sorted(at for _, at in cells_of(store, "minutes")) == [-2 * MINUTE, -MINUTE]


def test_a_line_of_very_many_points_is_drawn_from_rollups_and_keeps_its_extremes(store, monkeypatch):
    monkeypatch.setattr(reading, "RAW_POINTS", 1000)
    values = [20.0] * 5000
    values[2500] = 99.0
    store.append([("b", "s", value, NOW - 60_000 + 12 * n) for n, value in enumerate(values)])
    with store.connections.writing() as db:  # nothing but rollups to read, of the middle
        db.execute(
            "DELETE FROM points WHERE at > %s AND at < %s", (int((NOW - 50_000) * 1e6), int((NOW - 10_000) * 1e6))
        )

    shown = store.points("b", ["s"], NOW - 60_000, NOW, 100)["s"]

    assert max(shown.values) == 99.0
    assert len(shown.times) <= 400
    assert shown.times == sorted(shown.times)


@pytest.mark.parametrize(("buckets", "width"), [(600, 0.2), (60, 2), (10, 15), (2, 60)])
def test_statistics_are_those_of_the_points(store, buckets, width):
    times = [NOW - 120 + n * 0.7 for n in range(171)]
    store.append([("b", "s", float(n % 13), at) for n, at in enumerate(times)])

    found = store.statistics("b", ["s"], NOW - 120, NOW, buckets)["s"]

    wanted = fold([round(at * 1e6) for at in times], [float(n % 13) for n in range(171)], int(width * 1e6))
    assert found.width == width * 1e6
    assert (found.starts, found.counts) == ([c.start for c in wanted], [c.points for c in wanted])
    assert (found.minima, found.maxima) == ([c.least for c in wanted], [c.greatest for c in wanted])
    assert (found.sums, found.firsts, found.lasts) == (
        pytest.approx([c.total for c in wanted]),
        [c.first for c in wanted],
        [c.last for c in wanted],
    )


# --- what is read and kept ----------------------------------------------------------------------------------------


def test_a_download_has_every_point_once_in_order_across_gaps_and_crowds(store, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 50)
    crowd = [("b", "a", n, NOW - 5000 + n / 1000) for n in range(300)]
    sparse = [("b", "b", "text", NOW - 90 * DAY), ("b", "b", True, NOW - 4000), ("b", "a", 2.5, NOW - 10)]
    store.append([*crowd, *sparse])

    batches = list(store.rows("b", (), NOW - 100 * DAY, NOW))

    assert [row for batch in batches for row in batch] == sorted(
        (round(epoch * 1e6), stream, value) for _, stream, value, epoch in [*crowd, *sparse]
    )
    assert max(map(len, batches)) <= 100


def test_texts_come_back_whatever_control_characters_they_hold():
    for text in ("", "plain", "\0", "\x1a", "\x1a0\0\x1a1", "\0" * 3):
        assert read(written(text)) == text
        assert "\0" not in written(text)


def test_what_is_past_its_retention_is_not_shown_and_its_tables_go(open_store, postgres, schema):
    now = [NOW]
    store = open_store(10 * DAY, lambda: now[0])
    store.append([("b", "s", 1, NOW - 9 * DAY), ("b", "s", 2, NOW), ("c", "gone", 3, NOW - 9 * DAY)])
    spans = f"SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('{schema}.points')"
    before = postgres.execute(spans)

    now[0] += 6 * DAY
    assert store.points("b", ["s"], 0)["s"].values == [2]
    store.append([("b", "s", 3, now[0])])

    assert postgres.execute(spans) <= before
    assert [one.key for one in store.buckets() if one.streams] == ["b"]
    assert store.points("b", ["s"], 0)["s"].values == [2, 3]


def test_a_bucket_can_be_kept_for_less(open_store):
    now = [NOW]
    store = open_store(0.0, lambda: now[0], retention_by={"short*": DAY})
    store.append([(bucket, "s", n, NOW - n * 3600.0) for bucket in ("short-1", "long") for n in range(20)])

    now[0] += 12 * 3600
    store.append([("long", "s", 99, now[0])])

    assert len(store.points("short-1", ["s"], 0)["s"].values) == 13  # the twelve hours and the one that is not over
    assert {len(values) for times, values in points_of(store).values()} == {13, 21}


def test_streams_of_one_bucket_are_kept_as_long_as_their_rules_say(open_store):
    now = [NOW]
    store = open_store(40 * DAY, lambda: now[0], retention_by_rule={"brief": DAY, "ever": 0.0})
    streams = ("brief", "ever", "other")
    store.append([("b", "other", 0, NOW - 30 * DAY)])  # there before it is said whose it is
    store.made_by({("b", "brief"): "brief", ("b", "ever"): "ever", ("b", "other"): "nothing said"})
    store.append([("b", stream, n, NOW - n * 3600.0) for stream in streams for n in range(3)])

    now[0] += DAY - 5400
    shown = store.points("b", (), 0)
    assert {stream: len(column.values) for stream, column in shown.items()} == {"brief": 2, "ever": 3, "other": 4}
    assert sum(store.statistics("b", (), NOW - 14_400, NOW + 1)["brief"].counts) == 2
    assert sum(map(len, store.rows("b", (), 0, now[0]))) == 9
    now[0] += 7200
    store.append([("b", "ever", 9, now[0])])
    assert [one.stream for one in store.streams("b")] == ["ever", "other"]
    now[0] += 60 * DAY
    store.append([("b", "brief", 9, now[0])])  # it is known still whose it is
    now[0] += 2 * DAY
    store.append([])
    assert {one.stream: len(store.points("b", [one.stream], 0)[one.stream].values) for one in store.streams("b")} == {
        "ever": 4
    }


def test_another_bridge_knows_whose_streams_are_and_goes_by_what_its_rules_say(open_store, postgres, schema):
    open_store().close()
    postgres.execute(f"ALTER TABLE {schema}.series DROP COLUMN rule")  # as an earlier one made it
    store = open_store(retention_by_rule={"brief": DAY})
    store.made_by({("b", "s"): "brief"})
    store.append([("b", "s", 1, NOW)])

    rules = ({"brief": DAY}, {"brief": 3 * DAY}, {})
    later = [open_store(clock=lambda: NOW + 2 * DAY, retention_by_rule=one) for one in rules]

    assert [len(one.points("b", ["s"], 0)["s"].values) for one in later] == [0, 1, 1]


def test_a_clock_that_is_wrong_for_a_minute_costs_no_history(open_store, tmp_path):
    now = [NOW]
    age_clock = AgeClock(tmp_path / "clock.json", lambda: now[0], lambda: 0.0)
    store = open_store(DAY, lambda: now[0], age_clock=age_clock)
    store.append([("b", "t", 1, NOW - 60)])

    now[0] += 4000 * DAY
    store.append([("b", "t", 2, NOW - 30)])
    assert store.points("b", ["t"], NOW - DAY)["t"].values == [1, 2]
    now[0] = NOW + 10
    store.append([("b", "t", 3, NOW)])

    assert store.points("b", ["t"], NOW - DAY)["t"].values == [1, 2, 3]


def test_points_that_come_past_their_retention_are_counted(open_store):
    counted = []
    store = open_store(DAY, retention_by={"ever": 0}, too_old=counted.append)

    store.append([("b", "s", 1, 10.0), ("b", "s", 2, NOW), ("b", "t", 1, 20.0), ("ever", "s", 1, 10.0)])
    store.append([("b", "s", 3, NOW)])

    assert counted == [2]


def test_a_deleted_stream_is_gone_at_once_and_its_points_by_and_by(open_store):
    now = [NOW]
    store = open_store(0.0, lambda: now[0])
    store.append([("b", "s", 1, NOW), ("b", "t", 2, NOW)])

    assert store.delete_stream("b", "s")
    assert not store.delete_stream("b", "s")
    assert [one.stream for one in store.streams("b")] == ["t"]
    store.append([("b", "s", 3, NOW + 1)])
    assert store.points("b", ["s"], 0)["s"].values == [3]
    now[0] += 60
    store.append([])
    assert sum(len(times) for times, _ in points_of(store).values()) == 2
    assert store.delete_bucket("b")
    assert store.buckets() == []


def test_times_of_every_year_there_is_lie_in_so_few_tables_that_one_statement_can_lock_them(store, postgres, schema):
    years = [year for year in range(3, 9999) if year % 10 == 0 or year < 400]
    store.append([("b", "s", year, (year - 1970) * 31_556_952.0) for year in years])

    (spans,) = postgres.execute(f"SELECT count(*) FROM pg_inherits WHERE inhparent = '{schema}.points'::regclass")[0]
    assert spans < 20
    assert len(store.points("b", ["s"], -62.1e9, 253.3e9, 10_000)["s"].values) == len(years)


def test_people_can_query_readings(store, postgres, schema):
    store.append([("home", "temp", 21.5, NOW), ("home", "state", "on", NOW)], {("home", "temp"): "°C"})

    rows = postgres.execute(f"SELECT extract(epoch FROM time)::float, stream, unit, value, text FROM {schema}.readings")

    assert sorted(rows) == [(NOW, "state", "", None, "on"), (NOW, "temp", "°C", 21.5, None)]
    assert store.size() > store.size("home") > 0


# --- several writers ------------------------------------------------------------------------------------------------


def test_each_bridge_has_a_cursor_of_its_own(open_store):
    one, other = open_store(writer="one"), open_store(writer="other")
    one.append([("b", "s", 1, NOW)], {}, Position(900, 0))

    assert other.cursor is None
    assert open_store(writer="one").cursor == Position(900, 0)
    assert open_store(writer="other").cursor is None


def test_bridges_that_write_the_same_cells_at_once_lose_nothing(open_store):
    stores = [open_store(writer=str(n)) for n in range(3)]

    def write(n, store):
        for step in range(12):
            store.append([("b", f"s{k}", n * 100 + step, NOW - 60 + (step * 3 + n) / 10) for k in range(5)])

    threads = [threading.Thread(target=write, args=one) for one in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {row[0] for row in cells_of(stores[0], "hours").values()} == {36}
    assert {len(times) for times, _ in points_of(stores[0]).values()} == {36}


def test_a_stream_that_another_bridge_deleted_is_made_anew(open_store):
    one, other = open_store(writer="one"), open_store(writer="other")
    one.append([("b", "s", 1, NOW)])
    other.delete_bucket("b")

    one.append([("b", "s", 2, NOW + 1)])

    assert other.points("b", ["s"], 0)["s"].values == [2]


# --- what can go wrong ----------------------------------------------------------------------------------------------


def test_a_schema_with_tables_of_others_is_left_alone(postgres, schema):
    postgres.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.theirs (n integer)")

    with pytest.raises(StoreError, match="holds other tables"):
        PostgresStore(postgres.url, "test", schema=schema)

    assert postgres.execute(f"SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace") == [
        ("theirs",)
    ]


def test_a_schema_of_a_later_version_is_left_alone(open_store, postgres, schema):
    open_store().close()
    postgres.execute(f"UPDATE {schema}.about SET version = 99")

    with pytest.raises(StoreError, match="version 99"):
        open_store()


def test_a_table_that_is_missing_is_said_and_the_next_batch_is_not_harmed(store, postgres, schema):
    postgres.execute(f"ALTER TABLE {schema}.cursors RENAME TO elsewhere")
    with pytest.raises(StoreError, match="cursors"):
        store.append([("b", "s", 1, NOW)], {}, Position(1, 0))
    postgres.execute(f"ALTER TABLE {schema}.elsewhere RENAME TO cursors")

    store.append([("b", "s", 1, NOW)], {}, Position(1, 0))

    assert store.points("b", ["s"], 0)["s"].values == [1]


def test_a_server_that_cannot_be_reached_is_said_without_the_password():
    with pytest.raises(StoreError, match="cannot be opened now") as said:
        PostgresStore("postgresql://me:geheim@127.0.0.1:1/db", "test")
    assert "geheim" not in str(said.value)


@pytest.mark.parametrize("url", ["postgresql://me:ge%heim@h/db", "postgresql://me:geheim@[h/db", "geheim=geheim"])
def test_a_url_that_is_none_is_said_without_the_password(url):
    with pytest.raises(StoreError, match="not a connection string") as said:
        PostgresStore(url, "test")
    assert "heim" not in str(said.value)
    assert said.value.__cause__ is None


def test_the_password_may_stand_beside_the_url(postgres, schema):
    postgres.execute(f"CREATE ROLE {schema} LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'")
    postgres.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {schema}")
    url = f"postgresql://{schema}@127.0.0.1:{postgres.port}/postgres"

    with pytest.raises(StoreError, match="password") as said:
        PostgresStore(url, "test", password="wrong one", schema=schema)
    assert "wrong one" not in str(said.value)
    PostgresStore(url, "test", password=PASSWORD, schema=schema).close()


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    with running_postgres(durable=True) as server:
        yield server


def test_after_a_server_died_and_came_back_nothing_is_lost_and_nothing_twice(mortal):
    store = PostgresStore(mortal.url, "test", clock=lambda: NOW)
    stored, under_way, refused = [], threading.Event(), threading.Event()

    def write():
        for n in range(10_000):
            try:
                store.append([("b", "s", n, NOW + n)], {}, Position(n, 0))
            except StoreError:
                refused.set()
                return
            stored.append(n)
            if n == 20:
                under_way.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert under_way.wait(20)
    mortal.kill()
    writer.join()
    assert refused.is_set()
    with pytest.raises(StoreError, match="cannot be read now"):
        store.points("b", ["s"], 0)
    mortal.start()

    count = len(stored)
    assert store.points("b", ["s"], NOW, NOW + 20_000, 10_000)["s"].values[:count] == stored
    store.append([("b", "s", count, NOW + count), ("b", "s", count + 1, NOW + count + 1)], {}, Position(count + 1, 0))
    assert sum(row[0] for row in cells_of(store, "hours").values()) == count + 2
    again = PostgresStore(mortal.url, "test")
    assert again.cursor == Position(count + 1, 0)
    again.close()
    store.close()
