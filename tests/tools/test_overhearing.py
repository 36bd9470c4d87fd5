"""Listening to everything for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.errors import BrokerError
from mqttbridge.sources.frames import Publish
from mqttbridge.tools.overhearing import MAX_MESSAGES, Overhearing
from mqttbridge.unmatched import Unmatched
from tests.support.processes import eventually


class FakeEar:
    """Hears what it is given, and then nothing."""

    def __init__(self, *batches: list[Publish]) -> None:
        self.batches = list(batches)
        self.error: Exception | None = None
        self.closed = threading.Event()
        self.quiet = threading.Event()

    def connect(self) -> None:
        if self.error is not None:
            raise self.error

    def hear(self, timeout: float) -> list[Publish]:
        if self.batches:
            return self.batches.pop(0)
        self.quiet.set()
        self.closed.wait(min(timeout, 0.01))
        return []

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def strays():
    return Unmatched()


@pytest.fixture
def overhearing(strays) -> Callable[[FakeEar], Overhearing]:
    def make(ear: FakeEar) -> Overhearing:
        return Overhearing(MqttConfig(), lambda topic: topic.startswith(b"known"), strays, lambda _mqtt, _topic: ear)

    return make


def topics(strays: Unmatched) -> set[bytes]:
    return {one.topic for one in strays.latest()}


def test_only_what_no_rule_takes_is_noted_and_not_our_own_availability(overhearing, strays):
    own = b"mqttbridge/mqttbridge/availability"
    ear = FakeEar([(b"known/a", b"1", 0x30), (b"new/b", b"2", 0x30), (own, b"online", 0x31)])
    listening = overhearing(ear)

    assert listening.start("#", 60)
    assert ear.quiet.wait(10)

    assert topics(strays) == {b"new/b"}
    assert (listening.status()["state"], listening.status()["heard"], listening.status()["unmatched"]) == (
        "listening", 3, 1,
    )  # fmt: skip
    assert not listening.start("#", 60)
    listening.stop()
    assert ear.closed.is_set()
    assert listening.status()["state"] == "done"


def test_it_ends_by_itself_when_enough_was_heard(overhearing, strays):
    ear = FakeEar([(b"t%d" % (number % 10), b"", 0x30) for number in range(MAX_MESSAGES + 5)])
    listening = overhearing(ear)

    listening.start("#", 60)

    assert ear.closed.wait(10)
    assert "enough" in listening.status()["detail"]
    assert sum(one.messages for one in strays.latest()) == MAX_MESSAGES


def test_a_broker_that_refuses_is_told_of(overhearing):
    ear = FakeEar()
    ear.error = BrokerError("the broker refuses the subscription")
    listening = overhearing(ear)

    listening.start("#", 60)

    eventually(lambda: listening.status()["state"] == "failed", what="failed")
    assert "refuses" in listening.status()["detail"]
    assert listening.start("#", 60)
    listening.stop()


def test_without_a_broker_there_is_nothing_to_listen_to(strays):
    listening = Overhearing(None, lambda _topic: False, strays)

    assert not listening.start("#", 60)
    assert listening.status()["possible"] is False
