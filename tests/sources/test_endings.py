"""Why there is no connection, in words that say what to do."""

from __future__ import annotations

import ssl

import pytest

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.sources import endings
from mqttbridge.sources.endings import Losses

PLAIN = MqttConfig(url="mqtt://broker", client_id="mine")


@pytest.mark.parametrize(
    ("error", "url", "words"),
    [
        (ConnectionResetError(104, "reset"), "mqtts://b", "speak TLS? If not, mqtt.url begins with mqtt://"),
        (ssl.SSLError(1, "wrong"), "wss://b", "speak TLS? If not, mqtt.url begins with ws://"),
        (TimeoutError("timed out"), "mqtts://b", "does this port speak TLS?"),
        (ConnectionError("WebSocket handshake error"), "ws://b", "WebSocket port, and the path"),
        (ConnectionRefusedError(111, "Connection refused"), "mqtts://b", "[Errno 111] Connection refused"),
        (OSError(), "mqtt://b", "OSError"),
    ],
)
def test_what_may_be_the_wrong_port_or_scheme_is_said(error: Exception, url: str, words: str) -> None:
    assert words in endings.not_reached(error, url)


def test_a_refused_connection_is_not_blamed_on_tls() -> None:
    assert "TLS" not in endings.not_reached(ConnectionRefusedError(111, "Connection refused"), "mqtts://b")


def test_a_refused_login_says_which_keys_to_check() -> None:
    named = MqttConfig(username="bridge")
    assert endings.refused("Not authorized", named).endswith("Not authorized; check mqtt.username and mqtt.password")
    assert endings.refused("Bad user name or password", PLAIN).endswith("set mqtt.username and mqtt.password")
    assert endings.refused("Client identifier not valid", PLAIN).endswith("check mqtt.client_id")
    assert endings.refused("Server busy", PLAIN) == "the broker refused the connection: Server busy"


@pytest.mark.parametrize(
    ("reason", "by_broker", "hung_up", "answered", "words"),
    [
        ("Session taken over", True, False, True, "another client connected as 'mine'; give this one"),
        ("Server shutting down", True, False, True, "the broker closed the connection: Server shutting down"),
        ("Unspecified error", False, True, True, "the broker closed the connection and did not say why"),
        ("Unspecified error", False, False, True, "the connection was lost"),
        ("Unspecified error", False, True, False, "before our CONNECT was answered; does this port speak TLS?"),
        ("Keep alive timeout", False, False, True, "the connection was lost: Keep alive timeout"),
    ],
)
def test_how_a_connection_ended_is_said_as_far_as_it_is_known(
    reason: str, words: str, *, by_broker: bool, hung_up: bool, answered: bool
) -> None:
    said = endings.ended(reason, PLAIN, said_by_broker=by_broker, hung_up=hung_up, answered=answered)
    assert words in said
    assert "Unspecified" not in said


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "a web server and no MQTT broker"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "this port speaks TLS"),
        (b"SSH-2.0-OpenSSH", "begins with b'SSH-2.0-OpenSSH'"),
        (b"\x20\x02\x00\x00", ""),
    ],
)
def test_what_is_no_broker_is_known_by_its_first_bytes(greeting: bytes, words: str) -> None:
    assert words in endings.not_a_broker(greeting)
    assert bool(words) == bool(endings.not_a_broker(greeting))


def test_sound_connections_lost_again_and_again_look_like_another_client_of_our_name() -> None:
    losses = Losses("mine")
    assert losses.explain("lost", 2.0) == "lost"
    assert "another client connected as 'mine'" in losses.explain("lost", 2.0)


@pytest.mark.parametrize("between", [None, endings.STABLE_SECONDS + 1])
def test_a_restarted_broker_or_a_long_connection_is_no_sign_of_another_client(between: float | None) -> None:
    losses = Losses("mine")
    losses.explain("lost", 2.0)
    losses.explain("refused", between)
    assert losses.explain("lost", 2.0) == "lost"
