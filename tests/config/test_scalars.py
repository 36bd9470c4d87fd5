from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.scalars import ScalarError, read_scalar, typed
from mqttbridge.config.yaml_tree import Scalar


def value(text: str, *, plain: bool = True, tag: str = "", folder: Path = Path(), **environ: str):
    return read_scalar(Scalar(1, text, plain=plain, tag=tag), environ, folder).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None), ("~", None), ("null", None),
        ("true", True), ("True", True), ("false", False),
        ("0", 0), ("-7", -7), ("+7", 7), ("1883", 1883),
        ("1.5", 1.5), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0),
    ],
)  # fmt: skip
def test_a_plain_value_is_typed_as_yaml_1_2_has_it(text, expected):
    assert typed(text) == expected
    assert type(typed(text)) is type(expected)


@pytest.mark.parametrize(
    "text",
    ["on", "off", "yes", "no", "y", "012", "0o17", "0x1F", "12:30", "1_000", "2026-01-01", ".inf", ".nan", "1.2.3"],
)
def test_what_yaml_1_1_would_make_something_else_of_stays_text(text):
    assert typed(text) == text


@given(st.text())
def test_any_text_has_a_value(text):
    assert isinstance(typed(text), str | int | float | bool | None)


def test_a_reference_is_replaced_and_a_plain_one_typed_afterwards():
    assert value("${QOS}", QOS="1") == 1
    assert value("${QOS}", plain=False, QOS="1") == "1"
    assert value("mqtt://${HOST}:${PORT}", HOST="h", PORT="1") == "mqtt://h:1"


def test_a_default_holds_when_the_variable_is_not_set_or_empty():
    assert value("${A:-5}") == 5
    assert value("${A:-5}", A="") == 5
    assert value("${A:-5}", A="6") == 6
    assert value("${A:-}") is None


def test_the_escape_stands_for_the_two_characters_themselves():
    assert value("$${A}", A="x") == "${A}"
    assert value("$$${A}", A="x") == "$${A}"
    assert value("a$b $1", A="x") == "a$b $1"


def test_what_a_variable_holds_is_never_read_as_yaml_or_as_a_reference():
    assert value("${A}", A="${B}", B="x") == "${B}"
    assert value("${A}", A="{a: [1, 2]} # x") == "{a: [1, 2]} # x"


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(ScalarError, match=r"^the environment variable PASSWORD is not set"):
        value("${PASSWORD}")


@pytest.mark.parametrize("text", ["${", "${}", "${1}", "${a b}", "${A:-${B}}", "${A-x}"])
def test_a_reference_that_is_none_is_said_to_be_a_slip(text):
    with pytest.raises(ScalarError, match="expected"):
        value(text, A="x")


def test_a_file_is_read_beside_the_configuration_without_its_line_end(tmp_path):
    (tmp_path / "secret").write_bytes(b"hunter2\r\n")
    reading = read_scalar(Scalar(1, "secret", plain=True, tag="!file"), {}, tmp_path)
    assert (reading.value, reading.hidden) == ("hunter2", True)


def test_a_files_number_stays_text(tmp_path):
    (tmp_path / "pin").write_text("0123\n\n")
    assert value("pin", tag="!file", folder=tmp_path) == "0123\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent", "there is no such file"),
        (".", "it is a directory, not a file"),
        ("large", "it is larger than 65536 bytes"),
        ("binary", "it is not UTF-8 text"),
        ("a\0b", "that is not a file's name"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_what_is_in_it(tmp_path, name, words):
    (tmp_path / "large").write_bytes(b"hunter2" * 10_000)
    (tmp_path / "binary").write_bytes(b"hunter2\xff")
    with pytest.raises(ScalarError) as caught:
        value(name, tag="!file", folder=tmp_path)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_value_said_to_be_text_is_text_and_other_tags_are_unknown():
    assert value("5", tag="tag:yaml.org,2002:str") == "5"
    assert value("5", plain=False, tag="!") == "5"
    with pytest.raises(ScalarError, match="the tag !env is unknown"):
        value("5", tag="!env")


@pytest.mark.parametrize("name", ["MQTT_PASSWORD", "ACCESS_KEY", "api_token", "CLIENT_SECRET"])
def test_a_variable_that_sounds_like_a_secret_is_not_to_be_shown(name):
    assert read_scalar(Scalar(1, f"x${{{name}}}", plain=True), {name: "y"}, Path()).hidden
    assert not read_scalar(Scalar(1, "${HOST}", plain=True), {"HOST": "y"}, Path()).hidden
