"""The session: what it does where a broker, the network or the spool lets it down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.errors import SpoolError
from mqttbridge.sources import mqtt as mqtt_module, subscriptions
from mqttbridge.sources.frames import PublishReader
from mqttbridge.sources.framesocket import FrameSocket
from mqttbridge.sources.mqtt import MqttSource
from tests.support import mqtt_wire as wire
from tests.support.stand_in_broker import Connection, StandInBroker

PATIENCE = 10.0


def source_at(url: str, remember: Callable[[str], None] = lambda _: None, **options: Any) -> MqttSource:
    config = MqttConfig.model_validate({"url": url, "availability_topic": None} | options)
    return MqttSource(config, ["t/#"], recall=lambda: None, remember=remember)


def poll_until(source: MqttSource, condition: Callable[[], object]) -> list[Any]:
    got: list[Any] = []
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not in {PATIENCE} s: {source.status}"
        got += source.poll(0.05)
    return got


def test_what_was_read_before_a_connection_broke_is_not_lost() -> None:
    class Breaking:
        def __init__(self) -> None:
            self.reads = [wire.connack(wire.V311) + wire.publish("t/1", b"last words")]

        def recv(self, _size: int) -> bytes:
            if not self.reads:
                raise ConnectionResetError
            return self.reads.pop()

    frames = PublishReader(mqtt5=False, max_payload=100)
    wrapped = FrameSocket(Breaking(), frames)
    assert wrapped.fill(), "there is more to hear: how it ended"
    assert [payload for _, payload, _ in frames.publishes] == [b"last words"]
    with pytest.raises(ConnectionResetError):
        wrapped.fill()


def test_a_connection_that_breaks_while_sending_returns_no_message_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(connection: Connection) -> None:
        connection.handshake()
        connection.send(wire.publish("t/1", b"once", level=wire.V5))
        connection.serve()

    with StandInBroker(script) as broker:
        source = source_at(broker.url)
        end = time.monotonic() + PATIENCE
        while not (got := source.poll(0.05)):
            assert time.monotonic() < end
        held = source._connection
        assert held is not None
        assert held._socket is not None

        def broken() -> None:
            raise BrokenPipeError

        held._socket._unsent += b"the network takes nothing"
        monkeypatch.setattr(held._socket, "flush", broken)
        assert source.poll(0) == []
        assert source.status.state == "waiting"
        assert len(got) == 1
        source.close()


def test_a_pause_that_ends_between_two_looks_at_the_clock_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_at("mqtt://127.0.0.1:1")
    source._next_attempt = 100.0
    times = iter([99.999, *[100.001] * 1000])
    monkeypatch.setattr(mqtt_module, "time", SimpleNamespace(monotonic=lambda: next(times), time=time.time))
    assert source.poll(1.0) == []


def test_pauses_grow_though_both_versions_are_tried_each_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mqtt_module, "random", SimpleNamespace(uniform=lambda _low, high: high))

    def hang_up(connection: Connection) -> None:
        connection.read_connect()

    pauses: list[float] = []
    with StandInBroker(hang_up) as broker, caplog.at_level(logging.INFO):
        source = source_at(broker.url, reconnect={"min": "1s", "max": "6s"})
        while len(pauses) < 5:
            source._next_attempt = 0.0
            poll_until(source, lambda: source._next_attempt)
            pauses.append(round(source._next_attempt - time.monotonic()))
        levels = [asked.level for asked in broker.connects]
    assert pauses == [1, 2, 4, 6, 6]
    assert levels == [wire.V5, wire.V311] * 5
    assert caplog.text.count("trying 3.1.1") == 1
    assert caplog.text.count("trying again") <= 3


def test_a_list_of_filters_that_cannot_be_kept_does_not_end_the_session() -> None:
    def full(_text: str) -> None:
        raise SpoolError("database or disk is full")

    with StandInBroker(Connection.serve_all) as broker:
        source = source_at(broker.url, remember=full)
        poll_until(source, lambda: source.status.state == "connected")
        source.close()


def test_what_was_refused_is_asked_for_again_and_taken_once_it_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_ASK_AGAIN", 0.2)

    def script(connection: Connection) -> None:
        connection.handshake(suback=0x87)
        connection.serve()  # which grants

    with StandInBroker(script) as broker:
        source = source_at(broker.url)
        poll_until(source, lambda: source.status.state == "subscription refused")
        poll_until(source, lambda: source.status.state == "connected")
        assert len(broker.connects) == 1
        source.close()


@pytest.mark.parametrize(("granted", "warns"), [(0, True), (1, False)])
def test_a_quality_of_service_below_what_was_asked_for_is_said(
    granted: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def script(connection: Connection) -> None:
        connection.handshake(suback=granted)
        connection.serve()

    with StandInBroker(script) as broker:
        source = source_at(broker.url)
        poll_until(source, lambda: source.status.state == "connected")
        source.close()
    assert ("'t/#' at QoS 0 only" in caplog.text) is warns


def test_an_answer_that_waits_behind_unread_messages_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def script(connection: Connection) -> None:
        connection.handshake()
        while connection.read().type != wire.PINGREQ:
            pass
        connection.send(wire.publish("t/1", b"first", level=wire.V5))
        answer.wait(PATIENCE)
        connection.send(wire.publish("t/1", b"then", level=wire.V5) + wire.packet(wire.PINGRESP))
        connection.serve()

    with StandInBroker(script) as broker:
        source = source_at(broker.url, keep_alive="1s")
        got: list[Any] = []
        end = time.monotonic() + PATIENCE
        while not got:
            assert time.monotonic() < end
            got += source.poll(0.05)
        blocked_until = time.monotonic() + 1.5
        while time.monotonic() < blocked_until:
            source.keep_alive()
            time.sleep(0.05)
        got += source.poll(0)
        answer.set()
        while len(got) < 2:
            assert time.monotonic() < end
            got += source.poll(0.05)
        assert len(broker.connects) == 1
        source.close()


def test_the_keep_alive_that_the_broker_sets_counts_while_nothing_is_read() -> None:
    pings: list[float] = []

    def script(connection: Connection) -> None:
        connection.read_connect()
        connection.send(b"\x20\x06\x00\x00\x03\x13\x00\x01")  # Server Keep Alive: 1 s
        while True:
            packet = connection.read()
            if packet.type == wire.PINGREQ:
                pings.append(time.monotonic())
            connection.answer(packet)

    with StandInBroker(script) as broker:
        source = source_at(broker.url, keep_alive="60s")
        poll_until(source, lambda: source.status.state == "connected")
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            source.keep_alive()
            time.sleep(0.05)
        source.close()
    assert len(pings) >= 2


def test_a_subscription_that_is_not_answered_is_tried_on_another_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_SUBACK_TIMEOUT", 0.2)

    def silent(connection: Connection) -> None:
        connection.read_connect()
        connection.send(wire.connack(connection.level))
        while True:
            connection.read()

    with StandInBroker(silent, Connection.serve_all) as broker:
        source = source_at(broker.url, reconnect={"min": "10ms"})
        poll_until(source, lambda: source.status.state == "connected")
        assert len(broker.connects) == 2
        source.close()


def test_a_filter_that_the_answer_leaves_out_counts_as_refused() -> None:
    def script(connection: Connection) -> None:
        connection.read_connect()
        connection.send(wire.connack(connection.level))
        mid, _ = wire.read_filters(connection.read().body, connection.level, options=True)
        connection.send(wire.suback(connection.level, mid, b"\x01"))
        connection.serve()

    with StandInBroker(script) as broker:
        config = MqttConfig.model_validate({"url": broker.url, "availability_topic": None})
        source = MqttSource(config, ["a/#", "b/#"], recall=lambda: None, remember=lambda _: None)
        poll_until(source, lambda: source.status.state == "subscription refused")
        assert source.status.detail == "'b/#' (no answer)"
        source.close()


def test_changed_filters_are_subscribed_to_kept_and_what_was_refused_is_asked_for_still() -> None:
    asked: list[list[str]] = []
    taken_back: list[list[str]] = []
    kept: list[str] = []

    def script(connection: Connection) -> None:
        connection.handshake(suback=0x87)  # refuses t/#
        while True:
            packet = connection.read()
            if packet.type == wire.SUBSCRIBE:
                asked.append(wire.read_filters(packet.body, connection.level, options=True)[1])
            if packet.type == wire.UNSUBSCRIBE:
                taken_back.append(wire.read_filters(packet.body, connection.level, options=False)[1])
            connection.answer(packet)

    with StandInBroker(script) as broker:
        source = source_at(broker.url, remember=kept.append)
        poll_until(source, lambda: source.status.state == "subscription refused")
        source.subscribe(["t/#", "new/1"])
        source.subscribe(["t/#", "new/2"])  # before the answer to the first
        poll_until(source, lambda: kept[-1] == '["t/#", "new/2"]')
        assert source.status.state == "connected"
        source.subscribe(["t/#"])
        poll_until(source, lambda: kept[-1] == '["t/#"]')
        assert source.status.state == "connected"
        source.close()
    assert asked == [["t/#", "new/1"], ["new/2"]]
    assert taken_back[0] == ["new/1"]


def test_filters_that_change_before_the_connection_is_there_are_those_of_the_connection() -> None:
    with StandInBroker(Connection.serve_all) as broker:
        kept: list[str] = []
        source = source_at(broker.url, remember=kept.append)
        source.poll(0.0)
        source.subscribe(["other"])
        poll_until(source, lambda: kept and kept[-1] == '["other"]')
        source.close()
