"""What is used of paho's private surface is there, and without it messages still come."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt import publish
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.sources import paho_client
from mqttbridge.sources.mqtt import MqttSource
from tests.support.mosquitto import Mosquitto


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def source_for(broker: Mosquitto, client_id: str, **options: Any) -> MqttSource:
    config = MqttConfig(url=broker.url(), client_id=client_id, availability_topic=None, **options)
    return MqttSource(config, ["t/#"], recall=lambda: None, remember=lambda _: None)


def poll_until(source: MqttSource, condition: Any, seconds: float = 10.0, *, acknowledge: bool = False) -> list[Any]:
    got: list[Any] = []
    end = time.monotonic() + seconds
    while not condition(got):
        assert time.monotonic() < end, f"not in {seconds} s: {source.status}, got {got}"
        got += source.poll(0.1)
        if acknowledge:
            source.acknowledge()
    return got


def connect(source: MqttSource) -> None:
    poll_until(source, lambda _: source.status.state == "connected")


def test_paho_still_offers_the_one_private_method_that_is_overridden() -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    assert callable(client._create_socket)


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_paho_uses_the_wrapped_socket_as_its_own(broker: Mosquitto, protocol: str) -> None:
    source = source_for(broker, f"wrapped-{protocol}", protocol=protocol)
    connect(source)
    held = source._connection
    assert held is not None
    assert held._client.socket() is held._socket
    source.close()


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_without_the_private_method_messages_come_all_the_same_with_a_warning(
    broker: Mosquitto, protocol: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(paho_client, "has_fast_surface", lambda: False)
    source = source_for(broker, f"slow-{protocol}", protocol=protocol)
    with caplog.at_level(logging.WARNING):
        connect(source)
    assert "read about thirty times slower" in caplog.text
    for number in range(50):
        publish.single("t/1", str(number), qos=1, hostname="127.0.0.1", port=broker.port())
    got = poll_until(source, lambda got: len(got) >= 50, acknowledge=True)  # 3.1.1 sends 20 ahead
    assert [payload for _, payload, _ in got] == [str(number).encode() for number in range(50)]
    source.close()
    # All were acknowledged, so the session has nothing left to deliver.
    again = source_for(broker, f"slow-{protocol}", protocol=protocol)
    connect(again)
    assert again.poll(0.3) == []
    again.close()


@pytest.mark.broker
def test_what_was_not_acknowledged_comes_again_on_the_next_connection(broker: Mosquitto) -> None:
    source = source_for(broker, "again")
    connect(source)
    publish.single("t/1", "precious", qos=1, hostname="127.0.0.1", port=broker.port())
    first = poll_until(source, lambda got: got)
    source.close()
    again = source_for(broker, "again")
    second = poll_until(again, lambda got: got)
    assert first[0][:2] == second[0][:2] == (b"t/1", b"precious")
    again.acknowledge()
    again.close()


@pytest.mark.broker
def test_a_connection_that_does_not_read_stays_alive_beyond_its_keep_alive(broker: Mosquitto) -> None:
    source = source_for(broker, "blocked", keep_alive="1s")
    connect(source)
    end = time.monotonic() + 3.0  # the broker hangs up after 1.5 times the keep-alive
    while time.monotonic() < end:
        source.keep_alive()
        time.sleep(0.1)
    publish.single("t/1", "still here", qos=1, hostname="127.0.0.1", port=broker.port())
    got = poll_until(source, lambda got: got)
    assert got[0][1] == b"still here"
    assert source.status.state == "connected"
    source.close()
