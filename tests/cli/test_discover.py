from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mqttbridge.cli import cli


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [{"topic": f"home/{room}/climate", "payload": '{"temperature": 21}'} for room in ("hall", "bath")]
    Path("r.jsonl").write_text("\n".join(map(json.dumps, lines)))
    Path("empty.jsonl").write_text("")
    Path("useless.jsonl").write_text('{"topic": "a"}\n')


def discover(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["discover", *arguments])


def test_the_proposal_goes_to_standard_output_and_what_it_is_worth_to_standard_error():
    result = discover("--replay", "r.jsonl")
    assert result.exit_code == 0
    assert 'topic: "home/{room}/climate"' in result.stdout
    assert result.stderr == "1 rule; maps 2 of 2 messages (100.0 %)\n"


def test_a_file_that_is_there_is_not_written_over_unless_asked():
    Path("config.yaml").write_text("precious")
    result = discover("--replay", "r.jsonl", "--write", "config.yaml")
    assert result.exit_code == 1
    assert "config.yaml exists" in result.stderr
    assert Path("config.yaml").read_text() == "precious"
    assert discover("--replay", "r.jsonl", "--write", "config.yaml", "--force").exit_code == 0
    assert CliRunner().invoke(cli, ["check", "config.yaml", "--strict"]).exit_code == 0


@pytest.mark.parametrize(
    ("file", "words"), [("empty.jsonl", "nothing was heard"), ("useless.jsonl", "none to be stored")]
)
def test_without_anything_to_go_by_there_is_no_proposal(file, words):
    result = discover("--replay", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


@pytest.mark.parametrize("command", ["discover", "record"])
def test_how_long_is_a_duration(command):
    result = CliRunner().invoke(cli, [command, "--for", "soon"])
    assert result.exit_code == 2
    assert "expected a duration" in result.stderr


def test_a_recording_is_not_written_over_unless_asked():
    result = CliRunner().invoke(cli, ["record", "r.jsonl"])
    assert result.exit_code == 1
    assert "r.jsonl exists" in result.stderr
