import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.events import INT64_MAX, INT64_MIN, MAX_NAME_CHARS, MAX_TEXT_CHARS, Reason, Rejected
from mqttbridge.mapping import Rulebook, rules as rules_module

ARRIVAL = 1_760_000_000.0


def rulebook(*rules, **config):
    return Rulebook(Config.model_validate({"rules": rules, **config}))


def rule(**changes):
    return {"topic": "fleet/{site}/{device}", "bucket": "{site}", "stream": "{device}.{field}"} | changes


def apply(book, topic, payload):
    """What every rule of a topic makes of a payload."""
    return [route.apply(payload, ARRIVAL) for route in book.routes(topic)]


def streams(book, topic, payload):
    return [event[1] for events in apply(book, topic, payload) for event in events]


def test_a_message_becomes_an_event_a_field():
    assert apply(rulebook(rule()), b"fleet/lab/d1", b'{"temperature": 21.5, "on": true}') == [
        [("lab", "d1.temperature", 21.5, ARRIVAL), ("lab", "d1.on", True, ARRIVAL)]
    ]


def test_a_topic_of_no_rule_has_no_routes():
    assert rulebook(rule()).routes(b"other") == ()


def test_the_first_rule_that_matches_wins():
    book = rulebook(rule(name="first"), rule(name="second"))

    assert [route.rule for route in book.routes(b"fleet/lab/d1")] == ["first"]


def test_continue_goes_on_to_the_next_rules_up_to_one_that_does_not():
    book = rulebook(
        rule(name="a", **{"continue": True}),
        rule(name="elsewhere", topic="other", bucket="b", stream="s"),
        rule(name="b", topic="fleet/#", bucket="all", stream="x"),
        rule(name="c"),
    )

    assert [route.rule for route in book.routes(b"fleet/lab/d1")] == ["a", "b"]


def test_a_route_knows_its_rule_destinations_bucket_and_topic():
    (route,) = rulebook(rule(name="mine", to=["dashboard"])).routes("fleet/küche/d1".encode())

    assert (route.rule, route.to, route.bucket, route.topic) == ("mine", ("dashboard",), "küche", "fleet/küche/d1")
    assert route.last is None


@pytest.mark.parametrize(
    ("stream", "payload", "expected"),
    [
        ("{device}", b"21.5", ["d1"]),
        ("{device}", b'{"value": 1, "x": 2}', ["d1.value", "d1.x"]),
        ("{device}", b'{"a": {"b": [1]}}', ["d1.a.b.0"]),
        ("{device}.{field}", b"21.5", ["d1.value"]),
        ("{field}@{device}", b'{"a": 1}', ["a@d1"]),
        ("{field}/{field}", b'{"a": 1}', ["a/a"]),
        ("fixed", b'{"a": 1, "b": 2}', ["fixed.a", "fixed.b"]),
        ("fixed", b"1", ["fixed"]),
    ],
)
def test_a_field_goes_where_the_template_says_or_to_the_end(stream, payload, expected):
    assert streams(rulebook(rule(stream=stream)), b"fleet/lab/d1", payload) == expected


def test_the_only_field_of_a_model_needs_no_place_in_the_name():
    models = {"One": {"temperature": {"type": "float"}}}

    assert streams(
        rulebook(rule(stream="{device}", model="One"), models=models), b"fleet/lab/d1", b'{"temperature": 1}'
    ) == ["d1"]
    assert streams(rulebook(rule(model="One"), models=models), b"fleet/lab/d1", b'{"temperature": 1}') == [
        "d1.temperature"
    ]


def test_a_rest_capture_joins_its_levels_with_dots():
    book = rulebook({"topic": "{bucket}/{rest#}", "bucket": "{bucket}", "stream": "{rest}"})

    assert streams(book, b"home/floor/1/lamp", b"5") == ["floor.1.lamp"]
    assert streams(book, b"home", b'{"a": 1}') == ["a"]


@pytest.mark.parametrize(
    ("topic", "reason", "detail"),
    [
        (b"fleet/\xff/d1", Reason.TOPIC_NOT_UTF8, "the topic is not UTF-8"),
        (b"fleet//d1", Reason.BAD_NAME, "the bucket's name came out empty"),
        (b"fleet/" + b"x" * 251 + b"/d1", Reason.BAD_NAME, "the bucket's name has 251 characters, at most 250"),
        (b"fleet/a\x07/d1", Reason.BAD_NAME, "the bucket's name holds a control character"),
    ],
)
def test_a_topic_that_cannot_be_used_is_rejected_with_every_message_on_it(topic, reason, detail):
    book = rulebook(rule())

    for _ in range(2):
        rejected = book.routes(topic)
        assert isinstance(rejected, Rejected)
        assert rejected.reason is reason
        assert detail in rejected.detail


