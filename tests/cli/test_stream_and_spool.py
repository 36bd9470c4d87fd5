"""`mqttbridge stream` and `mqttbridge spool`, as processes at a pipe."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mqttbridge.cli import cli
from tests.support.fake_events_api import ACCESS_KEY, FakeEventsApi, Reply
from tests.support.unsent import delivered, in_file

ROOT = Path(__file__).resolve().parents[2]
DEAD = "http://127.0.0.1:1"


@pytest.fixture
def api():
    with FakeEventsApi(ACCESS_KEY) as server:
        yield server


@pytest.fixture
def environ(tmp_path, api):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMER_")}
    return kept | {"PYTHONPATH": str(ROOT), "STREAMER_URL": api.url, "STREAMER_ACCESS_KEY": ACCESS_KEY, "NO_PROXY": "*"}


@pytest.fixture
def run(tmp_path, environ):
    def command(*arguments, given=b""):
        return subprocess.run(
            [sys.executable, "-m", "mqttbridge", *map(str, arguments)],
            input=given,
            capture_output=True,
            check=False,
            timeout=30,
            cwd=tmp_path,
            env=environ,
        )

    return command


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "mqttbridge-unsent.db"


# --- stream --------------------------------------------------------------------------------------------------


def test_values_of_a_named_stream(run, api):
    done = run("stream", "--bucket", "pi", "--name", "My Pi", "--stream", "temp", given=b"21.5\n22\n\nwarm\n")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"3 events delivered\n")
    assert delivered(api) == [("pi", "temp", 21.5), ("pi", "temp", 22), ("pi", "temp", "warm")]
    assert api.buckets == {"pi": "My Pi"}


def test_streams_and_json_lines_and_lines_that_are_neither(run, api):
    given = (
        b'kitchen 21.5\n{"hall": {"t": 20}}\nalone\n{"key": "k", "value": 1, "epoch": 5}\n'
        + b"x" * 200_000
        + b"\nend 1\n"
    )
    done = run("stream", "--bucket", "pi", given=given)

    assert done.returncode == 0
    assert delivered(api) == [("pi", "kitchen", 21.5), ("pi", "hall_t", 20), ("pi", "k", 1), ("pi", "end", 1)]
    assert api.events[2].epoch == 5
    assert b"a line is passed over: one word only" in done.stderr
    assert done.stderr.endswith(b"4 events delivered, 2 lines not understood\n")


def test_the_columns_of_a_table(run, api):
    table = b"procs ---memory---\n r  b\n 1  2\n 3  4\n"
    run("stream", "--bucket", "pi", "--columns", "--skip", 1, "--stream", "vm", given=table)

    assert delivered(api) == [("pi", "vm_r", 1), ("pi", "vm_b", 2), ("pi", "vm_r", 3), ("pi", "vm_b", 4)]


def test_more_than_memory_should_hold_waits_in_the_pipe(run, api, spool):
    done = run("stream", "--bucket", "pi", "--stream", "n", given=b"\n".join(b"%d" % n for n in range(30_000)))

    assert done.stderr == b"30,000 events delivered\n"
    assert [value for _, _, value in delivered(api)] == list(range(30_000))
    assert not spool.exists()


def test_a_server_that_is_away_leaves_everything_in_the_file_and_replay_delivers_it(run, api, spool):
    done = run("stream", "--bucket", "pi", "--stream", "t", "--url", DEAD, given=b"1\n2\n3\n")
    assert done.returncode == 1
    assert b"3 events are not delivered" in done.stderr
    assert done.stderr.endswith(b"0 events delivered, 3 kept\n")
    assert in_file(spool) == [("pi", "t", 1), ("pi", "t", 2), ("pi", "t", 3)]

    elsewhere = run("spool", "replay", spool)
    assert (elsewhere.returncode, delivered(api)) == (1, [])
    assert b"3 are meant for another address or key: --all sends them, too" in elsewhere.stderr

    done = run("spool", "replay", spool, "--all")
    assert (done.returncode, done.stdout) == (0, b"3 events delivered\n")
    assert delivered(api) == [("pi", "t", 1), ("pi", "t", 2), ("pi", "t", 3)]


def test_a_signal_ends_it_with_everything_delivered(environ, api, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "mqttbridge", "stream", "--bucket", "pi", "--stream", "t"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environ,
    )
    process.stdin.write(b"1\n2\n")
    process.stdin.flush()
    api.wait_for_events(2)
    process.stdin.write(b"3\n")
    process.stdin.flush()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)

    assert process.returncode == 0
    assert said.endswith(b"events delivered\n")


def test_a_terminal_sees_progress(environ, api, tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mqttbridge", "stream", "--bucket", "pi", "--stream", "t"],
        stdin=subprocess.PIPE,
        stderr=theirs,
        cwd=tmp_path,
        env=environ,
    )
    os.close(theirs)
    process.communicate(b"1\n", timeout=20)
    shown = os.read(ours, 4096)
    os.close(ours)

    assert b"1 events, " in shown
    assert shown.endswith(b"1 events delivered\r\n")


@pytest.mark.parametrize("wrong", [["--bucket", "a:b"], ["--bucket", "a", "--url", "nowhere"], []])
def test_bad_usage_is_exit_code_2(run, wrong):
    assert run("stream", *wrong).returncode == 2


# --- spool ---------------------------------------------------------------------------------------------------


def test_what_is_in_a_file_is_shown_without_keys(run, api, spool):
    api.always(Reply(400, "bad stream\n\033[31m"))
    run("stream", "--bucket", "pi", "--stream", "t", given=b"1\n")
    run("stream", "--bucket", "attic", "--stream", "t", "--url", DEAD, given=b"1\n2\n")

    shown = run("spool", "ls", spool).stdout.decode()
    found = [json.loads(line) for line in run("spool", "ls", spool, "--json").stdout.splitlines()]
    assert "pi to http://127.0.0.1" in shown
    assert "0 waiting, 1 refused" in shown
    assert "attic to http://127.0.0.1:1: 2 waiting, 0 refused" in shown
    assert "bad stream" in shown
    assert "\033" not in shown
    assert [(entry["bucket"], entry["waiting"], entry["refused"]) for entry in found] == [("pi", 0, 1), ("attic", 2, 0)]
    assert ACCESS_KEY not in shown


def test_the_refused_are_tried_once_more_on_request(run, api, spool):
    api.refuse_streams({"t"})
    run("stream", "--bucket", "pi", "--stream", "t", given=b"1\n")
    assert run("spool", "replay", spool).stdout == b"0 events delivered\n"
    api.judge = None

    done = run("spool", "replay", spool, "--refused")

    assert (done.returncode, done.stdout) == (0, b"1 events delivered\n")
    assert delivered(api) == [("pi", "t", 1)]


def test_a_replay_that_fails_leaves_everything(run, api, spool):
    run("stream", "--bucket", "pi", "--stream", "t", "--url", DEAD, given=b"1\n2\n")
    api.always(503)
    done = run("spool", "replay", spool, "--all")

    assert done.returncode == 1
    assert b"2 are left (503 Service Unavailable)" in done.stderr
    assert in_file(spool) == [("pi", "t", 1), ("pi", "t", 2)]


def test_several_addresses_in_a_file_want_one_named(run, environ, spool):
    del environ["STREAMER_URL"]
    for port in (1, 2):
        run("stream", "--bucket", "b", "--stream", "t", "--url", f"http://127.0.0.1:{port}", given=b"1\n")
    done = run("spool", "replay", spool)

    assert done.returncode == 2
    assert b"name one by --url: http://127.0.0.1:1, http://127.0.0.1:2" in done.stderr


def test_what_isstreamer_missed_is_imported_and_delivered(run, api, tmp_path):
    missed = tmp_path / "err_missed_events.txt"
    missed.write_text('{"bucketKey": "old", "bucketName": "Old"}\n[{"key": "t", "value": 1, "epoch": 5}]\nbroken\n')
    done = run("spool", "import", missed)
    assert done.returncode == 1
    assert done.stdout == b"1 events of bucket 'old' are in mqttbridge-unsent.db\n"
    assert b"err_missed_events.txt:3: no JSON" in done.stderr

    assert run("spool", "replay").returncode == 0
    assert delivered(api) == [("old", "t", 1)]
    assert api.events[0].epoch == 5
    assert api.buckets == {"old": "Old"}


def test_an_import_wants_to_know_whose_events_they_are(run, tmp_path):
    missed = tmp_path / "err_missed_events.txt"
    missed.write_text('[{"key": "t", "value": 1, "epoch": 5}]\n')

    assert run("spool", "import", missed).returncode == 2
    assert run("spool", "import", missed, "--bucket", "a:b").returncode == 2
    assert run("spool", "import", missed, "--bucket", "home", "--name", "Home").returncode == 0


@pytest.mark.parametrize("name", ["ls", "replay", "import"])
def test_each_has_a_help(name):
    result = CliRunner().invoke(cli, ["spool", name, "--help"])

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: cli spool {name}")
