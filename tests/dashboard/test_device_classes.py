"""What devices say that streams are: there at once, kept across restarts, written only when it is new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mqttbridge.dashboard import classes
from mqttbridge.dashboard.classes import KIND, DeviceClasses
from mqttbridge.dashboard.records import SqliteRecords
from mqttbridge.errors import StoreError


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqliteRecords]:
    made = SqliteRecords(tmp_path / "records.db")
    yield made
    made.close()


def test_what_is_told_holds_at_once_and_after_a_restart(records):
    first = DeviceClasses(records)
    first.learn({("hall", "t"): "temperature", ("attic", "d"): "door"})
    assert first.of("hall") == {"t": "temperature"}
    first.save()

    second = DeviceClasses(records)
    second.learn({("hall", "b"): "battery", ("hall", "t"): "humidity"})
    assert second.of("hall") == {"t": "humidity", "b": "battery"}
    second.save()

    assert DeviceClasses(records).of("hall") == {"t": "humidity", "b": "battery"}
    assert DeviceClasses(records).of("nowhere") == {}


def test_what_is_known_already_is_not_written_again(records, monkeypatch):
    known = DeviceClasses(records)
    known.learn({("hall", "t"): "temperature"})
    known.save()
    monkeypatch.setattr(records, "put_all", lambda *_: pytest.fail("written"))
    known.learn({("hall", "t"): "temperature"})
    known.save()
    known.save()


def test_what_cannot_be_kept_now_is_kept_the_next_time(records, monkeypatch):
    known = DeviceClasses(records)
    known.learn({("hall", "t"): "temperature"})

    def full(*_: object) -> None:
        raise StoreError("full")

    with monkeypatch.context() as patched:
        patched.setattr(records, "put_all", full)
        with pytest.raises(StoreError):
            known.save()
    assert known.of("hall") == {"t": "temperature"}
    known.save()
    record = records.get(KIND, "hall")
    assert record is not None
    assert record.body == {"t": "temperature"}


def test_a_bucket_has_no_more_of_them_than_a_page_shows(records, monkeypatch):
    monkeypatch.setattr(classes, "MOST", 3)
    known = DeviceClasses(records)
    for start in (0, 3):
        known.learn({("hall", f"s{i}"): "power" for i in range(start, start + 5)})
        known.save()
    assert len(DeviceClasses(records).of("hall")) == 3