@pytest.mark.parametrize(
    ("topic", "payload", "detail"),
    [
        (b"fleet/lab/", b"5", "a stream's name came out empty"),
        (
            b"fleet/lab/d1",
            b'{"' + b"x" * 250 + b'": 1}',
            "a stream's name has 253 characters, at most 250 are possible",
        ),
        (b"fleet/lab/d1", b'{"a\\nb": 1}', 'a stream\'s name holds a control character ("d1.a\\nb")'),
        (b"fleet/lab/d1", b'{"": 1}', "the object has an empty key"),
    ],
)
def test_a_stream_that_cannot_be_named_rejects_the_message(topic, payload, detail):
    (rejected,) = apply(rulebook(rule(stream="{device}")), topic, payload)

    assert rejected.reason is Reason.BAD_NAME
    assert detail in rejected.detail


def test_one_bad_field_rejects_the_whole_message_and_says_of_which_rule_and_topic():
    payload = b'{"good": 1, "bad": NaN}'

    (rejected,) = apply(rulebook(rule(name="mine")), b"fleet/lab/d1", payload)

    assert rejected == Rejected(Reason.NOT_FINITE, "bad: NaN is not a finite number", "fleet/lab/d1", payload, "mine")


@pytest.mark.parametrize("payload", [b"{}", b"null", b'{"a": null}', b'{"a": {"b": []}}'])
def test_a_message_with_nothing_to_store_is_rejected(payload):
    (rejected,) = apply(rulebook(rule()), b"fleet/lab/d1", payload)

    assert rejected.reason is Reason.NO_VALUES


def test_the_payloads_own_time_is_the_events_time_and_no_event():
    assert apply(rulebook(rule(timestamp="at")), b"fleet/lab/d1", b'{"at": 1759999990, "a": 1}') == [
        [("lab", "d1.a", 1, 1759999990.0)]
    ]


def test_a_model_reads_a_time_that_is_no_field_of_it_and_keeps_one_that_is():
    models = {"A": {"a": {"type": "int"}}, "Both": {"a": {"type": "int"}, "at": {"type": "int"}}}
    payload = b'{"at": 1759999990, "a": 1}'

    (events,) = apply(rulebook(rule(timestamp="at", model="A"), models=models), b"fleet/lab/d1", payload)
    (both,) = apply(rulebook(rule(timestamp="at", model="Both"), models=models), b"fleet/lab/d1", payload)

    assert events == [("lab", "d1.a", 1, 1759999990.0)]
    assert [event[1:] for event in both] == [("d1.a", 1, 1759999990.0), ("d1.at", 1759999990, 1759999990.0)]


def test_a_bad_time_rejects_or_gives_way_to_the_arrival():
    late = b'{"at": "2040-01-01", "a": 1}'

    (rejected,) = apply(rulebook(rule(timestamp="at")), b"fleet/lab/d1", late)
    (events,) = apply(rulebook(rule(timestamp="at", bad_timestamp="arrival")), b"fleet/lab/d1", late)

    assert rejected.reason is Reason.BAD_TIMESTAMP
    assert events == [("lab", "d1.a", 1, ARRIVAL)]


def test_units_are_told_when_a_stream_is_met_first():
    models = {"Climate": {"temperature": {"type": "float", "unit": "°C"}, "level": {"type": "float"}}}
    (route,) = rulebook(rule(model="Climate", unit="m"), models=models).routes(b"fleet/lab/d1")

    assert route.new_units == {}
    route.apply(b'{"temperature": 1, "level": 2}', ARRIVAL)
    assert route.new_units == {("lab", "d1.temperature"): "°C", ("lab", "d1.level"): "m"}
    route.new_units = {}
    route.apply(b'{"temperature": 1, "level": 2}', ARRIVAL)
    assert route.new_units == {}


def test_a_stream_without_a_unit_tells_none():
    (route,) = rulebook(rule()).routes(b"fleet/lab/d1")

    route.apply(b'{"a": 1}', ARRIVAL)

    assert route.new_units == {}


def test_filters_are_what_the_rules_need_and_no_more():
    book = rulebook(
        rule(), rule(topic="fleet/{all#}", bucket="b", stream="{all}"), rule(topic="other/+", bucket="b", stream="s")
    )

    assert book.filters == ("fleet/#", "other/+")


