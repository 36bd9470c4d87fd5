"""Values and derived fields of structured models. What they make of messages is in tests/golden; here is the rest."""

import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import Rejected
from mqttbridge.mapping import InvalidRules, Rulebook, rules as rules_module
from mqttbridge.mapping.room import Room

ARRIVAL = 1_760_000_000.0
NUMBER = {"type": "float"}
GATEWAY = {
    "Sensor": {"temperature": NUMBER | {"unit": "°C"}, "name": {"type": "str", "store": False}},
    "M": {
        "sensors": {"type": "Sensor", "path": "sensors[*]", "as": "{sensors[*].name}"},
        "position": {"type": "object", "optional": True, "fields": {"lat": NUMBER}},
    },
}


def rulebook(models, **rule):
    rule = {"topic": "+", "model": "M", "bucket": "b", "stream": "{field}"} | rule
    return Rulebook(Config.model_validate({"models": models, "rules": [rule]}))


def problems(models, **rule):
    with pytest.raises(InvalidRules) as caught:
        rulebook(models, **rule)
    return {".".join(map(str, where)): what for where, what in caught.value.problems}


def values(book, payload, arrival=ARRIVAL):
    (route,) = book.routes(b"d")
    events = route.apply(payload, arrival)
    return events if isinstance(events, Rejected) else {event[1]: event[2] for event in events}


@pytest.mark.parametrize(
    ("rule", "place", "what"),
    [
        ({"values": {"position.lon": {"round": 1}}}, "values.position.lon",
         "unknown field 'position.lon'; did you mean 'position.lat'?"),
        ({"values": {"temperature": {"round": 1}}}, "values.temperature",
         "unknown field 'temperature'; did you mean 'sensors.temperature'?"),
        ({"values": {"sensors.name": {"map": {"a": 1}}}}, "values.sensors.name",
         "'sensors.name' is only checked (store: false)"),
        ({"values": {"sensors.*": {"to": "hPa"}}}, "values.sensors.*.to", "'°C' (temperature) cannot become 'hPa'"),
        ({"derive": {"x": "field('sensors.name')"}}, "derive.x", "'sensors.name' is only checked (store: false)"),
    ],
)  # fmt: skip
def test_a_rule_names_fields_by_the_way_that_leads_to_them(rule, place, what):
    assert what in problems(GATEWAY, **rule)[f"rules.0.{place}"]


@pytest.mark.parametrize(
    ("field", "place", "what"),
    [
        ({"type": "object", "fields": {"a": NUMBER | {"to": "m"}}}, "fields.a.to", "needs `unit`"),
        ({"type": "object", "fields": {"a": NUMBER}, "round": 1}, "round", "is for a value"),
        ({"type": "Other", "map": {"a": 1}}, "map", "is for a value"),
        (NUMBER | {"store": False, "round": 1}, "round", "the field makes no events"),
        ({"type": "datetime", "scale": 2}, "scale", "needs a number, and the type is datetime"),
        ({"type": "enum", "choices": ["a", 1], "scale": 2}, "scale", "needs a number, and the type is enum"),
    ],
)
def test_what_is_wrong_with_the_values_of_a_model_is_told_where_it_stands(field, place, what):
    assert what in problems({"M": {"f": field, "g": NUMBER}, "Other": {"a": NUMBER}})[f"models.M.f.{place}"]


def test_an_enum_of_numbers_is_a_number():
    book = rulebook({"M": {"f": {"type": "enum", "choices": [1, 2.5], "scale": 10}}})

    assert values(book, b'{"f": 2.5}') == {"f": 25}


def test_a_model_within_two_others_is_told_of_once():
    models = {"Inner": {"a": NUMBER | {"to": "m"}}, "M": {"f": {"type": "Inner"}}, "N": {"f": {"type": "Inner"}}}

    assert list(problems(models)) == ["models.Inner.a.to"]


def test_what_a_payload_calls_its_items_makes_none_of_them_another_field():
    book = rulebook(
        GATEWAY, extra="streams", values={"sensors.temperature": {"scale": 10}, "x.temperature": {"scale": 7}}
    )
    payload = b'{"sensors": [{"name": "x", "temperature": 1}, {"name": "position.lat", "temperature": 2}], "y": 3}'

    assert values(book, payload) == {"x.temperature": 10, "position.lat.temperature": 20, "y": 3}


def test_names_count_before_patterns_and_of_these_the_first_with_a_model_and_for_what_it_does_not_name():
    said = {"*": {"scale": 2}, "t*": {"scale": 3}, "t1": {"scale": 5}, "x1": {"scale": 7}}
    book = rulebook({"M": {"t1": NUMBER, "t2": NUMBER}}, extra="streams", values=said)

    assert values(book, b'{"t1": 1, "t2": 1, "x1": 1, "x2": 1}') == {"t1": 5, "t2": 2, "x1": 7, "x2": 2}


def test_an_expression_may_use_what_the_model_does_not_name_where_that_is_stored():
    assert values(rulebook({"M": {"t": NUMBER}}, extra="streams", derive={"x": "t + u"}), b'{"t": 1, "u": 2}')["x"] == 3
    assert "unknown field 'u'" in problems({"M": {"t": NUMBER}}, derive={"x": "t + u"})["rules.0.derive.x"]


def test_an_expression_may_use_items_by_the_names_of_their_events():
    book = rulebook({"M": {"p": NUMBER | {"path": "phases[*]"}}}, derive={"sum": "p[0] + p[1]"})

    assert values(book, b'{"phases": [1, 2]}') == {"p.0": 1, "p.1": 2, "sum": 3}


def test_a_message_of_several_points_that_is_rejected_moves_no_counter():
    total = {"type": "int", "path": "n[*]", "interval": "1s", "counter": "delta"}
    book = rulebook({"M": {"n": total}}, derive={"x": "1 / n"})
    (route,) = book.routes(b"d")

    assert [event[2] for event in route.apply(b'{"n": [1, 2]}', ARRIVAL)] == [1, 1.0]
    assert isinstance(route.apply(b'{"n": [4, 4]}', ARRIVAL + 10), Rejected)
    assert [event[2] for event in route.apply(b'{"n": [6]}', ARRIVAL + 20)] == [4, 0.25]


def test_a_device_that_payloads_name_has_counters_of_its_own_as_long_as_there_is_room(monkeypatch):
    monkeypatch.setattr(rules_module, "MAX_KEPT_BYTES", 3000)
    book = Rulebook(
        Config.model_validate(
            {"rules": [{"topic": "gw", "bucket": "b", "stream": "{payload.id}", "values": {"n": {"counter": "delta"}}}]}
        )
    )
    (route,) = book.routes(b"gw")
    free = book._room.left
    for time in range(3):
        assert route.apply(b'{"id": "a", "n": %d}' % (10 * time), ARRIVAL + time) == (
            [("b", "a.n", 10, ARRIVAL + time)] if time else []
        )
    for device in range(100):
        route.apply(b'{"id": %d, "n": 1}' % device, ARRIVAL + 10)
    assert route.apply(b'{"id": "a", "n": 50}', ARRIVAL + 20) == []

    route.forget_streams()
    assert book._room.left == free


def test_a_device_for_which_there_is_no_room_takes_none():
    book = Rulebook(Config.model_validate({"rules": [{"topic": "gw", "bucket": "b", "stream": "{payload.id}"}]}))
    (route,) = book.routes(b"gw")
    route._room = Room(100)

    assert route.apply(b'{"id": "a", "n": 1}', ARRIVAL) == [("b", "a.n", 1, ARRIVAL)]
    assert route._room.left == 100
