"""A rule for a topic that nobody takes."""

import pytest

from mqttbridge.tools.discovery import compile_text
from mqttbridge.tools.discovery.one_rule import propose_rule
from mqttbridge.tools.recording import Recorded

NOW = 1_790_000_000.0


def heard(topic: str, payload: str | bytes, *, cut: bool = False) -> Recorded:
    return Recorded(topic.encode(), payload if isinstance(payload, bytes) else payload.encode(), time=NOW, cut=cut)


POWER = [heard(f"home/{room}/power", f'{{"power": {watts}, "voltage": 230}}') for room, watts in
         (("kitchen", 7.5), ("hall", 12))]  # fmt: skip


def test_topics_that_read_alike_get_one_rule_and_it_maps_what_was_heard():
    proposal = propose_rule("home/hall/power", [*POWER, heard("garden/rain", "3.5")], (), ())

    (rule,) = compile_text(proposal.text).rules
    assert rule.filter.subscription == proposal.topic == "home/+/power"
    assert proposal.topics == ("home/hall/power", "home/kitchen/power")
    assert (proposal.messages, proposal.mapped) == (2, 2)
    assert "garden" not in proposal.text
    assert proposal.text.startswith("models:")
    assert "mqtt:" not in proposal.text


def test_names_that_the_configuration_has_already_are_not_repeated():
    proposal = propose_rule("home/hall/power", POWER, {"power", "power 2"}, {"Power", "Power3"})

    assert "name: power 3" in proposal.text
    assert "model: Power3_2" in proposal.text


def test_a_model_gives_way_where_it_does_not_fit_all_that_was_heard():
    mixed = [heard("a/b", '{"x": 1}'), heard("a/b", "7")]

    proposal = propose_rule("a/b", mixed, (), ())

    assert "format: auto" in proposal.text
    assert proposal.mapped == 2


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (heard("a", b""), "nothing to store"),
        (heard("a", b"x", cut=True), "nothing to store"),
        (heard("b", "1"), "nothing is known"),
    ],
)
def test_where_there_is_no_rule_it_is_said_why(message, why):
    topic = "a" if message.topic == b"b" else message.topic.decode()

    proposal = propose_rule(topic, [message], (), ())

    assert proposal.text == ""
    assert why in proposal.why


def test_a_device_of_a_family_that_is_known_is_used_rather_than_ruled():
    messages = [
        heard("tele/plug/LWT", "Online"),
        heard("tele/plug/SENSOR", '{"Time":"2026-11-22T01:00:00","ENERGY":{"Power":12,"Voltage":230}}'),
        heard("stat/plug/POWER", "ON"),
    ]

    proposal = propose_rule("tele/plug/SENSOR", messages, (), ())

    assert "- tasmota" in proposal.text
    assert proposal.topics == ("stat/plug/POWER", "tele/plug/LWT", "tele/plug/SENSOR")
