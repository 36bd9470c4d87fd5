"""What the README tells a newcomer to type, typed: their own broker, one curl line, a container's environment."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import paho.mqtt.publish as mqtt_publish
import pytest

from mqttbridge.demo.broker import Broker
from tests.support.processes import eventually, free_port

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


class Running:
    """`mqttbridge` with these words and this environment, in an empty directory."""

    def __init__(self, directory, *words, **environment):
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.log = directory / "log"
        self.port = int(environment["MQTTBRIDGE_HTTP__LISTEN"].rpartition(":")[2])
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mqttbridge", *words],
                cwd=directory, env=self.environment, stdout=output, stderr=output,
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(15) == 0, self.log.read_text()

    def get(self, path, **headers):
        """Status and body; status 0 while nobody listens."""
        assert self._process.poll() is None, self.log.read_text()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        except ConnectionRefusedError:
            return 0, b""
        finally:
            connection.close()

    def await_ready(self):
        eventually(lambda: self.get("/readyz")[0] == 200, what="readiness")
        return self

    def streams(self, bucket, **headers):
        status, body = self.get(f"/api/v1/buckets/{bucket}/streams", **headers)
        return {row["stream"]: row["last"]["value"] for row in json.loads(body)["streams"]} if status == 200 else {}


@pytest.mark.broker
def test_ones_own_broker_s_devices_are_streams_without_any_rule(tmp_path):
    ((topic, payload),) = re.findall(r"`(zigbee2mqtt/\w+) (\{.+?\})` draws", README)
    named = set(re.findall(r"draws `([\w.]+)` and `([\w.]+)`", README)[0])

    with (
        Broker.start(tmp_path) as broker,
        Running(tmp_path, "run", "--broker", broker.url, MQTTBRIDGE_HTTP__LISTEN=f"127.0.0.1:{free_port()}") as bridge,
    ):
        bridge.await_ready()

        mqtt_publish.single(topic, payload, qos=1, hostname="127.0.0.1", port=broker.port)

        streams = eventually(lambda: bridge.streams("zigbee2mqtt"), what="the device's streams")
    assert set(streams) == named
    assert sorted(streams.values()) == sorted(json.loads(payload).values())


def test_the_readme_s_curl_line_makes_a_stream(tmp_path):
    (path,) = re.findall(r"curl -i 'http://127\.0\.0\.1:8080(/\S+)'", README)

    with Running(tmp_path, "serve", MQTTBRIDGE_HTTP__LISTEN=f"127.0.0.1:{free_port()}") as bridge:
        bridge.await_ready()

        assert bridge.get(path)[0] == 204

        streams = eventually(lambda: bridge.streams("home"), what="the pushed stream")
    assert streams == {"temperature": 21.5}


def test_a_container_s_environment_suffices_and_its_health_check_passes_without_a_broker(tmp_path):
    with Running(
        tmp_path,
        "run",
        MQTTBRIDGE_MQTT__URL=f"mqtt://127.0.0.1:{free_port()}",
        MQTTBRIDGE_HTTP__LISTEN=f"127.0.0.1:{free_port()}",
        MQTTBRIDGE_HTTP__WRITE_KEYS="[choose-a-key]",
        MQTTBRIDGE_DATA_DIR=str(tmp_path / "data"),
    ) as bridge:
        eventually(lambda: bridge.get("/livez")[0] == 200, what="liveness")

        check = subprocess.run([sys.executable, ROOT / "deploy/healthcheck.py"], env=bridge.environment, check=False)

        assert check.returncode == 0
        assert bridge.get("/readyz")[0] == 503
        assert bridge.get("/api/v1/buckets")[0] == 401
        assert bridge.get("/api/v1/buckets", Authorization="Bearer choose-a-key")[0] == 200
        assert bridge.get("/?token=choose-a-key")[0] in {302, 303, 307}  # to where the token is a cookie
        assert bridge.get("/metrics", Authorization="Bearer choose-a-key")[0] == 200


def test_without_a_key_and_a_page_to_make_one_no_address_beyond_loopback_is_listened_at(tmp_path):
    (tmp_path / "config.yaml").write_text("destinations: {cloud: {type: initialstate, access_key: k}}")
    done = subprocess.run(
        [sys.executable, "-m", "mqttbridge", "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MQTTBRIDGE_HTTP__LISTEN": "0.0.0.0:8080"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert "write_keys" in done.stderr
