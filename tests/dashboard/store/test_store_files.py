"""What the file does: it is made, opened again, set aside when damaged, and never ends the bridge."""

import random
import sqlite3

import pytest

from mqttbridge.dashboard.store import Store, schema
from mqttbridge.errors import StoreError
from mqttbridge.events import Position

NOW = 1_800_000_000.0


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "dashboard.db", clock=lambda: NOW)
    yield opened
    opened.close()


def values_of(store, bucket, stream, *window):
    return store.points(bucket, [stream], *(window or (NOW - 1000,)))[stream].values


def series(count, start=NOW - 900_000, step=1.0, stream="t"):
    return [("b", stream, float(n % 97), start + n * step) for n in range(count)]


def test_a_file_from_before_there_were_tags_is_read_and_its_buckets_have_none(tmp_path):
    path = tmp_path / "dashboard.db"
    old = Store(path, clock=lambda: NOW)
    old.create_bucket("named", "Home")
    old.append([("events", "s", 1, NOW)])
    old.close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE tags")
    db.close()

    store = Store(path, clock=lambda: NOW)
    assert not store.create_bucket("named", None, ["late"])
    assert store.create_bucket("events", None, ["first"])
    tags = {one.key: one.tags for one in store.buckets()}
    store.close()

    assert tags == {"named": (), "events": ("first",)}


def test_a_file_that_is_no_database_is_set_aside(tmp_path, caplog):
    path = tmp_path / "dashboard.db"
    path.write_bytes(b"not a database" * 1000)

    store = Store(path)
    store.append([("b", "s", 1, NOW)])

    assert store.streams("b")[0].last.value == 1
    assert (tmp_path / "dashboard.db.damaged-1").read_bytes().startswith(b"not a database")
    assert "set aside" in caplog.text
    store.close()


def test_a_second_damaged_file_does_not_overwrite_the_first(tmp_path):
    path = tmp_path / "dashboard.db"
    for content in (b"first" * 999, b"second" * 999):
        path.write_bytes(content)
        Store(path).close()
        path.unlink()

    assert (tmp_path / "dashboard.db.damaged-1").read_bytes().startswith(b"first")
    assert (tmp_path / "dashboard.db.damaged-2").read_bytes().startswith(b"second")


def corrupt(path):
    """Overwrite the middle of a file: its header stays that of a database."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(random.Random(1).randbytes(size - 8192))


def test_damage_inside_the_file_is_found_at_start(tmp_path):
    path = tmp_path / "dashboard.db"
    store = Store(path)
    store.append(series(5000))
    store.close()
    corrupt(path)

    again = Store(path)
    again.append([("b", "s", 1, NOW)])

    assert (tmp_path / "dashboard.db.damaged-1").exists()
    assert [one.stream for one in again.streams("b")] == ["s"]
    again.close()


def test_damage_found_while_writing_sets_the_file_aside_and_the_batch_is_stored(tmp_path):
    path = tmp_path / "dashboard.db"
    store = Store(path)
    store.append(series(20_000))
    store.close()
    store = Store(path)
    corrupt(path)
    store._db.execute("PRAGMA shrink_memory")  # forgets the pages that the check at start has read

    store.append(series(200, step=100.5), {}, Position(9, 0))

    assert (tmp_path / "dashboard.db.damaged-1").exists()
    assert len(values_of(store, "b", "t", 0)) == 200
    assert store.cursor == Position(9, 0)
    store.close()


def test_damage_found_while_reading_sets_the_file_aside_too(tmp_path):
    path = tmp_path / "dashboard.db"
    store = Store(path)
    store.append(series(20_000))
    store.close()
    store = Store(path)
    corrupt(path)
    store._db.execute("PRAGMA shrink_memory")

    with pytest.raises(StoreError):
        store.points("b", ["t"], 0)

    assert (tmp_path / "dashboard.db.damaged-1").exists()
    assert store.points("b", ["t"], 0) == {}
    store.append([("b", "s", 1, NOW)])
    assert values_of(store, "b", "s") == [1]
    assert not (tmp_path / "dashboard.db.damaged-2").exists()
    store.close()


def test_a_damaged_file_that_cannot_be_replaced_at_once_is_replaced_when_it_can(tmp_path, monkeypatch):
    path = tmp_path / "dashboard.db"
    store = Store(path)
    store.append(series(20_000))
    store.close()
    store = Store(path)
    corrupt(path)
    store._db.execute("PRAGMA shrink_memory")

    def full(_path):
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "open_for_writing", full)
        for _ in range(2):
            with pytest.raises(StoreError, match="disk is full"):
                store.append(series(200, step=100.5))

    store.append([("b", "s", 1, NOW)])
    assert values_of(store, "b", "s") == [1]
    store.close()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "dashboard.db"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(StoreError, match="newer mqttbridge"):
        Store(path)
    assert not (tmp_path / "dashboard.db.damaged-1").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot open the dashboard's store"):
        Store(tmp_path / "no" / "dashboard.db")


def test_a_path_with_special_characters_is_read_from(tmp_path):
    folder = tmp_path / "a?mode=rwc#b %41"
    folder.mkdir()
    store = Store(folder / "dashboard.db")
    store.append([("b", "s", 1, NOW)])

    assert len(store.buckets()) == 1
    store.close()


def test_a_store_that_cannot_be_written_says_so_and_stores_nothing(store):
    other = sqlite3.connect(store.path, isolation_level=None)
    store._db.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="cannot be written"):
        store.append([("b", "s", 1, NOW)])
    other.execute("ROLLBACK")
    other.close()

    store.append([("b", "s", 2, NOW)])
    assert values_of(store, "b", "s") == [2]
