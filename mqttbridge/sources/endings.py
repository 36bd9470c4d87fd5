"""Why there is no connection, in words that say what to do: brokers and networks seldom do.

Pure: what is known goes in, a text for the log and `/readyz` comes out.
"""

from __future__ import annotations

import ssl
from typing import Final

from mqttbridge.config.mqtt import MqttConfig

# A connection that held this long was a good one: losing it says nothing about the one before.
STABLE_SECONDS: Final = 30.0
# One loss soon after connecting may be a broker's restart, and the attempt after that fails; two in a row are none.
_SUSPICIOUS_LOSSES: Final = 2

# paho's word for a connection that ended and nobody said why.
NO_REASON: Final = "Unspecified error"
_TAKEN_OVER: Final = "Session taken over"
_WRONG_LOGIN: Final = frozenset({"Not authorized", "Bad user name or password", "Bad authentication method"})
_WRONG_NAME: Final = "Client identifier not valid"

_SECURE: Final = ("mqtts://", "wss://")
_TLS_ALERT: Final = b"\x15\x03"
_CONNACK: Final = 0x20


def not_reached(error: Exception, url: str) -> str:
    """Why a connection could not be opened."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate was not accepted: {error.verify_message}"
    words = f"TLS failed: {getattr(error, 'reason', None) or error}" if isinstance(error, ssl.SSLError) else ""
    words = words or str(error) or type(error).__name__
    # What a broker without TLS does with our greeting: it hangs up, answers in its own way, or waits for more.
    if url.startswith(_SECURE) and isinstance(error, ssl.SSLError | ConnectionResetError | TimeoutError):
        plain = "mqtt://" if url.startswith("mqtts") else "ws://"
        return f"{words}; does this port speak TLS? If not, mqtt.url begins with {plain}"
    if url.startswith(("ws://", "wss://")) and "WebSocket" in words:
        return f"{words}; is this the broker's WebSocket port, and the path in mqtt.url the right one?"
    return words


def refused(reason: str, config: MqttConfig) -> str:
    """What the broker answered to our CONNECT."""
    words = f"the broker refused the connection: {reason}"
    if reason in _WRONG_LOGIN:
        if config.username is None:
            return f"{words}; it wants to know who we are: set mqtt.username and mqtt.password"
        return f"{words}; check mqtt.username and mqtt.password"
    if reason == _WRONG_NAME:
        return f"{words}; check mqtt.client_id"
    return words


def ended(reason: str, config: MqttConfig, *, said_by_broker: bool, hung_up: bool, answered: bool) -> str:
    """Why a connection ended that was open.

    Args:
        reason: the name of the reason code, the broker's or paho's.
        config: the `mqtt` section.
        said_by_broker: whether the reason came in a DISCONNECT packet.
        hung_up: whether the other side closed it.
        answered: whether our CONNECT had been answered.
    """
    if reason == _TAKEN_OVER:
        return f"another client connected as {config.client_id!r}; give this one an mqtt.client_id of its own"
    if said_by_broker:
        return f"the broker closed the connection: {reason}"
    if reason != NO_REASON:
        return f"the connection was lost: {reason}"
    if not answered:
        hint = "" if config.url.startswith((*_SECURE, "unix")) else "; does this port speak TLS? (mqtts://, wss://)"
        return f"the connection was closed before our CONNECT was answered{hint}"
    return "the broker closed the connection and did not say why" if hung_up else "the connection was lost"


def not_a_broker(greeting: bytes) -> str:
    """What is wrong with the first bytes that came, or nothing: an MQTT broker begins with CONNACK."""
    if greeting[0] == _CONNACK:
        return ""
    if greeting.startswith(b"HTTP/"):
        return "what answers there is a web server and no MQTT broker; check the port in mqtt.url"
    if greeting.startswith(_TLS_ALERT):
        return "this port speaks TLS: mqtt.url begins with mqtts:// or wss://"
    return f"what answers there does not speak MQTT: it begins with {greeting[:16]!r}; check the port in mqtt.url"


class Losses:
    """Notices that another client of our name throws us out, where the broker does not say so.

    Brokers that speak 3.1.1, and Mosquitto 2.0 in MQTT 5 too, close the older connection without a word. Both
    clients connect again, each throws the other out, and to either it looks as if a sound connection was lost soon
    after it was made, time and again.
    """

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._in_a_row = 0

    def explain(self, reason: str, lasted: float | None) -> str:
        """The reason, or what it looks like after what came before.

        Args:
            reason: in words.
            lasted: how many seconds a connection had held that was lost without a reason; None for any other failure.
        """
        self._in_a_row = 0 if lasted is None or lasted > STABLE_SECONDS else self._in_a_row + 1
        if self._in_a_row < _SUSPICIOUS_LOSSES:
            return reason
        return (
            f"{reason}, soon after it was made and not for the first time: is another client connected as "
            f"{self._client_id!r}? Give each an mqtt.client_id of its own"
        )
