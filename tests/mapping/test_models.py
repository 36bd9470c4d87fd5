import json

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter
from pydantic_core import from_json

from mqttbridge.config.models import ModelConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.building import configured_model
from mqttbridge.mapping.models import InvalidModel
from mqttbridge.mapping.payload import parse_json
from mqttbridge.mapping.unusable import Unusable


def model(**fields):
    return configured_model(TypeAdapter(ModelConfig).validate_python(fields))


def fields_of(built, payload):
    return built.fields(from_json(payload), payload)


CLIMATE = {
    "temperature": {"type": "float", "ge": -40, "le": 85, "unit": "°C"},
    "humidity": {"type": "float", "gt": 0, "lt": 100},
    "battery": {"type": "int", "optional": True},
}


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (
            b'{"temperature": 21.5, "humidity": 48.2, "battery": 93}',
            {"temperature": 21.5, "humidity": 48.2, "battery": 93},
        ),
        (b'{"humidity": 1, "temperature": -40}', {"temperature": -40.0, "humidity": 1.0}),
        (b'{"temperature": 85, "humidity": 1, "battery": null}', {"temperature": 85.0, "humidity": 1.0}),
        (b'{"temperature": 0, "humidity": 1, "battery": 3.0}', {"temperature": 0.0, "humidity": 1.0, "battery": 3}),
        (b'{"temperature": 0, "humidity": 1, "other": {"deep": NaN}}', {"temperature": 0.0, "humidity": 1.0}),
    ],
)
def test_a_model_takes_its_fields_and_ignores_the_others(payload, fields):
    found = fields_of(model(**CLIMATE), payload)

    assert found == fields
    assert list(map(type, found.values())) == list(map(type, fields.values()))


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        (b'{"temperature": 120, "humidity": 1}', Reason.VALIDATION, "temperature: must be at most 85 (got 120)"),
        (b'{"temperature": -41, "humidity": 1}', Reason.VALIDATION, "temperature: must be at least -40 (got -41)"),
        (b'{"temperature": 0, "humidity": 0}', Reason.VALIDATION, "humidity: must be above 0 (got 0)"),
        (b'{"temperature": 0, "humidity": 100.0}', Reason.VALIDATION, "humidity: must be below 100 (got 100.0)"),
        (b'{"humidity": 1}', Reason.VALIDATION, "temperature is missing"),
        (b'{"temperature": null, "humidity": 1}', Reason.VALIDATION, "temperature: must be a number (got null)"),
        (b'{"temperature": "21", "humidity": 1}', Reason.VALIDATION, 'temperature: must be a number (got "21")'),
        (b'{"temperature": true, "humidity": 1}', Reason.VALIDATION, "temperature: must be a number (got true)"),
        (b'{"temperature": {}, "humidity": 1}', Reason.VALIDATION, "temperature: must be a number (got an object)"),
        (b'{"temperature": NaN, "humidity": 1}', Reason.NOT_FINITE, "temperature: must be a finite number (got NaN)"),
        (b'{"temperature": 1e999, "humidity": 1}', Reason.NOT_FINITE, "temperature: must be a finite number"),
        (
            b'{"temperature": 0, "humidity": 1, "battery": 3.5}',
            Reason.VALIDATION,
            "battery: must be a whole number (got 3.5)",
        ),
        (b'{"temperature": 0, "humidity": 1, "battery": true}', Reason.VALIDATION, "battery: must be a whole number"),
        (
            b'{"temperature": 0, "humidity": 1, "battery": 9223372036854775808}',
            Reason.INTEGER_TOO_LARGE,
            "battery: must be at most 9223372036854775807 (got 9223372036854775808)",
        ),
        (b'{"temperature": 0, "humidity": 1, "battery": 1e300}', Reason.INTEGER_TOO_LARGE, "battery: must be at most"),
        (b"21.5", Reason.VALIDATION, "the payload: must be an object (got 21.5)"),
        (b"[1]", Reason.VALIDATION, "the payload: must be an object (got a list)"),
        (b"{}", Reason.VALIDATION, "temperature is missing; humidity is missing"),
    ],
)
def test_what_a_model_refuses_is_said_in_plain_words(payload, reason, detail):
    with pytest.raises(Unusable) as caught:
        fields_of(model(**CLIMATE), payload)

    assert caught.value.reason is reason
    assert detail in caught.value.detail


def test_only_the_first_few_of_many_errors_are_told():
    many = model(**{f"f{n}": {"type": "int"} for n in range(5)})

    with pytest.raises(Unusable) as caught:
        fields_of(many, b"{}")

    assert caught.value.detail == "f0 is missing; f1 is missing; f2 is missing; and 2 more"


