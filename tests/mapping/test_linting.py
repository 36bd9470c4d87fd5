from __future__ import annotations

import pytest

from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.linting import lint, overlap


def warnings(**config) -> dict[str, str]:
    checked = Config.model_validate(config)
    return {".".join(map(str, loc)): what for loc, what in lint(checked, Rulebook(checked))}


def rule(topic, **others):
    return {"topic": topic, "bucket": "b", "stream": "s.{field}", **others}


def test_nothing_is_said_of_the_rules_that_are_built_in():
    assert warnings() == {}


def test_a_shadowed_rule():
    found = warnings(rules=[rule("a/#", name="all"), rule("a/+/c")])
    assert found == {"rules.1.topic": "is never reached: 'all' before it takes each of its topics"}


def test_a_rule_that_stores_what_another_stores():
    rules = [rule("a/{x}", name="one", bucket="{x}", **{"continue": True}), rule("a/{y}", bucket="{y}")]
    assert "makes the same events as 'one'" in warnings(rules=rules)["rules.1.topic"]
    rules[1]["stream"] = "t.{field}"
    assert warnings(rules=rules) == {}


@pytest.mark.parametrize(("stream", "said"), [("s", True), ("{device}", False), ("{device}.{field}", False)])
def test_a_capture_that_nothing_uses(stream, said):
    found = warnings(rules=[rule("a/{device}", stream=stream)])
    assert ("{device} is never used" in found.get("rules.0.topic", "")) is said


def test_a_model_that_no_rule_uses():
    models = {"A": {"x": {"type": "float"}}, "B": {"x": {"type": "float"}}}
    assert warnings(models=models, rules=[rule("a", model="A")]) == {"models.B": "no rule uses this model"}


def test_a_field_that_no_payload_can_fill():
    models = {"A": {"x": {"type": "float"}, "inner": {"type": "float", "path": "x.y"}}}
    found = warnings(models=models, rules=[rule("a", model="A")])
    assert found == {"models.A.inner": "can never be filled beside 'x': x cannot be a value and hold x.y at once"}


def test_a_destination_that_no_rule_uses():
    destinations = {"dashboard": {"type": "embedded"}, "cloud": {"type": "initialstate", "access_key": "k"}}
    rules = [rule("a", to=["dashboard"])]
    found = warnings(destinations=destinations, rules=rules)
    assert found == {"destinations.cloud": "no rule sends to it: it gets only what is pushed over HTTP"}
    assert warnings(destinations=destinations, rules=[*rules, rule("b")]) == {}


def test_rules_without_a_broker():
    assert "mqtt: null" in warnings(mqtt=None, rules=[rule("a")])["rules"]


def test_a_rule_for_the_bridges_own_availability():
    found = warnings(mqtt={"client_id": "me"}, rules=[rule("mqttbridge/me/availability")])
    assert "own availability" in found["rules.0.topic"]


def test_subscriptions_that_overlap_and_none_of_which_covers_the_other():
    found = warnings(rules=[rule("a/+/x", name="one"), rule("a/b/+")])
    assert found["rules.1.topic"].startswith("overlaps with 'one' (a/+/x)")
    assert warnings(rules=[rule("a/b"), rule("a/+")]) == {}


@pytest.mark.parametrize(
    ("one", "other", "whether"),
    [
        ("a", "a", True),
        ("a/b", "a", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+", "a/b/c", False),
        ("+/b", "a/+", True),
        ("a/+/c", "a/b/d", False),
        ("#", "x", True),
        ("a/b/#", "a/+", True),
    ],
)
def test_overlap(one, other, whether):
    assert overlap(one.split("/"), other.split("/")) is whether
    assert overlap(other.split("/"), one.split("/")) is whether


HUMIDITY = {"humidity": {"type": "float", "ge": 0, "le": 100}, "mode": {"type": "int", "choices": [3]}}


@pytest.mark.parametrize(
    ("thin", "place", "what"),
    [
        ({"deadband": 100}, "thin.0.deadband", "values are between 0 and 100, which differ by no more than 100"),
        ({"deadband": 99}, "", ""),
        ({"deadband": 500, "at_least_every": "1h"}, "", ""),
        ({"deadband": 500, "streams": "*.temperature"}, "", ""),
        ({"deadband": 500, "streams": "*.humidity"}, "thin.0.deadband", "one event of 'humidity' and no other"),
        ({"changed": True, "streams": "*.mode"}, "thin.0", "one event of 'mode' and no other: it is 3 always"),
        ({"changed": True, "streams": "d1.mode"}, "", ""),
        ({"changed": True, "sample": {"every": "1m"}, "at_least_every": "10s"}, "thin.0.at_least_every", "sample"),
        ({"deadband": 1, "throttle": {"every": "1m"}, "at_least_every": "1m"}, "thin.0.at_least_every", "throttle"),
        ({"deadband": 1, "throttle": {"every": "1m"}, "at_least_every": "2m"}, "", ""),
    ],
)
def test_thinning_that_can_never_pass_or_never_holds_back(thin, place, what):
    streams = {"streams": "*.humidity", **thin}
    rules = [rule("a/{d}", stream="{d}.{field}", format="json", model="M", thin=[streams])]
    found = warnings(models={"M": HUMIDITY}, rules=rules)
    assert [key.removeprefix("rules.0.") for key in found] == [place][: bool(place)]
    assert what in "".join(found.values())


def test_a_percentage_of_what_is_never_small_can_never_pass():
    model = {"v": {"type": "float", "gt": 200, "lt": 240}}
    found = warnings(models={"M": model}, rules=[rule("a", format="json", model="M", thin=[{"deadband": "20%"}])])
    assert "differ by no more than 40" in found["rules.0.thin.0.deadband"]
    assert not warnings(models={"M": model}, rules=[rule("a", format="json", model="M", thin=[{"deadband": "10%"}])])


def test_what_is_made_of_a_value_may_differ_more_than_the_value():
    model = {"v": {"type": "float", "ge": 0, "le": 1, "scale": 1000}}
    assert not warnings(models={"M": model}, rules=[rule("a", format="json", model="M", thin=[{"deadband": 5}])])


def test_a_thinning_that_is_never_asked():
    entries = [{"streams": "*", "changed": True}, {"streams": "*.t", "deadband": 1}]
    said = "is never asked: '*' before it takes each of its streams"
    assert warnings(rules=[rule("a", thin=entries)]) == {"rules.0.thin.1.streams": said}
    cloud = {"cloud": {"type": "initialstate", "access_key": "k", "thin": entries}}
    assert warnings(destinations=cloud, rules=[rule("a")]) == {"destinations.cloud.thin.1.streams": said}


def test_a_family_that_the_rules_leave_nothing_to():
    found = warnings(use=["zigbee2mqtt"], rules=[rule("zigbee2mqtt/#", name="all")])
    assert found == {"use.0": "is never reached: the rules before it take each of its topics ('all')"}
    assert warnings(use=["zigbee2mqtt"], rules=[rule("zigbee2mqtt/+/mine")]) == {}
    assert warnings(use=["zigbee2mqtt"], rules=[rule("zigbee2mqtt/#", **{"continue": True})]) == {}


def test_a_subscription_that_overlaps_with_a_familys():
    found = warnings(use=["owntracks"], rules=[rule("owntracks/ann/#")])
    assert "overlaps with what a family of `use` subscribes to " in found["rules.0.topic"]
    assert len(found) == 1
    assert warnings(use=["esphome"], rules=[rule("fleet/#")]) == {}
