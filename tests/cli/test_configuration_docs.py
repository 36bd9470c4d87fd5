"""docs/configuration.md shows what the program says; here it says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mqttbridge.cli import cli
from mqttbridge.config.loading import load_config
from mqttbridge.errors import ConfigError

TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
VARIABLES = re.findall(r"^\| `(MQTTBRIDGE_\w+)=(.*?)` \|", TEXT, re.MULTILINE)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_slips_are_found_as_shown():
    Path("config.yaml").write_text(next(block for block in blocks("yaml") if "fromat" in block))
    result = CliRunner().invoke(cli, ["check", "config.yaml"])
    assert result.stdout + result.stderr == blocks("console")[0].partition("\n")[2]


def test_the_misspelt_variable_is_found_as_shown():
    result = CliRunner().invoke(cli, ["check"], env={"MQTTBRIDGE_MQTT__URI": "mqtt://broker.lan"})
    assert result.stdout == blocks("console")[1].partition("\n")[2]


def problems(environ: dict[str, str]) -> list[str]:
    try:
        load_config(None, environ)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(("name", "value"), VARIABLES)
def test_each_variable_of_the_table_is_known(name, value):
    environ = {"MQTTBRIDGE_RULES": "[{topic: a, bucket: b, stream: c}]", name: value}
    assert [what for what in problems(environ) if not re.search("no such file|required, but missing", what)] == []
