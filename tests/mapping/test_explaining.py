from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.explaining import as_json, difference, explain, nearest_rule

CONFIG = Config.model_validate(
    {
        "models": {"Climate": {"temperature": {"type": "float", "le": 85, "unit": "°C"}, "ts": {"type": "int"}}},
        "rules": [
            {"name": "archive", "topic": "fleet/#", "bucket": "archive", "stream": "s.{field}", "continue": True,
             "to": ["dashboard"]},
            {"name": "climate", "topic": "fleet/{site}/{device}/climate", "model": "Climate", "bucket": "{site}",
             "stream": "{device}.{field}", "timestamp": "ts"},
            {"name": "power", "topic": "home/{room}/power", "format": "number", "bucket": "home", "stream": "{room}"},
            {"name": "anything of a site", "topic": "fleet/{site}/{rest#}", "bucket": "{site}", "stream": "{rest}"},
        ],
    }
)  # fmt: skip
ARRIVAL = 1_760_000_000.0


@pytest.fixture
def book() -> Rulebook:
    return Rulebook(CONFIG)


def told(book, topic, payload="1"):
    return explain(book, topic.encode(), payload.encode(), ARRIVAL)


def test_a_message_is_explained_by_every_rule_that_took_it(book):
    explanation = told(book, "fleet/lab/d1/climate", '{"temperature": 21, "ts": 1759999990}')

    archive, climate = explanation.outcomes
    assert explanation.verdict == "mapped"
    assert (archive.rule, archive.to, archive.captures) == ("archive", ("dashboard",), {})
    assert climate.captures == {"site": "lab", "device": "d1"}
    assert climate.fields == {"temperature": 21.0, "ts": 1759999990}
    assert climate.units == {"temperature": "°C"}
    assert climate.epoch == 1759999990.0
    assert climate.events[0] == ("lab", "d1.temperature", 21.0, 1759999990.0)
    assert explanation.not_asked == ("anything of a site",)


def test_rules_above_that_do_not_match_say_why(book):
    explanation = told(book, "home/kitchen/power", "230")

    assert [(one.rule, one.why) for one in explanation.passed] == [
        ("archive", "level 0: wanted `fleet`, got `home`"),
        ("climate", "level 0: wanted `fleet`, got `home`; level 3: wanted `climate`, but the topic ends before it"),
    ]


def test_a_rejected_message_has_its_exact_reason(book):
    explanation = told(book, "fleet/lab/d1/climate", '{"temperature": 99, "ts": 1759999990}')

    assert explanation.verdict == "rejected"
    assert explanation.outcomes[1].rejected.detail == "temperature: must be at most 85 (got 99)"
    assert explanation.outcomes[1].events == []


def test_a_topic_that_makes_no_name_is_rejected_before_its_payload_is_read(book):
    explanation = told(book, "home//power")
    assert explanation.outcomes[0].rejected.detail == "a stream's name came out empty"
    assert told(book, "fleet//d1/climate").rejected.detail == "the bucket's name came out empty"
    assert explain(book, b"fleet/\xff/x", b"", ARRIVAL).rejected.reason == "topic_not_utf8"


@pytest.mark.parametrize(
    ("topic", "rule", "why"),
    [
        ("home/kitchen/Power", "power", "level 2: wanted `power`, got `Power`"),
        ("hom/kitchen/power", "power", "level 0: wanted `home`, got `hom`"),
        ("home/kitchen/plug/power", "power", "level 2: wanted `power`, got `plug`; the topic has 4 levels, the rule 3"),
        ("home/power", "power", "level 2: wanted `power`, but the topic ends before it"),
    ],
)
def test_a_topic_that_nobody_takes_is_shown_the_nearest_rule(book, topic, rule, why):
    explanation = told(book, topic)
    assert explanation.verdict == "unmatched"
    assert (explanation.nearest.rule, explanation.nearest.why) == (rule, why)
    assert nearest_rule(book, topic) == explanation.nearest


def test_nothing_is_near_a_topic_that_has_nothing_in_common(book):
    assert told(book, "x/y/z/a/b").nearest is None


@pytest.mark.parametrize(
    ("wanted", "got", "why"),
    [
        ("a/#", "a", None),
        ("a/#", "a/b/c", None),
        ("a/+", "a/", None),
        ("#", "$SYS/x", "a wildcard at the first level takes no topic that starts with `$`"),
        ("a/+/#", "a", "level 1: wanted `any level`, but the topic ends before it"),
        ("a/b/c/d", "v/w/x/y", "; ".join(f"level {n}: wanted `{'abc'[n]}`, got `{'vwx'[n]}`" for n in range(3))
                               + "; ..."),
    ],
)  # fmt: skip
def test_how_a_filter_and_a_topic_differ(wanted, got, why):
    found = difference(wanted.split("/"), got.split("/"))
    assert (found and found.why) == why


def test_a_slip_is_nearer_than_another_word(book):
    slip = difference(["home", "power"], ["home", "Power"])
    other = difference(["home", "power"], ["home", "window"])
    assert slip.distance < other.distance


def test_the_explanation_is_json_all_through(book):
    for topic, payload in (("fleet/lab/d1/climate", "{}"), ("home/x/power", "1"), ("nobody", "1"), ("fleet//x", "1")):
        decoded = json.loads(json.dumps(as_json(told(book, topic, payload))))
        assert set(decoded) == {"topic", "verdict", "rules", "passed", "not_asked", "nearest", "rejected"}


def test_explaining_does_not_change_what_a_message_becomes(book):
    first = told(book, "home/kitchen/power", "5")
    assert told(book, "home/kitchen/power", "5") == first


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_topic_and_payload_has_an_explanation(topic, payload):
    explanation = explain(Rulebook(CONFIG), topic, payload, ARRIVAL)
    json.dumps(as_json(explanation))
    assert explanation.verdict in {"mapped", "rejected", "unmatched"}
