from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mqttbridge.config.draft import path_text
from mqttbridge.config.loading import LoadedConfig, load_config
from mqttbridge.config.model import Config
from mqttbridge.config.rules import BUILT_IN_RULES
from mqttbridge.errors import ConfigError


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(yaml: str, overrides: dict | None = None, **environ: str) -> LoadedConfig:
    Path("config.yaml").write_text(dedent(yaml), encoding="utf-8")
    return load_config(Path("config.yaml"), environ, overrides or {})


def problems(yaml: str, overrides: dict | None = None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(yaml, overrides, **environ)
    return [str(problem).removeprefix("config.yaml:") for problem in caught.value.problems]


# -- what loads


@pytest.mark.parametrize("yaml", ["", "\n", "# all commented out\n", "---\n", "mqtt:\nrules:\nlog:\n  #level: info\n"])
def test_nothing_in_the_file_means_all_defaults(yaml):
    assert load(yaml).config == Config()


def test_no_file_at_all_means_all_defaults():
    assert load_config(None, {}).config == Config()


def test_a_key_with_nothing_after_it_is_as_if_it_were_not_there_but_null_is_null():
    assert load("mqtt:\n  username:\n").config.mqtt == Config().mqtt
    assert load("mqtt: null\n").config.mqtt is None


def test_an_empty_list_of_rules_means_the_built_in_ones():
    assert load("rules: []").config.rules == BUILT_IN_RULES


def test_a_plain_number_is_text_as_written_where_text_is_wanted():
    mqtt = load('mqtt: {protocol: 5, username: 1.50, client_id: true, password: "${P}"}', P="007e1").config.mqtt
    assert mqtt is not None
    assert (mqtt.protocol, mqtt.username, mqtt.client_id) == ("5", "1.50", "true")
    assert mqtt.password is not None
    assert mqtt.password.get_secret_value() == "007e1"


def test_on_and_off_are_booleans_only_where_a_boolean_is_wanted():
    config = load(
        """
        mqtt: {tls: {verify: off}}
        models: {M: {state: {type: str, choices: [on, off, 1, true]}}}
        """
    ).config
    assert config.mqtt is not None
    assert config.mqtt.tls.verify is False
    assert config.models["M"]["state"].choices == ("on", "off", 1, True)


def test_the_command_line_wins_over_the_environment_and_the_file():
    loaded = load(
        "mqtt: {url: mqtt://a, username: u}",
        {"mqtt": {"url": "mqtt://c"}, "data_dir": "d"},
        MQTTBRIDGE_MQTT__URL="mqtt://b",
        MQTTBRIDGE_DATA_DIR="e",
    )
    assert loaded.config.mqtt is not None
    assert (loaded.config.mqtt.url, loaded.config.mqtt.username) == ("mqtt://c", "u")
    assert loaded.config.data_dir == "d"


def test_an_override_may_take_the_broker_away():
    assert load("mqtt: {url: mqtt://a}", {"mqtt": None}).config.mqtt is None


def test_a_secret_is_read_from_a_file_beside_the_configuration(tmp_path):
    Path("etc").mkdir()
    Path("etc/secret").write_text("hunter2\n")
    Path("etc/config.yaml").write_text("mqtt: {password: !file secret}")
    mqtt = load_config(Path("etc/config.yaml"), {}).config.mqtt
    assert mqtt is not None
    assert mqtt.password is not None
    assert mqtt.password.get_secret_value() == "hunter2"


# -- what does not


def test_every_problem_is_reported_at_once_in_the_order_of_the_file():
    assert problems(
        """
        mqtt:
          url: http://broker
          qos: 2
          keep_alive: 60
          tls: {cert_file: c.pem}
        spool: {max_size: 3, when_full: explode}
        http: {listen: localhost, max_viewers: no}
        destinations:
          cloud:
            type: initialstate
            acess_key: x
            batch: {max_events: 0}
          other: {type: influx}
          third: {}
        models:
          M: {t: {type: float, default: {}, choices: [1, [2]]}, u: float}
        rules:
          - topic: ""
            bucket: b
            to: dashboard
          - [x]
        log: {level: 5}
        """
    ) == [
        "3: mqtt.url: expected mqtt://, mqtts://, ws://, wss:// or unix:// and a host (got 'http://broker')",
        "4: mqtt.qos: expected 0 or 1 (got 2)",
        "5: mqtt.keep_alive: expected a duration with its unit, such as '30s' (got 60)",
        "6: mqtt.tls: cert_file and key_file belong together: give both or none (got a mapping)",
        "7: spool.max_size: must be at least 1048576 (got 3)",
        "7: spool.when_full: expected 'block', 'drop_oldest' or 'drop_newest' (got 'explode')",
        "8: http.listen: expected host:port, as in 127.0.0.1:8080 or [::]:8080 (got 'localhost')",
        "8: http.max_viewers: expected a whole number (got 'no')",
        "10: destinations.cloud.access_key: required, but missing",
        "12: destinations.cloud.acess_key: unknown key; did you mean 'access_key'?",
        "13: destinations.cloud.batch.max_events: must be at least 1 (got 0)",
        "14: destinations.other.type: expected 'embedded' or 'initialstate' (got 'influx')",
        "15: destinations.third.type: required, but missing: 'embedded' or 'initialstate'",
        "17: models.M.t.choices[1]: expected text, a number, true or false (got a list)",
        "17: models.M.t.default: expected text, a number, true or false (got a mapping)",
        "17: models.M.u: expected a mapping, as in 'name: value' (got 'float')",
        "19: rules[0].topic: must not be empty (got '')",
        "19: rules[0].stream: required, but missing",
        "21: rules[0].to: expected a list (got 'dashboard')",
        "22: rules[1]: expected a mapping, as in 'name: value' (got a list)",
        "23: log.level: expected 'debug', 'info', 'warning' or 'error' (got 5)",
    ]


def test_an_unknown_key_says_what_was_meant_or_what_there_is():
    assert problems("mqtt: {urll: x}\nlogg: x\nlog: {zzz: x}\ndestinations: {d: {type: embedded, url: x}}") == [
        "1: mqtt.urll: unknown key; did you mean 'url'?",
        "2: logg: unknown key; did you mean 'log'?",
        "3: log.zzz: unknown key; known here: level, format",
        "4: destinations.d.url: unknown key for this type",
    ]


def test_a_key_without_its_value_counts_as_missing_at_its_own_line():
    assert problems("destinations:\n  c:\n    type: initialstate\n    access_key:\n") == [
        "4: destinations.c.access_key: required, but missing"
    ]


def test_a_value_that_cannot_be_read_is_one_problem_only():
    assert problems("mqtt:\n  qos: ${QOS}\n  password: !file nope\nlog:\n  level: !env X\n  level: info\n") == [
        "2: mqtt.qos: the environment variable QOS is not set (${QOS:-default} gives a default)",
        "3: mqtt.password: the file 'nope' cannot be used: there is no such file",
        "5: log.level: the tag !env is unknown: only '!file path' is",
        "6: log.level: this key stands in its section twice",
    ]


def test_values_in_messages_are_short_and_on_one_line():
    (problem,) = problems('log: {level: "a\\n\\e[31m\\u2028b' + "x" * 1000 + '"}')
    assert problem.endswith("(got 'a\\n\\x1b[31m\\u2028b" + "x" * 50 + "…')")
    assert problem.isprintable()


def test_keys_that_are_no_plain_words_are_quoted_in_the_path():
    assert problems('models: {"a.b\\n": {"": {}}}') == ["1: models['a.b\\n'][''].type: required, but missing"]
    assert path_text(("rules", 2, "topic")) == "rules[2].topic"


def test_problems_of_the_command_line_say_so():
    (found,) = problems("", {"mqtt": {"url": "x"}})
    assert found.startswith("command line: mqtt.url: expected mqtt://, mqtts://, ws://, wss:// or unix:// and a host; ")
    assert found.endswith("did you mean mqtt://x? (got 'x')")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"- a\n", "1: expected a mapping of sections, such as 'mqtt:' and 'rules:'"),
        (b"\n\nmqtt\n", "3: expected a mapping of sections, such as 'mqtt:' and 'rules:'"),
        (b"mqtt:\n\turl: x\n", "2: a tab indents this line: YAML wants spaces"),
        (b"mqtt: {}\nlog: \xff\n", "2: it is not UTF-8 text (byte 0xff)"),
        (b"mqtt: {}\n---\nlog: {}\n", "2: a second document starts here ('---'): one is expected"),
        (b"mqtt: {}\nx: a\0b\n", "2: the character '\\x00' cannot stand in a YAML file"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_clear_problem(content, problem):
    Path("config.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(Path("config.yaml"), {})
    assert str(caught.value) == f"config.yaml:{problem}"


def test_a_directory_or_a_missing_file_is_one_clear_problem(tmp_path):
    with pytest.raises(ConfigError, match=r"^nope\.yaml: there is no such file$"):
        load_config(Path("nope.yaml"), {})
    with pytest.raises(ConfigError, match="it is a directory, not a file"):
        load_config(tmp_path, {})


def test_a_bomb_of_aliases_below_a_known_key_is_one_clear_problem():
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    (problem,) = problems(bomb)
    assert "more than" in problem


def test_a_later_finding_gets_the_line_of_its_place_or_of_the_nearest_around_it():
    loaded = load(
        "destinations:\n  c:\n    type: initialstate\n    access_key: hunter2\n"
        "rules:\n- topic: a\n  bucket: b\n  stream: c\n"
    )
    assert str(loaded.problem(("rules", 0, "topic"), "no")) == "config.yaml:6: rules[0].topic: no (got 'a')"
    assert str(loaded.problem(("rules", 0, "model"), "no")) == "config.yaml:6: rules[0].model: no"
    assert str(loaded.problem(("rules", 0, "bucket"), "no (got it)")) == "config.yaml:7: rules[0].bucket: no (got it)"
    assert str(loaded.problem(("http", "listen"), "no")) == "config.yaml: http.listen: no"
    assert str(loaded.problem(("rules", 9, "topic"), "no")) == "config.yaml:5: rules[9].topic: no"
    assert "hunter2" not in str(loaded.problem(("destinations", "c", "initialstate", "access_key"), "no"))


def test_a_template_without_its_quotes_is_recognised():
    assert problems("rules:\n- topic: a/{site}\n  bucket: {site}\n  stream: s\n") == [
        "3: rules[0].bucket: expected text, which needs quotes where it starts with '{' (got a mapping)"
    ]
    (problem,) = problems("rules:\n- topic: a/{site}\n  bucket: {site}/x\n  stream: s\n")
    assert problem.startswith("3: not valid YAML")
    assert "a text that starts with '{' needs quotes" in problem


# -- secrets

SECRET = "hunter2"
SECRETS = """
mqtt: {password: hunter2, tls: {cert_file: c, key_file: k, key_password: hunter2}}
http: {write_keys: [hunter2], view_tokens: [hunter2]}
destinations: {c: {type: initialstate, access_key: hunter2}}
"""


def test_secrets_are_masked_in_every_repr_dump_and_log(caplog):
    loaded = load(SECRETS, HOME="hunter2")
    config = loaded.config
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(__name__).info("%s %r %s", config, config, loaded)
    shown = [repr(loaded), str(config), config.model_dump_json(), str(config.model_dump()), caplog.text]
    shown += [repr(loaded.draft), repr(loaded.draft._root), repr(loaded.draft._layers)]
    assert not any("hunter2" in text for text in shown)
    assert config.mqtt is not None
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    "yaml",
    [
        "mqtt: {password: [hunter2]}",
        "mqtt: {password: {hunter2: x}}",
        "mqtt: {passwrd: hunter2}",
        "mqtt: {url: 'mqtt://bob:hunter2@host'}",
        "mqtt: {url: 'mqtt://bob:p@hunter2/@host'}",
        "mqtt: {url: 'mqtt://bob:hunter2/x@host'}",
        "mqtt: {url: 'bob:hunter2@host'}",
        "mqtt: {qos: !file secret}",
        "mqtt: {qos: '${MQTT_PASSWORD}'}",
        "mqtt: {qos: '${MQTT_PASSWORD}x'}",
        "http: {write_keys: hunter2}",
        "http: {view_tokens: [[hunter2]]}",
        "destinations: {c: {type: initialstate, access_key: [hunter2]}}",
        "destinations: {c: {type: initialstate, access_key: hunter2, url: 'ftp://a:hunter2@b'}}",
    ],
)
def test_no_problem_shows_a_secret(yaml):
    Path("secret").write_text("hunter2")
    with pytest.raises(ConfigError) as caught:
        load(yaml, MQTT_PASSWORD=SECRET)  # by name: a trace quotes this line
    assert "hunter2" not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.problems)


def test_no_problem_of_a_variable_shows_a_secret():
    with pytest.raises(ConfigError) as caught:
        load_config(None, {"MQTTBRIDGE_HTTP__WRITE_KEYS": "{a: hunter2}", "MQTTBRIDGE_MQTT__PASWORD": "hunter2"})
    assert "hunter2" not in str(caught.value)


# -- robustness


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["mqtt", "url", "rules", "topic", "models", "type", "destinations", "to", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, dict))
)
def test_any_data_makes_a_configuration_or_a_config_error(data):
    with suppress(ConfigError):
        load_config(None, {}, data)
