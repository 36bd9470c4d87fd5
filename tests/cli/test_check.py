from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mqttbridge.cli import cli

GOOD = """
mqtt: {url: mqtts://broker, username: u, password: hunter2}
destinations:
  dashboard: {type: embedded}
  cloud: {type: initialstate, access_key: hunter2}
models:
  Climate: {t: {type: float}}
rules:
  - {name: climate, topic: "a/{x}", model: Climate, bucket: "{x}", stream: s}
  - {topic: b, bucket: b, stream: "evil\\e[31m"}
"""

BAD = """
mqtt: {qos: 5}
destinations:
  dashboard: {type: embedded}
  bad: {type: nope}
models:
  Climate:
    t: {type: flaot}
    u: {type: str, ge: 5}
rules:
  - topic: a/#/b
    bucket: b
    stream: s
  - topic: fleet/{site}/x
    bucket: "{sit}"
    stream: s
    model: Climat
    to: [dashbord, bad]
    tu: x
  - topic: fleet/{site}/{site}
    stream: s
    model: Climate
  - 5
"""


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def check(*arguments: str, env: dict[str, str | None] | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments], env=env)


def test_a_good_configuration_is_summarised_without_its_secrets():
    Path("config.yaml").write_text(GOOD)
    result = check("config.yaml")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "config.yaml: nothing is wrong.",
        "  broker        mqtts://broker as 'mqttbridge', QoS 1",
        "  rules         2: climate, rule 2",
        "  models        1: Climate",
        "  destinations  2: dashboard (embedded), cloud (initialstate)",
        "  dashboard     http://127.0.0.1:8080",
        "  data          ./mqttbridge-data",
    ]
    assert "hunter2" not in result.output


def test_an_empty_file_is_said_to_mean_the_defaults():
    Path("config.yaml").touch()
    result = check("config.yaml")
    assert result.exit_code == 0
    assert "config.yaml: nothing is wrong. Everything is at its default.\n" in result.stdout
    assert "built in: every topic" in result.stdout


def test_everything_that_is_wrong_is_said_at_once_in_sections_rules_and_models():
    Path("config.yaml").write_text(BAD)
    result = check("config.yaml")
    assert result.exit_code == 2
    places = [line.split(": ")[0:2] for line in result.stdout.splitlines()]
    assert places == [
        ["config.yaml:2", "mqtt.qos"],
        ["config.yaml:5", "destinations.bad.type"],
        ["config.yaml:8", "models.Climate.t.type"],
        ["config.yaml:9", "models.Climate.u.ge"],
        ["config.yaml:11", "rules[0].topic"],
        ["config.yaml:15", "rules[1].bucket"],
        ["config.yaml:17", "rules[1].model"],
        ["config.yaml:18", "rules[1].to[0]"],
        ["config.yaml:19", "rules[1].tu"],
        ["config.yaml:20", "rules[2].bucket"],
        ["config.yaml:20", "rules[2].topic"],
        ["config.yaml:23", "rules[3]"],
    ]
    assert "config.yaml:11: rules[0].topic: '#' must be the last level (got 'a/#/b')\n" in result.stdout
    assert result.stderr == "12 problems found.\n"


@pytest.mark.parametrize(
    ("yaml", "count"),
    [
        ("models: 5\nrules: [{topic: a, bucket: b, stream: c, model: M}]", 1),
        ("destinations: 5\nrules: [{topic: a, bucket: b, stream: c, to: [x]}]", 1),
        ("destinations: {}\nrules: [{topic: 'a/#/b', bucket: b, stream: c}]", 2),
        ("models: {M: 5}\nrules: [{topic: a, bucket: b, stream: c, model: M}]", 1),
        ("models: {M: {a: 5}}\nrules: [{topic: a, bucket: b, stream: c, model: M}]", 1),
        ("rules: 5", 1),
        ("rules: [{topic: [a], bucket: '{x}', stream: c}]", 1),
        ("rules: [{topic: '${X}/{y}', bucket: '{y}', stream: c}]", 1),
        ("rules: [{topic: 'a/{y}', bucket: ['{y}'], stream: '{z}'}]", 2),
    ],
)
def test_what_follows_from_one_mistake_is_not_reported_as_another(yaml, count):
    Path("config.yaml").write_text(yaml)
    result = check("config.yaml")
    assert (result.exit_code, len(result.stdout.splitlines())) == (2, count), result.stdout


