"""Home Assistant's discovery as state of the rulebook. What each component becomes is in tests/golden."""

import json
import sys

import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.families import discovery
from mqttbridge.mapping.families.ha_abbreviations import KEYS

ARRIVAL = 1_760_000_000.0
ANNOUNCED = b"homeassistant/sensor/s/config"
FILTERS = ("homeassistant/+/+/config", "homeassistant/+/+/+/config")


def book(*use, **config):
    return Rulebook(Config.model_validate({"use": use or ["homeassistant"], **config}))


def tell(rulebook, topic, payload):
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return [route.apply(payload, ARRIVAL) for route in rulebook.routes(topic)]


def events(rulebook, topic, payload):
    return [event[:3] for made in tell(rulebook, topic, payload) for event in made]


def test_what_is_announced_is_subscribed_to_until_it_is_taken_back():
    rulebook = book()
    assert rulebook.filters == FILTERS
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x/y"})
    assert rulebook.filters == (*FILTERS, "x/y")
    tell(rulebook, ANNOUNCED, b"")
    assert rulebook.filters == FILTERS
    assert rulebook.routes(b"x/y") == ()


def test_what_a_device_says_that_a_stream_is_comes_with_its_first_value_and_words_that_are_none_do_not():
    rulebook = book()
    told = {"door": "door", "heat": "temperature", "odd": "<b>", "long": "x" * 41, "none": None}
    for name, device_class in told.items():
        announced = {"name": name, "dev_cla": device_class, "stat_t": f"x/{name}", "unit_of_meas": "°C"}
        tell(rulebook, f"homeassistant/sensor/{name}/config".encode(), announced)

    found = {}
    for name in told:
        (route,) = rulebook.routes(f"x/{name}".encode())
        route.apply(b"7", ARRIVAL)
        found |= {s: route.compiled.device_classes.get(f) for (_, s), f in route.fields_by_stream().items()}
    assert found == {"door": "door", "heat": "temperature", "odd": None, "long": None, "none": None}


def test_a_stream_without_a_unit_is_told_where_a_device_says_what_it_is():
    rulebook = book()
    tell(rulebook, b"homeassistant/binary_sensor/d/config", {"name": "Door", "dev_cla": "door", "stat_t": "x/y"})
    (route,) = rulebook.routes(b"x/y")
    route.apply(b"ON", ARRIVAL)
    assert route.new_units == {("Home Assistant", "Door"): ""}


def test_a_topic_that_was_nobodys_is_somebodys_once_it_is_announced():
    rulebook = book()
    assert rulebook.routes(b"x/y") == ()
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x/y"})
    assert events(rulebook, b"x/y", b"7") == [("Home Assistant", "S", 7)]


def test_hearing_the_same_again_changes_nothing():
    rulebook = book()
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x/y"})
    filters, routes, changes = rulebook.filters, rulebook.routes(b"x/y"), rulebook.announced
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x/y"})
    assert rulebook.filters is filters
    assert rulebook.routes(b"x/y") is routes
    assert rulebook.announced == changes


def test_what_was_announced_before_a_broken_announcement_no_longer_holds():
    rulebook = book()
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x/y"})
    (rejected,) = tell(rulebook, ANNOUNCED, b"{")
    assert rejected.reason is Reason.MALFORMED
    assert rulebook.routes(b"x/y") == ()
    assert rulebook.announcements() == {}


def test_another_rulebook_knows_by_the_announcements_what_the_first_one_was_told():
    first, second = book(), book()
    tell(first, ANNOUNCED, {"name": "S", "stat_t": "x/y", "unit_of_meas": "W"})
    second.recall(first.announcements())
    assert second.filters == first.filters
    assert events(second, b"x/y", b"7") == [("Home Assistant", "S", 7)]


def test_the_configurations_rules_and_other_families_go_first():
    rule = {"name": "mine", "topic": "x/mine", "bucket": "b", "stream": "s"}
    rulebook = book("homeassistant", "zigbee2mqtt", rules=[rule])
    for number, topic in enumerate(["x/mine", "zigbee2mqtt/lamp", "x/other"]):
        tell(rulebook, f"homeassistant/sensor/{number}/config".encode(), {"name": "S", "stat_t": topic})
    names = [route.rule for topic in (b"x/mine", b"zigbee2mqtt/lamp", b"x/other") for route in rulebook.routes(topic)]
    assert names == ["mine", "zigbee2mqtt: device", "homeassistant: sensor 2"]


