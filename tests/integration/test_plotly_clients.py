"""Plotly's own client, unmodified, and ours, as programs that stream to a started `mqttbridge serve`; and a restart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.configs import EMBEDDED
from tests.support.processes import BridgeProcess, eventually, free_port

ROOT = Path(__file__).resolve().parents[2]

THEIRS = """
import sys
import chart_studio.plotly as py
import chart_studio.session
chart_studio.session.sign_in("any", "any", plotly_streaming_domain="127.0.0.1", plotly_domain="http://127.0.0.1")
py.Stream.HTTP_PORT = int(sys.argv[2])
stream = py.Stream(sys.argv[1])
"""
OURS = """
import sys
from mqttbridge import Stream
stream = Stream(sys.argv[1], url=f"http://127.0.0.1:{sys.argv[2]}")
"""
# As the notebook has it, numbers for its dates.
BODY = """
stream.open()
for n in range(200):
    stream.write(dict(x=n, y=n / 2), layout=dict(title="Time Series"))
stream.heartbeat()
stream.close()
"""


def run(code: str, directory: Path, *arguments: object) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(directory)}
    command = [sys.executable, "-c", code + BODY, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def token(bridge: BridgeProcess, trace: str) -> str:
    command = [sys.executable, "-m", "mqttbridge", "token", "add", "--data-dir", str(bridge.data_dir)]
    command += ["--figure", "series", "--trace", trace, "--maxpoints", "80"]
    made = subprocess.run(
        command, cwd=bridge.directory, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, check=True
    )
    return made.stdout.decode().split()[0]


def test_what_a_program_streams_is_on_its_figure_and_in_the_history_also_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    config = {"mqtt": None, "destinations": {"d": EMBEDDED}, "plotly": {"listen": f"127.0.0.1:{port}"}}
    with BridgeProcess(tmp_path / "bridge", config) as bridge:
        for trace, program in (("theirs", THEIRS), ("ours", OURS)):
            run(program, tmp_path, token(bridge, trace), port)

        def window() -> dict:
            traces = bridge.get("/api/v1/figures/series").json()["traces"]
            return {label: list(zip(trace["x"], trace["y"], strict=True)) for label, trace in traces.items()}

        expected = [(n, n / 2) for n in range(120, 200)]
        eventually(lambda: window() == {"theirs": expected, "ours": expected}, what="both windows")
        eventually(lambda: bridge.metric("events_delivered_total") == 400, what="every point in the history")
        assert bridge.stop() == 0
        bridge.start()
        assert window() == {"theirs": expected, "ours": expected}
        assert bridge.last_values("series") == {"theirs": 99.5, "ours": 99.5}
        assert bridge.stop() == 0