@pytest.mark.parametrize("elsewhere", ["", "log: 5"])
def test_an_address_that_others_reach_needs_keys_where_none_can_be_made_on_the_page(elsewhere):
    no_page = "destinations: {cloud: {type: initialstate, access_key: k}}"
    Path("config.yaml").write_text(f"http:\n  listen: 0.0.0.0:8080\n{no_page}\n{elsewhere}")
    result = check("config.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith("config.yaml:2: http.listen: ")
    assert "write_keys" in result.stdout
    guarded = check("config.yaml", env={"MQTTBRIDGE_HTTP__WRITE_KEYS": "k"})
    assert "http.listen" not in guarded.stdout


def test_with_json_a_script_reads_the_summary():
    Path("config.yaml").write_text(GOOD)
    answer = json.loads(check("--json", "-c", "config.yaml").stdout)
    assert answer["ok"] is True
    assert answer["problems"] == []
    assert answer["summary"]["rules"] == ["climate", "rule 2"]


def test_with_json_a_script_reads_the_problems():
    Path("config.yaml").write_text("mqtt: {qos: 5}")
    result = check("config.yaml", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "ok": False,
        "problems": [{"file": "config.yaml", "line": 1, "path": "mqtt.qos", "what": "expected 0 or 1 (got 5)"}],
    }


def test_without_a_file_config_yaml_is_taken_where_there_is_one():
    assert check().stdout.startswith("Defaults and environment: nothing is wrong.")
    Path("config.yaml").write_text("mqtt: {qos: 5}")
    assert check().exit_code == 2


def test_a_variable_may_name_the_file_and_others_what_is_in_it():
    Path("other.yaml").write_text("mqtt: null")
    result = check(env={"MQTTBRIDGE_CONFIG": "other.yaml", "MQTTBRIDGE_DATA_DIR": "/data"})
    assert "other.yaml: nothing is wrong.\n  broker        none\n" in result.stdout
    assert "  data          /data\n" in result.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "config.yaml: there is no such file"),
        (b"mqtt:\n\turl: x\n", "config.yaml:2: a tab indents this line"),
        (b"\x00", "config.yaml:1: the character"),
        (b"\xff\xfe", "config.yaml:1: it is not UTF-8 text"),
        (b"[" * 10_000, "config.yaml:1: nested deeper than"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_clear_message(content, words):
    if content is not None:
        Path("config.yaml").write_bytes(content)
    result = check("config.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith(words)
    assert len(result.stdout.splitlines()) == 1


def test_contradictions_between_sections_have_their_line_beside_other_problems():
    Path("config.yaml").write_text(
        "mqtt:\n  url: mqtt://b\n  tls:\n    ca_file: ca.pem\n"
        "destinations:\n  self: {type: initialstate, access_key: k, url: 'http://localhost:8080/api'}\n"
        "log: {level: loud}\n"
    )
    result = check("config.yaml")
    assert [line.split(": ")[0:2] for line in result.stdout.splitlines()] == [
        ["config.yaml:4", "mqtt.tls.ca_file"],
        ["config.yaml:6", "destinations.self.url"],
        ["config.yaml:7", "log.level"],
    ]


def test_a_certificate_file_that_is_not_there_is_said_with_its_line():
    Path("config.yaml").write_text("mqtt:\n  url: mqtts://b\n  tls:\n    ca_file: ca.pem\n")
    result = check("config.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith("config.yaml:4: mqtt.tls.ca_file: there is no such file")


@pytest.mark.parametrize("key", ["host", "port"])
def test_a_host_or_port_of_its_own_is_told_where_it_belongs(key):
    Path("config.yaml").write_text(f"mqtt: {{{key}: 1883}}")
    assert "unknown key; put it into mqtt.url, as in mqtt://localhost:1883" in check("config.yaml").stdout


def test_a_bad_topic_hides_no_mistake_in_the_templates_of_its_rule():
    Path("config.yaml").write_text(
        "rules:\n  - topic: '{site}/#/{device}'\n    bucket: '{sitte}'\n    stream: '{device'\n"
        "  - topic: 'a/#/b'\n    bucket: '{site}'\n    stream: x\n"
    )
    result = check("config.yaml")
    assert [line.split(": ")[1] for line in result.stdout.splitlines()] == [
        "rules[0].topic", "rules[0].bucket", "rules[0].stream", "rules[1].topic",
    ]  # fmt: skip
