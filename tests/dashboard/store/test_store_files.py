"""What happens to the store's files: opened again, set aside when damaged, moved into from an older store."""

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from mqttbridge.dashboard.store import Kind, SqliteStore, bounds, chunks, files, legacy, reading
from mqttbridge.dashboard.store.files import SUFFIXES, open_for_reading
from mqttbridge.dashboard.store.span import Span
from mqttbridge.errors import StoreError
from mqttbridge.events import Position

NOW = 1_800_000_000.0
WEEK = 7 * 86400.0
FOUR_WEEKS = 4 * WEEK  # of retention: spans of a week


def open_store(directory):
    return SqliteStore(directory / "d", FOUR_WEEKS, lambda: NOW)


def values_of(store, stream, after=NOW - FOUR_WEEKS):
    return store.points("b", [stream], after, None, 10_000)[stream].values


def series(count, start=NOW - 100_000, stream="t"):
    return [("b", stream, float(n % 97), start + n) for n in range(count)]


def seal(store):
    for span in store.spans:
        span.seal_all()
    store.append([], {}, Position(1, 0))
    for span in store.spans:
        span.trim()


def corrupt(path):
    """Overwrite the middle of a file: its header stays that of a database."""
    for suffix in SUFFIXES[1:]:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(size - 4096))


@pytest.fixture
def damaged(tmp_path):
    """A store of two weeks, closed, whose older file is damaged."""
    store = open_store(tmp_path)
    store.append(series(5000, NOW - 10 * 86400), {("b", "t"): "V"}, Position(3, 0))
    store.append(series(50, stream="new"), {}, Position(4, 0))
    seal(store)
    old, _ = sorted(path for path in (tmp_path / "d").glob("20*.db"))
    store.close()
    corrupt(old)
    return old


def test_each_span_of_time_has_a_file_named_after_its_first_day(tmp_path):
    store = open_store(tmp_path)
    store.append([("b", "s", 1, NOW), ("b", "s", 2, NOW - WEEK)])
    store.close()

    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == [
        "2027-01-07_7d.db",
        "2027-01-14_7d.db",
        "catalogue.db",
    ]


def test_a_damaged_span_is_set_aside_and_the_others_stay(tmp_path, damaged, caplog):
    store = open_store(tmp_path)

    assert damaged.with_name(damaged.name + ".damaged-1").exists()
    assert "set aside" in caplog.text
    assert values_of(store, "new") == [float(n) for n in range(50)]
    assert [one.stream for one in store.streams("b")] == ["new", "t"]
    store.append([("b", "t", 5, NOW - 10 * 86400)])
    assert values_of(store, "t") == [5]
    store.close()


def test_a_second_damaged_file_does_not_overwrite_the_first(tmp_path, damaged):
    open_store(tmp_path).close()
    damaged.write_bytes(b"no database" * 999)
    open_store(tmp_path).close()

    assert {path.name for path in damaged.parent.glob("*.damaged-*")} == {
        damaged.name + ".damaged-1",
        damaged.name + ".damaged-2",
    }


def test_a_damaged_catalogue_is_made_anew_from_the_spans(tmp_path):
    store = open_store(tmp_path)
    store.append(series(3000), {}, Position(7, 0))
    seal(store)
    store.append([("b", "u", "text", NOW)], {}, Position(8, 0))
    store.close()
    corrupt(tmp_path / "d" / "catalogue.db")

    again = open_store(tmp_path)

    assert {one.stream: one.last.value for one in again.streams("b")} == {"t": float(2999 % 97), "u": "text"}
    assert again.cursor == Position(8, 0)
    assert len(values_of(again, "t")) == 3000
    again.append([("b", "v", 1, NOW)])
    again.close()
    last = open_store(tmp_path)
    assert [one.stream for one in last.streams("b")] == ["t", "u", "v"]
    last.close()


def test_damage_found_while_writing_sets_the_file_aside_and_what_is_in_memory_goes_on(tmp_path):
    store = open_store(tmp_path)
    store.append(series(20_000))
    seal(store)
    store.append([("b", "hot", 1, NOW - 5)], {}, Position(8, 0))
    (span,) = store.spans
    span._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with span.path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(span.path.stat().st_size - 4096))
    span._db.execute("PRAGMA shrink_memory")

    store.append([("b", "hot", 2, NOW)], {}, Position(9, 0))

    assert span.path.with_name(span.path.name + ".damaged-1").exists()
    assert values_of(store, "hot") == [1, 2]
    store.close()
    again = open_store(tmp_path)
    assert values_of(again, "hot") == [1, 2]
    assert again.cursor == Position(9, 0)
    again.close()


