import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.events import Reason
from mqttbridge.mapping.payload import parse_auto, parse_boolean, parse_json, parse_number, parse_text
from mqttbridge.mapping.unusable import Unusable


def refusal(parse, payload):
    with pytest.raises(Unusable) as caught:
        parse(payload)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("payload", "document"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b" [1, 2.5, null] ", [1, 2.5, None]),
        (b"21.5", 21.5),
        (b'"text"', "text"),
        (b"true", True),
        (b"null", None),
        ('{"t": "21.5 °C"}'.encode(), {"t": "21.5 °C"}),
        (b'{"at": "2024-01-01T10:00:00Z", "b": "::"}', {"at": "2024-01-01T10:00:00Z", "b": "::"}),
        (b'{"a": {"x": 1}, "b": {"x": 1}}', {"a": {"x": 1}, "b": {"x": 1}}),
        (b'{"a": "b\\":", "b": ":"}', {"a": 'b":', "b": ":"}),
        (b'{"a": "\\": \\":", "b" : ":"}', {"a": '": ":', "b": ":"}),
    ],
)
def test_json_is_read_as_it_stands(payload, document):
    assert parse_json(payload) == document


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        (b"", Reason.EMPTY_PAYLOAD, "the payload is empty"),
        (b'{"a": \xff}', Reason.NOT_UTF8, "byte 6 of the payload is not UTF-8"),
        (b'{"a": "\xc3\x28"}', Reason.NOT_UTF8, "byte 7 of the payload is not UTF-8"),
        (b'{"a": 1', Reason.MALFORMED, "not JSON: EOF while parsing"),
        (b"{'a': 1}", Reason.MALFORMED, "not JSON: key must be a string at line 1 column 2"),
        (b'{"a": nan}', Reason.MALFORMED, "not JSON:"),
        (b"{} {}", Reason.MALFORMED, "not JSON: trailing characters"),
        (b'"\\ud800 alone"', Reason.MALFORMED, "not JSON:"),
        (b"[" * 50_000, Reason.MALFORMED, "not JSON: recursion limit exceeded"),
        (b'{"a":' * 20_000, Reason.MALFORMED, "not JSON: recursion limit exceeded"),
        (b"9" * 5000, Reason.MALFORMED, "not JSON: number out of range"),
        (b'{"a": 1, "a": 2}', Reason.DUPLICATE_KEYS, 'the key "a" stands twice in one object'),
        (b'{"a" : 1, "a"\n: 1}', Reason.DUPLICATE_KEYS, 'the key "a" stands twice'),
        (b'{"a": 1, "\\u0061": 2}', Reason.DUPLICATE_KEYS, 'the key "a" stands twice'),
        (b'{"a": {"b": 1, "b": 2}}', Reason.DUPLICATE_KEYS, 'the key "b" stands twice'),
        (b'{"a": {"b": 1, "c": 2}, "a": 3}', Reason.DUPLICATE_KEYS, 'the key "a" stands twice'),
        (b'[{"b": 1, "b": 2}]', Reason.DUPLICATE_KEYS, 'the key "b" stands twice'),
        (b'{"x": "10:00", "b": 1e999, "b": ' + b"9" * 4000 + b"}", Reason.DUPLICATE_KEYS, 'the key "b" stands twice'),
    ],
)
def test_what_is_not_json_is_refused_with_the_reason(payload, reason, detail):
    found, words = refusal(parse_json, payload)

    assert found is reason
    assert detail in words


KEYS = st.text(alphabet='a":\\ \n', min_size=1, max_size=3)


