"""Payload formats through a real broker and a real bridge, up to the dashboard's store."""

from __future__ import annotations

import gzip
import time

import cbor2
import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import publish
from tests.support.sparkplug_b import payload

pytestmark = pytest.mark.broker

SPARKPLUG = {"name": "plant", "topic": "spBv1.0/#", "format": "sparkplug", "bucket": "{group}", "stream": "{origin}"}
CBOR = {
    "name": "cbor",
    "topic": "cbor/{id}",
    "format": "cbor",
    "compression": "gzip",
    "bucket": "cbor",
    "stream": "{id}",
}


def test_a_sparkplug_device_is_followed_from_birth_to_death_and_after_a_restart_waits_for_its_birth(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    def now() -> int:
        return time.time_ns() // 1_000_000

    def birth() -> tuple[str, bytes]:
        metric = {"name": "Inputs/T", "alias": 1, "datatype": 9, "float_value": 20.5}
        return "spBv1.0/G/DBIRTH/N/D", payload(metric, timestamp=now(), seq=1)

    def data(value: float, seq: int) -> tuple[str, bytes]:
        return "spBv1.0/G/DDATA/N/D", payload({"alias": 1, "float_value": value}, timestamp=now(), seq=seq)

    bridge = new_bridge({"mqtt": mqtt(broker.url()), "rules": [SPARKPLUG]})
    bridge.start()
    publish(broker.port(), [birth(), data(21.5, 2)])
    eventually(lambda: bridge.last_values("G") == {"N.D.Inputs.T": 21.5, "N.D.online": True}, what="birth and data")
    publish(broker.port(), [data(22.5, 5)])
    eventually(lambda: bridge.metric("sequence_gaps_total") == 1, what="the gap is counted")
    assert bridge.stop() == 0

    bridge.start()
    publish(broker.port(), [data(23.5, 6)])
    eventually(lambda: bridge.metric("rejected_total", reason="no_birth") == 1, what="the rejection")
    publish(broker.port(), [birth(), data(24.5, 2), ("spBv1.0/G/NDEATH/N", payload(timestamp=now()))])
    expected = {"N.D.Inputs.T": 24.5, "N.D.online": False, "N.online": False}
    eventually(lambda: bridge.last_values("G") == expected, what="the new birth, its data, and the death")


def test_packed_binary_documents_arrive(broker: Mosquitto, new_bridge: NewBridge) -> None:
    with new_bridge({"mqtt": mqtt(broker.url()), "rules": [CBOR]}) as bridge:
        publish(broker.port(), [("cbor/n1", gzip.compress(cbor2.dumps({"t": 21.5, "on": True})))])
        eventually(lambda: bridge.last_values("cbor") == {"n1.t": 21.5, "n1.on": True}, what="the document")
