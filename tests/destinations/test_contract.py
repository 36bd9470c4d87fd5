"""What every destination promises, whatever is behind it. A new one adds a rig to `RIGS`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mqttbridge.config.destinations import EmbeddedConfig, InitialStateConfig
from mqttbridge.dashboard.hub import Hub
from mqttbridge.dashboard.store import SqliteStore
from mqttbridge.delivery.settlement import Accepted, Kept, Prepared
from mqttbridge.destinations import Delivery, Destination, DestinationContext, create
from mqttbridge.errors import StoreError
from mqttbridge.events import EventTuple, Position, Value
from tests.support.fake_events_api import FakeEventsApi

NOW = 1_700_000_000.0


class Rig(ABC):
    """One kind of destination with what is behind it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @abstractmethod
    def create(self) -> Destination:
        """A new destination over the same backend, as after a restart."""

    @abstractmethod
    def received(self, bucket: str, stream: str) -> list[tuple[Value, float | None]]:
        """What the backend holds of a stream, with times where it keeps them."""

    @abstractmethod
    def set_down(self, *, down: bool) -> None:
        """Make the backend fail, or mend it."""

    def as_kept(self, value: Value) -> Value:
        """A value as the backend keeps it."""
        return value

    @abstractmethod
    def close(self) -> None:
        """Release the backend."""


class EmbeddedRig(Rig):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.store = SqliteStore(directory / "store.db", clock=lambda: NOW)
        self.append = self.store.append

    def create(self) -> Destination:
        config = EmbeddedConfig(type="embedded")
        dashboard = SimpleNamespace(store=self.store, hub=Hub(), activity=None, classes=None)
        return create("it", config, DestinationContext(self.directory, dashboard))

    def received(self, bucket: str, stream: str) -> list[tuple[Value, float | None]]:
        column = self.store.points(bucket, [stream], NOW - 1000, NOW + 1000, 1000)[stream]
        return list(zip(column.values, column.epochs, strict=True))

    def set_down(self, *, down: bool) -> None:
        def fail(*_: Any) -> None:
            raise StoreError("disk full")

        self.store.append = fail if down else self.append  # type: ignore[method-assign, assignment]

    def close(self) -> None:
        self.store.close()


class InitialStateRig(Rig):
    transport = "json"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.api = FakeEventsApi().__enter__()

    def create(self) -> Destination:
        settings = {"url": self.api.url, "access_key": "key", "transport": self.transport, "timeout": "5s"}
        config = InitialStateConfig(type="initialstate", **settings)
        return create("it", config, DestinationContext(self.directory))

    def received(self, bucket: str, stream: str) -> list[tuple[Value, float | None]]:
        keys = [key for key, name in self.api.buckets.items() if name == bucket]
        return [(value, epoch) for key in keys for name, value, epoch in self.api.events_of(key) if name == stream]

    def set_down(self, *, down: bool) -> None:
        self.api.always(503 if down else None)

    def close(self) -> None:
        self.api.__exit__()


class InitialStateUrlRig(InitialStateRig):
    transport = "url"

    def as_kept(self, value: Value) -> Value:
        return str(value).lower() if isinstance(value, bool) else str(value)


RIGS = {"embedded": EmbeddedRig, "initialstate": InitialStateRig, "initialstate by url": InitialStateUrlRig}


@pytest.fixture(params=RIGS)
def rig(request, tmp_path):
    made = RIGS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def destination(rig):
    made = rig.create()
    made.open()
    yield made
    made.close()


class Sender:
    """Sends events as the uploader does: no batch beyond the limits, again after what had to be prepared."""

    def __init__(self, destination: Destination, seq: int = 1) -> None:
        self.destination, self.seq, self.sent = destination, seq, 0

    def __call__(self, *events: EventTuple, units: dict[tuple[str, str], str] | None = None) -> list[Any]:
        settlements = []
        size = self.destination.limits.max_events
        for start in range(0, len(events), size):
            batch = events[start : start + size]
            delivery = Delivery(batch, Position(self.seq, self.sent + len(batch)), units or {})
            settlement = self.destination.send(delivery)
            if isinstance(settlement, Prepared):
                settlement = self.destination.send(delivery)
            if isinstance(settlement, Accepted):
                self.sent += len(batch)
                settlement = Accepted()  # however much quiet it asks for
            settlements.append(settlement)
        return settlements


