"""`mqttbridge token`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mqttbridge.cli import cli
from mqttbridge.dashboard.plotly.tokens import TokenFile


@pytest.fixture
def token(tmp_path):
    def run(*words: str):
        return CliRunner().invoke(cli, ["token", *words, "--data-dir", str(tmp_path)])

    return run


def test_a_token_is_made_listed_and_removed(token, tmp_path):
    made = token("add", "--figure", "weather", "--trace", "inside", "--maxpoints", "80").output.strip()
    listed = json.loads(token("ls", "--json").output)

    assert TokenFile(tmp_path).find(made) is not None
    assert [(one["figure"], one["trace"], one["maxpoints"]) for one in listed] == [("weather", "inside", 80)]
    assert made not in token("ls").output
    assert "weather / inside" in token("ls").output
    assert token("rm", listed[0]["id"]).exit_code == 0
    assert token("ls", "--json").output.strip() == "[]"


def test_a_token_that_a_program_has_already_is_taken(token, tmp_path):
    assert token("add", "a3yx8ev3pg", "--figure", "f", "--trace", "t").output.strip() == "a3yx8ev3pg"
    assert TokenFile(tmp_path).find("a3yx8ev3pg") is not None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "--figure", "f"], 2, "needs --figure and --trace"),
        (["add", "x", "--figure", "f", "--trace", "t"], 2, "ASCII characters"),
        (["rm"], 2, "needs the id"),
        (["rm", "nothing"], 1, "no such token"),
        (["burn"], 2, "is not one of"),
    ],
)
def test_what_is_wrong_is_said(token, words, code, said):
    result = token(*words)

    assert result.exit_code == code
    assert said in result.output
