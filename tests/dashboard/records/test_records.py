"""What every implementation of `Records` promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mqttbridge.dashboard.access.lastused import LastUsed
from mqttbridge.dashboard.access.sessions import Sessions
from mqttbridge.dashboard.records import Conflict, Hold, NotHeld, Records, SqliteRecords
from mqttbridge.dashboard.records.model import KEPT_VERSIONS
from mqttbridge.dashboard.records.postgres import PostgresRecords
from mqttbridge.dashboard.store.postgres import PostgresStore
from mqttbridge.errors import StoreError


@pytest.fixture(params=["sqlite", "postgres"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    if request.param == "sqlite":
        one: Records = SqliteRecords(tmp_path / "records.db", clock=lambda: 1000.0)
        yield one
        one.close()
    else:
        postgres = request.getfixturevalue("postgres")
        store = PostgresStore(postgres.url, "test", schema=postgres.new_schema())
        yield PostgresRecords(store.connections, "test", clock=lambda: 1000.0)
        store.close()


@pytest.fixture
def records_of(postgres):
    """Makes the records of one of several bridges over one database, by its name."""
    schema, stores = postgres.new_schema(), []

    def make(name):
        stores.append(PostgresStore(postgres.url, name, schema=schema))
        return PostgresRecords(stores[-1].connections, name)

    yield make
    for store in stores:
        store.close()


def test_a_record_comes_back_as_it_was_put(records):
    put = records.put("dashboard", "home/kitchen", {"title": "Küche", "tiles": [1, None, 2.5, True]})

    assert records.get("dashboard", "home/kitchen") == put
    assert (put.version, put.at) == (1, 1000.0)
    assert put.body == {"title": "Küche", "tiles": [1, None, 2.5, True]}


def test_kinds_and_keys_are_apart(records):
    records.put("dashboard", "a", {"n": 1})
    records.put("alert", "a", {"n": 2})
    records.put("dashboard", "b", {"n": 3})

    assert [(one.key, one.body["n"]) for one in records.all("dashboard")] == [("a", 1), ("b", 3)]
    assert records.get("alert", "b") is None


def test_each_change_is_a_version_and_the_newest_counts(records):
    for n in range(3):
        records.put("dashboard", "a", {"n": n})

    assert records.get("dashboard", "a").body == {"n": 2}
    assert [(one.version, one.body["n"]) for one in records.history("dashboard", "a")] == [(3, 2), (2, 1), (1, 0)]


def test_history_is_bounded(records):
    for n in range(KEPT_VERSIONS + 10):
        records.put("dashboard", "a", {"n": n})

    history = records.history("dashboard", "a")
    assert len(history) == KEPT_VERSIONS + 1
    assert history[0].version == KEPT_VERSIONS + 10


def test_a_change_of_what_is_no_longer_there_is_a_conflict_and_changes_nothing(records):
    records.put("dashboard", "a", {"by": "first"}, expected=0)
    records.put("dashboard", "a", {"by": "second"}, expected=1)

    with pytest.raises(Conflict) as conflict:
        records.put("dashboard", "a", {"by": "late"}, expected=1)

    assert conflict.value.current.body == {"by": "second"}
    assert records.get("dashboard", "a").body == {"by": "second"}
    with pytest.raises(Conflict):
        records.delete("dashboard", "a", expected=1)
    with pytest.raises(Conflict):
        records.put("dashboard", "new", {}, expected=3)


def test_a_deleted_record_is_gone_and_its_key_goes_on_counting(records):
    records.put("dashboard", "a", {"n": 1})

    assert records.delete("dashboard", "a", expected=1)
    assert not records.delete("dashboard", "a")
    assert records.get("dashboard", "a") is None
    assert records.all("dashboard") == []
    assert [one.body for one in records.history("dashboard", "a")] == [{"n": 1}]
    assert records.put("dashboard", "a", {"n": 2}, expected=0).version == 3


def test_many_are_replaced_at_once_and_leave_no_history(records):
    records.put_all("alert state", {"a": {"n": 1}, "b": {"n": 2}})
    records.put_all("alert state", {"b": {"n": 3}})

    assert {one.key: one.body["n"] for one in records.all("alert state")} == {"a": 1, "b": 3}
    assert len(records.history("alert state", "b")) == 1


def test_what_is_dropped_leaves_no_trace(records):
    records.put_all("session", {"a": {"n": 1}, "b": {"n": 2}})
    records.drop("session", ["a", "never there"])

    assert [one.key for one in records.all("session")] == ["b"]
    assert records.history("session", "a") == []


def test_who_is_alone_holds_what_it_asks_for_and_may_write_by_it(records):
    assert records.hold("alerts", 60)
    assert records.hold("alerts", 60)
    records.put_all("alert state", {"a": {"n": 1}}, holding="alerts")
    records.release("alerts")

    assert records.get("alert state", "a").body == {"n": 1}


def test_one_of_several_bridges_holds_a_thing_until_it_lets_go_or_its_time_is_over(records_of):
    one, other = records_of("one"), records_of("other")
    assert [one.hold("alerts", 60), one.hold("alerts", 0), one.hold("alerts", 60)] == [Hold.TAKEN, Hold.KEPT, Hold.KEPT]
    assert not other.hold("alerts", 60)
    assert other.hold("something else", 60)
    other.release("alerts")  # which it does not hold
    assert not other.hold("alerts", 60)

    one.release("alerts")
    assert other.hold("alerts", 0)  # and its time is over at once

    assert one.hold("alerts", 60) is Hold.TAKEN


def test_who_was_taken_over_from_writes_nothing_any_more(records_of):
    one, other = records_of("one"), records_of("other")
    one.hold("alerts", 0)
    one.put_all("alert state", {"a": {"n": 1}}, holding="alerts")  # nobody else was there yet
    other.hold("alerts", 60)

    with pytest.raises(NotHeld):
        one.put_all("alert state", {"a": {"n": 2}}, holding="alerts")

    other.put_all("alert state", {"b": {"n": 3}}, holding="alerts")
    assert {record.key: record.body["n"] for record in one.all("alert state")} == {"a": 1, "b": 3}


def test_sessions_of_bridges_that_have_not_heard_of_each_other_are_neither_lost_nor_brought_back(records):
    one, other = Sessions(records), Sessions(records)
    cookies = {name: sessions.open("k") for name, sessions in (("one", one), ("other", other), ("ended", one))}
    one.save()
    other.save()
    late = Sessions(records)
    one.close(cookies["ended"])
    one.save()
    late.open("k")
    late.save()

    fresh = Sessions(records)

    assert {name for name, cookie in cookies.items() if fresh.find(cookie)} == {"one", "other"}


def test_of_when_a_key_was_used_the_latest_time_that_any_bridge_knows_is_kept(records):
    clock = iter((10.0, 20.0, 30.0))
    one, other = LastUsed(records, lambda: next(clock)), LastUsed(records, lambda: next(clock))
    one.note("a")
    other.note("a")
    one.note("b")
    known = frozenset("ab")
    other.save(known)
    one.save(known)

    kept = LastUsed(records)

    assert (kept.of("a"), kept.of("b")) == (20.0, 30.0)


def test_of_many_who_change_one_version_one_wins(records):
    records.put("dashboard", "a", {"by": "nobody"})
    outcomes = []

    def change(who):
        try:
            records.put("dashboard", "a", {"by": who}, expected=1)
        except Conflict:
            outcomes.append("conflict")
        else:
            outcomes.append("changed")

    threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["changed"] + ["conflict"] * 7


def test_records_outlive_a_restart(tmp_path):
    first = SqliteRecords(tmp_path / "records.db")
    first.put("dashboard", "a", {"n": 1})
    first.close()

    again = SqliteRecords(tmp_path / "records.db")

    assert again.get("dashboard", "a").body == {"n": 1}
    again.close()


def test_a_damaged_file_is_set_aside_rather_than_lost(tmp_path):
    (tmp_path / "records.db").write_bytes(b"this is no database at all, but somebody's text" * 100)

    records = SqliteRecords(tmp_path / "records.db", clock=lambda: 1234.5)

    assert records.all("dashboard") == []
    assert (tmp_path / "records.db.damaged-1234").exists()
    records.close()


def test_a_place_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(StoreError, match="cannot be read or written"):
        SqliteRecords(tmp_path / "missing" / "records.db")