def test_accepted_events_arrive_once_and_in_order(rig, destination):
    send = Sender(destination)
    events = [("plant", "flow", float(n), NOW + n) for n in range(25)]
    assert set(send(*events[:11])) | set(send(*events[11:])) == {Accepted()}
    got = rig.received("plant", "flow")
    assert [value for value, _ in got] == [rig.as_kept(float(n)) for n in range(25)]
    assert all(epoch in {None, NOW + n} for n, (_, epoch) in enumerate(got))


@pytest.mark.parametrize("value", [21.5, 0.0, -3, 0, 2**53, 10**18, True, False, "on", "", "Grüße 🍺", "a\n'\"<b>&\\"])
def test_values_keep_their_type(rig, destination, value):
    assert Sender(destination)(("plant", "s", value, NOW)) == [Accepted()]
    ((got, _),) = rig.received("plant", "s")
    assert (got, type(got)) == (rig.as_kept(value), type(rig.as_kept(value)))


@pytest.mark.parametrize(
    "name", ["Küche 🍺", "../../etc/passwd", "<img src=x>", "a:b'c\"d", "a&b=c?d#e", "%2F", "x" * 250]
)
def test_names_are_data(rig, destination, name):
    assert Sender(destination)((name, name, 1, NOW)) == [Accepted()]
    assert [value for value, _ in rig.received(name, name)] == [rig.as_kept(1)]


def test_units_are_taken(rig, destination):
    assert Sender(destination)(("plant", "t", 21.5, NOW), units={("plant", "t"): "°C"}) == [Accepted()]


def test_opening_and_closing_again_is_harmless(rig):
    destination = rig.create()
    destination.open()
    assert destination.open() is None
    assert Sender(destination)(("plant", "s", 1, NOW)) == [Accepted()]
    destination.close()
    destination.close()


def test_a_second_run_goes_on_where_the_first_one_ended(rig):
    first = rig.create()
    assert first.open() is None
    Sender(first)(("plant", "s", 1, NOW))
    first.close()

    second = rig.create()
    cursor = second.open()
    assert cursor in {None, Position(1, 1)}
    assert Sender(second, seq=2)(("plant", "s", 2, NOW + 1)) == [Accepted()]
    assert [value for value, _ in rig.received("plant", "s")] == [rig.as_kept(1), rig.as_kept(2)]
    second.close()


def test_a_backend_that_fails_is_kept_and_what_was_kept_arrives_once_later(rig, destination):
    send = Sender(destination)
    send(("plant", "s", 1, NOW))
    rig.set_down(down=True)
    for _ in range(3):
        (settlement,) = send(("plant", "s", 2, NOW + 1))
        assert isinstance(settlement, Kept)
        assert settlement.detail
    rig.set_down(down=False)
    assert send(("plant", "s", 2, NOW + 1)) == [Accepted()]
    assert [value for value, _ in rig.received("plant", "s")] == [rig.as_kept(1), rig.as_kept(2)]


def test_it_can_be_opened_while_its_backend_is_down(rig):
    rig.set_down(down=True)
    destination = rig.create()
    destination.open()
    assert isinstance(Sender(destination)(("plant", "s", 1, NOW))[0], Kept)
    destination.close()


def test_limits_are_usable(destination):
    limits = destination.limits
    assert destination.name == "it"
    assert limits.max_events >= 1
    assert limits.max_bytes >= 1024
    assert limits.max_wait >= 0
    assert limits.rate is None or (limits.rate.calls >= 1 and limits.rate.per >= 0)
