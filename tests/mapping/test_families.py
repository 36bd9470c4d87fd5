"""Families of devices: how `use` becomes rules. What each makes of its payloads is in tests/golden/family-*."""

import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.config.rules import BUILT_IN_RULES
from mqttbridge.config.use import Family
from mqttbridge.events import Rejected
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.families.expanding import FAMILIES

ARRIVAL = 1_760_000_000.0
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


def book(*use, **config):
    return Rulebook(Config.model_validate({"use": use, **config}))


def problems(*use, **config):
    with pytest.raises(InvalidRules) as caught:
        book(*use, **config)
    return caught.value.problems


def test_a_bare_name_is_a_family_with_its_defaults():
    assert Config.model_validate({"use": ["ttn"]}) == Config.model_validate({"use": [{"family": "ttn"}]})


def test_with_a_family_there_are_no_built_in_rules():
    assert Config.model_validate({"use": ["ttn"]}).rules == ()
    assert Config.model_validate({"use": []}).rules == BUILT_IN_RULES


def test_only_the_topics_of_the_families_are_subscribed_to():
    assert book("owntracks", "ttn").filters == ("owntracks/+/+", "owntracks/+/+/event", "v3/+/devices/+/up")


def test_a_base_stands_before_every_topic():
    filters = book({"family": "zigbee2mqtt", "base": "a/b"}).filters
    assert filters
    assert all(filter_.startswith("a/b/") for filter_ in filters)


def test_rules_of_the_configuration_go_first():
    rule = {"name": "mine", "topic": "zigbee2mqtt/lamp", "bucket": "b", "stream": "s"}
    (route,) = book("zigbee2mqtt", rules=[rule]).routes(b"zigbee2mqtt/lamp")
    assert route.rule == "mine"


def test_families_draw_no_warnings_of_their_own():
    assert book(*FAMILIES).warnings == ()


@pytest.mark.parametrize(
    ("use", "place", "what"),
    [
        ({"base": "a/+"}, "base", "without wildcards"),
        ({"base": "a/{x}"}, "base", "without wildcards"),
        ({"base": "a/#/b"}, "base", "must be the last level"),
        ({"bucket": "{site}"}, "bucket", "unknown name {site}"),
        ({"bucket": ""}, "bucket", "is empty"),
    ],
)
def test_what_is_wrong_is_said_at_its_place_and_once(use, place, what):
    ((loc, said),) = problems("ttn", {"family": "zigbee2mqtt", **use})
    assert loc == ("use", 1, place)
    assert what in said


def test_an_unknown_destination_is_said_once():
    ((loc, said),) = problems({"family": "zigbee2mqtt", "to": ["clod"]})
    assert loc == ("use", 0, "to", 0)
    assert "clod" in said


def test_problems_of_rules_and_of_families_are_told_together():
    rule = {"topic": "a/#/b", "bucket": "b", "stream": "s"}
    places = [loc for loc, _ in problems({"family": "ttn", "base": "#"}, rules=[rule])]
    assert places == [("rules", 0, "topic"), ("use", 0, "base")]


def test_one_family_may_be_used_for_several_bases_but_not_twice_for_one():
    assert book("zigbee2mqtt", {"family": "zigbee2mqtt", "base": "other"}).filters
    ((loc, what),) = problems("ttn", "ttn")
    assert (loc, what) == (("use", 1), "ttn of this base stands here twice")


def test_braces_of_a_bucket_are_braces():
    (route,) = book({"family": "ttn", "bucket": "{{x}} {device}"}).routes(b"v3/app/devices/d/up")
    assert route.bucket == "{x} d"


def test_values_derived_fields_and_thinning_are_those_of_a_rule():
    made = {"values": {"temperature": {"unit": "°C", "to": "°F"}}, "derive": {"warm": "temperature > 70"}}
    rulebook = book({"family": "zigbee2mqtt", "thin": [{"changed": True}], **made})
    (route,) = rulebook.routes(b"zigbee2mqtt/a")
    events = route.apply(b'{"temperature": 25, "humidity": 40}', ARRIVAL)
    assert [event[1:3] for event in events] == [("temperature", 77.0), ("humidity", 40), ("warm", True)]
    assert route.thinner.offer(events[0], ARRIVAL, None)
    assert not route.thinner.offer(events[0], ARRIVAL, None)
    assert route.apply(b'{"contact": true}', ARRIVAL) == [("a", "contact", True, ARRIVAL)]


def test_what_devices_announce_is_thinned_as_their_use_says_by_one_thinner():
    sampled = [{"sample": {"every": "1m", "lateness": "1s"}}]
    rulebook = book({"family": "homeassistant", "thin": sampled, "to": ["dashboard"]})
    assert rulebook.has_intervals
    for name in "ab":
        announcement = json.dumps({"name": name, "stat_t": f"x/{name}"}).encode()
        rulebook.routes(f"homeassistant/sensor/{name}/config".encode())[0].apply(announcement, ARRIVAL)
        (route,) = rulebook.routes(f"x/{name}".encode())
        (event,) = route.apply(b"7", ARRIVAL)
        assert route.thinner.offer(event, ARRIVAL, None) == []
    ((to, events),) = rulebook.flush()
    assert (to, [event[1:3] for event in events]) == (("dashboard",), [("a", 7), ("b", 7)])


def test_what_is_wrong_with_a_familys_values_is_said_at_their_place_and_once():
    ((loc, what),) = problems({"family": "zigbee2mqtt", "derive": {"x": "import os"}})
    assert loc[:4] == ("use", 0, "derive", "x")
    assert what


@pytest.mark.parametrize("family", FAMILIES)
def test_each_rule_of_a_family_has_a_topic_of_its_own(family):
    topics = [rule.topic for rule in FAMILIES[family].rules]
    assert len(topics) == len(set(topics))


def topics_of(family):
    known = FAMILIES[family]
    for rule in known.rules:
        levels = ["x" if level[0] in "+{" else level for level in rule.topic.split("/")]
        yield "/".join([*([known.base] if known.base else []), *levels]).encode()


@pytest.mark.parametrize("family", FAMILIES)
@given(payload=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_payload_makes_a_family_fail(family, payload):
    rulebook = _BOOKS[family]
    for topic in topics_of(family):
        for route in rulebook.routes(topic):
            assert isinstance(route.apply(payload, ARRIVAL), list | Rejected)


_BOOKS = {family: book(family) for family in Family if family in FAMILIES}
