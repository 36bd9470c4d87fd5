import pytest
from pydantic import TypeAdapter, ValidationError

from mqttbridge.events import Reason
from mqttbridge.mapping.unusable import Unusable, named, shown
from mqttbridge.mapping.validation import describe, location, message_of, unusable


def error_of(kind, value):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value, strict=True)
    return caught.value


def test_an_error_is_told_by_place_rule_and_what_was_found():
    (error,) = error_of(dict[str, int], {"a": "x"}).errors()

    assert describe(error) == 'a: must be a whole number (got "x")'


def test_an_error_without_words_of_ours_keeps_its_own():
    (error,) = error_of(tuple[int, int], "x").errors()

    assert describe(error) == 'the payload: input should be a valid tuple (got "x")'


def test_a_bound_that_is_no_number_is_told_as_it_is():
    error = {
        "type": "less_than_equal",
        "loc": ("at",),
        "msg": "Input should be less than or equal to today",
        "input": "tomorrow",
        "ctx": {"le": "today"},
    }

    assert describe(error) == 'at: must be at most today (got "tomorrow")'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("inf"), Reason.NOT_FINITE),
        (2**63, Reason.INTEGER_TOO_LARGE),
        ("x" * 2001, Reason.TEXT_TOO_LONG),
        ("x", Reason.VALIDATION),
        (True, Reason.VALIDATION),
    ],
)
def test_what_nothing_could_store_is_said_as_such(value, reason):
    assert unusable(error_of(list[None], [value])).reason is reason


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (120, "120"),
        (True, "true"),
        (None, "null"),
        (float("nan"), "NaN"),
        ("a\nb", '"a\\nb"'),
        ("x" * 100, '"' + "x" * 59 + "..."),
        (10**100, "1" + "0" * 59 + "..."),
        ({"a": 1}, "an object"),
        ([1], "a list"),
        (object(), "object"),
    ],
)
def test_a_value_is_shown_as_in_json_and_cut_short(value, text):
    assert shown(value) == text


def test_a_field_is_named_on_one_short_line():
    assert named("a.b") == "a.b"
    assert named("") == "value"
    assert named("a\nb") == "a\\nb"
    assert len(named("x" * 1000)) < 70
    assert location(("a", 0, "b")) == "a.0.b"


def test_a_detail_has_an_end():
    assert len(Unusable(Reason.VALIDATION, "x" * 10_000).detail) < 600


def test_an_exceptions_text_is_one_line_that_can_be_written():
    assert message_of(KeyError()) == "KeyError"
    assert message_of(ValueError("a\nb")) == "ValueError: a"
    message_of(ValueError("\ud800")).encode()
