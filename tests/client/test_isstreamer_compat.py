"""Scripts written for the original run on ours, unedited."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fake_events_api import ACCESS_KEY
from tests.support.unsent import delivered

ROOT = Path(__file__).resolve().parents[2]

# As its README has it; psutil's example used to log nothing.
SCRIPT = """
from ISStreamer.Streamer import Streamer
import psutil
streamer = Streamer(bucket_name="Some Bucket Name", bucket_key="bucket_key", access_key="{key}")
streamer.log("test", "hi")
streamer.log("temperature", 32)
streamer.log_object(psutil.virtual_memory(), key_prefix="mem")
streamer.flush()
streamer.close()
import sys; print(sys.argv[1:], Streamer.__module__, __name__)
"""


@pytest.fixture
def script(somewhere, api):
    (somewhere / "isstreamer.ini").write_text(
        f"[isstreamer.api_config]\nstream_api_base = {api.url.removesuffix('/api')}\n"
    )
    path = somewhere / "script.py"
    path.write_text(SCRIPT.format(key=ACCESS_KEY))
    return path


def run(*arguments):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )


def test_a_script_runs_unedited_by_the_module(script, api):
    done = run("-m", "mqttbridge.compat.isstreamer", script, "an", "argument")

    assert done.stdout == "['an', 'argument'] mqttbridge.client.streamer __main__\n"
    assert delivered(api)[:2] == [("bucket_key", "test", "hi"), ("bucket_key", "temperature", 32)]
    assert ("bucket_key", "mem_total") in {(bucket, stream) for bucket, stream, _ in delivered(api)}
    assert api.buckets == {"bucket_key": "Some Bucket Name"}


@pytest.mark.parametrize(
    "form", ["from ISStreamer.Streamer import Streamer", "import ISStreamer.Streamer as m; Streamer = m.Streamer"]
)
def test_an_import_makes_the_originals_path_resolve_to_ours(form):
    code = f"import mqttbridge.compat.isstreamer\n{form}\nimport mqttbridge\nprint(Streamer is mqttbridge.Streamer)"

    assert run("-c", code).stdout == "True\n"


def test_without_a_script_it_says_how_to_use_it():
    done = subprocess.run(
        [sys.executable, "-m", "mqttbridge.compat.isstreamer"], check=False, capture_output=True, text=True, cwd=ROOT
    )

    assert (done.returncode, done.stderr) == (
        1,
        "usage: python -m mqttbridge.compat.isstreamer script.py [argument ...]\n",
    )
