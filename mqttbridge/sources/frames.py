"""Cutting PUBLISH packets out of a byte stream, many at a time: the hot part of the way in.

Pure: bytes in, messages out. paho-mqtt reads a packet's header byte by byte and handles one packet a turn of its
loop; here a read of up to 256 KiB is cut in one go, and every packet that is not a PUBLISH at QoS 0 or 1 is
handed on untouched, for paho to handle. docs/performance.md has the figures of both.

MQTT 3.1.1 and 5 differ here in one thing: an MQTT 5 PUBLISH has properties between packet id and payload. We never
announce a Topic Alias Maximum, so no topic is ever an alias. The properties are passed over unless a rule asks for
them; then they travel with the payload as they are, for the rule to read.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from mqttbridge.errors import ProtocolViolation
from mqttbridge.events import PayloadWithProperties

Publish: TypeAlias = tuple[bytes, bytes, int]
"""Topic, payload and the packet's first byte, with `OVERSIZED` added where the payload was cut."""

RETAINED: Final = 0x01
OVERSIZED: Final = 0x100

_PUBLISH: Final = 0x30
_QOS: Final = 0x06
# What is kept of a payload over the limit, enough to recognize it among the rejected.
KEEP_OF_OVERSIZED: Final = 1024
# Fixed header, topic length and topic, packet id, property length: the most that stands before a payload but
# for the properties themselves.
_HEADER_MAX: Final = 5 + 2 + 65535 + 2 + 4


class PublishReader:
    """Cuts one connection's inbound bytes.

    Attributes:
        publishes: messages cut since the caller last took them, in arrival order.
        acknowledgements: PUBACK packets for those at QoS 1, in the same order; send after they are durable.
        others: all other packets, byte for byte, for paho.
    """

    def __init__(self, *, mqtt5: bool, max_payload: int, properties: bool = False) -> None:
        self.publishes: list[Publish] = []
        self.acknowledgements: list[bytes] = []
        self.others = bytearray()
        self._mqtt5 = mqtt5
        self._max_payload = max_payload
        self._properties = properties
        self._tail = b""
        self._skip = 0
        self._skipped: tuple[Publish, bytes | None] | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes as they came from the socket.

        Raises:
            ProtocolViolation: they are not MQTT; what was cut before stays valid.
        """
        if self._skip:
            data = self._skip_payload(data)
        if self._tail:
            data = self._tail + data
        publish, acknowledge = self.publishes.append, self.acknowledgements.append
        mqtt5, max_payload, with_properties = self._mqtt5, self._max_payload, self._properties
        position, end, properties = 0, len(data), b""
        while end - position >= 2:
            first = data[position]
            length = data[position + 1]
            body = position + 2
            if length & 0x80:
                length, body = _remaining_length(data, position + 1, end)
                if not body:
                    break  # the length itself is not here yet
            stop = body + length
            qos = first & _QOS
            if first & 0xF0 != _PUBLISH or qos > 2:
                if length > max_payload + _HEADER_MAX:
                    raise ProtocolViolation(f"a control packet of {length} bytes, which no broker has reason to send")
                if stop > end:
                    break
                self.others += data[position:stop]
                position = stop
                continue
            if stop > end:
                if length > max_payload + _HEADER_MAX and self._begin_skip(data, position, body, stop):
                    position = end
                break
            try:
                payload = body + 2 + (data[body] << 8 | data[body + 1])
                topic = data[body + 2 : payload]
                if qos:
                    acknowledgement = b"\x40\x02" + data[payload : payload + 2]
                    payload += 2
                if mqtt5:
                    if data[payload]:
                        begin, payload = _properties(data, payload)
                        properties = data[begin:payload] if with_properties else b""
                    else:
                        payload += 1
                        properties = b""
            except IndexError:
                raise _too_short(length) from None
            if payload > stop:
                raise _too_short(length)
            if stop - payload > max_payload:
                publish((topic, data[payload : payload + KEEP_OF_OVERSIZED], first | OVERSIZED))
            elif properties:
                publish((topic, PayloadWithProperties.of(data[payload:stop], properties), first))
            else:
                publish((topic, data[payload:stop], first))
            if qos:
                acknowledge(acknowledgement)
            position = stop
        self._tail = data[position:]

    def _begin_skip(self, data: bytes, position: int, body: int, stop: int) -> bool:
        """Start to pass over a payload beyond the limit, once its headers and a little of it are here."""
        if len(data) - position < _HEADER_MAX + KEEP_OF_OVERSIZED:
            return False
        first = data[position]
        payload = body + 2 + (data[body] << 8 | data[body + 1])
        topic = data[body + 2 : payload]
        acknowledgement = None
        if first & _QOS:
            acknowledgement = b"\x40\x02" + data[payload : payload + 2]
            payload += 2
        kept = data[payload : payload + KEEP_OF_OVERSIZED]
        self._skipped = ((topic, kept, first | OVERSIZED), acknowledgement)
        self._skip = stop - len(data)
        return True

    def _skip_payload(self, data: bytes) -> bytes:
        """Pass over more of it; at its end the message counts as arrived and may be acknowledged."""
        passed = min(self._skip, len(data))
        self._skip -= passed
        if not self._skip and self._skipped is not None:
            message, acknowledgement = self._skipped
            self.publishes.append(message)
            if acknowledgement is not None:
                self.acknowledgements.append(acknowledgement)
            self._skipped = None
        return data[passed:]


def _remaining_length(data: bytes, position: int, end: int) -> tuple[int, int]:
    """The variable byte integer at `position` and where it ends; (0, 0) when it is not complete yet."""
    value = 0
    for index in range(4):
        if position + index >= end:
            return 0, 0
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, position + index + 1
    raise ProtocolViolation("malformed packet: its remaining length takes more than 4 bytes")


def _properties(data: bytes, position: int) -> tuple[int, int]:
    """Where the properties whose length stands at `position` begin and end."""
    length, start = _remaining_length(data, position, len(data))
    if not start:
        raise ProtocolViolation("malformed PUBLISH: its property length is cut off")
    return start, start + length


def _too_short(length: int) -> ProtocolViolation:
    return ProtocolViolation(f"malformed PUBLISH: its headers do not fit into its remaining length of {length} bytes")