@pytest.mark.parametrize(
    ("field", "payload", "value"),
    [
        ({"type": "str"}, b'"x"', "x"),
        ({"type": "str", "pattern": "[a-z]+|[0-9]"}, b'"abc"', "abc"),
        ({"type": "str", "choices": ["heat", "cool"]}, b'"cool"', "cool"),
        ({"type": "str", "max_length": 3}, b'"abc"', "abc"),
        ({"type": "bool"}, b"false", False),
        ({"type": "int", "ge": 0.5}, b"1", 1),
        ({"type": "int", "choices": [1, 2]}, b"2.0", 2),
        ({"type": "float", "choices": [0.5, 1]}, b"1", 1.0),
    ],
)
def test_a_field_takes_what_it_describes(field, payload, value):
    found = fields_of(model(x=field), b'{"x": ' + payload + b"}")["x"]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("field", "payload", "reason", "detail"),
    [
        ({"type": "str"}, b"5", Reason.VALIDATION, "x: must be text (got 5)"),
        ({"type": "str"}, b'"' + b"y" * 2001 + b'"', Reason.TEXT_TOO_LONG, "x: must have at most 2000 characters"),
        ({"type": "str", "max_length": 3}, b'"abcd"', Reason.VALIDATION, 'must have at most 3 characters (got "abcd")'),
        (
            {"type": "str", "pattern": "[a-z]+|[0-9]"},
            b'"abc1"',
            Reason.VALIDATION,
            'must match its pattern (got "abc1")',
        ),
        ({"type": "str", "pattern": "[a-z]+"}, b'"abc\\n"', Reason.VALIDATION, "must match its pattern"),
        ({"type": "str", "choices": ["a", "b"]}, b'"c"', Reason.VALIDATION, 'x: must be one of "a", "b" (got "c")'),
        ({"type": "bool"}, b"1", Reason.VALIDATION, "x: must be true or false (got 1)"),
        ({"type": "bool"}, b'"on"', Reason.VALIDATION, 'x: must be true or false (got "on")'),
        ({"type": "int", "ge": 0.5}, b"0", Reason.VALIDATION, "x: must be at least 1 (got 0)"),
        ({"type": "int", "gt": 1, "lt": 3}, b"3", Reason.VALIDATION, "x: must be at most 2 (got 3)"),
        ({"type": "float"}, b"1" + b"0" * 400, Reason.INTEGER_TOO_LARGE, "x: must be a number (got"),
    ],
)
def test_a_field_refuses_everything_else(field, payload, reason, detail):
    with pytest.raises(Unusable) as caught:
        fields_of(model(x=field), b'{"x": ' + payload + b"}")

    assert caught.value.reason is reason
    assert detail in caught.value.detail


@pytest.mark.parametrize("payload", [b"{}", b'{"x": null}'])
def test_a_default_stands_in_for_what_is_missing_or_null(payload):
    assert fields_of(model(x={"type": "int", "default": 7}), payload) == {"x": 7}


def test_a_default_comes_out_as_a_value_of_the_fields_type():
    assert type(fields_of(model(x={"type": "float", "default": 7}), b"{}")["x"]) is float


def test_an_optional_field_without_a_value_makes_nothing():
    assert fields_of(model(x={"type": "int", "optional": True}), b'{"x": null}') == {}


@pytest.mark.parametrize(
    "payload",
    [b'{"sensors": [{"value": 5}]}', b'{"sensors": {"0": {"value": 5}}}', b'{"sensors.0.value": 5}'],
    ids=["list", "object", "key with dots"],
)
def test_a_path_leads_to_a_field_anywhere_in_the_payload(payload):
    nested = model(x={"type": "int", "path": "sensors.0.value"})

    assert fields_of(nested, payload) == {"x": 5}


def test_the_detail_names_the_path_where_the_payload_is_at_fault():
    with pytest.raises(Unusable) as caught:
        fields_of(model(x={"type": "int", "path": "sensors.0.value"}), b'{"sensors": [{"value": "no"}]}')

    assert caught.value.detail == 'sensors.0.value: must be a whole number (got "no")'


@pytest.mark.parametrize("name", ["copy", "json", "model_fields", "_private", "class", "with space", "a.b", "ümlaut"])
def test_a_field_may_have_any_name(name):
    assert fields_of(model(**{name: {"type": "int"}}), f'{{"{name}": 1}}'.encode()) == {name: 1}


def test_units_and_the_only_field_are_known():
    assert model(**CLIMATE).unit_of("temperature") == "°C"
    assert model(**CLIMATE).unit_of("humidity") == ""
    assert model(**CLIMATE).sole_field is None
    assert model(x={"type": "int"}).sole_field == "x"


