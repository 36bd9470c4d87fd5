"""Families beside what else works on rules: explaining, linting, estimates, summaries."""

from __future__ import annotations

import json

from mqttbridge.announced import Announced
from mqttbridge.config.model import Config
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.explaining import explain
from mqttbridge.mapping.linting import lint
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from mqttbridge.tools.live import LiveTools
from mqttbridge.tools.rates import Rate, estimate
from mqttbridge.tools.recording import Recorded
from mqttbridge.tools.summary import summarise

ARRIVAL = 1_760_000_000.0
ANNOUNCED = b"homeassistant/sensor/s/config"
ANNOUNCEMENT = json.dumps({"name": "S", "stat_t": "x/y", "unit_of_meas": "W"}).encode()
OWN = {"name": "mine", "topic": "zigbee2mqtt/+/mine", "bucket": "b", "stream": "s"}


def config(*use, **others):
    return Config.model_validate({"use": use, **others})


def warnings(checked):
    return {".".join(map(str, loc)): what for loc, what in lint(checked, Rulebook(checked))}


def test_what_devices_announced_is_explained_by_the_rule_that_they_made():
    book = Rulebook(config("homeassistant", "zigbee2mqtt", rules=[OWN]))
    assert explain(book, b"x/y", b"7", ARRIVAL).verdict == "unmatched"
    assert explain(book, ANNOUNCED, ANNOUNCEMENT, ARRIVAL).verdict == "mapped"
    found = explain(book, b"x/y", b"7", ARRIVAL)
    (outcome,) = found.outcomes
    assert (outcome.rule, outcome.topic_filter, outcome.bucket) == ("homeassistant: sensor s", "x/y", "Home Assistant")
    assert list(outcome.units.values()) == ["W"]
    assert [event[1:3] for event in outcome.events] == [("S", 7)]
    assert "mine" in {passed.rule for passed in found.passed}


def test_a_familys_message_is_explained_like_any_other():
    found = explain(Rulebook(config("zigbee2mqtt")), b"zigbee2mqtt/lamp", b'{"temperature": 20}', ARRIVAL)
    assert found.verdict == "mapped"
    assert found.outcomes[0].captures == {"device": "lamp"}


def test_families_are_counted_in_a_summary_those_that_devices_announce_too():
    messages = [
        Recorded(ANNOUNCED, ANNOUNCEMENT, time=1.0),
        Recorded(b"x/y", b"7", time=2.0),
        Recorded(b"zigbee2mqtt/lamp", b'{"temperature": 20}', time=3.0),
    ]
    summary = summarise(Rulebook(config("homeassistant", "zigbee2mqtt")), messages)
    assert (summary.mapped, summary.rejected) == (3, 0)
    assert summary.rules["homeassistant: sensor s"].events == 1


def test_families_alone_are_nothing_to_warn_of():
    assert warnings(config("zigbee2mqtt", "tasmota", "homeassistant", "shelly", "esphome", "owntracks", "ttn")) == {}


def test_a_destination_that_a_family_sends_to_is_used():
    destinations = {name: {"type": "initialstate", "access_key": "k"} for name in ("a", "b")}
    rule = OWN | {"to": ["a"]}
    one_of_two = config({"family": "ttn", "to": ["a"]}, rules=[rule], destinations=destinations)
    assert list(warnings(one_of_two)) == ["destinations.b"]
    assert warnings(config({"family": "ttn", "to": ["b"]}, rules=[rule], destinations=destinations)) == {}


def test_a_shared_subscription_beside_a_familys_own_is_warned_of():
    rule = {"name": "mine", "topic": "$share/g/zigbee2mqtt/#", "bucket": "b", "stream": "s.{field}"}
    assert "messages may arrive twice" in warnings(config("zigbee2mqtt", rules=[rule]))["rules.0.topic"]


def test_rates_of_a_familys_rules_count_for_its_destinations():
    destinations = {name: {"type": "initialstate", "access_key": "k"} for name in ("a", "b")}
    use = [{"family": "zigbee2mqtt", "to": ["a"]}, {"family": "homeassistant", "to": ["b"]}]
    found = estimate(
        config(*use, destinations=destinations),
        [Rate("zigbee2mqtt: device", 240), Rate("homeassistant: sensor s", 240, 1, 1.0)],
    )
    assert [(loc, "`a`" in what) for loc, what in found] == [(("use", 0), True), (("use", 1), False)]


def test_filters_of_a_bucket_go_through_all_that_names_the_device():
    book = Rulebook(
        config(
            {"family": "zigbee2mqtt", "bucket": "z {device|slug}"}, {"family": "owntracks", "bucket": "{device|upper}"}
        )
    )
    for topic, payload, bucket in [
        (b"zigbee2mqtt/Living Room", b'{"temperature": 20}', "z living-room"),
        (b"owntracks/ann/phone", b'{"_type": "location", "lat": 1, "lon": 2, "tst": 1760000000}', "ANN/PHONE"),
    ]:
        (route,) = book.routes(topic)
        assert {event[0] for event in route.apply(payload, ARRIVAL)} == {bucket}


def test_a_running_bridge_explains_by_what_is_announced_to_it_now_and_by_nothing_else(tmp_path):
    checked = config("homeassistant")
    spool = Spool(tmp_path / "spool.db", SpoolConfig(), Metrics(), ("dashboard",))
    tools, book = LiveTools(checked, spool), Rulebook(checked)
    following = Announced(book, spool, subscribe=lambda _: None)
    assert tools.explain(b"x/y", b"7")["verdict"] == "unmatched"
    assert tools.explain(ANNOUNCED, ANNOUNCEMENT)["verdict"] == "mapped"  # asked about, not announced
    assert tools.explain(b"x/y", b"7")["verdict"] == "unmatched"
    for payload, verdict in ((ANNOUNCEMENT, "mapped"), (b"", "unmatched")):
        for route in book.routes(ANNOUNCED):
            route.apply(payload, ARRIVAL)
        following.save()
        assert tools.explain(b"x/y", b"7")["verdict"] == verdict
    spool.close()
