"""What families' devices say of themselves, as state of the rulebook. What it makes of values is in tests/golden."""

import json

import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.families import knowledge

ARRIVAL = 1_760_000_000.0
DEVICES = b"zigbee2mqtt/bridge/devices"
DEEP = b"zigbee2mqtt/a/b/plug"


def book(*use):
    return Rulebook(Config.model_validate({"use": use or ["zigbee2mqtt"]}))


def device(name, *exposes):
    return {"friendly_name": name, "definition": {"exposes": list(exposes)}}


def numeric(name, unit, access=1):
    return {"type": "numeric", "property": name, "unit": unit, "access": access}


PLUG = device("a/b/plug", numeric("voltage", "V"))


def tell(rulebook, topic, payload):
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return [route.apply(payload, ARRIVAL) for route in rulebook.routes(topic)]


def units(rulebook, topic, payload):
    tell(rulebook, topic, payload)
    return {stream: unit for route in rulebook.routes(topic) for (_, stream), unit in route.new_units.items()}


def test_a_topic_that_only_the_list_of_devices_can_tell_of_is_subscribed_to_and_mapped():
    rulebook = book()
    before = rulebook.filters
    assert rulebook.routes(DEEP) == ()
    tell(rulebook, DEVICES, [PLUG])
    assert set(rulebook.filters) - set(before) == {"zigbee2mqtt/a/b/plug", "zigbee2mqtt/a/b/plug/availability"}
    assert tell(rulebook, DEEP, {"voltage": 230}) == [[("a/b/plug", "voltage", 230, ARRIVAL)]]
    tell(rulebook, DEVICES, [])
    assert rulebook.filters == before
    assert rulebook.routes(DEEP) == ()


def test_only_topics_of_which_something_else_is_told_are_worked_out_anew():
    rulebook = book()
    tell(rulebook, DEVICES, [PLUG, device("lamp", numeric("power", "W"))])
    plug, lamp = rulebook.routes(DEEP), rulebook.routes(b"zigbee2mqtt/lamp")
    tell(rulebook, DEVICES, [PLUG, device("lamp", numeric("power", "mW"))])
    assert rulebook.routes(DEEP) is plug
    assert rulebook.routes(b"zigbee2mqtt/lamp") is not lamp
    assert units(rulebook, b"zigbee2mqtt/lamp", {"power": 3}) == {"power": "mW"}


def test_hearing_the_same_again_changes_nothing():
    rulebook = book()
    tell(rulebook, DEVICES, [PLUG])
    filters, changes = rulebook.filters, rulebook.announced
    tell(rulebook, DEVICES, [PLUG])
    assert rulebook.filters is filters
    assert rulebook.announced == changes


def test_another_rulebook_knows_by_the_announcements_what_the_first_one_was_told():
    first, second = book(), book()
    tell(first, DEVICES, [PLUG])
    second.recall(first.announcements())
    assert second.filters == first.filters
    assert units(second, DEEP, {"voltage": 230}) == {"voltage": "V"}


def test_families_of_two_bases_know_of_their_own_devices_alone():
    rulebook = book("zigbee2mqtt", {"family": "zigbee2mqtt", "base": "attic/z2m", "bucket": "home"})
    tell(rulebook, b"attic/z2m/bridge/devices", [PLUG])
    assert rulebook.routes(DEEP) == ()
    assert tell(rulebook, b"attic/z2m/a/b/plug", {"voltage": 230}) == [[("home", "a/b/plug.voltage", 230, ARRIVAL)]]


def test_what_a_device_is_told_to_do_and_never_publishes_is_no_measurement():
    rulebook = book()
    tell(rulebook, DEVICES, [device("lamp", numeric("warning", "", access=2), numeric("power", "W", access=5))])
    assert tell(rulebook, b"zigbee2mqtt/lamp", {"warning": 1, "power": 3}) == [[("lamp", "power", 3, ARRIVAL)]]


def test_a_device_that_is_announced_to_home_assistant_as_well_is_mapped_once():
    rulebook = book("homeassistant", "zigbee2mqtt", "esphome")
    tell(rulebook, DEVICES, [PLUG])
    for number, topic in enumerate((DEEP.decode(), "zigbee2mqtt/lamp", "boiler/sensor/flow/state")):
        config = {"name": "x", "stat_t": topic, "unit_of_meas": "V", "avty_t": "zigbee2mqtt/bridge/state"}
        assert Rejected not in map(type, tell(rulebook, f"homeassistant/sensor/{number}/config".encode(), config))
    for topic in (DEEP, b"zigbee2mqtt/lamp", b"boiler/sensor/flow/state", b"zigbee2mqtt/bridge/state"):
        assert len(rulebook.routes(topic)) == 1
    assert units(rulebook, b"boiler/sensor/flow/state", b"7") == {"flow": "V"}


@pytest.mark.parametrize("listed", [None, 1, [1, None, {}], [{"friendly_name": 3}], [device("x", 1, {"property": 2})]])
def test_what_reads_otherwise_than_documented_says_nothing(listed):
    rulebook = book()
    assert tell(rulebook, DEVICES, listed) == [[], []]
    assert units(rulebook, b"zigbee2mqtt/x", {"power": 1}) == {"power": "W"}


def test_more_than_is_remembered_is_refused_and_the_family_works_without(monkeypatch):
    monkeypatch.setattr(knowledge, "_MAX_BYTES", 100)
    rulebook = book()
    rejected, _ = tell(rulebook, DEVICES, [PLUG, PLUG])
    assert rejected.reason is Reason.VALIDATION
    assert rulebook.announcements() == {}
    assert tell(rulebook, b"zigbee2mqtt/x", {"power": 1}) == [[("x", "power", 1, ARRIVAL)]]


def test_room_that_an_announcement_took_is_given_back(monkeypatch):
    monkeypatch.setattr(knowledge, "_MAX_TOPICS", 4)
    rulebook = book()
    two, three = [device(name) for name in "ab"], [device(name) for name in "abc"]
    for _ in range(3):
        tell(rulebook, DEVICES, two)
        assert tell(rulebook, DEVICES, three)[0].reason is Reason.VALIDATION
    tell(rulebook, DEVICES, two)
    assert list(rulebook.announcements()) == [DEVICES.decode()]
