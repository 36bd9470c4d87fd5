"""Proposals: tried on what was heard, with the names, types and units that a person would have chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mqttbridge.cli.load import load_and_compile
from mqttbridge.demo import fleet
from mqttbridge.events import Rejected
from mqttbridge.mapping.linting import lint
from mqttbridge.tools.discovery import Heard, propose
from mqttbridge.tools.discovery.grouping import is_id
from mqttbridge.tools.discovery.quantities import quantity_of
from mqttbridge.tools.discovery.writing import scalar
from mqttbridge.tools.recording import Recorded, read_recording
from mqttbridge.tools.summary import summarise
from tests.support import sparkplug_b

RECORDING = Path(__file__).parents[1] / "recordings" / "zigbee2mqtt-homeassistant.jsonl"
NOW = 1_790_000_000
BROKER = {"url": "mqtt://localhost:1883"}


def proposed(messages, tmp_path):
    """The proposal, and its configuration read back as the bridge would."""
    heard = Heard()
    for message in messages:
        heard.hear(message)
    proposal = propose(heard, BROKER)
    path = tmp_path / "config.yaml"
    path.write_text(proposal.text, encoding="utf-8")
    config, book = load_and_compile(path, {})
    assert [what for _, what in lint(config, book)] == []
    return proposal, config, book


def of(*published: tuple[str, object], at: float = NOW):
    return [
        Recorded(
            topic.encode(), payload.encode() if isinstance(payload, str) else json.dumps(payload).encode(), time=at
        )
        for topic, payload in published
    ]


def rules(config):
    return {rule.topic: rule for rule in config.rules}


@pytest.fixture(scope="module")
def demo_fleet():
    devices = fleet.devices()
    spoken = [fleet.availability(device, NOW) for device in devices if device.flaky]
    spoken += [message for second in range(60) for message in fleet.live(devices, NOW + second)]
    return [Recorded(one.topic.encode(), one.payload, 1, one.retain, one.epoch + 0.2) for one in spoken]


def test_the_demos_fleet_is_proposed_as_somebody_wrote_it(demo_fleet, tmp_path):
    proposal, config, book = proposed(demo_fleet, tmp_path)

    assert proposal.mapped == proposal.meant == len(demo_fleet)
    assert (proposal.left_out, proposal.unusable) == (0, 0)
    found = rules(config)
    channels = ("availability", "climate", "event", "machine", "meter", "pump", "state")
    assert list(found) == [f"fleet/{{site}}/{{device}}/{channel}" for channel in channels]
    for channel in channels[1:]:
        rule = found[f"fleet/{{site}}/{{device}}/{channel}"]
        assert (rule.bucket, rule.stream, rule.timestamp) == ("{site}", "{device}.{field}", "ts")
    assert found["fleet/{site}/{device}/availability"].format == "boolean"
    climate = config.models["Climate"]
    assert {name: (field.type, field.unit, field.optional) for name, field in climate.items()} == {
        "temperature": ("float", "°C", False),
        "humidity": ("float", "%", False),
        "battery": ("float", "%", True),
        "co2": ("int", "ppm", True),
    }
    assert {name: field.unit for name, field in config.models["Meter"].items()} == {
        "voltage": "V", "current": "A", "power": "W", "frequency": "Hz",
    }  # fmt: skip
    assert config.models["Pump"]["running"].type == "bool"
    summary = summarise(book, demo_fleet)
    assert (summary.rejected, summary.unmatched.total()) == (0, 0)


def test_what_the_fleet_says_an_hour_later_is_taken_as_well(demo_fleet, tmp_path):
    _, _, book = proposed(demo_fleet, tmp_path)
    later = [one for second in range(3600, 3700) for one in fleet.live(fleet.devices(), NOW + second)]
    summary = summarise(book, [Recorded(one.topic.encode(), one.payload, time=one.epoch) for one in later])
    assert (summary.rejected, summary.unmatched.total()) == (0, 0)


def test_a_home_with_zigbee2mqtt_and_home_assistant_is_two_words(tmp_path):
    messages = list(read_recording(RECORDING))
    proposal, config, book = proposed(messages, tmp_path)

    assert [(use.family, use.base) for use in config.use] == [("zigbee2mqtt", None), ("esphome", None)]
    assert (config.rules, config.models) == ((), {})
    assert proposal.mapped == proposal.meant == 66
    assert (proposal.left_out, proposal.unusable) == (1, 0)
    assert "#   +/debug: ESPHome's log; 1 message" in proposal.text

    values, units, unmatched = everything(book, messages)
    assert unmatched == ["boiler/debug"]
    assert {(stream, type(value)) for (bucket, stream), value in values.items() if bucket == "kitchen plug"} == {
        ("availability", str), ("current", float), ("energy", float), ("linkquality", int), ("power", int),
        ("power_outage_memory", str), ("state", bool), ("voltage", int),
    }  # fmt: skip
    assert type(values["0x00158d0001a2b3c4", "contact"]) is bool
    assert values["bedroom climate", "availability"] == "offline"
    assert {key: unit for key, unit in units.items() if key[1] in {"voltage", "temperature", "boiler_temperature"}} == {
        ("kitchen plug", "voltage"): "V",
        ("bedroom climate", "voltage"): "mV",
        ("0x00158d0001a2b3c4", "voltage"): "mV",
        ("bedroom climate", "temperature"): "°C",
        ("boiler", "boiler_temperature"): "°C",
    }
    assert values["boiler", "burner"] in {True, False}


def everything(book, messages):
    """The last value and the unit of every stream, and the topics that nobody takes."""
    values, units, unmatched = {}, {}, []
    for message in messages:
        routes = book.routes(message.topic)
        if not routes:
            unmatched.append(message.topic.decode())
        seen = []
        for route in routes:
            events = route.apply(message.payload, message.time)
            assert not isinstance(events, Rejected), events
            seen += [event[:2] for event in events]
            values |= {event[:2]: event[2] for event in events}
            units |= route.new_units
        assert len({bucket for bucket, _ in seen}) <= 1, f"{message.topic} is mapped twice"
    return values, units, unmatched


def test_a_device_that_zigbee2mqtt_and_home_assistants_discovery_tell_of_is_mapped_once(tmp_path):
    config = {"name": "Power", "stat_t": "zigbee2mqtt/plug", "val_tpl": "{{ value_json.power }}", "dev": {"name": "P"}}
    other = {"name": "Level", "stat_t": "tank/level", "unit_of_meas": "m", "dev": {"name": "Tank"}}
    messages = of(
        ("zigbee2mqtt/bridge/devices", []),
        ("homeassistant/sensor/plug/power/config", config),
        ("homeassistant/sensor/tank/level/config", other),
        ("zigbee2mqtt/plug", {"power": 3, "linkquality": 90}),
        ("tank/level", "7"),
        ("shed/door", "open"),
    )
    proposal, found, book = proposed(messages, tmp_path)
    assert proposal.mapped == proposal.meant == len(messages)
    assert [str(use.family) for use in found.use] == ["zigbee2mqtt", "homeassistant"]
    assert [rule.topic for rule in found.rules] == ["shed/door"]
    values, units, _ = everything(book, messages)
    assert list(values) == [("plug", "power"), ("plug", "linkquality"), ("Tank", "Level"), ("shed", "door")]
    assert units["Tank", "Level"] == "m"


FLEETS = {
    "zigbee2mqtt": ({"family": "zigbee2mqtt", "base": "home/z2m"}, [
        ("home/z2m/bridge/info", {"version": "2.1.1", "coordinator": {"type": "zStack3x0"}}),
        ("home/z2m/lamp", {"state": "ON", "linkquality": 90}),
    ]),
    "tasmota": ({"family": "tasmota", "base": None}, [
        ("tele/plug/STATE", {"Time": "2026-09-21T14:13:20", "UptimeSec": 1, "POWER": "ON"}),
        ("stat/plug/POWER", "ON"),
        ("tele/plug/LWT", "Online"),
    ]),
    "tasmota by its discovery": ({"family": "tasmota", "base": None}, [
        ("tasmota/discovery/DC4F22B3A1F2/config", {"t": "plug", "ft": "%topic%/%prefix%/", "tp": ["c", "s", "t"]}),
        ("plug/t/SENSOR", {"Time": "2026-09-21T14:13:20", "ENERGY": {"Power": 3}}),
    ]),
    "shelly 1": ({"family": "shelly", "base": None}, [
        ("shellies/shelly1-ab12cd/online", "true"), ("shellies/shelly1-ab12cd/relay/0", "on"),
    ]),
    "shelly 2": ({"family": "shelly", "base": "home"}, [
        ("home/hall/events/rpc", {"src": "shellyplus1-a8", "method": "NotifyStatus", "params": {"ts": NOW, "switch:0":
         {"id": 0, "output": True}}}),
        ("home/hall/online", "true"),
    ]),
    "owntracks": ({"family": "owntracks", "base": None}, [
        ("owntracks/ann/phone", {"_type": "location", "lat": 1.5, "lon": 2.5, "tst": NOW, "batt": 80}),
    ]),
    "ttn": ({"family": "ttn", "base": None}, [
        ("v3/app@ttn/devices/d1/up", {"uplink_message": {"decoded_payload": {"t": 1.5}, "f_cnt": 3}}),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("name", FLEETS)
def test_a_family_is_recognized_where_its_devices_are(name, tmp_path):
    use, published = FLEETS[name]
    messages = [*of(*published), *of(("pump/status", "running"), ("tele/x", "1"))]
    proposal, config, book = proposed(messages, tmp_path)
    assert [{"family": str(one.family), "base": one.base} for one in config.use] == [use]
    assert {rule.topic for rule in config.rules} == {"pump/status", "tele/x"}
    assert proposal.mapped == proposal.meant == len(messages)
    assert everything(book, messages)[2] == []


def test_a_sparkplug_plant_is_recognized_by_its_bytes(tmp_path):
    birth = sparkplug_b.payload(
        {"name": "t", "alias": 1, "datatype": 9, "float_value": 2.0}, timestamp=NOW * 1000, seq=0
    )
    data = sparkplug_b.payload({"alias": 1, "float_value": 3.0}, timestamp=NOW * 1000, seq=1)
    lost = sparkplug_b.payload({"alias": 1, "float_value": 3.0}, timestamp=NOW * 1000, seq=1)
    messages = [
        Recorded(b"spBv1.0/g/NDATA/n", data, time=NOW),
        Recorded(b"spBv1.0/g/NBIRTH/n", birth, time=NOW),
        Recorded(b"spBv1.0/g/NDATA/unborn", lost, time=NOW),
    ]
    proposal, config, _ = proposed(messages, tmp_path)
    assert [str(use.family) for use in config.use] == ["sparkplug"]
    assert (proposal.mapped, proposal.meant, proposal.unusable) == (2, 2, 1)


@pytest.mark.parametrize(
    ("published", "topics"),
    [
        ([("home/kitchen/temperature", "21"), ("home/bath/temperature", "23")], ["home/{room}/temperature"]),
        ([("devices/a1/power_w", "5"), ("devices/b2/power_w", "7")], ["devices/{device}/power_w"]),
        ([("s/0x00158d0001a2b3c4/state", "ON")], ["s/{device}/state"]),
        ([("plant/a", "1"), ("plant/b", "2"), ("plant/c", "3")], ["plant/{device}"]),
        ([("alone", "1")], ["alone"]),
        ([("a/x/1/t", "1"), ("a/y/2/t", "1")], ["a/{device}/{number}/t"]),
    ],
)
def test_levels_that_vary_become_captures_with_a_name(published, topics, tmp_path):
    _, config, _ = proposed(of(*published), tmp_path)
    assert list(rules(config)) == topics


def test_a_rule_of_captures_leaves_the_topics_of_families_to_them(tmp_path):
    published = [(f"home/{room}/climate", {"temperature": 21.5}) for room in ("kitchen", "attic", "hall")]
    published += [
        ("home/zigbee2mqtt/bridge/info", {"version": "2.6.0"}),
        ("home/zigbee2mqtt/climate", {"temperature": 20.5, "linkquality": 90}),
    ]
    heard = Heard()
    for message in of(*published):
        heard.hear(message)

    proposal = propose(heard, BROKER)

    (tmp_path / "config.yaml").write_text(proposal.text, encoding="utf-8")
    config, book = load_and_compile(tmp_path / "config.yaml", {})
    assert [(use.family, use.base) for use in config.use] == [("zigbee2mqtt", "home/zigbee2mqtt")]
    assert list(rules(config)) == ["home/{room:attic|hall|kitchen}/climate"]
    assert book.routes(b"home/zigbee2mqtt/climate")[0].rule.startswith("zigbee2mqtt")
    assert proposal.mapped == proposal.meant


def test_two_rules_never_write_to_one_stream(tmp_path):
    published = [
        (f"plant/{d}/{part}", {"temperature": 20, "n": n}) for n, d in enumerate("abc") for part in ("in", "out")
    ]
    _, _, book = proposed(of(*published), tmp_path)
    streams = [
        event[:2] for topic, payload in published for route in book.routes(topic.encode())
        for event in route.apply(json.dumps(payload).encode(), NOW)
    ]  # fmt: skip
    assert len(set(streams)) == len(streams) == 12


def test_a_field_of_several_kinds_costs_the_model_and_no_message(tmp_path):
    proposal, config, _ = proposed(
        of(("a/x/state", {"v": 1, "w": 2}), ("a/y/state", {"v": "broken", "w": 3})), tmp_path
    )
    assert proposal.mapped == 2
    assert config.rules[0].model is None
    assert "'v' is int and str" in proposal.text


def test_payloads_of_several_kinds_on_topics_alike_are_taken_as_they_come(tmp_path):
    published = [("a/x/in", "5"), ("a/x/in", {"v": 5}), ("a/y/in", "on"), ("a/y/in", "5")]
    proposal, config, _ = proposed(of(*published), tmp_path)
    assert (proposal.mapped, config.rules[0].format) == (4, "auto")


def test_numbers_and_objects_are_told_apart_where_a_level_does(tmp_path):
    published = [(f"a/{kind}/{d}/state", p) for d in "xyz" for kind, p in (("light", {"on": True}), ("dimmer", "50"))]
    _, config, _ = proposed(of(*published), tmp_path)
    assert {topic: rule.format for topic, rule in rules(config).items()} == {
        "a/dimmer/{device}/state": "number",
        "a/light/{device}/state": "json",
    }


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (NOW - 3, True),
        ((NOW - 3) * 1000, True),
        ("2026-09-21T14:13:18Z", True),
        ("2026-09-21T14:13:18+00:00", True),
        ("2026-09-21T14:13:18", True),  # without a zone, but in step with UTC
        ("2026-09-21T16:13:18", False),  # without a zone, and two hours off
        (12345, False),
        ("soon", False),
    ],
)
def test_a_time_is_taken_when_it_is_one(value, taken, tmp_path):
    _, config, _ = proposed(of(("a/x/climate", {"time": value, "t": 1})), tmp_path)
    assert (config.rules[0].timestamp == "time") is taken


@pytest.mark.parametrize(
    ("field", "least", "most", "unit"),
    [
        ("temperature", 20, 21, "°C"),
        ("outdoorTemperature", 20, 21, "°C"),
        ("temperature_f", 60, 70, "°F"),
        ("power_w", 1, 2, "W"),
        ("ENERGY.Power", 1, 2, "W"),
        ("color_temp", 200, 300, "mired"),
        ("voltage", 229, 231, "V"),
        ("voltage", 2900, 3005, "mV"),
        ("voltage", 230, 3005, ""),
        ("pressure", 990, 1010, "hPa"),
        ("pressure", 2.1, 2.4, ""),
        ("battery", 90, 3000, ""),
        ("c", 1, 2, ""),
        ("gadget", 1, 2, ""),
        ("", 1, 2, ""),
    ],
)
def test_units_come_from_names_where_the_values_agree(field, least, most, unit):
    assert quantity_of(field, least, most).unit == unit


def test_a_bound_that_a_value_breaks_already_is_none():
    assert (quantity_of("humidity", 5, 101).least, quantity_of("humidity", 5, 101).most) == (0, None)


@pytest.mark.parametrize(
    "level",
    [
        "0x00158d0001a2b3c4",
        "a4:c1:38:f2:b1:d0",
        "shelly1-ab12cd",
        "esp32_00ff12",
        "84f3eb1a2b",
        "12345678-1234-5678-1234-567812345678",
        "10452",
    ],
)
def test_serial_numbers_and_addresses_are_ids(level):
    assert is_id(level)


@pytest.mark.parametrize(
    "level", ["kitchen", "line-1", "bed-3", "facade", "temperature", "boiler_temperature", "1", ""]
)
def test_words_are_none(level):
    assert not is_id(level)


HOSTILE = [
    ("a: b/#c", "1"),
    ("no\nlines/x\u2028y", {"k\n- x": 1, "": 2}),
    ("${HOME}/$x", "1"),
    ("{brace}/x", "1"),
    ("/leading//empty/", "1"),
    ("🙂/" + "x" * 300, "1"),
    ("yes/no/null", {"true": True, "a.b": 1, "a": {"b": 2}}),
    ("quote'\"\\/t", {"!file x": 1, "*alias": 2, "&a": "x'\"\n#"}),
    ("deep/x/t", {"a": {"b": {"c": [1, {"d": "text"}]}}}),
    ("nan/x/t", '{"t": NaN}'),
    ("empty/x", ""),
    ("null/x", "null"),
]


@pytest.mark.parametrize("published", [[one] for one in HOSTILE] + [HOSTILE], ids=str)
def test_whatever_is_published_the_proposal_can_be_read(published, tmp_path):
    heard = Heard()
    for message in [*of(*published), Recorded(b"\xff\xfe", b"1"), *of(("good/x/t", "1"))]:
        heard.hear(message)
    proposal = propose(heard, BROKER)
    path = tmp_path / "config.yaml"
    path.write_text(proposal.text, encoding="utf-8")
    _, book = load_and_compile(path, {})
    assert book.routes(b"good/x/t")


@pytest.mark.parametrize(
    "text", ["plain", "°C", "a: b", "yes", "${X}", "a\nb", "\u2028", "🙂\x85", "'\"\\", "{a}", "", "# x"]
)
def test_any_text_comes_back_from_yaml_as_it_was(text, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"data_dir: {scalar(text)}\n", encoding="utf-8")
    assert load_and_compile(path, {})[0].data_dir == text


def test_a_flood_of_topics_is_bounded_and_said(monkeypatch, tmp_path):
    monkeypatch.setattr("mqttbridge.tools.discovery.hearing.MAX_TOPICS", 50)
    heard = Heard()
    for n in range(200):
        heard.hear(Recorded(f"flood/{n}".encode(), b"1", time=NOW))
    assert (len(heard.topics), heard.not_looked_at) == (50, 150)


def test_topics_that_are_like_no_others_share_a_rule(monkeypatch, tmp_path):
    monkeypatch.setattr("mqttbridge.tools.discovery._MAX_RULES", 3)
    published = [(f"root/{n}x/{'abc'[n % 3]}{n}/state", {f"k{n}": n}) for n in range(3)]
    published += [(f"odd{n}/x/thing{n}", str(n)) for n in range(9)]
    proposal, config, _ = proposed(of(*published), tmp_path)
    assert proposal.mapped == len(published)
    assert any("{rest#}" in rule.topic for rule in config.rules)
