"""A paho client as the configuration wants it, whose socket we wrap: for one connection, and thrown away with it."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mqttbridge.config.mqtt import MqttConfig

log = logging.getLogger(__name__)

# Name look-up aside, a broker that takes longer to answer than this is treated as away; short enough that a
# stop signal during an attempt still ends the bridge within 5 s.
CONNECT_TIMEOUT: Final = 4.0
OFFLINE: Final = b"offline"
_DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443, "unix": 1}
_TRANSPORTS: Final = {"ws": "websockets", "wss": "websockets", "unix": "unix"}


def make_client(
    config: MqttConfig, protocol: MQTTProtocolVersion, tls: ssl.SSLContext | None, wrap: Callable[[Any], Any]
) -> Client:
    """A client that is not connected yet.

    Args:
        config: the `mqtt` section.
        protocol: MQTTProtocolVersion.MQTTv5 or MQTTProtocolVersion.MQTTv311.
        tls: how to check the broker, for mqtts and wss.
        wrap: makes the socket that paho is to use of the one it opened.
    """
    url = urlsplit(config.url)
    arguments: dict[str, Any] = {
        "client_id": config.client_id,
        "protocol": protocol,
        "transport": _TRANSPORTS.get(url.scheme, "tcp"),
        "reconnect_on_failure": False,
        "manual_ack": True,
    }
    if protocol == MQTTProtocolVersion.MQTTv311:
        # MQTT 3.1.1 knows no expiry: a session is kept for ever, or not at all.
        arguments["clean_session"] = config.session_expiry == 0
    client = _with_wrapped_socket(wrap, arguments)
    client.connect_timeout = CONNECT_TIMEOUT
    if url.scheme in {"ws", "wss"}:
        client.ws_set_options(path=url.path or "/mqtt")
    if tls is not None:
        client.tls_set_context(tls)
    if config.username is not None:
        client.username_pw_set(config.username, config.password.get_secret_value() if config.password else None)
    if config.own_topic:
        client.will_set(config.own_topic, OFFLINE, qos=1, retain=True)
    return client


def connect(client: Client, config: MqttConfig) -> None:
    """Open the connection and send CONNECT.

    Raises:
        OSError, ValueError: the broker cannot be reached; TLS and WebSocket errors are among them.
    """
    url = urlsplit(config.url)
    properties = None
    clean_start: Any = 3  # paho's "not said", the only value 3.1.1 takes
    if client.protocol == MQTTProtocolVersion.MQTTv5:
        clean_start = False
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = min(int(config.session_expiry), 0xFFFFFFFF)
        properties.ReceiveMaximum = config.receive_maximum
    try:
        client.connect(
            url.path if url.scheme == "unix" else url.hostname or "",
            url.port or _DEFAULT_PORTS[url.scheme],
            keepalive=max(1, int(config.keep_alive)),
            clean_start=clean_start,
            properties=properties,
        )
    except (OSError, ValueError):
        raise
    except Exception as error:
        # A WebSocket's greeting is parsed by paho, as if servers made no mistakes.
        log.debug("paho could not read the answer", exc_info=True)
        raise ConnectionError(f"malformed answer ({error!r})") from error


def has_fast_surface() -> bool:
    """Whether this paho-mqtt has the one private method that the fast reader hangs on."""
    return callable(getattr(Client, "_create_socket", None))


def _with_wrapped_socket(wrap: Callable[[Any], Any], arguments: dict[str, Any]) -> Client:
    """A client whose socket is wrapped as soon as it is connected, or a plain one with a warning."""
    if not has_fast_surface():
        log.warning(
            "this paho-mqtt does not offer what the fast reader needs; messages are read about thirty times slower. "
            "Install the version named in constraints.txt"
        )
        return Client(CallbackAPIVersion.VERSION2, **arguments)

    class FramedClient(Client):
        def _create_socket(self) -> Any:
            return wrap(super()._create_socket())

    return FramedClient(CallbackAPIVersion.VERSION2, **arguments)
