"""Payload formats through a real broker and a real bridge, up to the dashboard's store."""

from __future__ import annotations

import gzip
import time
from typing import Any

import cbor2
import pytest

from tests.integration.conftest import NewBridge
from tests.support.configs import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually
from tests.support.publishing import Watcher, publish
from tests.support.sparkplug_b import Payload, payload

pytestmark = pytest.mark.broker

CBOR = {
    "name": "cbor",
    "topic": "cbor/{id}",
    "format": "cbor",
    "compression": "gzip",
    "bucket": "cbor",
    "stream": "{id}",
}


class Node:
    """An edge node of a plant with one device, as its firmware is: it is born again when it is told to."""

    def __init__(self, port: int) -> None:
        self.port, self.seq = port, 0

    def born(self) -> None:
        metric = {"name": "Inputs/T", "alias": 1, "datatype": 9, "float_value": 20.5}
        self._say(("NBIRTH/N", {"name": "bdSeq", "datatype": 4, "long_value": 0}), ("DBIRTH/N/D", metric))

    def measured(self, *values: float) -> None:
        self._say(*(("DDATA/N/D", {"alias": 1, "float_value": value}) for value in values))

    def died(self) -> None:
        publish(self.port, [("spBv1.0/G/NDEATH/N", payload({"name": "bdSeq", "datatype": 4, "long_value": 0}))])

    def _say(self, *messages: tuple[str, dict[str, Any]]) -> None:
        said = []
        for topic, metric in messages:
            self.seq = 0 if topic.startswith("NBIRTH") else (self.seq + 1) % 256
            said.append((f"spBv1.0/G/{topic}", payload(metric, timestamp=time.time_ns() // 10**6, seq=self.seq)))
        publish(self.port, said)


def test_a_sparkplug_plant_is_followed_from_birth_to_death_and_understood_after_a_restart(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    node = Node(broker.port())
    bridge = new_bridge({"mqtt": mqtt(broker.url()), "use": ["sparkplug"]})
    bridge.start()
    node.born()
    node.measured(21.5)
    eventually(lambda: bridge.last_values("N.D") == {"Inputs.T": 21.5, "online": True}, what="birth and data")
    node.seq += 3
    node.measured(22.5)
    eventually(lambda: bridge.metric("sequence_gaps_total") == 1, what="the gap is counted")
    assert bridge.stop() == 0

    node.measured(23.5)
    bridge.start()
    eventually(lambda: bridge.last_values("N.D")["Inputs.T"] == 23.5, what="data by an alias, without another birth")
    assert bridge.metric("sequence_gaps_total") == 0  # how the node counted meanwhile is not known
    node.died()
    eventually(lambda: bridge.last_values("N.D")["online"] is False, what="the death")
    assert bridge.status()["counts"]["rejected"] == 0


def test_a_sparkplug_node_that_nobody_heard_being_born_is_asked_for_its_birth(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    node = Node(broker.port())
    bridge = new_bridge({"mqtt": mqtt(broker.url()), "use": [{"family": "sparkplug", "rebirth": True}]})
    bridge.start()
    with Watcher(broker.port(), "spBv1.0/G/NCMD/#") as watcher:
        node.measured(21.5, 22.5)
        eventually(lambda: watcher.seen, what="the order")
        ((topic, order),) = watcher.seen
        (metric,) = Payload.FromString(order).metrics
        assert (topic, metric.name, metric.boolean_value) == ("spBv1.0/G/NCMD/N", "Node Control/Rebirth", True)
        node.born()
        node.measured(23.5)
        eventually(lambda: bridge.last_values("N.D").get("Inputs.T") == 23.5, what="data by their birth")
        assert len(watcher.seen) == 1


def test_packed_binary_documents_arrive(broker: Mosquitto, new_bridge: NewBridge) -> None:
    with new_bridge({"mqtt": mqtt(broker.url()), "rules": [CBOR]}) as bridge:
        publish(broker.port(), [("cbor/n1", gzip.compress(cbor2.dumps({"t": 21.5, "on": True})))])
        eventually(lambda: bridge.last_values("cbor") == {"n1.t": 21.5, "n1.on": True}, what="the document")