def test_base_bucket_and_destinations_are_those_of_its_use():
    use = {"family": "homeassistant", "base": "ha/d", "bucket": "home", "to": ["dashboard"]}
    rulebook = book(use)
    tell(rulebook, b"ha/d/sensor/n/s/config", {"name": "S", "stat_t": "x", "dev": {"name": "Plug"}})
    (route,) = rulebook.routes(b"x")
    assert route.to == ("dashboard",)
    assert events(rulebook, b"x", b"1") == [("home", "Plug.S", 1)]


@pytest.mark.parametrize(
    ("mode", "after_bridge_is_back"), [("all", "offline"), ("any", "online"), ("latest", "online")]
)
def test_availability_counts_as_its_mode_says(mode, after_bridge_is_back):
    rulebook = book()
    avty = [{"t": "device"}, {"t": "bridge"}]
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x", "avty": avty, "avty_mode": mode, "dev": {"name": "D"}})
    tell(rulebook, b"device", b"offline")
    assert events(rulebook, b"bridge", b"online") == [("D", "availability", after_bridge_is_back)]


def test_entities_of_a_device_share_one_availability():
    rulebook = book()
    for name in "ab":
        config = {"name": name, "stat_t": f"x/{name}", "avty_t": "lwt", "dev": {"name": "D"}}
        tell(rulebook, f"homeassistant/sensor/{name}/config".encode(), config)
    assert events(rulebook, b"lwt", b"offline") == [("D", "availability", "offline")]
    tell(rulebook, b"homeassistant/sensor/a/config", b"")
    assert events(rulebook, b"lwt", b"online") == [("D", "availability", "online")]
    tell(rulebook, b"homeassistant/sensor/b/config", b"")
    assert rulebook.routes(b"lwt") == ()


def test_how_much_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(discovery, "_MAX_ANNOUNCEMENTS", 2)
    rulebook = book()
    made = [
        tell(rulebook, f"homeassistant/sensor/{n}/config".encode(), {"name": "S", "stat_t": f"x/{n}"}) for n in range(3)
    ]
    assert made[:2] == [[[]], [[]]]
    assert made[2][0].reason is Reason.VALIDATION
    (rejected,) = tell(rulebook, ANNOUNCED, b" " * 300_000)
    assert rejected.reason is Reason.VALIDATION


def test_without_jinja2_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    for module in ("discovery", "value_templates", "template_sandbox", "template_functions", "template_expressions"):
        monkeypatch.delitem(sys.modules, f"mqttbridge.mapping.families.{module}", raising=False)
    with pytest.raises(InvalidRules) as caught:
        book("ttn", "homeassistant")
    ((loc, what),) = caught.value.problems
    assert loc == ("use", 1)
    assert "pip install 'mqttbridge[homeassistant]'" in what


def test_it_cannot_do_without_retained_messages():
    with pytest.raises(InvalidRules) as caught:
        book("homeassistant", mqtt={"retained": "ignore"})
    assert "retained" in caught.value.problems[0][1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, *KEYS.values()]), inner, max_size=6)
    ),
)
COMPONENTS = ["device", "sensor", "light", "climate", "siren", "event", "update", "device_tracker", "switch", "vacuum"]


@given(st.sampled_from(COMPONENTS), JSON, JSON)
def test_no_announcement_and_no_state_makes_it_fail(component, config, state):
    rulebook = book()
    if isinstance(config, dict):
        config = {"state_topic": "x", **config}
    for made in tell(rulebook, f"homeassistant/{component}/o/config".encode(), config):
        assert isinstance(made, list | Rejected)
    for topic in rulebook.filters[2:]:
        for made in tell(rulebook, topic.encode(), state):
            assert isinstance(made, list | Rejected)


def test_what_holds_no_longer_is_forgotten_when_another_run_is_recalled():
    rulebook = book()
    tell(rulebook, ANNOUNCED, {"name": "S", "stat_t": "x/y"})
    rulebook.recall({"homeassistant/sensor/t/config": b'{"name": "T", "stat_t": "x/z"}'})
    assert rulebook.filters == (*FILTERS, "x/z")


def test_a_shared_subscription_cannot_be_announced_for_a_topic():
    (rejected,) = tell(book(), ANNOUNCED, {"name": "S", "stat_t": "$share/g/x"})
    assert (rejected.reason, "no topic" in rejected.detail) == (Reason.VALIDATION, True)