def test_damage_found_while_reading_sets_the_file_aside(tmp_path):
    store = open_store(tmp_path)
    store.append(series(20_000))
    seal(store)
    (span,) = store.spans
    span._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with span.path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(span.path.stat().st_size - 4096))

    with pytest.raises(StoreError):
        store.points("b", ["t"], 0)

    assert span.path.with_name(span.path.name + ".damaged-1").exists()
    store.append([("b", "t", 1, NOW)])
    assert values_of(store, "t") == [1]
    store.close()


@pytest.mark.parametrize("name", ["catalogue.db", "2027-01-14_7d.db"])
def test_a_store_of_a_newer_version_is_left_alone(tmp_path, name):
    store = open_store(tmp_path)
    store.append([("b", "s", 1, NOW)])
    store.close()
    db = sqlite3.connect(tmp_path / "d" / name)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(StoreError, match="newer mqttbridge"):
        open_store(tmp_path)
    assert not list((tmp_path / "d").glob("*.damaged-*"))


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot open the dashboard's store"):
        open_store(tmp_path / "no")


def test_a_path_with_special_characters_is_read_from(tmp_path):
    folder = tmp_path / "a?mode=rwc#b %41"
    folder.mkdir()
    store = open_store(folder)
    store.append([("b", "s", 1, NOW)])

    assert values_of(store, "s") == [1]
    store.close()


def test_a_store_that_cannot_be_written_says_so_and_stores_nothing(tmp_path):
    store = open_store(tmp_path)
    store.append([("b", "s", 0, NOW - 1)], {}, Position(1, 0))
    (span,) = store.spans
    other = sqlite3.connect(span.path, isolation_level=None)
    span._db.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="cannot be written"):
        store.append([("b", "s", 1, NOW)], {}, Position(2, 0))
    other.execute("ROLLBACK")
    other.close()

    assert (values_of(store, "s"), store.cursor) == ([0], Position(1, 0))
    store.append([("b", "s", 2, NOW)], {}, Position(2, 0))
    assert values_of(store, "s") == [0, 2]
    store.close()


def test_a_point_that_would_need_a_file_of_its_own_for_no_calendar_is_refused(tmp_path):
    store = open_store(tmp_path)

    with pytest.raises(OverflowError):
        store.append([("b", "s", 1, 1e13)])
    assert store.buckets() == []
    store.close()


def test_odd_times_make_few_files(tmp_path):
    store = SqliteStore(tmp_path / "d", 0.0, lambda: NOW)
    luck = random.Random(5)
    for _ in range(2):
        store.append([("b", "s", 1, luck.uniform(0, 2 * NOW)) for _ in range(500)])

    assert len(store.spans) < 160
    assert sum(span.is_open for span in store.spans) <= 3
    assert sum(map(len, store.rows("b", (), 0, 2 * NOW))) == 1000
    store.close()


APPENDS = """
    import sys
    from pathlib import Path
    from mqttbridge.dashboard.store import SqliteStore, chunks, tail
    from mqttbridge.events import Position
    tail.GENERATION_BYTES, chunks.FULL = 20_000, 256
    store = SqliteStore(Path(sys.argv[1]) / "d", 0.0, lambda: 1_800_000_000.0)
    for n in range(10**6):
        batch = [("b", f"s{i % 7}", float(n), 1_799_000_000.0 + n + i / 100) for i in range(70)]
        store.append(batch, {}, Position(n, 0))
        print(n, flush=True)
"""


