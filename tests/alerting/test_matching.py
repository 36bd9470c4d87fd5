"""Which streams a rule takes, how positions come of two, and the words that are made of a rule."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from mqttbridge.alerting.matching import Part, Watcher, filled, stars_of, watchers_of
from mqttbridge.alerting.positions import Pair, join
from mqttbridge.alerting.wording import duration_in_words, filled as fill_in, sentence_of, text_of, topic_of
from mqttbridge.config.alerts import AlertRuleConfig, AlertsConfig
from mqttbridge.config.web_addresses import origin_of


def rule(**what: object) -> AlertRuleConfig:
    return AlertRuleConfig.model_validate({"name": "r", "stream": "*", "when": {"is": ">", "value": 1}, **what})


@pytest.mark.parametrize(
    ("pattern", "name", "stars"),
    [
        ("a.b", "a.b", ()),
        ("a.b", "a.bc", None),
        ("*", "", ("",)),
        ("*.t", "x.y.t", ("x.y",)),
        ("a*b*c", "a1b2b3c", ("1", "2b3")),
        ("a*a", "a", None),
        ("*x*x*", "axbxc", ("a", "b", "c")),
        ("[a].t", "a.t", None),
    ],
)
def test_a_star_stands_for_any_text_and_nothing_else_is_special(pattern, name, stars):
    assert stars_of(pattern, name) == stars


@given(st.text("ab*", max_size=8), st.lists(st.text("ab", max_size=3), min_size=9, max_size=9))
def test_what_stars_stand_for_fills_the_pattern_again(pattern, texts):
    name = filled(pattern, texts[: pattern.count("*")])
    stars = stars_of(pattern, name)
    assert stars is not None
    assert filled(pattern, stars) == name


def test_a_pair_of_streams_is_one_subject():
    circle = {"is": "leaves", "lat": 0, "lon": 0, "radius": 9, "longitude": "*.lon"}
    rules = [("r", rule(stream="*.lat", when=circle))]
    assert watchers_of(("b", "van.lat"), rules) == (Watcher("r", ("b", "van.lat"), Part.LATITUDE),)
    assert watchers_of(("b", "van.lon"), rules) == (Watcher("r", ("b", "van.lat"), Part.LONGITUDE),)
    assert watchers_of(("b", "van.alt"), rules) == ()
    with pytest.raises(ValidationError, match="as many"):
        rule(stream="*.*.lat", when=circle)


def test_halves_of_one_time_make_one_position_and_then_no_others_do():
    lat, lon = Part.LATITUDE, Part.LONGITUDE
    pair, made = join(Pair(), [(1.0, lat, 52.0), (3.0, lon, 13.0), (60.0, lat, 53.0)])
    assert made == [(3.0, "52.0,13.0")]
    pair, made = join(pair, [(70.0, lat, 54.0), (70.0, lon, 14.0), (71.0, lat, 55.0)])
    assert made == [(70.0, "54.0,14.0")]
    assert join(pair, [(71.0, lon, 15.0)])[1] == [(71.0, "55.0,15.0")]  # its other half came with the batch before


def test_what_is_told_says_what_is_the_matter():
    hot = rule(name="Hot", stream="*.t", when={"is": ">", "value": 30}, **{"for": "5m"})
    assert text_of(hot, "house", "attic.t", 31.25) == "Hot: house attic.t is 31.25, above 30 for 5 min"
    assert sentence_of(hot) == "* *.t is above 30 for 5 min"
    own = rule(message="{stream} at {value} {nothing}")
    assert text_of(own, "b", "{value}", 2.0) == "{value} at 2 {nothing}"


def test_names_from_the_network_make_no_other_topic():
    assert topic_of("alarms/{bucket}/{stream}", {"bucket": "a/b", "stream": "#+\n"}) == "alarms/a_b/___"
    assert fill_in("{a}{b}", {"a": "{b}", "b": "x"}) == "{b}x"


@pytest.mark.parametrize(("seconds", "words"), [(0.5, "0.5 s"), (90, "1 min 30 s"), (3600, "1 h"), (90_061, "1 d 1 h")])
def test_durations_in_words(seconds, words):
    assert duration_in_words(seconds) == words


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Ntfy.sh/topic", "https://ntfy.sh"),
        ("https://ntfy.sh:443/x", "https://ntfy.sh"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://ntfy.sh@evil.example/", None),
        ("https://ntfy.sh\\@evil.example/", None),
        ("file:///etc/passwd", None),
        ("https://ntfy.sh:99999/", None),
        ("//ntfy.sh", None),
    ],
)
def test_an_origin_is_read_as_the_request_will_go(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"rules": [{"name": "a", "stream": "s", "when": {"is": ">", "value": 1}, "actions": ["x"]}]}, "not there"),
        ({"rules": [{"name": "a", "stream": "s", "when": {"is": ">", "value": 1}}] * 2}, "two rules"),
        ({"actions": {"m": {"type": "email", "to": ["a@b.c"]}}}, "no smtp"),
        ({"actions": {"m": {"type": "email", "to": ["a@b.c\nBcc: x@y.z"]}}}, "address"),
        ({"actions": {"w": {"type": "webhook", "url": "ftp://x"}}}, "http"),
        ({"actions": {"w": {"type": "mqtt", "topic": "a/#"}}}, "wildcards"),
        ({"page_webhooks": ["https://ntfy.sh/topic"]}, "origin"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(section, words):
    with pytest.raises(ValidationError, match=words):
        AlertsConfig.model_validate(section)