@pytest.mark.parametrize(
    ("field", "path", "what"),
    [
        ({"type": "str", "ge": 1}, ("ge",), "does not apply to type str (only to float and int)"),
        ({"type": "bool", "lt": 1}, ("lt",), "does not apply to type bool (only to float and int)"),
        ({"type": "int", "pattern": "x"}, ("pattern",), "does not apply to type int (only to str)"),
        ({"type": "float", "max_length": 5}, ("max_length",), "does not apply to type float (only to str)"),
        ({"type": "float", "ge": float("nan")}, ("ge",), "must be a finite number (got nan)"),
        ({"type": "float", "ge": 5, "le": 4}, ("ge",), "no value is possible between ge 5 and le 4"),
        ({"type": "float", "gt": 5, "lt": 5}, ("gt",), "no value is possible between gt 5 and lt 5"),
        ({"type": "int", "gt": 1, "lt": 2}, ("gt",), "no value is possible between gt 1 and lt 2"),
        ({"type": "str", "pattern": "("}, ("pattern",), "not a regular expression (got '(')"),
        ({"type": "str", "pattern": "a)|(b"}, ("pattern",), "not a regular expression (got 'a)|(b')"),
        ({"type": "str", "choices": []}, ("choices",), "is empty: no value would be accepted"),
        ({"type": "int", "choices": [1, "2"]}, ("choices", "1"), 'must be a whole number (got "2")'),
        ({"type": "int", "choices": [1, 9], "le": 5}, ("choices", "1"), "must be at most 5 (got 9)"),
        ({"type": "int", "default": "x"}, ("default",), 'must be a whole number (got "x")'),
        ({"type": "int", "le": 5, "default": 9}, ("default",), "must be at most 5 (got 9)"),
        ({"type": "str", "choices": ["a"], "default": "b"}, ("default",), 'must be one of "a" (got "b")'),
        ({"type": "int", "path": "a..b"}, ("path",), "a payload path is keys and list indexes"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused_with_the_reason(field, path, what):
    with pytest.raises(InvalidModel) as caught:
        model(x=field)

    ((found, words),) = caught.value.problems
    assert found == ("x", *path)
    assert what in words


def test_every_problem_of_every_field_is_told():
    with pytest.raises(InvalidModel) as caught:
        model(a={"type": "str", "ge": 1, "pattern": "("}, b={"type": "int", "default": "x"})

    assert [path for path, _ in caught.value.problems] == [("a", "ge"), ("a", "pattern"), ("b", "default")]


@pytest.mark.parametrize("name", ["", "a\nb"])
def test_a_field_has_a_printable_name(name):
    with pytest.raises(InvalidModel, match="a field's name is printable and not empty"):
        model(**{name: {"type": "int"}})


def test_a_model_has_fields():
    with pytest.raises(InvalidModel, match="has no fields"):
        model()


@given(
    st.dictionaries(
        st.sampled_from(["temperature", "humidity", "battery"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.lists(st.integers(), max_size=2),
    )
)
def test_whatever_comes_is_taken_or_refused(document):
    try:
        fields = model(**CLIMATE).fields(document, b"")
    except Unusable:
        return

    assert -40 <= fields["temperature"] <= 85
    assert 0 < fields["humidity"] < 100


@given(
    document=st.dictionaries(
        st.sampled_from(["temperature", "count", "on", "state", "other"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=5)
        | st.sampled_from([10**400, -(2**63), 2**63, 1e308])
        | st.lists(st.integers(), max_size=2),
    ),
    spoiled=st.sampled_from([b"%s", b" %s\n", b"%s,", b"[%s]"]),
)
def test_reading_at_once_says_the_same_as_the_long_way_or_nothing(document, spoiled):
    fields = {
        "temperature": {"type": "float", "ge": -40, "le": 1e300},
        "count": {"type": "int", "optional": True},
        "on": {"type": "bool", "default": True},
        "state": {"type": "str", "optional": True, "max_length": 4},
    }
    built = model(**fields)
    payload = spoiled % json.dumps(document).encode()
    at_once = built.fields_at_once(payload)
    if at_once is not None:
        slowly = built.fields(parse_json(payload), payload)
        assert [(name, type(value), value) for name, value in at_once.items()] == [
            (name, type(value), value) for name, value in slowly.items()
        ]


@pytest.mark.parametrize(
    "payload",
    [
        b'{"temperature": 1, "temperature": 2}',
        b'{"temperature": 1, "other": 2}',
        b'{"temperature": 1, "count": null}',
        b'{"temperature": "1:2"}',
    ],
)
def test_a_payload_with_more_than_the_fields_takes_the_long_way(payload):
    fields = {"temperature": {"type": "float"}, "count": {"type": "int", "optional": True}}
    built = model(**fields)
    assert built.fields_at_once(payload) is None
