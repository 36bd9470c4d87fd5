"""MQTT 5 properties as they stand in a PUBLISH."""

import pytest
from hypothesis import given, strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mqttbridge.events import PayloadWithProperties, Reason
from mqttbridge.mapping.properties import properties_of, read_properties
from mqttbridge.mapping.unusable import Unusable

# Without what MQTT itself forbids in a string.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), TEXTS, st.integers(0, 2**32 - 1))
def test_what_paho_writes_is_read_back(pairs, content_type, expiry):
    properties = Properties(PacketTypes.PUBLISH)
    properties.PayloadFormatIndicator = 1
    properties.MessageExpiryInterval = expiry
    properties.ResponseTopic = "answers/here"
    properties.CorrelationData = b"\x00\x01"
    properties.ContentType = content_type
    properties.UserProperty = pairs
    packed = properties.pack()
    first = dict(reversed(pairs))

    read = read_properties(packed[2 if packed[0] & 0x80 else 1 :])

    assert read == first | {"content_type": content_type}


def test_a_subscription_identifier_and_an_alias_are_passed_over():
    assert read_properties(b"\x0b\x80\x01\x23\x00\x05\x26\x00\x01a\x00\x01b") == {"a": "b"}


def test_a_payload_that_came_without_has_none():
    assert properties_of(b"x") == {}
    assert properties_of(PayloadWithProperties.of(b"x", b"")) == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x26\x00\x01a\x00", Reason.MALFORMED),
        (b"\x26\x00\x05a", Reason.MALFORMED),
        (b"\x03", Reason.MALFORMED),
        (b"\x02\x00", Reason.MALFORMED),
        (b"\x0b\xff\xff\xff\xff\x01", Reason.MALFORMED),
        (b"\x0b\x80", Reason.MALFORMED),
        (b"\x7f\x00", Reason.MALFORMED),
        (b"\x26\x00\x01\xff\x00\x01b", Reason.NOT_UTF8),
        (b"\x26\x00\x00\x00\x00" * 20_000, Reason.MALFORMED),
    ],
)
def test_malformed_properties_are_refused(data, reason):
    with pytest.raises(Unusable) as caught:
        read_properties(data)

    assert caught.value.reason is reason


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        found = read_properties(data)
    except Unusable:
        return

    assert all(isinstance(text, str) for pair in found.items() for text in pair)
