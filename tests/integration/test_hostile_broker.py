"""A broker, or whoever sits in its place, that sends what no broker should: nothing else may be lost by it."""

from __future__ import annotations

import psutil
import pytest

from tests.integration.conftest import NewBridge
from tests.support import mqtt_wire as wire
from tests.support.configs import mqtt
from tests.support.processes import BridgeProcess, eventually
from tests.support.stand_in_broker import Connection, Script, StandInBroker

pytestmark = pytest.mark.broker

LEVELS = [pytest.param(wire.V311, id="3.1.1"), pytest.param(wire.V5, id="5")]
PROTOCOLS = {wire.V311: "3.1.1", wire.V5: "5"}


def _sends(*pieces: bytes) -> Script:
    """A script: a session as it should be, then these bytes, then whatever a broker answers."""

    def script(connection: Connection) -> None:
        connection.handshake()
        for piece in pieces:
            connection.send(piece)
        connection.serve()

    return script


def _good(level: int, *, mid: int = 7) -> bytes:
    return wire.publish("plant/good", b"1", mid=mid, level=level)


def _arrived(bridge: BridgeProcess) -> None:
    eventually(lambda: bridge.last_values("plant").get("good") == 1, what="the good message")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(b"\x32\xff\xff\xff\xff\x01", "length", id="a length of five bytes"),
        pytest.param(b"\x36\x06\x00\x01a\x00\x01x", "protocol error", id="QoS 3"),
        pytest.param(b"\x32\x03\x00\x09a", "", id="a topic longer than its packet"),
        pytest.param(b"\x32\x01\x00", "", id="a PUBLISH of one byte"),
        pytest.param(b"\x00\x00", "", id="a packet type that does not exist"),
    ],
)
def test_bytes_that_are_not_mqtt_end_the_connection_with_the_reason_and_the_next_one_works(
    bad: bytes, reason: str, level: int, new_bridge: NewBridge
) -> None:
    before = wire.publish("plant/before", b"1", mid=1, level=level)
    with (
        StandInBroker(_sends(before, bad), _sends(_good(level))) as broker,
        new_bridge({"mqtt": mqtt(broker.url, protocol=PROTOCOLS[level])}) as bridge,
    ):
        _arrived(bridge)
        assert bridge.last_values("plant") == {"before": 1, "good": 1}
        assert len(broker.connects) == 2
        assert reason in bridge.log().lower()
        assert "Traceback" not in bridge.log()


@pytest.mark.parametrize("level", LEVELS)
def test_a_message_of_256_megabytes_is_not_gathered_in_memory(level: int, new_bridge: NewBridge) -> None:
    def script(connection: Connection) -> None:
        connection.handshake()
        connection.send(b"\x30\xff\xff\xff\x7f" + wire.text("plant/huge"))
        for _ in range(80):
            connection.send(bytes(1 << 20))
        # and the rest never comes

    with (
        StandInBroker(script, _sends(_good(level))) as broker,
        new_bridge({"mqtt": mqtt(broker.url, protocol=PROTOCOLS[level])}) as bridge,
    ):
        _arrived(bridge)
        assert psutil.Process(bridge.pid).memory_info().rss < 110 * 2**20
        assert "Traceback" not in bridge.log()


@pytest.mark.parametrize("level", LEVELS)
def test_an_oversized_message_is_acknowledged_and_rejected_and_the_next_one_arrives(
    level: int, new_bridge: NewBridge
) -> None:
    oversized = wire.publish("plant/big", bytes(3 << 20), mid=6, level=level)
    with (
        StandInBroker(_sends(oversized, _good(level))) as broker,
        new_bridge({"mqtt": mqtt(broker.url, protocol=PROTOCOLS[level])}) as bridge,
    ):
        _arrived(bridge)
        eventually(lambda: broker.acknowledged == [6, 7], what="both acknowledged, in order")
        assert bridge.metric("rejected_total", reason="payload_too_large") == 1
        assert len(broker.connects) == 1


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        pytest.param(b"plant/\xff\xfe", "topic_not_utf8", id="not UTF-8"),
        pytest.param(b"plant/" + b"x" * 65_529, "bad_name", id="65,535 bytes"),
    ],
)
def test_a_bad_topic_is_acknowledged_and_rejected_and_the_next_message_arrives(
    topic: bytes, reason: str, level: int, new_bridge: NewBridge
) -> None:
    bad = wire.publish(topic, b"1", mid=6, level=level)
    with (
        StandInBroker(_sends(bad, _good(level))) as broker,
        new_bridge({"mqtt": mqtt(broker.url, protocol=PROTOCOLS[level])}) as bridge,
    ):
        _arrived(bridge)
        eventually(lambda: broker.acknowledged == [6, 7], what="both acknowledged, in order")
        assert bridge.metric("rejected_total", reason=reason) == 1
        assert len(broker.connects) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_frames_split_at_every_byte_arrive_whole_and_are_acknowledged_in_order(
    level: int, new_bridge: NewBridge
) -> None:
    frames = b"".join(wire.publish(f"plant/s{n}", b"%d" % n, mid=n + 1, level=level) for n in range(30))
    pieces = [frames[at : at + 1] for at in range(len(frames))]
    with (
        StandInBroker(_sends(*pieces)) as broker,
        new_bridge({"mqtt": mqtt(broker.url, protocol=PROTOCOLS[level])}) as bridge,
    ):
        eventually(lambda: bridge.last_values("plant") == {f"s{n}": n for n in range(30)}, what="all thirty")
        eventually(lambda: broker.acknowledged == list(range(1, 31)), what="acknowledged in order")
        assert len(broker.connects) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_messages_under_way_when_the_connection_breaks_are_taken_again_on_the_next(
    level: int, new_bridge: NewBridge
) -> None:
    def half(connection: Connection) -> None:
        connection.handshake()
        connection.send(_good(level)[:-3])

    again = wire.publish("plant/good", b"1", mid=7, level=level, dup=True)
    with (
        StandInBroker(half, _sends(again)) as broker,
        new_bridge({"mqtt": mqtt(broker.url, protocol=PROTOCOLS[level])}) as bridge,
    ):
        _arrived(bridge)
        eventually(lambda: broker.acknowledged == [7], what="acknowledged once, on its own connection")
