"""What the log and the status say of connections that fail, beside real brokers and stand-ins."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.sources.mqtt import MqttSource
from tests.support import mqtt_wire as wire
from tests.support.configs import QUICK
from tests.support.mosquitto import Mosquitto
from tests.support.stand_in_broker import Connection, StandInBroker

pytestmark = pytest.mark.broker


@pytest.fixture
def source_at(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., MqttSource]]:
    caplog.set_level(logging.INFO)
    made: list[MqttSource] = []

    def make(url: str, client_id: str = "mine", **options: Any) -> MqttSource:
        config = MqttConfig(url=url, client_id=client_id, availability_topic=None, reconnect=QUICK, **options)
        made.append(MqttSource(config, ["t/#"], recall=lambda: None, remember=lambda _: None))
        return made[-1]

    yield make
    for source in made:
        source.close()


def poll(condition: Callable[[], Any], *sources: MqttSource) -> None:
    """Let the sources work until it holds."""
    end = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end, [source.status for source in sources]
        for source in sources:
            source.poll(0.02)


def connected(source: MqttSource) -> bool:
    return source.status.state == "connected"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_two_bridges_of_one_client_id_are_told_so(
    protocol: str, tmp_path: Path, source_at: Callable[..., MqttSource], caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        one, other = (source_at(broker.url(), "same", protocol=protocol) for _ in range(2))
        poll(lambda: "is another client connected as 'same'?" in caplog.text, one, other)
    assert "Unspecified error" not in caplog.text


def test_a_broker_that_says_the_session_was_taken_over_is_believed_at_once(
    source_at: Callable[..., MqttSource],
) -> None:
    def throws_out(connection: Connection) -> None:
        connection.handshake()
        connection.send(b"\xe0\x02\x8e\x00")
        connection.serve()

    with StandInBroker(throws_out) as broker:
        source = source_at(broker.url)
        poll(lambda: source.status.state == "waiting", source)
        assert source.status.detail.startswith("another client connected as 'mine'")


def test_a_broker_that_stops_is_not_taken_for_another_client(
    tmp_path: Path, source_at: Callable[..., MqttSource], caplog: pytest.LogCaptureFixture
) -> None:
    broker = Mosquitto(tmp_path / "broker")
    with broker:
        source = source_at(broker.url())
        poll(lambda: connected(source), source)
    poll(lambda: "Connection refused" in source.status.detail, source)
    with broker:
        poll(lambda: connected(source), source)
    poll(lambda: "Connection refused" in source.status.detail, source)
    assert "the broker closed the connection and did not say why" in caplog.text
    assert "another client" not in caplog.text
    assert "Unspecified error" not in caplog.text


def test_a_wrong_password_says_which_keys_to_check(tmp_path: Path, source_at: Callable[..., MqttSource]) -> None:
    with Mosquitto(tmp_path / "broker", users={"bridge": "right"}) as broker:
        source = source_at(broker.url(), username="bridge", password="wrong")
        poll(lambda: "check mqtt.username and mqtt.password" in source.status.detail, source)


def test_a_web_server_is_recognised_and_not_asked_for_an_older_mqtt(
    source_at: Callable[..., MqttSource], caplog: pytest.LogCaptureFixture
) -> None:
    def answers(connection: Connection) -> None:
        connection.read_connect()
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with StandInBroker(answers) as broker:
        source = source_at(broker.url)
        poll(lambda: source.status.state == "waiting", source)
    assert "a web server and no MQTT broker" in source.status.detail
    assert "trying 3.1.1" not in caplog.text


def test_that_an_older_mqtt_is_tried_is_said_once(
    source_at: Callable[..., MqttSource], caplog: pytest.LogCaptureFixture
) -> None:
    def hangs_up(connection: Connection) -> None:
        connection.read_connect()

    with StandInBroker(hangs_up) as broker:
        source = source_at(broker.url)
        poll(lambda: len(broker.connects) >= 6, source)
    assert caplog.text.count("trying 3.1.1") == 1


MALFORMED = [
    pytest.param(b"\x90\x00", id="SUBACK of nothing"),
    pytest.param(b"\x90\x03\x00\x01\x7f", id="SUBACK without properties"),
    pytest.param(b"\x90\x04\x00\x01\x00\x77", id="SUBACK with a code that is none"),
    pytest.param(b"\x90\x06\x00\x01\x03\x7e\x00\x00", id="SUBACK with an unknown property"),
    pytest.param(b"\xe0\x02\x42\x00", id="DISCONNECT with a code that is none"),
    pytest.param(b"\xe0\x03\x8e\x7f\x00", id="DISCONNECT with cut properties"),
    pytest.param(b"\x40\x01\x00", id="PUBACK of one byte"),
    pytest.param(b"\x40\x04\x00\x01\x77\x00", id="PUBACK with a code that is none"),
    pytest.param(b"\xb0\x00", id="UNSUBACK of nothing"),
    pytest.param(b"\x62\x01\x00", id="PUBREL of one byte"),
    pytest.param(b"\xd0\x01\x00", id="PINGRESP with a body"),
    pytest.param(b"\x20\x00", id="a second CONNACK, of nothing"),
]


@pytest.mark.parametrize("bad", MALFORMED)
def test_a_malformed_packet_ends_the_connection_with_a_reason_and_not_the_thread(
    bad: bytes, source_at: Callable[..., MqttSource]
) -> None:
    def sends(connection: Connection) -> None:
        connection.handshake()
        connection.send(bad + wire.packet(wire.DISCONNECT, b"\x8b\x00"))
        connection.serve()

    with StandInBroker(sends, Connection.serve_all) as broker:
        source = source_at(broker.url)
        poll(lambda: source.status.state == "waiting", source)
        assert source.status.detail
        poll(lambda: connected(source), source)


@pytest.mark.parametrize(
    "connack", [b"\x20\x00", b"\x20\x01\x00", b"\x20\x03\x00\x42\x00", b"\x20\x04\x00\x00\x7f\x00"]
)
def test_a_malformed_connack_ends_the_attempt_with_a_reason(
    connack: bytes, source_at: Callable[..., MqttSource]
) -> None:
    def answers(connection: Connection) -> None:
        connection.read_connect()
        connection.send(connack)

    with StandInBroker(answers) as broker:
        source = source_at(broker.url)
        poll(lambda: len(broker.connects) >= 3, source)
        assert source.status.detail
