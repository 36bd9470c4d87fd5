"""The commands beside `run`, end to end: a real broker, a real bridge, the program as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import NewBridge
from tests.support.configs import mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, eventually
from tests.support.publishing import Publisher, publish

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]
RULE = {"name": "climate", "topic": "fleet/{site}/{device}/climate", "bucket": "{site}", "stream": "{device}"}
STRICT = {"models": {"Climate": {"t": {"type": "float", "le": 50}}}, "rules": [{**RULE, "model": "Climate"}]}
MENDED = {"models": {"Climate": {"t": {"type": "float", "le": 500}}}, "rules": [{**RULE, "model": "Climate"}]}
MESSAGES = [
    ("fleet/lab/d1/climate", '{"t": 20}'),
    ("fleet/lab/d2/climate", '{"t": 120}'),
    ("fleet/lab/d3/climate", "?"),
]


def command(*arguments: object) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MQTTBRIDGE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "mqttbridge", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environ, "PYTHONPATH": str(ROOT)},
    )


def output(*arguments: object, code: int = 0) -> str:
    process = command(*arguments)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == code, stdout + stderr
    return stdout


def rejected(bridge: BridgeProcess) -> list[dict[str, Any]]:
    lines = output("rejected", "ls", "--json", "--data-dir", bridge.data_dir).splitlines()
    return [json.loads(line) for line in lines]


def hears_it(broker: Mosquitto, process: subprocess.Popen[str], role: str) -> None:
    """Wait until a command that listens has subscribed: the broker's log tells."""

    def subscribed() -> bool:
        assert process.poll() is None, process.communicate()
        return any(f"mqttbridge-{role}-" in line and "SUBACK" in line for line in broker.log().splitlines())

    eventually(subscribed, what=f"{role} subscribed")


@pytest.fixture
def talkative(tmp_path: Path):
    """A broker whose log tells who subscribed."""
    with Mosquitto(tmp_path / "broker", settings={"log_type": "all"}) as running:
        yield running


def test_what_was_rejected_goes_through_the_mended_rules_of_the_running_bridge_once(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    bridge = new_bridge({"mqtt": mqtt(broker.url()), **STRICT})
    config = bridge.directory / "config.yaml"
    bridge.start()
    publish(broker.port(), MESSAGES)
    eventually(lambda: bridge.last_values("lab") == {"d1": 20}, what="the good one stored")
    assert [(row["topic"], row["reason"]) for row in rejected(bridge)] == [
        ("fleet/lab/d3/climate", "malformed"),
        ("fleet/lab/d2/climate", "validation"),
    ]
    asked = ("rejected", "replay", "--all", "--json", "-c", config, "--data-dir", bridge.data_dir)
    assert json.loads(output(*asked))["accepted"] == 0

    bridge.stop()
    bridge.configure({"mqtt": mqtt(broker.url()), **MENDED})
    bridge.start()
    (before,) = [row for row in rejected(bridge) if row["reason"] == "validation"]
    done = json.loads(output(*asked))
    assert done == {
        "looked_at": 2, "accepted": 1, "events": 1, "still_rejected": {"malformed": 1}, "left": {},
    }  # fmt: skip
    eventually(lambda: bridge.last_values("lab") == {"d1": 20, "d2": 120}, what="the mended one stored")
    (stream,) = [s for s in bridge.get("/api/v1/buckets/lab/streams").json()["streams"] if s["stream"] == "d2"]
    assert stream["last"]["epoch"] == pytest.approx(before["time"], abs=1e-3)
    assert json.loads(output(*asked))["accepted"] == 0
    assert bridge.metric("events_spooled_total", source="replay") == 1

    purged = output("rejected", "purge", "--reason", "malformed", "-c", config, "--data-dir", bridge.data_dir)
    assert purged == "1 message purged\n"
    assert rejected(bridge) == []
    assert bridge.metric("rejected_rows") == 0


def test_without_a_bridge_the_command_replays_by_itself_and_the_next_bridge_delivers(
    broker: Mosquitto, new_bridge: NewBridge
) -> None:
    bridge = new_bridge({"mqtt": mqtt(broker.url()), **STRICT})
    bridge.start()
    publish(broker.port(), MESSAGES)
    eventually(lambda: bridge.status()["rejected"] == 2, what="two rejected")
    bridge.stop()
    bridge.configure({"mqtt": mqtt(broker.url()), **MENDED})
    config = bridge.directory / "config.yaml"

    shown = output("rejected", "replay", "--rule", "climate", "-c", config, "--data-dir", bridge.data_dir)
    assert shown == "1 message of 2 accepted: 1 event\n  still rejected 1 x malformed\n"
    stats = json.loads(output("spool", "stats", "--json", "-c", config, "--data-dir", bridge.data_dir))
    assert (stats["waiting"], stats["rejected"]) == ({"dashboard": 1}, 1)
    assert "nothing is wrong" in output("spool", "verify", "--data-dir", bridge.data_dir)

    bridge.start()
    eventually(lambda: bridge.last_values("lab") == {"d1": 20, "d2": 120}, what="delivered after the start")


def test_a_running_bridge_explains_what_its_rules_make_of_a_message(new_bridge: NewBridge) -> None:
    with new_bridge({"mqtt": None, **STRICT}) as bridge:
        told = bridge.get("/api/v1/explain", topic="fleet/lab/d1/climate", payload='{"t": 21.5}').json()
        assert told["verdict"] == "mapped"
        assert told["rules"][0]["captures"] == {"site": "lab", "device": "d1"}
        told = bridge.get("/api/v1/explain", topic="fleet/lab/d1/Climate", payload="{}").json()
        assert told["nearest"] == {"rule": "climate", "why": "level 3: wanted `climate`, got `Climate`"}


def test_what_is_recorded_is_explained_and_leaves_no_session_behind(talkative: Mosquitto, tmp_path: Path) -> None:
    recording, config = tmp_path / "recording.jsonl", tmp_path / "config.yaml"
    config.write_text(json.dumps({"mqtt": {"url": talkative.url(), "protocol": "3.1.1"}, **STRICT}))
    publish(talkative.port(), [("fleet/lab/d1/climate", '{"t": 19}')], retain=True)
    process = command("record", recording, "-c", config, "--count", 4)
    hears_it(talkative, process, "record")
    publish(talkative.port(), [("fleet/lab/d2/climate", '{"t": 120}'), ("other", b"\xff"), ("fleet/x/y/Climate", "1")])
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "4 messages recorded\n")

    lines = [json.loads(line) for line in recording.read_text().splitlines()]
    assert [(line["topic"], line["retained"]) for line in lines] == [
        ("fleet/lab/d1/climate", True),
        ("fleet/lab/d2/climate", False),
        ("other", False),
        ("fleet/x/y/Climate", False),
    ]
    assert lines[2]["payload_base64"] == "/w=="
    summary = json.loads(output("explain", "--replay", recording, "-c", config, "--json"))
    assert [summary[key] for key in ("messages", "mapped", "rejected", "unmatched")] == [4, 1, 1, 2]
    assert {row["topic"]: row["nearest"] for row in summary["unmatched_topics"]} == {
        "other": None,
        "fleet/x/y/Climate": {"rule": "climate", "why": "level 3: wanted `climate`, got `Climate`"},
    }
    eventually(lambda: "Client mqttbridge-record-" in talkative.log(), what="it said goodbye")
    assert "c1" in next(line for line in talkative.log().splitlines() if "as mqttbridge-record-" in line)


