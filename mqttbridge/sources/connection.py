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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage, error_string
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.errors import ProtocolViolation
from mqttbridge.events import PayloadWithProperties
from mqttbridge.sources import endings
from mqttbridge.sources.frames import RETAINED, Publish, PublishReader
from mqttbridge.sources.framesocket import FrameSocket
from mqttbridge.sources.outbox import Outbox, Publication
from mqttbridge.sources.paho_client import CONNECT_TIMEOUT, OFFLINE, connect, make_client
from mqttbridge.sources.subscriptions import Subscriptions

log = logging.getLogger(__name__)

# How long paho's clock rests after a time without reading: its PINGRESP may still be behind what was not read.
_CATCH_UP: Final = 5.0
_ONLINE: Final = b"online"


@dataclass(slots=True)
class Progress:
    """What is known of a connection so far, written by paho's callbacks, which do nothing else."""

    connected: bool = False
    session_present: bool = False
    unsupported_protocol: bool = False
    ended: str = ""
    said_why: bool = False
    """Whether `ended` is a reason that is known, not just that it did."""


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
        self._config, self.protocol = config, protocol
        self.subscriptions = Subscriptions(config, protocol, filters, stale)
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
        self._rests_until = 0.0
        connect(self._client, config)

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
        if not messages and self.subscriptions.overdue():
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

    def subscribe(self, filters: Sequence[str]) -> None:
        """Have these filters and no other; only once `subscriptions.complete`."""
        try:
            self.subscriptions.change(self._client, filters)
        except (OSError, ValueError) as error:
            self.progress.ended = self.progress.ended or str(error)

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
        topic = self._config.own_topic
        try:
            if self.progress.connected and not self.progress.ended:
                if topic:
                    self._client.publish(topic, OFFLINE, qos=0, retain=True)
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
            self.subscriptions.ask_again(client)
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
        client = make_client(self._config, self.protocol, tls, self._wrap)
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
        self.subscriptions.begin(client, session_present=flags.session_present)

    def _on_subscribe(self, client: Client, _userdata: Any, packet_id: int, reasons: Any, _properties: Any) -> None:
        self.subscriptions.answered(packet_id, reasons)
        topic = self._config.own_topic
        if self.subscriptions.complete and topic:
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