def test_a_rule_that_is_never_reached_is_warned_of():
    book = rulebook(
        rule(name="all", topic="fleet/#", bucket="b", stream="s"),
        rule(),
        rule(topic="other/{x}", bucket="b", stream="s", **{"continue": True}),
        rule(topic="other/{y}", bucket="b", stream="s"),
    )

    assert book.warnings == ((("rules", 1, "topic"), "is never reached: 'all' before it takes each of its topics"),)


def test_the_built_in_rules_take_every_topic():
    book = Rulebook(Config())

    assert book.filters == ("+/#",)
    assert book.warnings == ()
    assert apply(book, b"zigbee2mqtt/kitchen", b'{"temperature": 21.5}') == [
        [("zigbee2mqtt", "kitchen.temperature", 21.5, ARRIVAL)]
    ]
    assert apply(book, b"uptime", b"5") == [[("uptime", "value", 5, ARRIVAL)]]


def test_a_topic_is_worked_out_once():
    book = rulebook(rule())

    assert book.routes(b"fleet/lab/d1") is book.routes(b"fleet/lab/d1")


def test_what_is_kept_of_topics_and_streams_is_bounded_and_nothing_depends_on_it(monkeypatch):
    monkeypatch.setattr(rules_module, "MAX_KEPT_BYTES", 20_000)
    book = rulebook(rule())

    for n in range(1_000):
        topic, payload = f"fleet/lab/d{n % 300}".encode(), b'{"a%d": 1, "b": 2}' % n
        assert streams(book, topic, payload) == [f"d{n % 300}.a{n}", f"d{n % 300}.b"]

    assert len(book._routes) < 60


def test_keys_without_end_on_one_topic_are_bounded_as_well(monkeypatch):
    monkeypatch.setattr(rules_module, "MAX_KEPT_BYTES", 20_000)
    (route,) = rulebook(rule()).routes(b"fleet/lab/d1")

    for n in range(1_000):
        assert route.apply(b'{"a%d": 1}' % n, ARRIVAL) == [("lab", f"d1.a{n}", 1, ARRIVAL)]

    assert len(route._streams) < 100


JSON_LIKE = st.text(alphabet='{}[]":,.0123eE+-tfnaulrse \\', max_size=30).map(str.encode)
FUZZED = rulebook(
    rule(topic="json/{d#}", bucket="b", stream="{d}", format="json", timestamp="a"),
    rule(topic="number/{d#}", bucket="b", stream="{d}", format="number"),
    rule(topic="text/{d#}", bucket="b", stream="{d}", format="text"),
    rule(topic="boolean/{d#}", bucket="b", stream="{d}", format="boolean"),
    rule(topic="model/{d#}", bucket="b", stream="{d}", model="M"),
    rule(topic="{b}/{d#}", bucket="{b}", stream="{d}"),
    models={"M": {"a": {"type": "float", "optional": True}, "b": {"type": "str", "optional": True, "path": "b.0"}}},
)


@given(
    st.sampled_from([b"json/", b"number/", b"text/", b"boolean/", b"model/", b""]),
    st.binary(max_size=10) | st.sampled_from([b"x", b"x/y"]),
    st.binary(max_size=60)
    | JSON_LIKE
    | st.dictionaries(st.sampled_from("ab"), st.floats() | st.text()).map(repr).map(str.encode),
)
def test_any_bytes_become_good_events_or_a_rejected(prefix, level, payload):
    routes = FUZZED.routes(prefix + level)

    outcomes = [routes] if isinstance(routes, Rejected) else [route.apply(payload, ARRIVAL) for route in routes]

    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            assert outcome.detail
            (outcome.topic + outcome.detail).encode()
            continue
        assert outcome
        for bucket, stream, value, epoch in outcome:
            assert 0 < len(bucket) <= MAX_NAME_CHARS
            assert 0 < len(stream) <= MAX_NAME_CHARS
            assert type(value) in (float, int, bool, str)
            assert not isinstance(value, float) or value - value == 0
            assert not isinstance(value, int) or INT64_MIN <= value <= INT64_MAX
            assert not isinstance(value, str) or len(value.encode().decode()) <= MAX_TEXT_CHARS
            assert ARRIVAL - 3650 * 86400 <= epoch <= ARRIVAL + 86400
        assert len({event[:2] for event in outcome}) == len(outcome)
