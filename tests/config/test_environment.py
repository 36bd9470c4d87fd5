from __future__ import annotations

import pytest

from mqttbridge.config.loading import load_config
from mqttbridge.config.model import Config
from mqttbridge.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    def load(yaml: str = "", **environ: str) -> Config:
        path = tmp_path / "config.yaml"
        path.write_text(yaml)
        return load_config(path, environ).config

    return load


def problems(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(None, environ)
    return [str(problem) for problem in caught.value.problems]


def test_variables_suffice_without_a_file():
    config = load_config(
        None,
        {
            "MQTTBRIDGE_MQTT__URL": "mqtts://broker",
            "MQTTBRIDGE_MQTT__QOS": "0",
            "MQTTBRIDGE_MQTT__TLS__VERIFY": "false",
            "MQTTBRIDGE_SPOOL__MAX_SIZE": "64MiB",
            "MQTTBRIDGE_DESTINATIONS__CLOUD__TYPE": "initialstate",
            "MQTTBRIDGE_DESTINATIONS__CLOUD__ACCESS_KEY": "k",
            "MQTTBRIDGE_RULES": "[{topic: 'a/{x}', bucket: '{x}', stream: s, continue: true}]",
            "PATH": "/bin",
        },
    ).config
    assert config.mqtt is not None
    assert (config.mqtt.url, config.mqtt.qos, config.mqtt.tls.verify) == ("mqtts://broker", 0, False)
    assert config.spool.max_size == 64 * 2**20
    assert list(config.destinations) == ["cloud"]
    assert config.rules[0].continue_


def test_a_variable_wins_over_the_file_and_leaves_its_neighbours_alone(load):
    config = load("mqtt: {url: mqtt://a, username: u}", MQTTBRIDGE_MQTT__URL="mqtt://b")
    assert config.mqtt is not None
    assert (config.mqtt.url, config.mqtt.username) == ("mqtt://b", "u")


def test_names_are_found_whatever_their_case_or_hyphens(load):
    config = load(
        "destinations: {Old-Cloud: {type: initialstate, access_key: a}}\nmodels: {Climate: {t: {type: float}}}\n",
        MQTTBRIDGE_DESTINATIONS__OLD_CLOUD__TIMEOUT="5s",
        mqttbridge_models__climate__t__le="5",
    )
    assert config.destinations["Old-Cloud"].timeout == 5
    assert config.models["Climate"]["t"].le == 5


def test_an_item_of_a_list_is_reached_by_its_number(load):
    yaml = "rules: [{topic: a, bucket: b, stream: c}]"
    assert load(yaml, MQTTBRIDGE_RULES__0__BUCKET="x").rules[0].bucket == "x"
    with pytest.raises(ConfigError, match="MQTTBRIDGE_RULES__1__BUCKET: unknown variable"):
        load(yaml, MQTTBRIDGE_RULES__1__BUCKET="x")


def test_a_structured_variable_is_merged_key_by_key_and_a_list_replaced(load):
    config = load(
        "mqtt: {url: mqtt://a, username: u}\nhttp: {write_keys: [a, b]}",
        MQTTBRIDGE_MQTT="{username: v, password: '${P}'}",
        MQTTBRIDGE_HTTP__WRITE_KEYS="[c]",
        P="p",
    )
    assert config.mqtt is not None
    assert config.mqtt.password is not None
    assert (config.mqtt.url, config.mqtt.username, config.mqtt.password.get_secret_value()) == ("mqtt://a", "v", "p")
    assert [key.get_secret_value() for key in config.http.write_keys] == ["c"]


def test_outer_variables_come_before_those_that_reach_into_them():
    config = load_config(
        None,
        {
            "MQTTBRIDGE_RULES__0__BUCKET": "x",
            "MQTTBRIDGE_RULES": "[{topic: a, bucket: b, stream: c}]",
        },
    ).config
    assert config.rules[0].bucket == "x"


def test_a_list_of_values_may_be_written_with_commas():
    config = load_config(None, {"MQTTBRIDGE_HTTP__WRITE_KEYS": "a#1, 0123 ,null"}).config
    assert [key.get_secret_value() for key in config.http.write_keys] == ["a#1", "0123", "null"]


@pytest.mark.parametrize(
    "password", ["0123", "null", "true", "a: b #c", "${HOME}", "$${x}", "[x", " x ", "!file y", "1e5"]
)
def test_a_secret_is_taken_as_it_stands(password):
    config = load_config(None, {"MQTTBRIDGE_MQTT__PASSWORD": password}).config
    assert config.mqtt is not None
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == password


def test_a_variable_that_is_set_but_empty_changes_nothing(load):
    config = load("mqtt: {username: u}", MQTTBRIDGE_MQTT__USERNAME="", MQTTBRIDGE_RULES="", MQTTBRIDGE_MQTT="# x")
    assert config.mqtt is not None
    assert config.mqtt.username == "u"


def test_null_takes_a_value_or_the_whole_broker_away(load):
    assert load("mqtt: {url: mqtt://a}", MQTTBRIDGE_MQTT="null").mqtt is None
    config = load("mqtt: null", MQTTBRIDGE_MQTT__AVAILABILITY_TOPIC="null")
    assert config.mqtt is not None
    assert config.mqtt.availability_topic is None


def test_with_file_at_its_end_a_variable_names_the_file_to_read(tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "rules").write_text("- {topic: a, bucket: b, stream: c}\n")
    (tmp_path / "ca").write_text("x")
    config = load_config(
        None,
        {
            "MQTTBRIDGE_MQTT__PASSWORD_FILE": str(tmp_path / "secret"),
            "MQTTBRIDGE_RULES_FILE": str(tmp_path / "rules"),
            "MQTTBRIDGE_MQTT__TLS__CA_FILE": str(tmp_path / "ca"),
        },
    ).config
    assert config.mqtt is not None
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == "hunter2"
    assert config.mqtt.tls.ca_file == str(tmp_path / "ca"), "a key that ends in _file is that key"
    assert config.rules[0].topic == "a"


def test_a_file_that_a_variable_names_is_where_its_problems_are(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("- topic: a\n  bucket: b\n  stream: c\n  too: x\n")
    assert problems(MQTTBRIDGE_RULES_FILE=str(rules)) == [f"{rules}:4: rules[0].too: unknown key; did you mean 'to'?"]
    assert problems(MQTTBRIDGE_MQTT__PASSWORD_FILE=str(tmp_path)) == [
        f"MQTTBRIDGE_MQTT__PASSWORD_FILE: the file '{tmp_path}' cannot be used: it is a directory, not a file"
    ]


def test_problems_are_named_by_the_variable():
    assert problems(
        MQTTBRIDGE_MQTT__QOS="7",
        MQTTBRIDGE_MQTT__URI="x",
        MQTTBRIDGE_NONSENSE="x",
        MQTTBRIDGE_MQTT____URL="x",
        MQTTBRIDGE_RULES="a:\n\tb",
        MQTTBRIDGE_MODELS="{M: {t: {type: float, ge: x}}}",
        MQTTBRIDGE_DESTINATIONS__CLOUD__ACCESS_KEY="k",
    ) == [
        "MQTTBRIDGE_MODELS:1: models.M.t.ge: expected a number (got 'x')",
        "MQTTBRIDGE_NONSENSE: unknown variable",
        "MQTTBRIDGE_RULES:2: a tab indents this line: YAML wants spaces",
        "MQTTBRIDGE_MQTT__QOS: mqtt.qos: expected 0 or 1 (got 7)",
        "MQTTBRIDGE_MQTT__URI: unknown variable; did you mean MQTTBRIDGE_MQTT__URL?",
        (
            "MQTTBRIDGE_DESTINATIONS__CLOUD__ACCESS_KEY: destinations.cloud.type: "
            "required, but missing: 'embedded' or 'initialstate'"
        ),
        "MQTTBRIDGE_MQTT____URL: unknown variable; did you mean MQTTBRIDGE_MQTT__URL?",
    ]


def test_what_kubernetes_sets_for_a_service_of_our_name_is_not_ours():
    environ = {
        "MQTTBRIDGE_SERVICE_HOST": "10.0.0.1",
        "MQTTBRIDGE_SERVICE_PORT": "80",
        "MQTTBRIDGE_SERVICE_PORT_HTTP": "80",
        "MQTTBRIDGE_PORT": "tcp://10.0.0.1:80",
        "MQTTBRIDGE_PORT_80_TCP": "tcp://10.0.0.1:80",
        "MQTTBRIDGE_PORT_80_TCP_ADDR": "10.0.0.1",
        "MQTTBRIDGE_CONFIG": "config.yaml",
    }
    assert load_config(None, environ).config == Config()


def test_a_files_path_may_hold_what_looks_like_a_reference(tmp_path):
    (tmp_path / "${x}").write_text("hunter2")
    config = load_config(None, {"MQTTBRIDGE_MQTT__PASSWORD_FILE": str(tmp_path / "${x}")}).config
    assert config.mqtt is not None
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == "hunter2"
