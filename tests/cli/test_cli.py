from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from mqttbridge import __version__
from mqttbridge.cli import COMMANDS, cli
from mqttbridge.errors import ConfigError, ListenError, Problem


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def failing_with(error: Exception) -> click.Command:
    @click.command("failing")
    def failing() -> None:
        raise error

    return failing


@pytest.fixture
def invoke_failing(runner, monkeypatch):
    def invoke(error: Exception):
        monkeypatch.setattr(cli, "get_command", lambda _ctx, _name: failing_with(error))
        return runner.invoke(cli, ["failing"])

    return invoke


def test_help_shows_every_command_in_order_without_importing_one():
    code = (
        "import sys; from mqttbridge.cli import cli; cli.main(['--help'], standalone_mode=False);"
        "print([name for name in sorted(sys.modules) if name.startswith(('pydantic', 'yaml', 'paho', 'mqttbridge.'))])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.index("demo  ") < shown.index("check  ") < shown.index("run  ")
    assert "mqttbridge run --broker mqtt://localhost" in shown
    assert "['mqttbridge.cli', 'mqttbridge.errors']" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there_and_its_help_begins_with_its_summary(runner, name):
    result = runner.invoke(cli, [name, "--help"], terminal_width=200)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: cli {name}")


def test_the_version_is_one_line(runner):
    result = runner.invoke(cli, ["--version"], prog_name="mqttbridge")
    assert (result.exit_code, result.output) == (0, f"mqttbridge {__version__}\n")


def test_an_operational_failure_is_a_line_on_stderr_and_exit_code_1(invoke_failing):
    result = invoke_failing(ListenError("127.0.0.1:8080 is in use"))
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "mqttbridge: 127.0.0.1:8080 is in use\n")


def test_a_wrong_configuration_is_its_problems_on_stderr_and_exit_code_2(invoke_failing):
    result = invoke_failing(ConfigError([Problem("c.yaml", 3, "mqtt.url", "no"), Problem("c.yaml", 4, "log", "no")]))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "c.yaml:3: mqtt.url: no\nc.yaml:4: log: no\n"


def test_a_programming_error_is_not_hidden(invoke_failing):
    assert isinstance(invoke_failing(ZeroDivisionError()).exception, ZeroDivisionError)


@pytest.mark.parametrize("arguments", [["nonsense"], ["check", "--nonsense"]])
def test_bad_usage_is_exit_code_2(runner, arguments):
    result = runner.invoke(cli, arguments)
    assert result.exit_code == 2
    assert "Error: No such" in result.stderr


def test_python_m_is_the_same_program():
    done = subprocess.run([sys.executable, "-m", "mqttbridge", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"mqttbridge {__version__}\n"
