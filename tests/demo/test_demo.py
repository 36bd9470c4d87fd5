"""`mqttbridge demo`, as a visitor runs it: live in one command, and gone without a trace."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import psutil
import pytest

from mqttbridge.demo.fleet import HOUR, SITES
from tests.support.processes import free_port

pytestmark = pytest.mark.broker


class Demo:
    """A running demonstration and every process that belongs to it."""

    def __init__(self, tmp_path, *options, port=None):
        self.port = free_port() if port is None else port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mqttbridge", "demo", "--port", str(self.port), *options],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def await_live(self):
        for line in self.process.stdout:
            self.said += line
            if match := re.search(r"Live at +(http://\S+)", line):
                self.url = match[1]
                self.family = psutil.Process(self.process.pid).children(recursive=True)
                return self
        pytest.fail(f"it ended with code {self.process.wait()}: {self.said}")

    def get(self, path):
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.status == 200, body
        return body

    def end(self, number):
        """Signal it and read what it has left to say; returns the exit code."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=5)
        self.said += rest
        return self.process.returncode

    def is_gone(self):
        _gone, alive = psutil.wait_procs(self.family, timeout=5)
        return not alive


def test_it_shows_live_charts_with_history_and_leaves_nothing_behind(tmp_path):
    with Demo(tmp_path).await_live() as demo:
        assert demo.url.startswith(f"http://127.0.0.1:{demo.port}")
        assert b"<html" in demo.get("/").lower()
        buckets = json.loads(demo.get("/api/v1/buckets"))["buckets"]
        assert {bucket["key"] for bucket in buckets} == set(SITES)
        streams = json.loads(demo.get("/api/v1/buckets/brewery/streams"))["streams"]
        assert {stream["kind"] for stream in streams} == {"number", "boolean", "text"}
        assert next(s["unit"] for s in streams if s["stream"] == "cellar.temperature") == "°C"
        points = json.loads(demo.get("/api/v1/buckets/brewery/points?stream=cellar.temperature&after=-3600"))
        epochs = points["series"]["cellar.temperature"]["epochs"]
        assert points["now"] - epochs[0] > 0.9 * HOUR
        assert points["now"] - epochs[-1] < 10
        status = json.loads(demo.get("/api/v1/status"))
        assert status["rejected"] == 0
        assert status["counts"]["unmatched"] == 0

        assert demo.end(signal.SIGINT) == 0

        assert demo.is_gone()
        assert not list(tmp_path.glob("mqttbridge-demo-*"))


def test_a_kept_directory_holds_the_configuration_and_the_next_run_goes_on_there(tmp_path):
    kept = tmp_path / "kept"
    for _run in range(2):
        with Demo(tmp_path, "--data-dir", str(kept), "--devices", "20", "--weather").await_live() as demo:
            assert f"{kept}/config.yaml" in demo.said
            weather = json.loads(demo.get("/api/v1/buckets/weather/streams"))["streams"]
            assert {"Fresno.temperature", "San Francisco.humidity"} <= {stream["stream"] for stream in weather}
            series = json.loads(demo.get("/api/v1/buckets/brewery/points?stream=mains.power&after=-120&points=10000"))
            epochs = series["series"]["mains.power"]["epochs"]
            assert demo.end(signal.SIGTERM) == 0

    assert len(epochs) == len(set(epochs)) > 100
    check = subprocess.run(
        [sys.executable, "-m", "mqttbridge", "check", kept / "config.yaml"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout


def test_the_next_free_port_is_taken_and_said_and_a_kill_leaves_no_process(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with Demo(tmp_path, port=taken).await_live() as demo:
            assert f"Port {taken} is in use" in demo.said
            assert urlsplit(demo.url).port != taken

            demo.process.kill()

            assert demo.is_gone()


def test_the_end_of_its_broker_is_its_end_and_said(tmp_path):
    with Demo(tmp_path).await_live() as demo:
        daemon = next(process for process in demo.family if process.name() == "mosquitto")

        daemon.kill()

        rest, _ = demo.process.communicate(timeout=10)
        assert demo.process.returncode == 1
        assert "the broker (Mosquitto) ended with code 137" in rest
        assert demo.is_gone()


def test_a_stop_before_it_is_live_is_obeyed(tmp_path):
    with Demo(tmp_path) as demo:
        for line in demo.process.stdout:
            if line.startswith("Broker"):
                break

        assert demo.end(signal.SIGTERM) == 0
        assert not list(tmp_path.glob("mqttbridge-demo-*"))
