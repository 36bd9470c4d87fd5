"""`mqttbridge test`: what a mapping in version control is held against."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from mqttbridge.cli import cli

CONFIG = 'rules: [{name: power, topic: "home/{room}/power", format: number, bucket: home, stream: "{room}", unit: W}]\n'
MESSAGES = [
    {"topic": "home/hall/power", "payload": "5"},
    {"topic": "home/hall/power", "payload": "x"},
    {"topic": "y", "payload": ""},
]


@pytest.fixture
def case(tmp_path):
    folder = tmp_path / "cases" / "power"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "messages.jsonl").write_text("".join(json.dumps(one) + "\n" for one in MESSAGES))
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["test", *map(str, arguments)])


def test_expectations_are_written_and_then_met(case):
    assert run("--update", case.parent).stdout == f"written  {case}\n"
    expected = [json.loads(line) for line in (case / "expected.jsonl").read_text().splitlines()]
    assert expected == [
        [{"rule": "power", "events": [["home", "hall", 5, 1760000000.0]], "units": {"hall": "W"}}],
        [{"rule": "power", "rejected": "malformed", "detail": 'expected a number (got "x")'}],
        [],
    ]
    result = run(case.parent)
    assert (result.exit_code, result.stdout) == (0, f"ok      {case}\n1 case: none failed\n")
    assert run("--update", case).stdout == f"the same  {case}\n"


def test_a_difference_is_shown_event_by_event_and_fails(case):
    run("--update", case)
    (case / "config.yaml").write_text(CONFIG.replace('stream: "{room}"', 'stream: "{room}.power"'))
    result = run(case)
    assert result.exit_code == 1
    assert result.stdout == (
        f"FAILED  {case}\n"
        '  messages.jsonl:1: {"topic": "home/hall/power", "payload": "5"}\n'
        '    - `power`: ["home", "hall", 5, 1760000000.0]\n'
        '    - `power`: units {"hall": "W"}\n'
        '    + `power`: ["home", "hall.power", 5, 1760000000.0]\n'
        '    + `power`: units {"hall.power": "W"}\n'
        "1 case: 1 failed\n"
    )


def test_a_message_without_an_expectation_fails_and_one_too_many_as_well(case):
    assert run(case).exit_code == 1
    run("--update", case)
    with (case / "expected.jsonl").open("a") as file:
        file.write("[]\n")
    result = run(case)
    assert result.exit_code == 1
    assert "messages.jsonl:4: (no such message)\n    - []\n" in result.stdout


def test_the_order_of_keys_makes_no_difference_but_a_type_does(case):
    run("--update", case)
    text = (case / "expected.jsonl").read_text()
    lines = [json.dumps(json.loads(line), sort_keys=True) for line in text.splitlines()]
    (case / "expected.jsonl").write_text("\n".join(lines))
    assert run(case).exit_code == 0
    (case / "expected.jsonl").write_text(text.replace('"hall", 5,', '"hall", 5.0,'))
    assert run(case).exit_code == 1


def test_a_recording_keeps_its_own_times(case):
    (case / "messages.jsonl").write_text('{"topic": "home/hall/power", "payload": "5", "time": 12.5, "qos": 1}\n')
    run("--update", case)
    assert '"hall", 5, 12.5]' in (case / "expected.jsonl").read_text()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.yaml", "rules: 5", "config.yaml:1: rules:"),
        ("messages.jsonl", "{", "messages.jsonl:1: not a message"),
        ("messages.jsonl", '{"topic": "a", "payload": "x", "repeat": 1000000000}', "at most 64 MiB"),
    ],
)
def test_a_case_that_cannot_be_run_fails_and_the_others_are_run(case, file, content, words):
    other = case.parent / "zz"
    other.mkdir()
    for name in ("config.yaml", "messages.jsonl"):
        (other / name).write_text((case / name).read_text())
    run("--update", other)
    (case / file).write_text(content)
    result = run(case.parent)
    assert result.exit_code == 1
    assert words in result.stdout
    assert f"ok      {other}" in result.stdout


def test_a_folder_without_cases_is_bad_usage(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "there is no case" in result.stdout


def test_a_payload_may_hold_what_others_take_for_the_end_of_a_line(case):
    (case / "messages.jsonl").write_text('{"topic": "home/hall/power", "payload": "5\u2028\x85"}\n', encoding="utf-8")
    run("--update", case)
    assert run(case).exit_code == 0
