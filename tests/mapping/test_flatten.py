import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.events import INT64_MAX, INT64_MIN, Reason
from mqttbridge.mapping.flatten import MAX_FIELDS, SCALAR, flatten
from mqttbridge.mapping.unusable import Unusable

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(INT64_MIN, INT64_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
KEYS = st.text(alphabet="abc0", min_size=1, max_size=3)
DOCUMENTS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=10
)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({"a": 1, "b": 2.5, "c": True, "d": "x"}, {"a": 1, "b": 2.5, "c": True, "d": "x"}),
        ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}),
        ({"a": [1, {"b": 2}, [3]]}, {"a.0": 1, "a.1.b": 2, "a.2.0": 3}),
        ([1, "x"], {"0": 1, "1": "x"}),
        ({"a": None, "b": 0, "c": "", "d": False}, {"b": 0, "c": "", "d": False}),
        (21.5, {SCALAR: 21.5}),
        ("on", {SCALAR: "on"}),
        (None, {}),
        ({}, {}),
        ({"a": {}, "b": []}, {}),
        ({"a": INT64_MAX, "b": INT64_MIN}, {"a": INT64_MAX, "b": INT64_MIN}),
        ({"a": "x" * 2000}, {"a": "x" * 2000}),
        ({str(n): n for n in range(MAX_FIELDS)}, {str(n): n for n in range(MAX_FIELDS)}),
    ],
)
def test_a_document_becomes_fields(document, fields):
    assert flatten(document) == fields


@pytest.mark.parametrize(
    ("document", "reason", "detail"),
    [
        ({"a": {"b": float("nan")}}, Reason.NOT_FINITE, "a.b: NaN is not a finite number"),
        (float("-inf"), Reason.NOT_FINITE, "value: -Infinity is not a finite number"),
        ({"a": INT64_MAX + 1}, Reason.INTEGER_TOO_LARGE, "a: the integer does not fit into 64 bits"),
        ({"a": INT64_MIN - 1}, Reason.INTEGER_TOO_LARGE, "a: the integer does not fit into 64 bits"),
        (
            {"a": "x" * 2001},
            Reason.TEXT_TOO_LONG,
            "a: the text has 2001 characters, at most 2000 can be stored",
        ),
        ({str(n): n for n in range(MAX_FIELDS + 1)}, Reason.TOO_MANY_FIELDS, "more than 1000 fields"),
        ([[0] * 600, [0] * 600], Reason.TOO_MANY_FIELDS, "more than 1000 fields"),
        ([None] * 1001, Reason.TOO_MANY_FIELDS, "more than 1000 fields"),
        ({"": 1}, Reason.BAD_NAME, "the object has an empty key"),
        ({"a": {"": 1}}, Reason.BAD_NAME, "a has an empty key"),
        ({"x" * 250: {"a": 1}}, Reason.BAD_NAME, "more than 250 characters"),
        ({"a.b": 1, "a": {"b": 2}}, Reason.DUPLICATE_KEYS, "a.b stands in the payload twice"),
    ],
)
def test_one_value_that_cannot_be_stored_makes_the_whole_unusable(document, reason, detail):
    with pytest.raises(Unusable) as caught:
        flatten(document)

    assert caught.value.reason is reason
    assert detail in caught.value.detail


@given(DOCUMENTS)
def test_nothing_is_lost_on_the_way(document):
    def leaves(part):
        if isinstance(part, dict):
            return [leaf for value in part.values() for leaf in leaves(value)]
        if isinstance(part, list):
            return [leaf for value in part for leaf in leaves(value)]
        return [] if part is None else [part]

    assert json.dumps(list(flatten(document).values())) == json.dumps(leaves(document))
