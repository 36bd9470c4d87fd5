"""`mqttbridge rejected` and `mqttbridge spool` on a data directory that no bridge uses; the other way is end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mqttbridge.cli import cli
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.datadir import DataDir
from mqttbridge.events import Batch, Reason, Rejected
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

CONFIG = """
data_dir: data
rules: [{name: power, topic: "home/{room}/power", format: number, bucket: home, stream: "{room}"}]
"""


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG)
    Path("data").mkdir()
    spool = Spool(Path("data/spool.db"), SpoolConfig(), Metrics(), ("dashboard", "gone"))
    rejected = [
        Rejected(Reason.MALFORMED, 'expected a number (got "x")', "home/hall/power", b"x" * 100, "power"),
        Rejected(Reason.VALIDATION, "too \x1b[31mhot", "home/bath/power", b"17", "power"),
        Rejected(Reason.REFUSED, "400", "home/attic", b"\xff\x00", destination="cloud"),
    ]
    spool.append(
        [Batch([("home", "hall", 5, 1.5), ("home", "bath", True, 2.5)]), Batch([("h", "s", 1, 1.0)], ("gone",))],
        rejected,
    )
    spool.close()


def mqttbridge(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def listed(*filters: str) -> list[int]:
    return [json.loads(line)["id"] for line in mqttbridge("rejected", "ls", "--json", *filters).stdout.splitlines()]


def test_they_are_listed_newest_first_each_with_its_reason_and_nothing_steers_the_terminal():
    result = mqttbridge("rejected", "ls")
    assert result.exit_code == 0
    first, *_ = result.stdout.splitlines()
    assert first.startswith("     3  20")
    assert first.endswith('Z  refused  destination "cloud"  home/attic')
    assert "        too \\x1b[31mhot\n        17\n" in result.stdout
    assert f"        {'x' * 60}...\n" in result.stdout
    assert result.stderr == "3 messages of 3 rejected\n"


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ([], [3, 2, 1]),
        (["--reason", "malformed"], [1]),
        (["--rule", "power"], [2, 1]),
        (["--topic", "home/+/power"], [2, 1]),
        (["--topic", "home/attic"], [3]),
        (["--since", "1h"], [3, 2, 1]),
        (["--since", "0s"], []),
        (["--limit", "2"], [3, 2]),
    ],
)
def test_filters(filters, ids):
    assert listed(*filters) == ids


def test_one_is_shown_whole():
    result = mqttbridge("rejected", "show", "1", "3")
    assert f"  payload  {'x' * 100}\n" in result.stdout
    assert "  payload  ff 00 (hexadecimal)\n" in result.stdout
    assert json.loads(mqttbridge("rejected", "show", "3", "--json").stdout)["payload_base64"] == "/wA="


def test_one_that_is_not_there_is_said():
    result = mqttbridge("rejected", "show", "9")
    assert (result.exit_code, result.stderr) == (1, "mqttbridge: there is no 9 (any more)\n")


@pytest.mark.parametrize(
    "arguments", [[], ["--all", "--rule", "power"], ["--all", "1"], ["--topic", "a/#/b"], ["--reason", "x"]]
)
@pytest.mark.parametrize("command", ["replay", "purge"])
def test_what_is_meant_must_be_said(command, arguments):
    assert mqttbridge("rejected", command, *arguments).exit_code == 2
    assert len(listed()) == 3


def test_a_replay_without_a_bridge_keeps_what_waits_for_destinations_that_are_not_named_here():
    result = mqttbridge("rejected", "replay", "--all")
    assert result.stdout == (
        "1 message of 3 accepted: 1 event\n"
        "  still rejected 1 x malformed\n"
        "  left 1 x its destination is not configured now\n"
    )
    assert listed() == [3, 1]
    stats = json.loads(mqttbridge("spool", "stats", "--json").stdout)
    assert stats["waiting"] == {"dashboard": 3, "gone": 4}


def test_purge():
    assert mqttbridge("rejected", "purge", "1", "2").stdout == "2 messages purged\n"
    assert listed() == [3]
    assert json.loads(mqttbridge("rejected", "purge", "--all", "--json").stdout) == {"purged": 1}


def test_while_a_bridge_holds_the_directory_nothing_is_written_but_by_it():
    lock = DataDir(Path("data"))
    try:
        result = CliRunner().invoke(cli, ["rejected", "purge", "--all"], env={"MQTTBRIDGE_HTTP__LISTEN": "127.0.0.1:1"})
        assert result.exit_code == 1
        assert "it cannot be asked at http://127.0.0.1:1" in result.stderr
        result = CliRunner().invoke(cli, ["rejected", "purge", "--all"], env={"MQTTBRIDGE_HTTP__ENABLED": "false"})
        assert "without HTTP" in result.stderr
        assert len(listed()) == 3
    finally:
        lock.release()


def test_a_data_directory_without_a_spool_is_said():
    for arguments in (["rejected", "ls"], ["rejected", "purge", "--all"], ["spool", "stats"]):
        result = mqttbridge(*arguments, "--data-dir", "nowhere")
        assert result.exit_code == 1
        assert "there is no spool at nowhere/spool.db" in result.stderr
    assert not Path("nowhere").exists()


def test_the_spool_is_looked_into():
    stats = mqttbridge("spool", "stats").stdout
    assert "3 events in 2 rows" in stats
    assert "  dashboard    2 events waiting\n  gone         3 events waiting\n" in stats
    assert "  rejected     3 messages" in stats
    assert "2 events to every destination, first home / hall" in mqttbridge("spool", "ls").stdout
    assert "1 event to gone, first h / s" in mqttbridge("spool", "ls").stdout
    assert len(mqttbridge("spool", "ls", "--limit", "1").stdout.splitlines()) == 1
    assert mqttbridge("spool", "verify").stdout == "2 rows: nothing is wrong\n"
    exported = [json.loads(line) for line in mqttbridge("spool", "export").stdout.splitlines()]
    assert exported == [
        {"bucket": "home", "stream": "hall", "value": 5, "epoch": 1.5, "to": []},
        {"bucket": "home", "stream": "bath", "value": True, "epoch": 2.5, "to": []},
        {"bucket": "h", "stream": "s", "value": 1, "epoch": 1.0, "to": ["gone"]},
    ]
