"""Each example runs by the command written in it, against the server it names; and ours, with a server that is real."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mqttbridge import Streamer
from tests.support.processes import BridgeProcess, eventually

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "initial_state"

EXPECTED = {
    "module": {"myNumber": 6, "machine_cpu": 18.5, "machine_disk_free": 73},
    "json_api": {"myNumber": 7},
    "url_parameters": {"myNumber": 7, "mood": "fine"},
}
BUCKETS = {"module": "module", "json_api": "json", "url_parameters": "url"}


@pytest.fixture(scope="module")
def bridge(tmp_path_factory):
    with BridgeProcess(tmp_path_factory.mktemp("bridge"), {"mqtt": None}) as process:
        yield process


def test_each_example_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_draws_on_the_dashboard(bridge, name, tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        cwd=tmp_path,
        env={**os.environ, "STREAMER_URL": bridge.url, "STREAMER_ACCESS_KEY": "any", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 0, done.stderr
    eventually(lambda: bridge.last_values(BUCKETS[name]) == EXPECTED[name], what=f"{name} on the dashboard")


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_says_the_command_that_runs_it(name):
    text = (EXAMPLES / f"{name}.py").read_text()

    assert f"\n    python examples/initial_state/{name}.py " in text
    assert "\n    mqttbridge serve " in text


def test_a_server_killed_amid_a_stream_loses_nothing(tmp_path):
    start = int(time.time()) - 3001
    with BridgeProcess(tmp_path / "bridge", {"mqtt": None}) as bridge:
        streamer = Streamer(bucket_key="b", url=bridge.url, spool=tmp_path / "unsent.db", max_wait=0)
        for n in range(3000):
            streamer.log("t", n, start + n)
            if n == 1000:
                bridge.kill()
            if n == 2000:
                bridge.start()
        eventually(streamer.flush, what="delivered")
        stats = streamer.close()

        def stored():
            window = {"after": start - 1, "before": start + 3001, "points": 10_000}  # so fine that none is left out
            answer = bridge.get("/api/v1/buckets/b/points", stream="t", **window)
            found = answer.json().get("series", {}).get("t", {"values": []})  # nothing yet: the spool comes first
            return found["values"] == list(range(3000))

        eventually(stored, what="every value on the dashboard, once")

    assert (stats.kept, stats.refused, stats.dropped) == (0, 0, 0)
