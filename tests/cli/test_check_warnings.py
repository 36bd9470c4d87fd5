from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mqttbridge.cli import cli

CONFIG = """
destinations:
  dashboard: {type: embedded}
  cloud: {type: initialstate, access_key: hunter2}
models:
  Unused: {t: {type: float}}
rules:
  - name: climate
    topic: fleet/{site}/{device}/climate
    bucket: "{site}"
    stream: "{field}"
"""


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments])


def warned(*arguments: str) -> list[str]:
    return [line for line in check(*arguments).stdout.splitlines() if line.startswith("warning: ")]


def test_warnings_have_their_place_and_leave_the_exit_code_alone():
    assert check().exit_code == 0
    unused_model, unused_capture = warned()
    assert unused_model == "warning: config.yaml:6: models.Unused: no rule uses this model"
    assert unused_capture.startswith("warning: config.yaml:9: rules[0].topic: {device} is never used: values of topics")


def test_strict_makes_them_count():
    assert check("--strict").exit_code == 2
    Path("config.yaml").write_text("mqtt: null\nrules: []")
    assert check("--strict").exit_code == 0


def test_a_script_reads_them():
    told = json.loads(check("--json").stdout)
    assert told["ok"] is True
    assert [one["line"] for one in told["warnings"]] == [6, 9]
    assert "hunter2" not in check("--json").stdout


def test_a_rate_is_held_against_the_plan():
    told = warned("--rate", "climate=4/min*100")
    assert told[-1] == (
        "warning: config.yaml:8: rules[0]: rule `climate`: about 240 events/h per device (24,000 for all 100); the "
        "monthly 25,000 of `cloud` go in 63 minutes"
    )
    assert not any("events/h" in line for line in warned("--rate", "climate=4/min", "--monthly", "3000000"))


def test_a_recording_tells_the_rate():
    lines = [{"topic": "fleet/a/d1/climate", "payload": '{"t": 1, "h": 2}', "time": n} for n in range(0, 601, 60)]
    Path("r.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert (
        "about 132 events/h per device; the monthly 25,000 of `cloud` go in 8 days" in warned("--replay", "r.jsonl")[-1]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "climate"], "RULE=COUNT/min"),
        (["--rate", "climat=4/min"], "no rule 'climat'"),
        (["--replay", "short.jsonl"], "too short"),
    ],
)
def test_what_cannot_be_estimated_is_bad_usage(arguments, words):
    Path("short.jsonl").write_text('{"topic": "a"}')
    result = check(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_field_that_no_message_of_a_recording_has():
    model = "models:\n  M: {t: {type: float}, h: {type: float, optional: true}}\n"
    Path("config.yaml").write_text(model + "rules:\n  - {topic: a/+, format: json, model: M, bucket: b, stream: s}\n")
    record('{"t": 1}')
    assert warned("--replay", "recording.jsonl") == [
        "warning: config.yaml:2: models.M.h: no message of the recording has this field"
    ]
    record("?")
    assert warned("--replay", "recording.jsonl") == []


def record(payload):
    lines = [json.dumps({"time": time, "topic": "a/x", "payload": payload}) for time in (0, 600)]
    Path("recording.jsonl").write_text("\n".join(lines))
