"""Initial State's own Python clients, unmodified, and ours, as programs against a started `mqttbridge serve`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import BridgeProcess, eventually

ROOT = Path(__file__).resolve().parents[2]

WRITER = """
from {module} import Streamer
streamer = Streamer(bucket_name="Home", bucket_key="home", ini_file_location="clients.ini")
streamer.log("temperature", 21.5)
streamer.log("door", "open")
streamer.log_object({{"lit": True}}, key_prefix="lamp")
streamer.flush()
streamer.close()
"""
READER = """
import json
from ISReader.Reader import Reader
reader = Reader(bucket_key="home", ini_file_location="clients.ini")
print()
print(json.dumps([reader.get_latest(), reader.get_latest(keys=["door"])]))
"""


@pytest.fixture
def run(tmp_path):
    def script(code):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return done.stdout

    return script


@pytest.mark.parametrize("module", ["ISStreamer.Streamer", "mqttbridge"])
def test_what_a_streamer_logs_a_reader_reads(tmp_path, run, module):
    with BridgeProcess(tmp_path / "bridge", {"mqtt": None}) as bridge:
        (tmp_path / "clients.ini").write_text(
            f"[isstreamer.client_config]\naccess_key = key\n[isstreamer.api_config]\nstream_api_base = {bridge.url}\n"
            f"[isreader.client_config]\naccess_key = key\n[isreader.api_config]\napi_base = {bridge.url}\n"
        )
        run(WRITER.format(module=module))
        eventually(lambda: len(bridge.last_values("home")) == 3, what="three streams")
        everything, door = json.loads(run(READER).splitlines()[-1])

    assert {stream: one["value"] for stream, one in everything.items()} == {
        "temperature": "21.5",
        "door": "open",
        "lamp_lit": "true",
    }
    assert set(door) == {"door"}