@given(
    st.recursive(st.text(alphabet='":, a'), lambda inner: st.lists(st.tuples(KEYS, inner), max_size=4), max_leaves=8)
)
def test_repeated_keys_are_found_however_they_are_written(pairs):
    def written(part):
        if isinstance(part, str):
            return json.dumps(part)
        return "{" + " ,".join(f"{json.dumps(key)}\t: {written(value)}" for key, value in part) + "}"

    def repeats(part):
        if isinstance(part, str):
            return False
        keys = [key for key, _ in part]
        return len(set(keys)) < len(keys) or any(repeats(value) for _, value in part)

    payload = written(pairs).encode()

    if repeats(pairs):
        assert refusal(parse_json, payload)[0] is Reason.DUPLICATE_KEYS
    else:
        assert parse_json(payload) == json.loads(payload)


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b"21.5", 21.5),
        (b" 21 \n", 21),
        (b"-3", -3),
        (b"+5", 5),
        (b"007", 7),
        (b".5", 0.5),
        (b"-5.", -5.0),
        (b"1e3", 1000.0),
        (b"+1e3", 1000.0),
        (b"0" * 500 + b"7", 7),
    ],
)
def test_a_number_is_read_as_devices_write_it(payload, number):
    found = parse_number(payload)

    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        (b"", Reason.EMPTY_PAYLOAD, "the payload is empty"),
        (b"  ", Reason.MALFORMED, 'expected a number (got "  ")'),
        (b"abc", Reason.MALFORMED, 'expected a number (got "abc")'),
        (b"21,5", Reason.MALFORMED, 'expected a number (got "21,5")'),
        ("21 °C".encode(), Reason.MALFORMED, 'expected a number (got "21 °C")'),
        (b"1_000", Reason.MALFORMED, 'expected a number (got "1_000")'),
        ("٣".encode(), Reason.MALFORMED, 'expected a number (got "٣")'),
        (b"true", Reason.MALFORMED, "expected a number (got true)"),
        (b'{"a": 1}', Reason.MALFORMED, "expected a number (got an object)"),
        (b'"5"', Reason.MALFORMED, 'expected a number (got "5")'),
        (b"\xff", Reason.NOT_UTF8, "byte 0 of the payload is not UTF-8"),
        (b"+" + b"9" * 5000, Reason.INTEGER_TOO_LARGE, "an integer of 5001 digits"),
    ],
)
def test_what_is_not_a_number_is_refused_with_the_reason(payload, reason, detail):
    found, words = refusal(parse_number, payload)

    assert found is reason
    assert detail in words


@pytest.mark.parametrize("word", [b"true", b"ON", b"Yes", b" 1\n", b"online", b"Open"])
def test_words_for_true(word):
    assert parse_boolean(word) is True


@pytest.mark.parametrize("word", [b"false", b"off", b"NO", b"0", b"Offline", b"closed"])
def test_words_for_false(word):
    assert parse_boolean(word) is False


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(b"", Reason.EMPTY_PAYLOAD), (b"maybe", Reason.MALFORMED), (b"2", Reason.MALFORMED), (b"\xff", Reason.NOT_UTF8)],
)
def test_any_other_word_is_no_boolean(payload, reason):
    assert refusal(parse_boolean, payload)[0] is reason


def test_text_is_kept_as_it_is():
    assert parse_text(" Wärme\n".encode()) == " Wärme\n"


@pytest.mark.parametrize(("payload", "reason"), [(b"", Reason.EMPTY_PAYLOAD), (b"\x00\xff", Reason.NOT_UTF8)])
def test_text_must_be_text(payload, reason):
    assert refusal(parse_text, payload)[0] is reason


@pytest.mark.parametrize(
    ("payload", "document"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"[1]", [1]),
        (b"21.5", 21.5),
        (b"-7", -7),
        (b'"quoted"', "quoted"),
        (b"true", True),
        (b"False", False),
        (b" TRUE ", True),
        (b"ON", "ON"),
        (b"online", "online"),
        (b"007", "007"),
        (b"1.2.3", "1.2.3"),
        (b"192.168.0.1", "192.168.0.1"),
        (b"2024-01-01", "2024-01-01"),
        (b"[I][app] booted", "[I][app] booted"),
        (b"t", "t"),
        (b"  ", "  "),
        (b"null", None),
    ],
)
def test_auto_takes_json_where_it_is_json_and_text_elsewhere(payload, document):
    found = parse_auto(payload)

    assert found == document
    assert type(found) is type(document)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.EMPTY_PAYLOAD),
        (b"\x89PNG\r\n", Reason.NOT_UTF8),
        (b'{"a": 1', Reason.MALFORMED),
        (b' {"a": nan}', Reason.MALFORMED),
        (b'{"a": 1, "a": 2}', Reason.DUPLICATE_KEYS),
        (b"nan", Reason.NOT_FINITE),
        (b" -inf", Reason.NOT_FINITE),
        (b"+Infinity", Reason.NOT_FINITE),
    ],
)
def test_auto_refuses_what_is_broken(payload, reason):
    assert refusal(parse_auto, payload)[0] is reason


@pytest.mark.parametrize("parse", [parse_auto, parse_boolean, parse_json, parse_number, parse_text])
@given(payload=st.binary(max_size=40) | st.text(alphabet='{}[]":,.0123eE+-tfn \\u', max_size=20).map(str.encode))
def test_whatever_comes_is_read_or_refused(parse, payload):
    try:
        parse(payload)
    except Unusable as unusable:
        assert unusable.detail  # noqa: PT017  # any other exception is the failure looked for
