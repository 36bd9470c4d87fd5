"""The dashboard as a destination: committed, then shown, and no faster than the disk can bear."""

import pytest

from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.dashboard.classes import DeviceClasses
from mqttbridge.dashboard.records import SqliteRecords
from mqttbridge.dashboard.store import SqliteStore
from mqttbridge.delivery.settlement import Accepted, Kept, Refused
from mqttbridge.destinations.base import Delivery
from mqttbridge.destinations.embedded import MAX_EVENTS, MAX_QUIET, MIN_QUIET, EmbeddedDestination
from mqttbridge.errors import StoreError
from mqttbridge.events import Position

NOW = 1_800_000_000.0


class Watcher:
    """A hub that remembers what it was shown, and what the store held then."""

    def __init__(self, store):
        self.store, self.shown = store, []

    def publish(self, columns):
        self.shown.append((columns, self.store.cursor))


class Clock:
    """Each commit takes as long as a test says."""

    now, commit = 0.0, 0.0

    def __call__(self):
        self.now += self.commit / 2  # looked at before and after a commit
        return self.now


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "dashboard")
    yield opened
    opened.close()


@pytest.fixture
def hub(store):
    return Watcher(store)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def destination(store, hub, clock):
    return EmbeddedDestination("dashboard", EmbeddedConfig(type="embedded"), store, hub, clock)


def delivery(*values, seq=1):
    return Delivery([("b", "s", value, NOW + n) for n, value in enumerate(values)], Position(seq, 0), {("b", "s"): "V"})


def test_what_devices_say_is_kept_with_the_next_batch_and_holds_none_up(store, hub, clock, tmp_path, monkeypatch):
    records = SqliteRecords(tmp_path / "records.db")
    classes = DeviceClasses(records)
    config = EmbeddedConfig(type="embedded")
    destination = EmbeddedDestination("dashboard", config, store, hub, clock, classes=classes)
    classes.learn({("b", "s"): "voltage"})

    def away(*_):
        raise StoreError("away")

    with monkeypatch.context() as failing:
        failing.setattr(records, "get", away)
        assert isinstance(destination.send(delivery(1.5)), Accepted)
    assert isinstance(destination.send(delivery(2.5, seq=2)), Accepted)

    assert DeviceClasses(records).of("b") == {"s": "voltage"}
    records.close()


def test_a_batch_is_stored_before_it_is_shown(destination, store, hub):
    assert isinstance(destination.send(delivery(1.5, 2.5)), Accepted)

    ((columns, cursor_when_shown),) = hub.shown
    assert cursor_when_shown == Position(1, 0)
    assert (columns["b", "s"].values, columns["b", "s"].unit) == ([1.5, 2.5], "V")
    assert store.points("b", (), NOW - 1)["s"] == columns["b", "s"]


def test_it_goes_on_where_its_store_stands(destination):
    assert destination.open() is None

    destination.send(delivery(1, seq=7))

    assert destination.open() == Position(7, 0)


def test_a_store_that_cannot_be_written_keeps_the_batch(destination, store, hub, monkeypatch):
    def fail(*_):
        raise StoreError("disk full")

    monkeypatch.setattr(store, "append", fail)

    assert destination.send(delivery(1)) == Kept("disk full")
    assert hub.shown == []


@pytest.mark.parametrize("value", [2**63, "\ud800"])
def test_what_can_never_be_stored_is_refused(destination, hub, value):
    assert isinstance(destination.send(delivery(1, value)), Refused)
    assert hub.shown == []


@pytest.mark.parametrize(("commit", "quiet"), [(0.0, MIN_QUIET), (0.02, 0.04), (10.0, MAX_QUIET)])
def test_it_keeps_quiet_for_what_a_commit_costs(destination, clock, commit, quiet):
    clock.commit = commit

    assert destination.send(delivery(1)).quiet == pytest.approx(quiet)


def test_a_backlog_is_not_held_back(destination):
    assert destination.send(delivery(*range(MAX_EVENTS))) == Accepted()


def test_streams_are_known_by_their_rule_from_the_first_point_on(tmp_path):
    now = NOW + 86400.0
    store = SqliteStore(tmp_path / "brief", 0.0, lambda: now, retention_by_rule={"brief": 3600.0})
    destination = EmbeddedDestination("dashboard", EmbeddedConfig(type="embedded"), store, Watcher(store), Clock())

    destination.send(Delivery([("b", "s", 1, NOW), ("b", "t", 1, NOW)], Position(1, 0), {}, {("b", "s"): "brief"}))

    assert [one.stream for one in store.streams("b")] == ["t"]
    store.close()
