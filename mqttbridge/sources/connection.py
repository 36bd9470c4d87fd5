"""One connection to a broker, from CONNECT to its end.

A new paho client is made for each connection and thrown away with it, so nothing of an old connection (packet ids,
half-sent packets, pending acknowledgements) can reach a new one: an acknowledgement cannot outlive its connection.

paho handles CONNECT, TLS, WebSocket, SUBSCRIBE, keep-alive and MQTT 5; PUBLISH packets are cut out before it
(framesocket.py). Where paho lacks the one private method this needs, messages come by its `on_message` instead,
about thirty times slower and with a warning.
"""

from __future__ import annotations

import logging
import select
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqttbridge.config.mqtt import MqttConfig, RetainedPolicy
from mqttbridge.errors import ProtocolViolation
from mqttbridge.events import PayloadWithProperties
from mqttbridge.sources import endings
from mqttbridge.sources.frames import RETAINED, Publish, PublishReader
from mqttbridge.sources.framesocket import FrameSocket
from mqttbridge.sources.outbox import Outbox, Publication

log = logging.getLogger(__name__)

# Name look-up aside, a broker that takes longer to answer than this is treated as away; short enough that a
# stop signal during an attempt still ends the bridge within 5 s.
CONNECT_TIMEOUT: Final = 4.0
_DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443, "unix": 1}
# A SUBSCRIBE of this many filters stays small enough for any broker.
_FILTERS_A_PACKET: Final = 100
# How long paho's clock rests after a time without reading: its PINGRESP may still be behind what was not read.
_CATCH_UP: Final = 5.0
# Generous, since a resumed session's messages may come first; while they do, it is waited on.
_SUBACK_TIMEOUT: Final = 60.0
# Access rules are mended, and come into force, while we are connected: what was refused is asked for again.
_ASK_AGAIN: Final = 60.0
# Retain Handling of MQTT 5: whether the broker sends retained messages again when we subscribe again.
_RETAIN_HANDLING: Final = {
    RetainedPolicy.CHANGED: SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE,
    RetainedPolicy.ACCEPT: SubscribeOptions.RETAIN_SEND_IF_NEW_SUB,
    RetainedPolicy.IGNORE: SubscribeOptions.RETAIN_DO_NOT_SEND,
}
_ONLINE, _OFFLINE = b"online", b"offline"


