"""The spool: durable, ordered, a cursor for each destination, bounded by a stated policy."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mqttbridge.ageclock import AgeClock
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.errors import SpoolError, SpoolFull
from mqttbridge.events import Batch, EventTuple, Position, Reason, Rejected
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

START = Position(0, 0)


def events(first: int, count: int = 1) -> list[EventTuple]:
    return [("b", "s", n, 1000.0 + n) for n in range(first, first + count)]


def rejected(detail: str, payload: bytes = b"x") -> Rejected:
    return Rejected(Reason.MALFORMED, detail, "t", payload)


Open = Callable[..., Spool]


@pytest.fixture
def open_spool(tmp_path: Path) -> Iterator[Open]:
    opened: list[Spool] = []

    def opener(*destinations: str, **config: object) -> Spool:
        metrics = Metrics()
        names = destinations or ("a",)
        # As the tests set them: time's own functions may stand for others by now.
        age_clock = AgeClock(tmp_path / "clock.json", lambda: time.time() + 0, lambda: time.monotonic() + 0)
        spool = Spool(tmp_path / "spool.db", SpoolConfig.model_validate(config), metrics, names, age_clock=age_clock)
        spool.test_metrics = metrics  # type: ignore[attr-defined]
        opened.append(spool)
        return spool

    yield opener
    for spool in opened:
        spool.close()


def read_all(spool: Spool, destination: str, after: Position | None = None) -> list[EventTuple]:
    reader = spool.reader(destination)
    rows = reader.read(after or reader.position, 10**6)
    reader.close()
    return [event for row in rows for event in row.events]


def test_what_was_appended_is_read_in_order_by_every_destination(open_spool: Open) -> None:
    spool = open_spool("a", "b")
    spool.append([Batch(events(0, 3))])
    spool.append([Batch(events(3, 2))])
    assert read_all(spool, "a") == read_all(spool, "b") == events(0, 5)


def test_values_keep_their_types_and_units_ride_along(open_spool: Open) -> None:
    spool = open_spool()
    mixed: list[EventTuple] = [("b", "s", 1, 1.5), ("b", "s", 1.0, 2.5), ("b", "s", True, 3.5), ("b", "ü", "on\n", 4.5)]
    spool.append([Batch(mixed, units={("b", "s"): "°C"})])
    (row,) = spool.reader("a").read(START, 10)
    assert [(type(e[2]), *e) for e in row.events] == [(type(e[2]), *e) for e in mixed]
    assert row.units == {("b", "s"): "°C"}


def test_the_rules_of_streams_ride_along_beside_their_units(open_spool: Open) -> None:
    spool = open_spool()
    spool.append([Batch(events(0, 1), units={("b", "s"): "°C"}, rules={("b", "s"): "lab", ("b", "t"): "hall"})])
    (row,) = spool.reader("a").read(START, 10)
    assert (row.units, row.rules) == ({("b", "s"): "°C"}, {("b", "s"): "lab", ("b", "t"): "hall"})


def test_a_batch_for_one_destination_is_passed_over_by_the_others(open_spool: Open) -> None:
    spool = open_spool("a", "b")
    spool.append([Batch(events(0), to=("b",)), Batch(events(1))])
    assert read_all(spool, "a") == events(1)
    assert read_all(spool, "b") == events(0, 2)
    assert spool.stats().kept == {"a": 1, "b": 2}


def test_reading_stops_at_max_events_but_returns_at_least_one_row(open_spool: Open) -> None:
    spool = open_spool()
    for n in range(0, 30, 10):
        spool.append([Batch(events(n, 10))])
    reader = spool.reader("a")
    assert [len(row.events) for row in reader.read(START, 1)] == [10]
    assert [len(row.events) for row in reader.read(START, 20)] == [10, 10]
    assert [len(row.events) for row in reader.read(START, 25)] == [10, 10]


def test_a_row_settled_in_part_is_read_from_its_offset(open_spool: Open) -> None:
    spool = open_spool()
    spool.append([Batch(events(0, 5))])
    reader = spool.reader("a")
    (row,) = reader.read(reader.position, 10)
    spool.settle("a", Position(row.start.seq, 2))
    assert spool.stats().kept == {"a": 3}
    assert read_all(spool, "a") == events(2, 3)


def test_settled_events_are_not_read_again_after_a_restart(open_spool: Open) -> None:
    spool = open_spool("a", "b")
    spool.append([Batch(events(0, 4))])
    (row,) = spool.reader("a").read(START, 10)
    spool.settle("a", row.end)
    spool.close()
    again = open_spool("a", "b")
    assert read_all(again, "a") == []
    assert read_all(again, "b") == events(0, 4)
    assert again.stats().kept == {"a": 0, "b": 4}


def test_rows_go_away_once_every_destination_has_settled_them(
    open_spool: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqttbridge.spool.file._TRIM_INTERVAL", 0.0)
    spool = open_spool("a", "b")
    spool.append([Batch(events(0, 4)), Batch(events(4), to=("b",))])
    first, _ = spool.reader("b").read(START, 10)
    spool.settle("a", first.end)
    spool.maintain()
    assert spool.stats().rows == 2
    spool.settle("b", Position(first.end.seq + 1, 0))
    spool.maintain()
    assert spool.stats().rows == 0


def test_row_numbers_never_repeat_after_everything_was_trimmed(
    open_spool: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqttbridge.spool.file._TRIM_INTERVAL", 0.0)
    spool = open_spool()
    spool.append([Batch(events(0))])
    (row,) = spool.reader("a").read(START, 10)
    spool.settle("a", row.end)
    spool.maintain()
    spool.close()
    again = open_spool()
    again.append([Batch(events(1))])
    (later,) = again.reader("a").read(row.end, 10)
    assert later.events == events(1)
    assert later.start.seq >= row.end.seq


def test_a_destinations_own_cursor_wins_and_a_foreign_one_is_ignored(
    open_spool: Open, caplog: pytest.LogCaptureFixture
) -> None:
    spool = open_spool()
    spool.append([Batch(events(0))])
    spool.append([Batch(events(1))])
    first, second = spool.reader("a").read(START, 10)
    foreign = spool.reader("a", start=Position(second.start.seq + 10**9, 0))
    assert [row.events for row in foreign.read(foreign.position, 10)] == [events(0), events(1)]
    assert "beyond this spool's end" in caplog.text
    own = spool.reader("a", start=first.end)
    assert [row.events for row in own.read(own.position, 10)] == [events(1)]


def test_waiting_ends_with_an_append_and_with_a_wake(open_spool: Open) -> None:
    spool = open_spool()
    reader = spool.reader("a")
    spool.append([Batch(events(0))])
    (row,) = reader.read(START, 1)
    assert reader.wait(START, 0)
    assert not reader.wait(row.end, 0)
    results: list[bool] = []
    for action in (lambda: spool.append([Batch(events(1))]), spool.wake):
        waiter = threading.Thread(target=lambda end=row.end: results.append(reader.wait(end, 30)))
        waiter.start()
        while not spool._arrivals._changed._waiters:  # type: ignore[attr-defined]
            pass
        action()
        waiter.join(30)
        row = reader.read(row.start, 10)[-1]
    assert results == [True, False]


def test_a_full_spool_blocks_and_takes_events_again_when_there_is_room(open_spool: Open) -> None:
    spool = open_spool(max_size="1MiB")
    big: list[EventTuple] = [("b", "s", "x" * 2000, float(n)) for n in range(100)]
    with pytest.raises(SpoolFull, match=r"spool.max_size = 1.0 MiB"):
        for _ in range(10):
            spool.append([Batch(big)])
    assert not spool.stats().writable
    stored = spool.stats().kept["a"]
    assert stored % 100 == 0
    spool.settle("a", spool.reader("a").read(START, 10**6)[-1].end)
    spool.maintain()
    spool.append([Batch(big)])
    assert spool.stats().writable
    assert spool.stats().kept == {"a": 100}


def test_drop_oldest_makes_room_and_counts_what_was_lost(open_spool: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqttbridge.spool.batches._DROP_STEP_ROWS", 1)
    spool = open_spool(max_size="1MiB", when_full="drop_oldest")
    for n in range(20):
        spool.append([Batch([("b", "s", "x" * 2000, float(n * 100 + k)) for k in range(100)])])
    kept = read_all(spool, "a")
    dropped = spool.test_metrics.dropped.value(reason="spool_full", destination="a")  # type: ignore[attr-defined]
    assert kept[-1][3] == 1999.0
    assert len(kept) == spool.stats().kept["a"]
    assert len(kept) + dropped == 2000


def test_drop_newest_refuses_quietly_and_counts(open_spool: Open) -> None:
    spool = open_spool(max_size="1MiB", when_full="drop_newest")
    for n in range(20):
        spool.append([Batch([("b", "s", "x" * 2000, float(n * 100 + k)) for k in range(100)])])
    kept = read_all(spool, "a")
    assert kept[0][3] == 0.0
    assert len(kept) + spool.test_metrics.dropped.value(reason="spool_full") == 2000  # type: ignore[attr-defined]


def test_events_older_than_max_age_are_dropped_and_counted(open_spool: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    spool = open_spool(max_age="1h")
    spool.append([Batch(events(0, 3))])
    now[0] += 3000
    spool.append([Batch(events(3))])
    now[0] += 1000
    spool.maintain()
    assert read_all(spool, "a") == events(3)
    assert spool.test_metrics.dropped.value(reason="spool_age", destination="a") == 3  # type: ignore[attr-defined]


def test_too_little_free_disk_blocks_with_the_reason(open_spool: Open) -> None:
    spool = open_spool(min_free_disk=2**62)
    with pytest.raises(SpoolFull, match="nearly full"):
        spool.append([Batch(events(0))])


def test_rejected_rows_are_capped_oldest_first_and_counted(open_spool: Open) -> None:
    spool = open_spool(rejected_max_rows=3)
    spool.append([], [rejected(str(n)) for n in range(2)])
    spool.append([], [rejected(str(n)) for n in range(2, 5)])
    assert [row.detail for row in spool.rejected_rows()] == ["4", "3", "2"]
    assert [row.detail for row in spool.rejected_rows(1, before_id=spool.rejected_rows()[0].id)] == ["3"]
    assert spool.test_metrics.dropped.value(reason="rejected_full") == 2  # type: ignore[attr-defined]
    assert spool.test_metrics.rejected.value(reason="malformed") == 5  # type: ignore[attr-defined]


def test_what_a_destination_refused_is_settled_and_kept_together(open_spool: Open) -> None:
    spool = open_spool()
    spool.append([Batch(events(0))])
    (row,) = spool.reader("a").read(START, 1)
    spool.settle("a", row.end, [rejected("no")])
    assert spool.stats().kept == {"a": 0}
    assert [r.detail for r in spool.rejected_rows()] == ["no"]


@pytest.mark.parametrize("damage", [b"not a database at all" * 400, None])
def test_a_damaged_file_is_set_aside_said_loudly_and_work_goes_on(
    open_spool: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes | None
) -> None:
    spool = open_spool()
    for n in range(50):
        spool.append([Batch([("b", "s", "x" * 2000, float(n))])])
    reader = spool.reader("a")
    last = reader.read(START, 10**6)[-1]
    reader.close()
    spool.close()
    path = tmp_path / "spool.db"
    content = path.read_bytes()
    path.write_bytes(damage or content[:8192] + b"\xff" * (len(content) - 8192))
    with caplog.at_level(logging.ERROR):
        again = open_spool()
    assert (tmp_path / "spool.db.damaged-1").exists()
    assert "set aside" in caplog.text
    again.append([Batch(events(7))])
    (row,) = again.reader("a").read(last.end, 10)
    assert row.events == events(7)


def test_damage_found_while_reading_is_set_aside_too(open_spool: Open, caplog: pytest.LogCaptureFixture) -> None:
    spool = open_spool()
    spool.append([Batch(events(0))])
    reader = spool.reader("a")
    reader.read(START, 1)
    error = sqlite3.DatabaseError("database disk image is malformed")
    spool._file.report_damage(error, spool._file.generation)
    spool.append([Batch(events(1))])
    assert [row.events for row in reader.read(START, 10)] == [events(1)]
    assert "set aside" in caplog.text


def test_a_failed_write_stores_nothing_and_recovers(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool()
    spool.append([Batch(events(0))])
    spool._file.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(SpoolError, match="cannot be written"):
        spool.append([Batch(events(1))], [rejected("lost")])
    assert not spool.stats().writable
    spool.append([Batch(events(2))])
    assert spool.stats().writable
    assert read_all(spool, "a") == [*events(0), *events(2)]
    assert spool.rejected_rows() == []


def test_what_was_last_known_survives_a_restart(open_spool: Open) -> None:
    spool = open_spool()
    spool.remember([("t", '{"a":1}'), ("u", "2")])
    spool.remember([("t", '{"a":2}')])
    spool.set_meta("filters", "x")
    spool.close()
    again = open_spool()
    assert (again.known("t"), again.known("u"), again.known("v"), again.meta("filters")) == ('{"a":2}', "2", None, "x")


def test_a_removed_destination_no_longer_holds_rows_and_a_new_one_starts_at_the_oldest(open_spool: Open) -> None:
    spool = open_spool("a", "b")
    spool.append([Batch(events(0))])
    spool.close()
    again = open_spool("a", "c")
    assert read_all(again, "c") == events(0)
    assert again.stats().kept == {"a": 1, "c": 1}


def _spoil(spool: Spool) -> None:
    """Overwrite the file, all but its first page, under the feet of who uses it."""
    spool._file.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = spool.path.stat().st_size
    with spool.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"Z" * (size - 4096))
    spool._file.connection.execute("PRAGMA shrink_memory")


@pytest.mark.parametrize(
    "use",
    [
        lambda spool: spool.append([Batch(events(0))]),
        lambda spool: spool.settle("a", Position(spool.committed_seq, 0)),
        lambda spool: spool.maintain(),
        lambda spool: spool.stats(),
        lambda spool: spool.known("k"),
        lambda spool: spool.meta("m"),
        lambda spool: spool.remember([("k", "v")]),
        lambda spool: spool.rejected_rows(),
    ],
    ids=["append", "settle", "maintain", "stats", "known", "meta", "remember", "rejected_rows"],
)
def test_damage_ends_no_use_of_the_spool_and_is_counted(open_spool: Open, use: Callable[[Spool], object]) -> None:
    spool = open_spool()
    for n in range(40):
        spool.append([Batch(events(10 * n, 10))], [rejected("d", b"p" * 1000)])
    spool.remember((f"k{n}", "v" * 100) for n in range(100))
    _spoil(spool)
    use(spool)
    spool.append([Batch(events(1000))])
    assert spool._file.generation == 1
    assert list(spool.path.parent.glob("spool.db.damaged-1"))
    assert read_all(spool, "a", START)[-1] == events(1000)[0]
    assert spool.test_metrics.dropped.value(reason="spool_damaged", destination="a") == 400  # type: ignore[attr-defined]


def test_a_row_that_cannot_be_read_is_damage_though_sqlite_sees_none(open_spool: Open) -> None:
    spool = open_spool()
    spool.append([Batch(events(0, 3))])
    spool._file.connection.execute("UPDATE batch SET body = X'5b5b22'")
    assert read_all(spool, "a") == []
    spool.append([Batch(events(3))])
    assert read_all(spool, "a") == events(3)
    assert spool._file.generation == 1


def test_a_spool_whose_directory_is_gone_says_so_and_recovers(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool(min_free_disk="1KiB")
    spool.append([Batch(events(0))])
    spool._file._reopen = True  # as after a failed sync
    tmp_path.rename(tmp_path.with_suffix(".away"))
    for _ in range(2):
        spool._bounds._next_disk_check = 0.0
        with pytest.raises(SpoolError, match="cannot be written or read"):
            spool.append([Batch(events(1))])
    assert spool.error
    assert spool.stats().kept == {"a": 1}
    tmp_path.with_suffix(".away").rename(tmp_path)
    spool.append([Batch(events(1))])
    assert not spool.error
    assert read_all(spool, "a") == events(0, 2)


@pytest.mark.parametrize(("topic", "payload"), [("t" * 60_000, b""), ("t", b"p" * 16_000)], ids=["topics", "payloads"])
def test_rejected_messages_never_take_the_room_that_events_need(open_spool: Open, topic: str, payload: bytes) -> None:
    spool = open_spool(max_size="4MiB", min_free_disk=0)
    for _ in range(100):
        spool.append([], [Rejected(Reason.EMPTY_PAYLOAD, "it is empty", topic, payload)] * 20)
    spool.append([Batch(events(0))])
    assert spool.stats().bytes < 2 * 2**20


def test_what_was_last_known_never_takes_the_room_that_events_need(open_spool: Open) -> None:
    spool = open_spool(max_size="2MiB", min_free_disk=0)
    for n in range(100):
        spool.remember((f"once/{n}/{m}", '{"s": 1.5}' * 10) for m in range(200))
    spool.append([Batch(events(0))])
    assert spool.known("once/99/199")
    assert spool.stats().bytes < 2**20


def test_of_what_was_last_known_the_longest_silent_makes_room_alone(open_spool: Open, caplog) -> None:
    spool = open_spool(max_size="2MiB", min_free_disk=0)
    for n in range(60):
        spool.remember((f"topic/{n}/{m}", "x" * 90) for m in range(100))
        spool.append([], known=[("a/counter/that/goes/on", str(n))])
    spool = open_spool(max_size="2MiB", min_free_disk=0)

    kept = [n for n in range(60) if spool.known(f"topic/{n}/99")]
    assert kept == list(range(kept[0], 60))
    assert len(kept) > 30
    assert spool.known("a/counter/that/goes/on") == "59"
    assert "longest silent" in caplog.text


def test_what_an_earlier_version_knew_is_known_and_the_first_to_make_room(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool()
    spool.close()
    with closing(sqlite3.connect(spool.path)) as earlier:
        earlier.executescript(
            "DROP TABLE known; CREATE TABLE known(topic TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
            "INSERT INTO known VALUES ('t', '1')"
        )
    spool = open_spool(max_size="1MiB", min_free_disk=0)
    assert spool.known("t") == "1"
    for n in range(30):
        spool.remember([(f"new/{n}", "x" * 10_000)])
    assert spool.known("t") is None
    assert spool.known("new/29")


def test_what_fails_and_is_tried_again_is_counted_once(open_spool: Open) -> None:
    spool = open_spool(max_size="1MiB", when_full="drop_newest", rejected_max_rows=1, min_free_disk=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool._bounds, "_shortage", lambda _: "it is full")
        spool._file.connection.execute("PRAGMA query_only = ON")
        for _ in range(3):
            with pytest.raises(SpoolError):
                spool.append([Batch(events(0, 7))], [rejected("1"), rejected("2")])
            spool._file._reopen = False
        spool._file.connection.execute("PRAGMA query_only = OFF")
        spool.append([Batch(events(0, 7))], [rejected("1"), rejected("2")])
    dropped = spool.test_metrics.dropped  # type: ignore[attr-defined]
    assert dropped.value(reason="spool_full") == 7
    assert dropped.value(reason="rejected_full") == 1


def test_rows_for_others_are_looked_through_once(open_spool: Open) -> None:
    spool = open_spool("a", "b")
    for n in range(200):
        spool.append([Batch(events(n), to=("a",))])
    reader = spool.reader("b")
    assert reader.read(reader.position, 100) == []
    asked: list[str] = []
    reader._connect().set_trace_callback(asked.append)
    assert reader.read(reader.position, 100) == []
    assert len(asked) == 1
    spool.append([Batch(events(200))])
    assert [row.events for row in reader.read(reader.position, 100)] == [events(200)]
    reader.close()


def test_the_number_of_rows_follows_appends_trims_and_drops(open_spool: Open) -> None:
    spool = open_spool(max_age="1h")
    for n in range(10):
        spool.append([Batch(events(n))])
    assert spool.stats().rows == 10
    spool._file.last_commit = spool._file._next_trim = 0.0
    spool.settle("a", Position(spool.committed_seq - 3, 0))
    assert spool.stats().rows == 4
    with spool._lock:
        spool._bounds._drop_older_than(2e12)
    assert spool.stats().rows == 0


def test_a_full_disk_at_start_keeps_no_destination_from_reading(open_spool: Open) -> None:
    spool = open_spool()
    spool.append([Batch(events(0)), Batch(events(1))])
    spool._file.connection.execute("PRAGMA query_only = ON")
    spool._file.last_commit = 0.0
    reader = spool.reader("a", Position(spool.committed_seq, 0))
    spool._file._reopen = False
    assert [row.events for row in reader.read(reader.position, 10)] == [events(1)]
    reader.close()


def test_a_clock_that_is_set_forward_makes_nothing_older(open_spool: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = open_spool(max_age="7d")
    spool.append([Batch(events(0))])
    months = 100 * 86400.0
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + months)
    spool.append([Batch(events(1))])
    spool.maintain()
    spool.maintain()
    assert read_all(spool, "a") == events(0, 2)
    real_monotonic = time.monotonic
    later = 8 * 86400.0
    monkeypatch.setattr(time, "time", lambda: real() + months + later)
    monkeypatch.setattr(time, "monotonic", lambda: real_monotonic() + later)
    spool.maintain()
    assert read_all(spool, "a") == []


def test_a_clock_that_is_wrong_for_a_minute_drops_nothing_and_keeps_nothing_longer(
    open_spool: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_spool(max_age="7d").append([Batch(events(0))])
    spool = open_spool(max_age="7d")  # which cannot know how long it was off
    years, real = 12 * 365 * 86400.0, time.time
    monkeypatch.setattr(time, "time", lambda: real() + years)
    spool.append([Batch(events(1))])
    spool.maintain()
    assert read_all(spool, "a") == events(0, 2)
    monkeypatch.setattr(time, "time", real)
    spool.maintain()

    assert read_all(spool, "a") == events(0, 2)
    assert spool._file.connection.execute("SELECT max(created) FROM batch").fetchone()[0] <= real()


def test_a_batch_larger_than_the_spool_waits_until_it_is_empty_and_no_longer(open_spool: Open) -> None:
    spool = open_spool(max_size="1MiB", min_free_disk=0)
    large = [Batch(events(0, 60_000))]
    spool.append(large)
    with pytest.raises(SpoolFull):
        spool.append(large)
    spool._file.last_commit = 0.0
    spool.settle("a", Position(spool.committed_seq + 1, 0))
    spool.append(large)
    assert spool.stats().kept == {"a": 60_000}
