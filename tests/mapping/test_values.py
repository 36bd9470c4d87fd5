import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import Rejected
from mqttbridge.mapping import InvalidRules, Rulebook

ARRIVAL = 1_760_000_000.0


def rulebook(models=None, **rule):
    rules = [{"topic": "{id}", "bucket": "b", "stream": "{field}"} | rule]
    return Rulebook(Config.model_validate({"models": models or {}, "rules": rules}))


def apply(book, payload, arrival=ARRIVAL):
    (route,) = book.routes(b"d")
    return route.apply(payload, arrival)


def values(book, payload, arrival=ARRIVAL):
    found = apply(book, payload, arrival)
    return found if isinstance(found, Rejected) else {stream: value for _, stream, value, _ in found}


def problems(models=None, **rule):
    with pytest.raises(InvalidRules) as caught:
        rulebook(models, **rule)
    return {".".join(map(str, loc)): what for loc, what in caught.value.problems}


def field(**keys):
    return {"M": {"f": {"type": "float"} | keys}}


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ({"unit": "°C", "to": "hPa"}, "to", "cannot become 'hPa'"),
        ({"unit": "celsuis", "to": "K"}, "to", "did you mean 'celsius'?"),
        ({"to": "K"}, "to", "needs `unit`"),
        ({"otherwise": 1}, "otherwise", "needs a `map`"),
        ({"wraps_at": 10}, "wraps_at", "needs `counter"),
        ({"counter": "rate", "offset": 1}, "offset", "has no use with a counter"),
        ({"counter": "delta", "per": "1m"}, "per", "needs `counter: rate`"),
        ({"type": "str", "scale": 2}, "scale", "needs a number, and the type is str"),
        ({"type": "str", "map": {"a": "x"}, "round": 1}, "map.a", "is no number, as round would need"),
        ({"type": "str", "map": {"a": 1}, "otherwise": "?", "scale": 2}, "otherwise", "is no number"),
    ],
)
def test_what_is_wrong_with_a_field_is_told_at_its_place_in_the_model_or_the_rule(keys, place, words):
    of_model = problems(field(**keys), model="M")
    assert words in of_model[f"models.M.f.{place}"]
    assert len(of_model) == 1

    if "type" not in keys:
        of_rule = problems(values={"f": keys})
        assert words in of_rule[f"rules.0.values.f.{place}"]


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        ({"values": {"g": {"round": 1}}}, "values.g", "unknown field 'g' (known: f)"),
        ({"derive": {"x": "f +"}}, "derive.x", "not an expression"),
        ({"derive": {"x": "g + 1"}}, "derive.x", "unknown field 'g'"),
        ({"derive": {"x": "y + 1", "y": "f"}}, "derive.x", "unknown field 'y'"),
    ],
)
def test_what_is_wrong_with_a_rules_part_is_told_at_its_place(rule, place, words):
    assert words in problems(field(), model="M", **rule)[f"rules.0.{place}"]


def test_a_rule_says_more_than_its_model_key_by_key():
    book = rulebook(field(unit="°C", round=1), model="M", values={"f": {"to": "°F"}})

    assert values(book, b'{"f": 21.56}') == {"f": 70.8}


def test_each_message_is_converted_not_only_a_streams_first():
    book = rulebook(field(unit="°C", to="°F"), model="M")

    assert [values(book, b'{"f": 100}') for _ in range(3)] == [{"f": 212}] * 3


def test_a_pattern_of_a_rule_with_a_model_is_for_the_models_fields():
    models = {"M": {name: {"type": "float"} for name in ("t1", "t2", "h")}}
    book = rulebook(models, model="M", values={"t?": {"scale": 10}, "t2": {"scale": 100}})

    assert values(book, b'{"t1": 1, "t2": 1, "h": 1}') == {"t1": 10, "t2": 100, "h": 1}


def test_steps_come_in_the_order_that_is_written_down():
    book = rulebook(values={"value": {"map": {"a": 1}, "scale": 10, "offset": 5, "unit": "m", "to": "cm", "round": -3}})

    assert values(book, b"a") == {"value": 2000}  # 1, 10, 15, 1500, and half to even


def test_numbers_and_booleans_of_the_payload_are_told_apart_in_a_map():
    book = rulebook(values={"*": {"map": {"1": "one", "true": "yes", "2.5": "more"}, "otherwise": "?"}})

    assert values(book, b'{"a": 1, "b": true, "c": 1.0, "d": 2.5, "e": "1", "f": false}') == {
        "a": "one", "b": "yes", "c": "one", "d": "more", "e": "one", "f": "?",
    }  # fmt: skip


def test_a_derived_field_replaces_one_of_the_payload_and_may_use_it():
    assert values(rulebook(derive={"t": "t * 2", "u": "t + 1"}), b'{"t": 3}') == {"t": 6, "u": 7}


def test_a_derived_field_needs_all_its_inputs():
    assert values(rulebook(derive={"x": "a + b"}), b'{"a": 3}') == {"a": 3}


def test_a_message_that_is_rejected_moves_no_counter():
    book = rulebook(values={"n": {"counter": "delta"}}, derive={"x": "1 / d"})

    assert values(book, b'{"n": 10, "d": 1}') == {"d": 1, "x": 1}
    assert isinstance(values(book, b'{"n": 15, "d": 0}', ARRIVAL + 1), Rejected)
    assert values(book, b'{"n": 18, "d": 1}', ARRIVAL + 2) == {"n": 8, "d": 1, "x": 1}


def test_a_growth_that_does_not_fit_is_rejected():
    book = rulebook(values={"n": {"counter": "delta"}})

    values(book, b'{"n": -9223372036854775808, "d": 1}')
    assert values(book, b'{"n": 9223372036854775807, "d": 1}', ARRIVAL + 1).reason == "integer_too_large"


def test_each_topic_has_counters_of_its_own():
    book = rulebook(values={"n": {"counter": "delta"}})
    (one,), (other,) = book.routes(b"one"), book.routes(b"other")
    one.apply(b'{"n": 1}', ARRIVAL)

    assert other.apply(b'{"n": 100}', ARRIVAL + 1) == []


def test_the_unit_of_a_stream_is_that_of_what_comes_out():
    book = rulebook(
        values={"e": {"unit": "Wh", "to": "kWh", "counter": "rate", "per": "1h"}, "t": {"unit": "K"}},
        derive={"x": {"expr": "t", "unit": "K2"}},
        unit="?",
    )
    (route,) = book.routes(b"d")
    route.apply(b'{"e": 1, "t": 2, "o": 3}', ARRIVAL)
    route.apply(b'{"e": 1, "t": 2, "o": 3}', ARRIVAL + 1)

    assert {stream: unit for (_, stream), unit in route.new_units.items()} == {
        "e": "kWh/h", "t": "K", "o": "?", "x": "K2",
    }  # fmt: skip


def test_a_rule_that_makes_nothing_of_its_values_keeps_no_state():
    (route,) = rulebook(values={"t": {"unit": "K"}}).routes(b"d")

    assert route._values is None
    assert route._counters is None