@pytest.mark.parametrize("batches", [40, 137])
def test_a_kill_while_points_are_sealed_loses_nothing(tmp_path, batches):
    command = [sys.executable, "-c", textwrap.dedent(APPENDS), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        said = [int(child.stdout.readline()) for _ in range(batches)]
        child.send_signal(signal.SIGKILL)
        said += [int(line) for line in child.stdout]

    store = SqliteStore(tmp_path / "d", 0.0, lambda: NOW)

    assert store.cursor.seq >= said[-1]
    count = store.cursor.seq + 1
    rows = [row for batch in store.rows("b", (), 0, NOW) for row in batch]
    assert len(rows) == 70 * count
    again = [("b", f"s{i % 7}", float(said[-1]), 1_799_000_000.0 + said[-1] + i / 100) for i in range(70)]
    store.append(again, {}, Position(said[-1], 0))  # what the destination would send again
    totals = store.statistics("b", (), 1_798_900_000.0, NOW, 50)
    assert sum(sum(one.counts) for one in totals.values()) == 70 * count
    assert sum(sum(one.sums) for one in totals.values()) == 70 * sum(range(count))
    store.close()


OLD_SCHEMA = """
CREATE TABLE buckets (key TEXT PRIMARY KEY, name TEXT, created REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, stream TEXT NOT NULL, unit TEXT NOT NULL DEFAULT '',
    UNIQUE (bucket, stream)
);
CREATE TABLE latest (series INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, value);
CREATE TABLE points (series INTEGER NOT NULL, ts INTEGER NOT NULL, value, PRIMARY KEY (series, ts)) WITHOUT ROWID;
CREATE TABLE cursor (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, offset INTEGER NOT NULL);
PRAGMA user_version = 1;
"""


def test_the_history_of_the_single_file_moves_into_the_new_store(tmp_path, monkeypatch):
    monkeypatch.setattr(legacy, "ROWS_AT_ONCE", 300)
    path = tmp_path / "dashboard.db"
    start = int((NOW - 1000) * 1e6)
    db = sqlite3.connect(path)
    db.executescript(OLD_SCHEMA)
    db.execute("INSERT INTO buckets VALUES ('b', 'Home', 1.0), ('empty', 'Nothing', 1.0)")
    db.execute("INSERT INTO series VALUES (4, 'b', 't', '°C'), (9, 'b', 'on', ''), (5, 'b', 'said', '')")
    db.executemany("INSERT INTO points VALUES (4, ?, ?)", [(start + n * 10**6, n / 10) for n in range(1000)])
    db.executemany("INSERT INTO points VALUES (?, ?, ?)", [(9, start, 0), (9, start + 1, 1), (5, start, 'it"s')])
    db.execute(f"INSERT INTO latest VALUES (4, {start + 999 * 10**6}, 'number', 99.9)")
    db.execute(f"INSERT INTO latest VALUES (9, {start + 1}, 'boolean', 1), (5, {start}, 'text', 'it\"s')")
    db.execute("INSERT INTO cursor VALUES (1, 77, 5)")
    db.commit()
    db.close()
    store = open_store(tmp_path)

    legacy.read_old_file(path, store)

    assert not path.exists()
    assert (tmp_path / ("dashboard.db" + legacy.RENAMED)).exists()
    store.close()
    again = open_store(tmp_path)
    legacy.read_old_file(path, again)  # there is nothing to move any more
    assert again.cursor == Position(77, 5)
    assert [(one.key, one.name) for one in again.buckets()] == [("b", "Home"), ("empty", "Nothing")]
    assert {one.stream: (one.kind, one.unit, one.last.value) for one in again.streams("b")} == {
        "t": (Kind.NUMBER, "°C", 99.9),
        "on": (Kind.BOOLEAN, "", True),
        "said": (Kind.TEXT, "", 'it"s'),
    }
    assert values_of(again, "t") == [n / 10 for n in range(1000)]
    assert values_of(again, "on") == [False, True]
    again.close()


def test_the_history_of_a_fleet_moves_in_few_transactions(tmp_path, monkeypatch):
    path = tmp_path / "dashboard.db"
    start = int((NOW - 1000) * 1e6)
    db = sqlite3.connect(path)
    db.executescript(OLD_SCHEMA)
    db.executemany("INSERT INTO series VALUES (?, 'b', ?, 'V')", [(n, f"s{n}") for n in range(200)])
    db.executemany("INSERT INTO points VALUES (?, ?, ?)", [(n, start + i, i) for n in range(200) for i in range(5)])
    db.executemany("INSERT INTO latest VALUES (?, ?, 'number', 4)", [(n, start + 4) for n in range(200)])
    db.commit()
    db.close()
    store = open_store(tmp_path)
    commits = []
    transaction = Span._transaction
    monkeypatch.setattr(Span, "_transaction", lambda *args: commits.append(1) or transaction(*args))

    legacy.read_old_file(path, store)

    assert len(commits) <= 3
    assert all(values_of(store, f"s{n}") == [0, 1, 2, 3, 4] for n in (0, 199))
    assert {one.unit for one in store.streams("b")} == {"V"}
    store.close()


def test_a_log_is_read_back_and_what_was_deleted_stays_deleted(tmp_path):
    store = open_store(tmp_path)
    store.append([("b", "kept", 1, NOW), ("b", "gone", 2, NOW), ("c", "gone", 3, NOW)])
    assert store.delete_stream("b", "gone")
    assert store.delete_bucket("c")
    assert not store.delete_stream("b", "gone")
    assert not store.delete_bucket("c")
    store.close()

    again = open_store(tmp_path)

    assert [bucket.key for bucket in again.buckets()] == ["b"]
    assert list(again.points("b", (), NOW - 9)) == ["kept"]
    again.append([("b", "gone", 9, NOW)])
    assert values_of(again, "gone") == [9]
    again.close()


def test_a_question_about_many_texts_opens_each_file_a_few_times_only(tmp_path, monkeypatch):
    store = open_store(tmp_path)
    for ago in (8 * 86400, 600, 60):  # of two weeks, so of two files
        store.append([("b", f"state {n}", "on" if ago == 60 else "off", NOW - ago) for n in range(50)])
    opened = []
    monkeypatch.setattr(files, "open_for_reading", lambda path: opened.append(path) or open_for_reading(path))

    lines = store.points("b", (), NOW - 90)
    store.close()

    assert len(lines) == 50
    assert all(len(line.times) == 2 for line in lines.values())
    assert len(opened) <= 6


def test_a_download_holds_no_burst_whole_however_little_came_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "BATCH", 500)
    store = open_store(tmp_path)
    store.append([("b", "t", float(n), NOW - 6 * 3600 + n / 100) for n in range(20_000)])
    store.append([("b", "rare", 1, NOW - hours * 3600) for hours in range(6)])
    seal(store)

    batches = [len(rows) for rows in store.rows("b", (), 0, NOW + 1)]
    store.close()

    assert sum(batches) == 20_006
    assert max(batches) <= 2000


