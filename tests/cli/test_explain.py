from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mqttbridge.cli import cli

CONFIG = """
models:
  Climate: {temperature: {type: float, le: 85, unit: "°C"}}
rules:
  - {name: power, topic: "fleet/{device}/power", format: number, bucket: fleet, stream: "{device}"}
  - name: climate
    topic: fleet/{site}/{device}/climate
    model: Climate
    bucket: "{site}"
    stream: "{device}.{field}"
  - {name: rest, topic: "fleet/{rest#}", bucket: fleet, stream: "{rest}"}
"""


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG)


def explain(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments], input=stdin)


def test_a_message_that_is_mapped():
    lines = explain("fleet/a/d1/climate", '{"temperature": 21.5}').stdout.splitlines()
    assert lines[:4] == [
        "not `power`: level 2: wanted `power`, got `d1`; the topic has 4 levels, the rule 3",
        "`climate` takes it (fleet/+/+/climate)",
        "  captures  site = a, device = d1",
        "  payload   temperature = 21.5 °C",
    ]
    assert lines[4].startswith("  time      20")
    assert lines[5:] == [
        "  goes to   every destination",
        "  events    a / d1.temperature = 21.5",
        "not asked, since the message was taken above: `rest`",
    ]


def test_a_message_that_is_rejected():
    shown = explain("fleet/a/d1/climate", '{"temperature": 99}').stdout
    assert "  rejected  validation: temperature: must be at most 85 (got 99)\n" in shown


def test_a_message_that_no_rule_takes_and_the_nearest():
    lines = explain("Fleet/a/d1/climate", "{}").stdout.splitlines()
    assert lines[0] == "no rule takes it"
    assert lines[1] == "  nearest   matches `climate` but for level 0: wanted `fleet`, got `Fleet`"


def test_what_comes_from_outside_cannot_steer_the_terminal():
    shown = explain("fleet/\x1b[31m/x", "\x1b]0;evil\x07").stdout
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown


@pytest.mark.parametrize(
    ("arguments", "stdin", "value"),
    [
        (["fleet/d/power", "21.5"], None, 21.5),
        (["fleet/d/power", "-"], b" 7\n", 7),
        (["fleet/d/power", "3432", "--hex"], None, 42),
    ],
)
def test_a_payload_is_given_as_text_by_standard_input_or_in_hexadecimal(arguments, stdin, value):
    told = json.loads(explain(*arguments, "--json", stdin=stdin).stdout)
    assert [event["value"] for event in told["rules"][0]["events"]] == [value]


@pytest.mark.parametrize(
    "arguments",
    [[], ["topic"], ["topic", "zz", "--hex"], ["topic", "x", "--replay", "file"]],
)
def test_bad_usage_is_exit_code_2(arguments):
    assert explain(*arguments).exit_code == 2


def test_a_recording_is_summarised_by_rule():
    lines = [
        {"topic": "fleet/a/d1/climate", "payload": '{"temperature": 21}', "time": 10},
        {"topic": "fleet/a/d1/climate", "payload": "{}", "time": 20},
        {"topic": "Fleet/d1/power", "payload": "1", "time": 30},
    ]
    Path("r.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert explain("--replay", "r.jsonl").stdout.splitlines() == [
        "3 messages in 20 s: 1 mapped (33.3 %), 1 rejected, 1 unmatched",
        "  power    0 messages, 0 events, 0 topics, 0 streams",
        "  climate  2 messages, 1 event, 1 topic, 1 stream",
        "    rejected 1 x validation, first on fleet/a/d1/climate: temperature is missing",
        "  rest     0 messages, 0 events, 0 topics, 0 streams",
        "  unmatched 1 x Fleet/d1/power: matches `power` but for level 0: wanted `fleet`, got `Fleet`",
    ]


def test_a_recording_that_is_none_is_said():
    Path("r.jsonl").write_text("nonsense")
    result = explain("--replay", "r.jsonl")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("mqttbridge: r.jsonl:1: not a recorded message")
