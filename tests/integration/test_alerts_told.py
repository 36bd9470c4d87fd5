"""Alerts of a real bridge: `kill -9` between firing and telling, and publishing by the bridge's own connection."""

from __future__ import annotations

import json
import time

import pytest
import requests

from tests.integration.conftest import NewBridge
from tests.support.configs import EMBEDDED, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, eventually, free_port
from tests.support.publishing import Publisher, Watcher
from tests.support.receivers import webhook_server


def push(bridge: BridgeProcess, *values: float) -> None:
    now = time.time()
    body = [{"key": "oven.t", "value": value, "epoch": now + i / 1000} for i, value in enumerate(values)]
    answer = requests.post(f"{bridge.url}/api/events", params={"bucketKey": "b"}, json=body, timeout=10)
    assert answer.status_code == 204


def test_killed_between_firing_and_telling_it_is_told_never_zero_times_and_once_for_who_knows_the_key(
    new_bridge: NewBridge,
) -> None:
    port = free_port()
    rule = {"name": "Hot", "stream": "*.t", "when": {"is": ">", "value": 30}, "actions": ["hook"]}
    hook_section = {"type": "webhook", "url": f"http://127.0.0.1:{port}/hook", "per_minute": 6000}
    alerts = {"actions": {"hook": hook_section}, "rules": [rule]}
    bridge = new_bridge({"mqtt": None, "destinations": {"dashboard": EMBEDDED}, "alerts": alerts})
    bridge.start()
    # Nobody is there to be told: it fires, and dies.
    push(bridge, 20, 31)
    eventually(lambda: bridge.get("/api/v1/alerts/history").json()["firings"], what="it fires")
    bridge.kill()
    with webhook_server(port) as hook:
        # It is told, and dies before the answer; then once more with one.
        hook.answers = [None]
        bridge.start()
        eventually(hook.came.is_set, what="told without an answer")
        bridge.kill()
        push_after = len(hook.requests)
        bridge.start()
        eventually(lambda: len(hook.requests) > push_after, what="told again")
        eventually(
            lambda: bridge.get("/api/v1/alerts/history").json()["firings"][0]["notices"][0]["outcome"] == "delivered",
            what="recorded",
        )
        bridge.kill()
        bridge.start()
        push(bridge, 20)
        eventually(lambda: len(hook.accepted) == 2, what="told that it is over")
        assert [key.rpartition("-")[2] for key in hook.keys] == ["firing", "firing", "over"]


@pytest.mark.broker
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_an_alert_is_published_while_messages_pour_in_and_none_of_them_is_lost(
    protocol: str, broker: Mosquitto, new_bridge: NewBridge
) -> None:
    rule = {"name": "Hot", "stream": "*", "when": {"is": "=", "value": 500}, "actions": ["siren"]}
    siren = {"type": "mqtt", "topic": "alarms/{bucket}", "retain": True}
    bridge = new_bridge(
        {
            "mqtt": mqtt(broker.url(), protocol=protocol),
            "rules": [{"topic": "fleet/{device}", "bucket": "fleet", "stream": "{device}"}],
            "destinations": {"dashboard": EMBEDDED},
            "alerts": {"actions": {"siren": siren}, "rules": [rule]},
        }
    )
    bridge.start()
    with Watcher(broker.port(), "alarms/#") as watcher, Publisher(broker.port()) as publisher:
        publisher.publish((f"fleet/{i % 7}", str(i)) for i in range(1000))
        eventually(lambda: len(watcher.seen) >= 2, what="alarm, and its end")
        eventually(lambda: bridge.metric("events_delivered_total") == 1000, what="every message stored")

    told = [json.loads(payload) for _, payload in watcher.seen]
    assert [(one["state"], one["bucket"], one["stream"]) for one in told] == [
        ("firing", "fleet", "3"),
        ("over", "fleet", "3"),
    ]
    assert bridge.status()["broker"]["state"] == "connected"
    history = bridge.get("/api/v1/alerts/history").json()["firings"]
    assert [one["outcome"] for one in history[0]["notices"]] == ["delivered", "delivered"]