def test_a_proposal_from_live_traffic_passes_the_check_and_maps_all_of_it(talkative: Mosquitto, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    process = command("discover", "--broker", talkative.url(), "--for", "3s", "--write", config)
    hears_it(talkative, process, "discover")
    with Publisher(talkative.port()) as publisher:
        publisher.publish(
            (f"plant/{line}/{device}/climate", f'{{"temperature": {20 + n}.5, "humidity": {40 + n}}}')
            for n in range(3)
            for line in ("north", "south")
            for device in ("oven", "press")
        )
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, ""), stderr
    assert stderr == f"{config}: 1 rule; maps 12 of 12 messages (100.0 %)\n"
    assert "nothing is wrong" in output("check", "--strict", config)
    told = json.loads(
        output("explain", "plant/west/mill/climate", '{"temperature": 3, "humidity": 9}', "--json", "-c", config)
    )
    assert told["rules"][0]["units"] == {"temperature": "°C", "humidity": "%"}
    assert [event["stream"] for event in told["rules"][0]["events"]] == ["mill.temperature", "mill.humidity"]
    again = command("discover", "--broker", talkative.url(), "--for", "1s", "--write", config)
    assert "exists" in again.communicate(timeout=30)[1]
    assert again.returncode == 1


def test_a_home_is_recognized_live_and_runs_as_proposed(
    talkative: Mosquitto, new_bridge: NewBridge, tmp_path: Path
) -> None:
    recording = ROOT / "tests/recordings/zigbee2mqtt-homeassistant.jsonl"
    messages = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines()]
    retained, live = (
        [(message["topic"], message["payload"]) for message in messages if message["retained"] is is_retained]
        for is_retained in (True, False)
    )
    publish(talkative.port(), retained, retain=True)
    config = tmp_path / "config.yaml"
    process = command("discover", "--broker", talkative.url(), "--for", "2s", "--write", config)
    hears_it(talkative, process, "discover")
    publish(talkative.port(), live)
    _, stderr = process.communicate(timeout=30)
    # The second word on a device's availability replaced the first one as what is retained.
    assert stderr == f"{config}: 2 families of devices; maps 65 of 65 messages (100.0 %), 1 left out on purpose\n"
    assert "nothing is wrong" in output("check", "--strict", config)
    assert json.loads(output("explain", "--replay", recording, "-c", config, "--json"))["mapped"] == 66

    bridge = new_bridge(yaml.safe_load(config.read_text(encoding="utf-8")))
    bridge.start()
    publish(talkative.port(), live)
    eventually(
        lambda: bridge.last_values("boiler").get("boiler_temperature") == 64.1, what="the recording's last values"
    )
    assert bridge.last_values("kitchen plug")["voltage"] == 232
    assert bridge.units("kitchen plug")["voltage"] == "V"
    assert bridge.units("bedroom climate")["voltage"] == "mV"
    assert bridge.units("boiler")["boiler_temperature"] == "°C"
    assert bridge.status()["counts"]["rejected"] == 0


def test_a_broker_that_is_not_there_is_said_and_not_waited_for_for_ever(tmp_path: Path) -> None:
    process = command("record", tmp_path / "r.jsonl", "--broker", "mqtt://127.0.0.1:1", "--for", "1s")
    _, stderr = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "cannot listen to mqtt://127.0.0.1:1" in stderr
    assert "Traceback" not in stderr
    assert not (tmp_path / "r.jsonl").exists()
