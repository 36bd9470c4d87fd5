"""Each file of examples/ is run by a test, and the commands that it gives are commands that there are."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mqttbridge.cli import COMMANDS, LazyGroup

ROOT = Path(__file__).resolve().parents[1]
# The test that runs the file, by its own command or with the addresses of stand-ins.
RUN_BY = {
    "examples/initial_state/json_api.py": "integration/test_initial_state_examples.py",
    "examples/initial_state/module.py": "integration/test_initial_state_examples.py",
    "examples/initial_state/url_parameters.py": "integration/test_initial_state_examples.py",
    "examples/openweather.yaml": "integration/test_polled_api.py",
    "examples/panel_weather/app.py": "browser/test_panel_weather.py",
    "examples/panel_weather/california.json": "browser/test_panel_weather.py",
}
PROGRAMS = {"mqttbridge", "python", "panel", "pip", "export"}


def test_each_example_is_run_by_a_test():
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("*") if path.is_file()}

    assert {file for file in files if "__pycache__" not in file} == set(RUN_BY)
    for example, test in RUN_BY.items():
        assert Path(example).parent.name in (text := (ROOT / "tests" / test).read_text(encoding="utf-8")), example
        assert Path(example).stem in text or "glob" in text or example.endswith(".json"), example


@pytest.mark.parametrize("example", [example for example in RUN_BY if not example.endswith(".json")])
def test_the_commands_that_an_example_gives_exist(example):
    text = (ROOT / example).read_text(encoding="utf-8")
    lines = [line.removeprefix("#").strip() for line in text.splitlines() if re.match(r"#? {3,4}\S", line)]
    commands = [words for line in lines if (words := command_in(line))]

    assert commands
    for program, *words in commands:
        assert all((ROOT / word).is_file() for word in words if word.startswith("examples/"))
        if program == "mqttbridge":
            name, *arguments = words
            command = LazyGroup("mqttbridge").get_command(click.Context(LazyGroup("mqttbridge")), name)
            assert name in COMMANDS
            assert command is not None
            command.make_parser(click.Context(command)).parse_args(args=arguments)  # raises on an unknown option


def command_in(line):
    """Its words, variables before it aside; None where it is something else, such as the example's own text."""
    line = re.split(r"\s{3,}", line)[0]
    if line.count("'") % 2 or line.count('"') % 2:
        return None
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
    return words if words and words[0] in PROGRAMS else None


def test_check_finds_nothing_hardly_meant_in_the_weather_example(monkeypatch):
    monkeypatch.setenv("OPENWEATHER_KEY", "any")
    group = LazyGroup("mqttbridge")
    check = group.get_command(click.Context(group), "check")

    result = CliRunner().invoke(check, [str(ROOT / "examples/openweather.yaml"), "--strict"])

    assert result.exit_code == 0, result.output
