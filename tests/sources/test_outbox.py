"""What other threads want published: each learns what became of its message."""

from __future__ import annotations

import threading

import pytest

from mqttbridge.errors import BrokerError
from mqttbridge.sources import outbox
from mqttbridge.sources.outbox import Outbox


class Connection(threading.Thread):
    """Takes what waits as soon as it is woken, and does with it as it is told."""

    def __init__(self, trouble: str = "") -> None:
        super().__init__()
        self.woken = threading.Event()
        self.outbox = Outbox(self.woken.set)
        self.trouble = trouble
        self.sent: list[str] = []

    def run(self) -> None:
        self.woken.wait(10)
        for one in self.outbox.take():
            self.sent.append(one.topic)
            if self.trouble:
                one.fail(self.trouble)
            else:
                one.succeed()


@pytest.mark.parametrize("trouble", ["", "not authorized"])
def test_who_publishes_learns_whether_the_broker_has_it(trouble):
    connection = Connection(trouble)
    connection.start()
    if trouble:
        with pytest.raises(BrokerError, match=trouble):
            connection.outbox.publish("a", b"")
    else:
        connection.outbox.publish("a", b"")
    connection.join()
    assert connection.sent == ["a"]


def test_what_nobody_waits_for_any_more_is_not_sent_later():
    box = Outbox(lambda: None)
    with pytest.raises(BrokerError, match="did not confirm"):
        box.publish("a", b"", timeout=0)
    assert box.take() == []


def test_a_source_that_is_closed_says_so_at_once():
    box = Outbox(lambda: None)
    box.close("the bridge stops")
    with pytest.raises(BrokerError, match="stops"):
        box.publish("a", b"")


def test_no_more_than_a_bound_ever_waits(monkeypatch):
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    box = Outbox(lambda: None)
    with pytest.raises(BrokerError):
        box.publish("a", b"", timeout=0)
    with pytest.raises(BrokerError, match="too many"):
        box.publish("b", b"", timeout=0)
