"""The documentation is true: its commands exist, its examples load, its links lead somewhere, its tables are whole."""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml

from mqttbridge import __version__
from mqttbridge.cli import COMMANDS, LazyGroup
from mqttbridge.cli.load import load_and_compile
from mqttbridge.config.model import Config
from mqttbridge.errors import ConfigError
from mqttbridge.events import Reason
from mqttbridge.metrics import Metrics

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGE_IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

every_page = pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)


class Block(NamedTuple):
    language: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(match[1], match[2], text.count("\n", 0, match.start()) + 2)


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Every command line in a shell block, as its words; a prompt, a comment and what it is piped into aside."""
    for block in blocks(page):
        if block.language in {"sh", "bash", "console"}:
            lines = block.text.replace("\\\n", " ").splitlines()
            if block.language == "console":  # the rest is what the commands answer
                lines = [line for line in lines if line.startswith("$ ")]
            for line in lines:
                words = shlex.split(line.strip().removeprefix("$ "), comments=True)
                if words:
                    yield f"{page.name}:{block.line}: {line}", words


def the(page: Path, program: str) -> list[tuple[str, list[str]]]:
    found = []
    for where, words in commands(page):
        for start, word in enumerate(words):
            if word == program and (start == 0 or words[start - 1] in {"|", "&&", ";"}):
                end = next((n for n in range(start, len(words)) if words[n] in {"|", "&&", ";", ">"}), len(words))
                found.append((where, words[start + 1 : end]))
    return found


# --- commands -------------------------------------------------------------------------------------------


@every_page
def test_every_mqttbridge_command_exists_with_its_options(page):
    for where, words in the(page, "mqttbridge"):
        if words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, where
        command, arguments = command_named(words[0]), words[1:]
        while isinstance(command, click.Group):  # `rejected ls`: the options are those of the last of them
            command = command.commands[arguments.pop(0)]
        parser = command.make_parser(click.Context(command))
        _values, rest, _order = parser.parse_args(args=arguments)  # raises on an option that does not exist
        assert len(rest) <= sum(isinstance(p, click.Argument) for p in command.params), where


def command_named(name: str) -> click.Command:
    group = LazyGroup("mqttbridge")
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


@every_page
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    for where, words in the(page, "make"):
        wanted = [word for word in words if "=" not in word]
        assert set(wanted) <= targets, where


@every_page
def test_every_extra_that_is_installed_exists(page):
    for where, words in the(page, "pip"):
        extras = [extra for word in words for extra in re.findall(r"\[(.+?)\]", word)]
        assert set(extras) <= set(PROJECT["optional-dependencies"]), where


@every_page
def test_every_path_that_is_asked_for_by_curl_is_ours(page):
    documented = ("/api/", "/data/v1/", "/metrics", "/livez", "/readyz", "/openapi.json")

    for where, words in the(page, "curl"):
        urls = [word for word in words if word.startswith("http")]
        assert len(urls) == 1, where
        assert re.match(r"http://(127\.0\.0\.1|localhost|HOST):8080(/.*)", urls[0])[2].startswith(documented), where


@every_page
def test_every_docker_option_that_sets_a_variable_makes_a_configuration(page):
    for where, words in the(page, "docker"):
        variables = dict(words[n + 1].split("=", 1) for n, word in enumerate(words) if word == "-e")
        if words[0] == "run":
            config, _ = load_and_compile(None, {**variables, "MQTTBRIDGE_HTTP__LISTEN": "0.0.0.0:8080"})
            assert config.http.write_keys, where


# --- examples -------------------------------------------------------------------------------------------


def environment_for(text: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r"\$\{(\w+)", text), "example")


@every_page
def test_every_yaml_example_parses_and_every_configuration_loads(page, tmp_path):
    for block, after in pairwise([*blocks(page), Block("", "", 0)]):
        if block.language != "yaml":
            continue
        content = yaml.load(block.text, Loader=TolerantLoader)
        if isinstance(content, dict) and set(content) <= set(Config.model_fields) and is_whole(content):
            path = tmp_path / "config.yaml"
            path.write_text(block.text.replace("!file /", "!file "), encoding="utf-8")
            for name in re.findall(r"!file /?([^\s,}]+)", block.text):
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text("example", encoding="utf-8")
            if after.text.startswith("$ mqttbridge check config.yaml\nconfig.yaml:"):  # wrong, to show what is said
                with pytest.raises(ConfigError) as raised:
                    load_and_compile(path, environment_for(block.text))
                assert str(raised.value).replace(str(path), path.name) in after.text
            else:
                load_and_compile(path, environment_for(block.text))


class TolerantLoader(yaml.SafeLoader):
    """Reads `!file path` as text."""


TolerantLoader.add_constructor("!file", lambda loader, node: loader.construct_scalar(node))


def is_whole(content: dict) -> bool:
    """Whether an example stands alone: one that only shows rules may name models and destinations of elsewhere."""
    rules = content.get("rules") or ()
    models = {rule["model"] for rule in rules if rule.get("model")}
    destinations = {to for rule in rules for to in rule.get("to", ())}
    return models <= set(content.get("models", {})) and destinations <= set(content.get("destinations", ["dashboard"]))


def test_the_readme_has_a_whole_configuration_with_rules_and_models():
    examples = [yaml.safe_load(b.text) for b in blocks(ROOT / "README.md") if b.language == "yaml"]

    assert any(
        {"mqtt", "models", "rules", "destinations"} <= set(example) and is_whole(example) for example in examples
    )


@every_page
def test_every_json_and_python_example_parses(page):
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")


# --- links ----------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_link_inside_the_repository_leads_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name}: {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), f"{page.name}: {target}"


@every_page
def test_no_page_names_a_machines_path(page):
    assert not re.search(r"/(work|tmp|root|home)/", page.read_text(encoding="utf-8"))


# --- tables ---------------------------------------------------------------------------------------------

OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def documented_names() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", OPERATIONS, re.MULTILINE))


def test_every_metric_is_documented_and_no_other():
    real = {family.name for family in vars(Metrics()).values()}

    assert {name for name in documented_names() if name.startswith("mqttbridge_")} == real


def test_every_metric_that_the_text_mentions_exists():
    real = {family.name for family in vars(Metrics()).values()}

    assert set(re.findall(r"mqttbridge_\w+", OPERATIONS)) - {"mqttbridge_"} <= real


def test_every_reason_for_a_rejection_is_documented():
    assert {reason.value for reason in Reason} <= documented_names()


def reasons_for_dropping() -> set[str]:
    """The reasons that the code gives where it counts a drop, as far as they are written out there."""
    found = set()
    for path in (ROOT / "mqttbridge").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("dropped.add"):
                found |= {
                    k.value.value for k in node.keywords if k.arg == "reason" and isinstance(k.value, ast.Constant)
                }
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("_drop_oldest"):
                found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return found


def test_every_reason_for_a_drop_is_documented():
    assert reasons_for_dropping()
    assert reasons_for_dropping() <= documented_names()


def test_every_core_dependency_is_documented():
    core = {re.match(r"[A-Za-z0-9_.-]+", requirement)[0] for requirement in PROJECT["dependencies"]}

    assert core == set(re.findall(r"^\| `([a-z-]+)` \| .* \| (?:pure Python|wheels)", OPERATIONS, re.MULTILINE))


def test_the_changelog_has_this_version():
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
