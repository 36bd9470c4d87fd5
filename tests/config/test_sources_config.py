"""The `sources` section: what is refused, in which words, and that nothing secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqttbridge.config.loading import load_config
from mqttbridge.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "examples" / "openweather.yaml"


def problems(tmp_path: Path, section: str, name: str = "api") -> list[str]:
    path = tmp_path / "config.yaml"
    head = f'sources:\n  "{name}":\n    type: http_poll\n'
    url = "" if section.startswith("url") else "    url: https://api.example/v1\n"
    path.write_text(f"{head}{url}    {section}\n", encoding="utf-8")
    try:
        load_config(path, {"SECRET": "s3cr3t\nX-Evil: 1"})
    except ConfigError as error:
        return [problem.what for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("url: ftp://host/", "expected http:// or https:// and a host"),
        ("url: https:///path", "expected http:// or https:// and a host"),
        ("url: https://me:pw@host/", "put the user name and password into auth"),
        ("url: https://host:99999/", "expected a port from 0 to 65535"),
        ("url: https://host/a b", "without spaces"),
        ("every: 10ms", "must be at least 0.1"),
        ("every: 5", "expected a duration with its unit"),
        ("topic: a/+/b", "without '+' and '#'"),
        ("topic: 'a/{city}'", "'{city}' is not known, only {source} and {target} are"),
        ("topic: 'a/{target}'", "there are no targets to put in for {target}"),
        ("targets: {a: {}, b: {}}\n    topic: one", "needs {target}"),
        ("targets: {a/b: {}}", "a target's name is a level of its topic"),
        ("headers: {'X: Y': 1}", "a header's name is letters, digits and '-'"),
        ('headers: {X: "a\\r\\nB: c"}', "a header holds printable ASCII on one line"),
        ("auth: {username: me}", "username and password belong together"),
        ("auth: {username: me, password: p, bearer: t}", "give either username and password or bearer"),
        ('auth: {headers: {X-Key: "${SECRET}"}}', "a header holds printable ASCII on one line"),
        ('auth: {bearer: "${SECRET}"}', "a header holds printable ASCII on one line"),
        ("expect: {a..b: 1}", "a payload path is keys and list indexes joined by '.'"),
        ("max_size: 0", "must be at least 1"),
        ("evry: 5m", "unknown key; did you mean 'every'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(tmp_path, section, words):
    found = problems(tmp_path, section)
    assert len(found) == 1, found
    assert words in found[0]
    assert "s3cr3t" not in found[0]
    assert "me:pw" not in found[0]


def test_a_sources_name_is_plain(tmp_path):
    assert "a source's name is letters, digits, '-' and '_'" in problems(tmp_path, "every: 1m", name="a/b")[0]


def test_an_unknown_type_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("sources: {a: {type: telnet, url: https://host/}}")
    with pytest.raises(ConfigError, match=r"sources\.a\.type: expected 'http_poll' \(got 'telnet'\)"):
        load_config(path, {})


def test_secrets_are_masked_and_come_from_the_environment_by_name():
    environ = {"OPENWEATHER_KEY": "k-secret", "MQTTBRIDGE_SOURCES__WEATHER__AUTH__BEARER": "b-secret"}
    config = load_config(EXAMPLE, environ).config
    auth = config.sources["weather"].auth
    assert auth.query["appid"].get_secret_value() == "k-secret"
    assert auth.bearer is not None
    assert auth.bearer.get_secret_value() == "b-secret"
    assert "secret" not in repr(config).replace("SecretStr", "").replace("secret_", "")


def test_the_example_has_seven_cities_on_topics_of_their_own():
    weather = load_config(EXAMPLE, {"OPENWEATHER_KEY": "k"}).config.sources["weather"]
    topics = {weather.topic_of("weather", target) for target in weather.targets}
    assert len(topics) == 7
    assert "http/weather/San Luis Obispo" in topics