@dataclass(slots=True)
class Progress:
    """What is known of a connection so far, written by paho's callbacks, which do nothing else."""

    connected: bool = False
    session_present: bool = False
    unsupported_protocol: bool = False
    ended: str = ""
    said_why: bool = False
    """Whether `ended` is a reason that is known, not just that it did."""
    waiting: dict[int, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    subscribed: bool = False


class Connection:
    """Opens the connection when made.

    Args:
        config: the `mqtt` section.
        protocol: MQTTProtocolVersion.MQTTv5 or MQTTProtocolVersion.MQTTv311.
        tls: how to check the broker, for mqtts and wss.
        filters: what to subscribe to.
        stale: filters of the session before that are no longer wanted.
        properties: whether payloads come with their MQTT 5 properties.

    Raises:
        OSError, ValueError: the broker cannot be reached; TLS and WebSocket errors are among them.
    """

    def __init__(
        self,
        config: MqttConfig,
        protocol: MQTTProtocolVersion,
        tls: ssl.SSLContext | None,
        filters: Sequence[str],
        stale: Sequence[str],
        *,
        properties: bool = False,
    ) -> None:
        self._config, self.filters, self._stale = config, filters, stale
        self.protocol = protocol
        self.progress = Progress()
        mqtt5 = protocol == MQTTProtocolVersion.MQTTv5
        self._properties = properties and mqtt5
        self._frames = PublishReader(mqtt5=mqtt5, max_payload=config.max_payload, properties=self._properties)
        self._socket: FrameSocket | None = None
        self._slow: list[tuple[Publish, int, int]] = []
        self._to_acknowledge: list[tuple[int, int]] = []
        self._published: dict[int, Publication] = {}
        self._client = self._make_client(tls)
        self._opened = time.monotonic()
        self._busy = False
        self._asked = self._rests_until = 0.0
        url = urlsplit(config.url)
        host = url.path if url.scheme == "unix" else url.hostname or ""
        connect = None
        if mqtt5:
            connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            connect.SessionExpiryInterval = min(int(config.session_expiry), 0xFFFFFFFF)
            connect.ReceiveMaximum = config.receive_maximum
        self._connect(
            host,
            url.port or _DEFAULT_PORTS[url.scheme],
            keepalive=max(1, int(config.keep_alive)),
            clean_start=False
            if protocol == MQTTProtocolVersion.MQTTv5
            else 3,  # 3 is paho's "not said", the only value 3.1.1 takes
            properties=connect,
        )

    def _connect(
        self, host: str, port: int, *, keepalive: int, clean_start: Any, properties: Properties | None
    ) -> None:
        try:
            self._client.connect(host, port, keepalive=keepalive, clean_start=clean_start, properties=properties)
        except (OSError, ValueError):
            raise
        except Exception as error:
            # As in `_paho_reads`: a WebSocket's greeting is parsed by paho, too.
            log.debug("paho could not read the answer", exc_info=True)
            raise ConnectionError(f"malformed answer ({error!r})") from error

    @property
    def met_no_broker(self) -> bool:
        """Whether what answered does not speak MQTT at all."""
        return self._socket is not None and self._socket.met_no_broker

    # --- the life of the connection ------------------------------------------------------------------------

    def poll(self, timeout: float, wake: int) -> list[Publish]:
        """Wait until something can be done, do it, and return the messages that arrived.

        Args:
            timeout: seconds to wait at most.
            wake: a file descriptor that becomes readable to end the wait.
        """
        try:
            messages = self._poll(timeout, wake)
        except (OSError, ProtocolViolation) as error:
            self.progress.said_why |= isinstance(error, ProtocolViolation)
            self.progress.ended = self.progress.ended or str(error) or type(error).__name__
            messages = self._frames.publishes
        if not self.progress.connected and time.monotonic() - self._opened > 2 * CONNECT_TIMEOUT:
            self.progress.ended = self.progress.ended or "nobody answered our CONNECT; check the port in mqtt.url"
        if self.progress.waiting and not messages and time.monotonic() - self._asked > _SUBACK_TIMEOUT:
            self.progress.ended = self.progress.ended or "the broker did not answer our SUBSCRIBE"
        return messages

    def acknowledge(self) -> None:
        """Acknowledge every message that `poll` has returned so far, in arrival order."""
        try:
            if self._socket is not None and self._frames.acknowledgements:
                self._socket.send(b"".join(self._frames.acknowledgements))
                self._frames.acknowledgements.clear()
            for packet_id, qos in self._to_acknowledge:
                self._client.ack(packet_id, qos)
            self._to_acknowledge.clear()
        except OSError as error:
            self.progress.ended = self.progress.ended or str(error) or type(error).__name__

    def publish(self, outbox: Outbox) -> None:
        """Publish what waits there, once the broker has let us in; each learns what became of it."""
        if not self.progress.connected:
            return
        for one in outbox.take():
            try:
                sent = self._client.publish(one.topic, one.payload, one.qos, one.retain)
            except (OSError, ValueError) as error:  # the connection broke, or it is no topic
                one.fail(str(error) or type(error).__name__)
                continue
            if one.qos == 0:
                one.succeed()
            elif sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._published[sent.mid] = one
            else:
                one.fail(error_string(sent.rc))

    def keep_alive(self) -> None:
        """Stay connected while nothing is read: the broker hears a PINGREQ, paho's own clock is left alone.

        paho would take the missing answer, which waits behind unread messages, for a dead connection.
        """
        if self._socket is None or not self.progress.connected:
            return
        self._rests_until = time.monotonic() + _CATCH_UP
        try:
            self._socket.flush()
            if time.monotonic() - self._socket.last_sent > self._client.keepalive / 2:  # the broker may have set it
                self._socket.send(b"\xc0\x00")
        except OSError as error:
            self.progress.ended = self.progress.ended or str(error) or type(error).__name__

    def close(self) -> None:
        """Say goodbye: publish `offline` and disconnect. What is not acknowledged is delivered again later."""
        topic = availability_topic(self._config)
        try:
            if self.progress.connected and not self.progress.ended:
                if topic:
                    self._client.publish(topic, _OFFLINE, qos=0, retain=True)
                self._client.disconnect()
                if self._socket is not None:
                    self._socket.flush()
        except (OSError, ValueError) as error:
            log.debug("closing the connection: %s", error)
        finally:
            if self._socket is not None:
                self._socket.close()
            for one in self._published.values():
                one.fail("the connection ended before the broker confirmed it")
            self._published.clear()

    # --- one turn ------------------------------------------------------------------------------------------

    def _poll(self, timeout: float, wake: int) -> list[Publish]:
        client, frame_socket = self._client, self._socket
        sock: Any = client.socket()
        if sock is None:
            self.progress.ended = self.progress.ended or "the connection was closed"
            return []
        waiter = select.poll()
        waiter.register(wake, select.POLLIN)
        self._frames.publishes = []  # before anything can fail: these were returned already
        wants_write = client.want_write() or (frame_socket is not None and frame_socket.wants_write)
        waiter.register(sock.fileno(), select.POLLIN | (select.POLLOUT if wants_write else 0))
        ready = dict(waiter.poll(0 if self._busy else timeout * 1000))
        if wants_write:
            if frame_socket is not None:
                frame_socket.flush()
            client.loop_write()
        if self._busy or ready.get(sock.fileno(), 0) & ~select.POLLOUT:
            self._busy = self._read(client)
        else:
            self._busy = False
        if self._busy:
            self.keep_alive()
        elif client.socket() is not None and time.monotonic() > self._rests_until:
            client.loop_misc()
            if self.progress.subscribed and self.progress.refused and time.monotonic() > self._asked + _ASK_AGAIN:
                self._subscribe(client, list(self.progress.refused))
        if self._slow:
            self._frames.publishes += [message for message, _, _ in self._slow]
            self._to_acknowledge += [(packet_id, qos) for _, packet_id, qos in self._slow if qos]
            self._slow.clear()
        return self._frames.publishes

    def _read(self, client: Client) -> bool:
        """Read once. Returns whether there is more at once."""
        if self._socket is None:
            self._paho_reads()
            pending = getattr(client.socket(), "pending", None)
            return bool(pending and pending())
        try:
            return self._socket.fill()
        finally:  # also when what follows is not MQTT: a DISCONNECT before it says why
            while self._socket.has_packets and client.socket() is not None and not self.met_no_broker:
                self._paho_reads()

    def _paho_reads(self) -> None:
        try:
            self._client.loop_read()
        except (OSError, ProtocolViolation):
            raise
        except Exception as error:
            # paho parses packets as if brokers made no mistakes; which exception comes of one is chance.
            log.debug("paho could not read a packet", exc_info=True)
            raise ProtocolViolation(f"malformed packet from the broker ({error!r})") from error

    # --- paho ----------------------------------------------------------------------------------------------

    def _make_client(self, tls: ssl.SSLContext | None) -> Client:
        url = urlsplit(self._config.url)
        arguments: dict[str, Any] = {
            "client_id": self._config.client_id,
            "protocol": self.protocol,
            "transport": {"ws": "websockets", "wss": "websockets", "unix": "unix"}.get(url.scheme, "tcp"),
            "reconnect_on_failure": False,
            "manual_ack": True,
        }
        if self.protocol == MQTTProtocolVersion.MQTTv311:
            # MQTT 3.1.1 knows no expiry: a session is kept for ever, or not at all.
            arguments["clean_session"] = self._config.session_expiry == 0
        client = make_paho_client(self._wrap, arguments)
        client.connect_timeout = CONNECT_TIMEOUT
        if url.scheme in {"ws", "wss"}:
            client.ws_set_options(path=url.path or "/mqtt")
        if tls is not None:
            client.tls_set_context(tls)
        if self._config.username is not None:
            password = self._config.password
            client.username_pw_set(self._config.username, password.get_secret_value() if password else None)
        topic = availability_topic(self._config)
        if topic:
            client.will_set(topic, _OFFLINE, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _wrap(self, sock: Any) -> FrameSocket:
        self._socket = FrameSocket(sock, self._frames)
        return self._socket

    def _on_connect(self, client: Client, _userdata: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.progress.unsupported_protocol = reason.getName() == "Unsupported protocol version"
            self.progress.said_why = True
            self.progress.ended = endings.refused(reason.getName(), self._config)
            return
        self.progress.connected = True
        self.progress.session_present = flags.session_present
        if flags.session_present and self._stale:
            client.unsubscribe(list(self._stale))
        self._subscribe(client, self.filters)

    def change(self, filters: Sequence[str]) -> None:
        """Subscribe to what is new among these, and unsubscribe from what is not; only once `progress.subscribed`."""
        before, self.filters = self.filters, filters
        now, then, refused = set(filters), set(before), self.progress.refused
        unwanted = [each for each in before if each not in now]
        wanted = [each for each in filters if each not in then or each in refused]
        try:
            for start in range(0, len(unwanted), _FILTERS_A_PACKET):
                self._client.unsubscribe(unwanted[start : start + _FILTERS_A_PACKET])
            self.progress.refused = {}
            if wanted:
                self._subscribe(self._client, wanted)
        except (OSError, ValueError) as error:
            self.progress.ended = self.progress.ended or str(error)

    def _subscribe(self, client: Client, filters: Sequence[str]) -> None:
        self._asked = time.monotonic()
        self.progress.subscribed, self.progress.refused = False, {}
        for start in range(0, len(filters), _FILTERS_A_PACKET):
            some = list(filters[start : start + _FILTERS_A_PACKET])
            _, packet_id = client.subscribe([(topic_filter, self._subscription()) for topic_filter in some])
            self.progress.waiting[packet_id or 0] = some

    def _subscription(self) -> Any:
        if self.protocol != MQTTProtocolVersion.MQTTv5:
            return self._config.qos
        return SubscribeOptions(qos=self._config.qos, retainHandling=_RETAIN_HANDLING[self._config.retained])

    def _on_subscribe(self, client: Client, _userdata: Any, packet_id: int, reasons: Any, _properties: Any) -> None:
        asked = self.progress.waiting.pop(packet_id, [])
        self.progress.refused |= dict.fromkeys(asked[len(reasons) :], "no answer")
        for topic_filter, reason in zip(asked, reasons, strict=False):
            if reason.value < self._config.qos:
                log.warning(
                    "the broker grants %r at QoS %d only: what is published while we are away is lost",
                    topic_filter, reason.value,
                )  # fmt: skip
            elif reason.is_failure:
                self.progress.refused[topic_filter] = reason.getName()
        if not self.progress.waiting:
            self.progress.subscribed = True
            topic = availability_topic(self._config)
            if topic:
                client.publish(topic, _ONLINE, qos=1, retain=True)

    def _on_disconnect(self, _client: Client, _userdata: Any, flags: Any, reason: Any, _properties: Any) -> None:
        name = reason.getName()
        self.progress.said_why |= name != endings.NO_REASON
        self.progress.ended = self.progress.ended or endings.ended(
            name,
            self._config,
            said_by_broker=flags.is_disconnect_packet_from_server,
            hung_up=self._socket is not None and self._socket.closed_by_peer,
            answered=self.progress.connected,
        )

    def _on_publish(self, _client: Client, _userdata: Any, packet_id: int, reason: Any, _properties: Any) -> None:
        if (one := self._published.pop(packet_id, None)) is not None:
            if reason.is_failure:
                one.fail(f"the broker refused it: {reason.getName()}")
            else:
                one.succeed()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        """Only without the fast path, or for a QoS 2 message that a broker sends though we never asked for one."""
        first = 0x30 | message.qos << 1 | (RETAINED if message.retain else 0)
        try:
            topic = message.topic.encode()
        except UnicodeDecodeError as error:
            topic = error.object
        payload = bytes(message.payload)
        if self._properties and message.properties is not None:
            packed = message.properties.pack()  # type: ignore[no-untyped-call]
            payload = PayloadWithProperties.of(payload, packed[_length_of_length(packed) :])
        self._slow.append(((topic, payload, first), message.mid, message.qos))


def _length_of_length(packed: bytes) -> int:
    """How many bytes the variable byte integer takes that stands first."""
    return next(index for index, byte in enumerate(packed) if not byte & 0x80) + 1


def availability_topic(config: MqttConfig) -> str | None:
    """The topic on which the bridge says whether it is there, or None."""
    return config.availability_topic and config.availability_topic.replace("{client_id}", config.client_id)


def has_fast_surface() -> bool:
    """Whether this paho-mqtt has the one private method that the fast reader hangs on."""
    return callable(getattr(Client, "_create_socket", None))


def make_paho_client(wrap: Callable[[Any], Any], arguments: dict[str, Any]) -> Client:
    """A paho client whose socket is wrapped as soon as it is connected, or a plain one with a warning."""
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
