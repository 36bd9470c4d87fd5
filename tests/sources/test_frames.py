"""Cutting PUBLISH packets: the same messages however the bytes are split, and everything else left for paho."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from mqttbridge.errors import ProtocolViolation
from mqttbridge.events import PayloadWithProperties
from mqttbridge.sources.frames import OVERSIZED, PublishReader

PINGRESP = b"\xd0\x00"
SUBACK = b"\x90\x03\x00\x01\x00"


def remaining_length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, byte = divmod(value, 128)
        out.append(byte | 0x80 if value else byte)
        if not value:
            return bytes(out)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + remaining_length(len(body)) + body


def publish(
    topic: bytes,
    payload: bytes,
    qos: int = 0,
    *,
    packet_id: int = 1,
    retain: bool = False,
    properties: bytes | None = None,
) -> bytes:
    body = struct.pack("!H", len(topic)) + topic
    if qos:
        body += struct.pack("!H", packet_id)
    if properties is not None:
        body += remaining_length(len(properties)) + properties
    return packet(0x30 | qos << 1 | retain, body + payload)


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + struct.pack("!H", packet_id)


def reader(*, mqtt5: bool = False, max_payload: int = 1024 * 1024) -> PublishReader:
    return PublishReader(mqtt5=mqtt5, max_payload=max_payload)


# A content type and a user property, as MQTT 5 publishers send them.
PROPERTIES = b"\x03\x00\x10application/json\x26\x00\x01a\x00\x01b"
MESSAGES = st.lists(
    st.tuples(st.binary(min_size=1, max_size=200), st.binary(max_size=400), st.sampled_from([0, 1]), st.booleans()),
    max_size=8,
)


@given(messages=MESSAGES, mqtt5=st.booleans(), properties=st.sampled_from([b"", PROPERTIES]), data=st.data())
def test_messages_are_the_same_however_the_bytes_are_split(messages, mqtt5, properties, data) -> None:
    stream, expected, acknowledgements = b"", [], []
    for number, (topic, payload, qos, retain) in enumerate(messages, 1):
        stream += PINGRESP
        stream += publish(
            topic, payload, qos, packet_id=number, retain=retain, properties=properties if mqtt5 else None
        )
        expected.append((topic, payload, 0x30 | qos << 1 | retain))
        if qos:
            acknowledgements.append(puback(number))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    frames = reader(mqtt5=mqtt5)
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames.feed(stream[start:end])
    assert frames.publishes == expected
    assert frames.acknowledgements == acknowledgements
    assert frames.others == PINGRESP * len(messages)


@pytest.mark.parametrize("mqtt5", [False, True])
def test_a_stream_arriving_byte_by_byte_is_cut_the_same(mqtt5: bool) -> None:
    properties = PROPERTIES if mqtt5 else None
    stream = SUBACK + publish(b"a/b", b"x" * 300, 1, packet_id=7, properties=properties) + PINGRESP
    frames = reader(mqtt5=mqtt5)
    for index in range(len(stream)):
        frames.feed(stream[index : index + 1])
    assert frames.publishes == [(b"a/b", b"x" * 300, 0x32)]
    assert frames.acknowledgements == [puback(7)]
    assert frames.others == SUBACK + PINGRESP


def test_an_empty_payload_and_the_longest_topic_are_messages() -> None:
    frames = reader()
    frames.feed(publish(b"t", b"") + publish(b"t" * 65535, b"1"))
    assert [(len(topic), payload) for topic, payload, _ in frames.publishes] == [(1, b""), (65535, b"1")]


def test_a_qos_2_publish_is_left_to_paho() -> None:
    frames = reader()
    frames.feed(publish(b"t", b"1", 2, packet_id=3))
    assert frames.publishes == []
    assert frames.others == publish(b"t", b"1", 2, packet_id=3)


@pytest.mark.parametrize("mqtt5", [False, True])
@pytest.mark.parametrize("chunk", [1000, 100_000, 10**9])
def test_a_payload_over_the_limit_is_passed_over_and_acknowledged_in_its_turn(mqtt5: bool, chunk: int) -> None:
    properties = b"" if mqtt5 else None
    stream = (
        publish(b"t", b"before", 1, packet_id=1, properties=properties)
        + publish(b"big", b"x" * 2_000_000, 1, packet_id=2, properties=properties)
        + publish(b"t", b"after", 1, packet_id=3, properties=properties)
    )
    frames = reader(mqtt5=mqtt5, max_payload=100_000)
    longest = 0
    for start in range(0, len(stream), chunk):
        frames.feed(stream[start : start + chunk])
        longest = max(longest, len(frames._tail))
    (_, before, _), (topic, kept, first), (_, after, _) = frames.publishes
    assert (before, after, topic) == (b"before", b"after", b"big")
    assert first & OVERSIZED
    assert len(kept) <= 1024
    assert frames.acknowledgements == [puback(1), puback(2), puback(3)]
    assert longest < 300_000


def test_a_payload_of_exactly_the_limit_is_whole_although_its_packet_is_longer() -> None:
    frames = reader(max_payload=1000)
    frames.feed(publish(b"t" * 500, b"x" * 1000) + publish(b"t", b"x" * 1001))
    assert [(len(payload), bool(first & OVERSIZED)) for _, payload, first in frames.publishes] == [
        (1000, False),
        (1001, True),
    ]


@pytest.mark.parametrize(
    ("stream", "mqtt5", "words"),
    [
        (b"\x30\xff\xff\xff\xff\x01", False, "more than 4 bytes"),
        (packet(0x30, b"\x00\x09ab"), False, "do not fit"),
        (packet(0x32, b"\x00\x01a\x00"), False, "do not fit"),
        (packet(0x30, b"\x00"), False, "do not fit"),
        (packet(0x30, b"\x00\x01a\x05"), True, "do not fit"),
        (packet(0x30, b"\x00\x01a\xff\xff\xff\xff\x01"), True, "more than 4 bytes"),
    ],
)
def test_what_is_not_mqtt_is_said_and_what_came_before_stays(stream: bytes, mqtt5: bool, words: str) -> None:
    frames = reader(mqtt5=mqtt5)
    with pytest.raises(ProtocolViolation, match=words):
        frames.feed(publish(b"t", b"1", properties=b"" if mqtt5 else None) + stream)
    assert [payload for _, payload, _ in frames.publishes] == [b"1"]


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_cut_or_refused_but_nothing_else_happens(data: bytes, mqtt5: bool) -> None:
    frames = reader(mqtt5=mqtt5)
    with suppress(ProtocolViolation):
        frames.feed(data)


@given(data=st.data(), qos=st.sampled_from([0, 1]))
def test_properties_travel_with_the_payload_where_they_are_asked_for(data: st.DataObject, qos: int) -> None:
    stream = publish(b"a", b"1", qos, properties=PROPERTIES) + publish(b"b", b"2", qos, properties=b"")
    cut = data.draw(st.integers(0, len(stream)))
    frames = PublishReader(mqtt5=True, max_payload=1024, properties=True)

    frames.feed(stream[:cut])
    frames.feed(stream[cut:])

    (_, with_some, _), (_, with_none, _) = frames.publishes
    assert isinstance(with_some, PayloadWithProperties)
    assert (bytes(with_some), with_some.properties) == (b"1", PROPERTIES)
    assert type(with_none) is bytes
    assert with_none == b"2"


def test_properties_are_passed_over_where_nobody_asks() -> None:
    frames = reader(mqtt5=True)
    frames.feed(publish(b"a", b"1", properties=PROPERTIES))

    assert [type(payload) for _, payload, _ in frames.publishes] == [bytes]


@pytest.mark.parametrize("first", [0x20, 0x90, 0xE0, 0x34], ids=["CONNACK", "SUBACK", "DISCONNECT", "QoS 2"])
def test_no_other_packet_is_gathered_beyond_what_a_message_may_have(first: int) -> None:
    reader = PublishReader(mqtt5=True, max_payload=1000)
    with pytest.raises(ProtocolViolation, match="268435455 bytes"):
        reader.feed(bytes([first, 0xFF, 0xFF, 0xFF, 0x7F]))
