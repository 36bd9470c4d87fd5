"""The schema that editors use: kept current, and true of the example."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from mqttbridge.cli import cli
from mqttbridge.config.json_schema import json_schema

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
SCHEMA = json_schema()


class FilesAsText(yaml.SafeLoader):
    """Reads `!file path` as text, as an editor does."""


FilesAsText.add_constructor("!file", lambda loader, node: loader.construct_scalar(node))


def problems(text: str) -> list[str]:
    found = Draft202012Validator(SCHEMA).iter_errors(yaml.load(text, FilesAsText))
    return sorted(error.json_path for error in found)


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_the_file_in_the_repository_is_what_the_command_prints():
    printed = CliRunner().invoke(cli, ["schema"]).stdout
    kept = (ROOT / "docs" / "config.schema.json").read_text(encoding="utf-8")
    assert kept == printed, "run: mqttbridge schema > docs/config.schema.json"
    assert json.loads(printed) == SCHEMA


def test_the_example_names_it_and_is_valid_with_every_default_written_out():
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", EXAMPLE)
    assert named is not None
    assert (ROOT / named[1]).exists()
    assert problems(EXAMPLE) == []
    assert problems(re.sub(r"(?m)^( *)#([a-z_]+:)", r"\1\2", EXAMPLE)) == []


@pytest.mark.parametrize("case", sorted((ROOT / "tests" / "golden").glob("*/config.yaml")), ids=lambda p: p.parent.name)
def test_the_golden_configurations_are_valid(case):
    assert problems(case.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("mqtt: {qos: 2}", "$.mqtt"),
        ("mqt: {}", "$"),
        ("spool: {when_full: panic}", "$.spool"),
        ("rules: [{topic: a, bucket: b}]", "$.rules[0]"),
        ("models: {A: {t: {type: 7}}}", "$.models.A.t.type"),  # any word may be the name of a model
        ("destinations: {x: {type: nope}}", "$.destinations.x"),
        ("spool: {max_age: 7}", "$.spool"),
    ],
)
def test_a_slip_is_found(text, place):
    assert problems(text) == [place]


@pytest.mark.parametrize(
    "text", ["mqtt: {qos: '${QOS}'}", "http: {enabled: '${HTTP}'}", "spool: {max_age: 0}", "mqtt: null"]
)
def test_what_is_read_from_the_environment_is_no_slip(text):
    assert problems(text) == []


def test_every_key_has_a_description():
    bare = [
        f"{name}.{key}"
        for name, section in [*SCHEMA["$defs"].items(), ("Config", SCHEMA)]
        for key, field in section.get("properties", {}).items()
        if not field.get("description")
    ]
    assert bare == []


def test_defaults_are_shown_as_they_are_written():
    properties = SCHEMA["$defs"]["SpoolConfig"]["properties"]
    assert (properties["max_age"]["default"], properties["max_size"]["default"]) == ("7d", "1GiB")
    assert SCHEMA["$defs"]["RuleConfig"]["properties"]["topic"]["examples"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("use: [zigbee2mqtt, tasmota]", []),
        ("use: [zigbee2mqtt, {family: ttn, base: v3}]", []),
        ("use: [zigbee]", ["$.use[0]"]),
        ("use: [{family: ttn, bases: v3}]", ["$.use[0]"]),
    ],
)
def test_a_family_may_stand_as_its_bare_name(text, found):
    assert problems(text) == found
