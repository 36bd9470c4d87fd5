import sys
from pathlib import Path

import pytest
from pydantic_core import from_json

from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import SCALAR
from mqttbridge.mapping.imported import imported_model
from mqttbridge.mapping.models import InvalidModel
from mqttbridge.mapping.unusable import Unusable


@pytest.fixture(autouse=True)
def _users_module(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield
    sys.modules.pop("user_models", None)


def fields_of(name, payload):
    try:
        document = from_json(payload)
    except ValueError:
        document = None
    return imported_model(f"user_models:{name}").fields(document, payload)


def test_a_models_values_become_what_an_event_can_hold():
    payload = b"""{"at": "2025-10-09T10:53:20+02:00", "mode": "heat", "level": 1, "price": "12.50", "lasted": "PT90S",
        "device": "12345678123456781234567812345678", "position": {"lat": 1, "lon": 2},
        "track": [{"lat": 3, "lon": 4}], "counts": {"7": 70}}"""

    assert fields_of("Rich", payload) == {
        "at": "2025-10-09T10:53:20+02:00",
        "mode": "heat",
        "level": 1,
        "price": 12.5,
        "lasted": 90.0,
        "device": "12345678-1234-5678-1234-567812345678",
        "position.lat": 1.0,
        "position.lon": 2.0,
        "track.0.lat": 3.0,
        "track.0.lon": 4.0,
        "counts.7": 70,
        "power": 1.5,
        "double": 3.0,
    }


@pytest.mark.parametrize(
    ("field", "unit"),
    [("power", "W"), ("position.lat", "deg"), ("track.3.lat", "deg"), ("position.lon", ""), ("counts.7", "")],
)
def test_units_are_found_in_models_within_the_model(field, unit):
    assert imported_model("user_models:Rich").unit_of(field) == unit


def test_a_model_within_itself_has_units_once():
    assert imported_model("user_models:Tree").units == {"value": "m"}


def test_the_only_field_of_a_model_is_known():
    assert imported_model("user_models:Only").sole_field == "value"
    assert imported_model("user_models:Position").sole_field is None


def test_a_model_of_a_bare_value_takes_one():
    assert fields_of("Bare", b"21.5") == {SCALAR: 21.5}


def test_a_strict_model_reads_json_as_pydantic_reads_json():
    assert fields_of("Strict", b'{"at": "2025-10-09T08:53:20Z"}') == {"at": "2025-10-09T08:53:20+00:00"}


@pytest.mark.parametrize(
    ("name", "payload", "reason", "detail"),
    [
        ("Only", b'{"value": "x"}', Reason.VALIDATION, "value: input should be a valid number, unable to parse"),
        ("Only", b"{}", Reason.VALIDATION, "value is missing"),
        ("Only", b"5", Reason.VALIDATION, "the payload: input should be an object (got 5)"),
        ("Only", b'{"value": NaN}', Reason.NOT_FINITE, "value: NaN is not a finite number"),
        ("Picky", b'{"value": 3}', Reason.VALIDATION, "value: value error, Must be even (got 3)"),
        ("Tree", b'{"value": 1, "child": {"value": "x"}}', Reason.VALIDATION, "child.value: "),
        ("Tree", b'{"value": 99999999999999999999}', Reason.INTEGER_TOO_LARGE, "does not fit into 64 bits"),
        ("Loose", b'{"value": {"": 1}}', Reason.BAD_NAME, "value has an empty key"),
        ("BadValidator", b'{"value": 1}', Reason.MODEL_FAILED, "BadValidator raised LookupError: no such thing"),
        ("BadSerializer", b'{"value": 1}', Reason.MODEL_FAILED, "BadSerializer raised"),
        ("Unstorable", b'{"value": [1]}', Reason.MODEL_FAILED, "TypeError: no event can hold a set"),
        ("Surrogate", b'{"value": 1}', Reason.MODEL_FAILED, "Surrogate raised UnicodeEncodeError"),
        ("Endless", b'{"value": 1}', Reason.MODEL_FAILED, "Endless raised RecursionError"),
    ],
)
def test_whatever_a_users_model_does_rejects_the_message_and_no_more(name, payload, reason, detail):
    with pytest.raises(Unusable) as caught:
        fields_of(name, payload)

    assert caught.value.reason is reason
    assert detail in caught.value.detail


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("no_such_module:Model", "cannot import 'no_such_module:Model': ModuleNotFoundError"),
        ("user_models:Missing", "cannot import 'user_models:Missing': AttributeError"),
        ("user_models:", "cannot import 'user_models:'"),
        (":Model", "cannot import ':Model': ValueError"),
        ("user_models:NotAModel", "'user_models:NotAModel' is not a pydantic model"),
        ("user_models:NotAModel.made", "is not a pydantic model"),
        ("user_models:BaseModel.model_config", "is not a pydantic model"),
    ],
)
def test_what_is_no_model_is_refused_with_the_reason(reference, what):
    with pytest.raises(InvalidModel) as caught:
        imported_model(reference)

    assert what in str(caught.value)