@pytest.mark.parametrize("buckets", [10, 20])  # of more than two hours, and of little more than one
def test_of_many_long_lines_rollups_are_read_instead_of_points(tmp_path, monkeypatch, buckets):
    monkeypatch.setattr(reading, "RAW_POINTS", 20_000)
    store = open_store(tmp_path)
    for n in range(6):
        store.append([("b", f"s{n}", float(i % 50), NOW - 80_000 + i * 10) for i in range(8000)])
    seal(store)
    loaded = []
    load = chunks.load_packed
    monkeypatch.setattr(chunks, "load_packed", lambda db, some: load(db, [loaded.append(one) or one for one in some]))

    one = store.points("b", ["s1"], NOW - 80_000, NOW, buckets)
    assert loaded
    loaded.clear()
    all_ = store.points("b", (), NOW - 80_000, NOW, buckets)
    store.close()

    assert len(loaded) <= 6
    assert (min(all_["s1"].values), max(all_["s1"].values)) == (min(one["s1"].values), max(one["s1"].values)) == (0, 49)


def test_how_often_a_stream_speaks_is_found_out_anew_once_it_has_changed(tmp_path):
    store = SqliteStore(tmp_path / "d")
    store.append([("b", "s", n, 1e9 + 10 * n) for n in range(20)])
    assert store.intervals("b") == {"s": 10.0}

    store.append([("b", "s", n, 1e9 + 190 + 30 * n) for n in range(1, 20)])

    assert store.intervals("b") == {"s": 30.0}
    store.close()


def test_of_a_batch_of_rows_only_its_own_chunks_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "BATCH", 500)
    monkeypatch.setattr(chunks, "FULL", 256)
    store = open_store(tmp_path)
    store.append([("b", "s", float(n), NOW - 10_000 + n) for n in range(10_000)])
    seal(store)
    loaded = []
    load = chunks.load_packed
    monkeypatch.setattr(chunks, "load_packed", lambda db, some: load(db, [loaded.append(one) or one for one in some]))

    next(iter(store.rows("b", (), NOW - 10_000, NOW)))
    store.close()

    assert len(loaded) <= 4
