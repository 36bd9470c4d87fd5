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
