from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from mqttbridge.cli.load import find_config, load_and_compile
from mqttbridge.config.rules import BUILT_IN_RULES
from mqttbridge.errors import ConfigError

KEYS = {
    "rules": ["name", "topic", "bucket", "stream", "model", "to", "format", "timestamp", "continue"],
    "M": ["type", "ge", "le", "pattern", "choices", "default", "path", "max_length", "optional"],
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=True),
    st.sampled_from(
        ["a/{x}/#", "{x}", "{field}", "M", "dashboard", "float", "str", "json", "{", "#", "[", "", "\ud800"]
    ),
    st.lists(st.sampled_from(["M", 1, None]), max_size=2),
)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "rules": VALUES | st.lists(VALUES | st.dictionaries(st.sampled_from(KEYS["rules"]), VALUES), max_size=3),
        "models": VALUES
        | st.fixed_dictionaries(
            {"M": VALUES | st.fixed_dictionaries({"x": st.dictionaries(st.sampled_from(KEYS["M"]), VALUES)})}
        ),
        "destinations": VALUES | st.dictionaries(st.sampled_from(["a", "dashboard", "\n"]), VALUES, max_size=2),
        "http": VALUES | st.dictionaries(st.sampled_from(["listen", "write_keys"]), VALUES),
        "mqtt": VALUES,
    },
)


def test_without_anything_the_built_in_rules_are_compiled():
    config, rulebook = load_and_compile(None, {})
    assert config.rules == BUILT_IN_RULES
    assert rulebook.filters


@given(CONFIGS)
def test_whatever_is_configured_is_compiled_or_a_config_error(data):
    with suppress(ConfigError):
        load_and_compile(None, {}, data)


def test_a_named_file_is_taken_whether_it_is_there_or_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(Path("named.yaml")) == Path("named.yaml")
    assert find_config(None) is None
    Path("config.yaml").touch()
    assert find_config(None) == Path("config.yaml")


def test_an_override_of_the_command_line_is_named_as_such():
    with pytest.raises(ConfigError, match=r"^command line: mqtt\.url: "):
        load_and_compile(None, {}, {"mqtt": {"url": "nonsense"}})
