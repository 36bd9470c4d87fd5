"""Names that are made of something in each message."""

import pytest
from hypothesis import given, strategies as st
from pydantic_core import to_json

from mqttbridge.config.model import Config
from mqttbridge.events import MAX_NAME_CHARS, PayloadWithProperties, Reason, Rejected
from mqttbridge.mapping import InvalidRules, Rulebook, rules as rules_module

ARRIVAL = 1_760_000_000.0


def rulebook(**changes):
    rule = {"topic": "gw/{gw}", "bucket": "{gw}", "stream": "{payload.id}.{field}"} | changes
    return Rulebook(Config.model_validate({"rules": [rule]}))


def only_route(book, topic=b"gw/g1"):
    (route,) = book.routes(topic)
    return route


def test_each_value_has_its_own_streams_and_units():
    route = only_route(rulebook(unit="W"))

    assert route.apply(b'{"id": "a", "p": 1}', ARRIVAL) == [("g1", "a.p", 1, ARRIVAL)]
    assert route.new_units == {("g1", "a.p"): "W"}
    route.new_units = {}
    assert route.apply(b'{"id": "b", "p": 2}', ARRIVAL) == [("g1", "b.p", 2, ARRIVAL)]
    assert route.new_units == {("g1", "b.p"): "W"}
    route.new_units = {}
    assert route.apply(b'{"id": "a", "p": 3}', ARRIVAL) == [("g1", "a.p", 3, ARRIVAL)]
    assert route.new_units == {}


def test_what_the_ingest_loop_keeps_it_keeps_with_the_device_and_not_with_the_gateway():
    book = rulebook()
    route = only_route(book)
    for device in ("a", "b"):
        route.last = route.apply(to_json({"id": device, "p": 1}), ARRIVAL)

    kept = {known.named_by: [event[1] for event in known.last] for known in book.known_routes()}

    assert kept == {("a",): ["a.p"], ("b",): ["b.p"]}
    route.apply(b'{"id": "a", "p": 1}', ARRIVAL)
    assert [event[1] for event in route.last] == ["a.p"]


def test_missing_null_and_empty_are_the_same():
    route = only_route(rulebook(stream="{payload.id|default:none}.{field}"))

    for payload in (b'{"p": 1}', b'{"id": null, "p": 1}', b'{"id": "", "p": 1}'):
        assert route.apply(payload, ARRIVAL) == [("g1", "none.p", 1, ARRIVAL)]


def test_what_a_payload_names_is_never_read_as_a_template():
    route = only_route(rulebook())

    assert route.apply(b'{"id": "{field}|upper", "p": 1}', ARRIVAL) == [("g1", "{field}|upper.p", 1, ARRIVAL)]


def test_values_without_end_are_bounded_and_nothing_depends_on_it(monkeypatch):
    monkeypatch.setattr(rules_module, "MAX_KEPT_BYTES", 20_000)
    book = rulebook()
    route = only_route(book)

    for n in range(2_000):
        assert route.apply(to_json({"id": n, "p": n}), ARRIVAL) == [("g1", f"{n}.p", n, ARRIVAL)]
        assert book._room.left >= -1_000
    assert 1 < len(list(book.known_routes())) < 100

    book.routes(b"gw/g2")
    book._forget_older_half()
    book._forget_older_half()
    assert book._room.left == 20_000


def test_a_rule_asks_for_properties_only_where_one_is_named():
    assert not rulebook().needs_properties
    assert not rulebook(timestamp="properties.ts").needs_properties
    assert rulebook(bucket="{property.site}").needs_properties
    assert rulebook(timestamp="property.ts").needs_properties


def test_a_property_names_the_bucket_of_any_format():
    route = only_route(rulebook(bucket="{property.content_type|slug|default:none}", stream="{gw}", format="text"))
    content_type = PayloadWithProperties.of(b"on", b"\x03\x00\x0atext/plain")

    assert route.apply(content_type, ARRIVAL) == [("text-plain", "g1", "on", ARRIVAL)]
    assert route.apply(b"on", ARRIVAL) == [("none", "g1", "on", ARRIVAL)]


@pytest.mark.parametrize(
    ("changes", "where", "problem"),
    [
        ({"stream": "{payload.a..b}"}, "stream", "a payload path is keys and list indexes joined by '.' (got 'a..b')"),
        ({"stream": "{payload.a[*]}"}, "stream", "'[*]' leads to many values"),
        ({"stream": "{payload.}"}, "stream", "a payload path is keys"),
        ({"stream": "{property.}"}, "stream", "a property has a name, as in 'property.site'"),
        ({"bucket": "{payload}"}, "bucket", "unknown name {payload}; known here: {gw}"),
        ({"format": "number"}, "stream", "{payload.id} needs a payload with fields, so `format: json` (got number)"),
        ({"timestamp": "a[*].ts"}, "timestamp", "'[*]' leads to many values"),
    ],
)
def test_what_is_wrong_with_a_name_is_told_with_its_place(changes, where, problem):
    with pytest.raises(InvalidRules) as caught:
        rulebook(**changes)

    ((loc, what),) = caught.value.problems
    assert loc == ("rules", 0, where)
    assert problem in what


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_whatever_a_payload_names_makes_good_names_or_a_rejection(value):
    payload = to_json({"id": value, "p": 1}, inf_nan_mode="constants")
    result = only_route(rulebook()).apply(payload, ARRIVAL)

    if isinstance(result, Rejected):
        assert result.reason in {
            Reason.BAD_NAME,
            Reason.MALFORMED,
            Reason.DUPLICATE_KEYS,
            Reason.NOT_FINITE,
            Reason.INTEGER_TOO_LARGE,
        }
    else:
        assert all(1 <= len(stream) <= MAX_NAME_CHARS for _, stream, _, _ in result)
