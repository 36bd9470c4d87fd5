import json

import pytest
from hypothesis import given, strategies as st

from mqttbridge.client.lines import LineReader, Unreadable


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("21.5", 21.5),
        (" -3\r\n", -3),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("open door", "open door"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("9" * 30, float("9" * 30)),
    ],
)
def test_a_value_of_a_named_stream(line, value):
    ((stream, found, epoch),) = LineReader("temp").read(line.encode())

    assert (stream, found, type(found), epoch) == ("temp", value, type(value), None)


@pytest.mark.parametrize("line", ["kitchen 21.5", "kitchen\t21.5", "kitchen   21.5  "])
def test_a_stream_and_its_value(line):
    assert LineReader().read(line.encode()) == [("kitchen", 21.5, None)]


def test_the_fields_of_a_json_object():
    line = json.dumps({"t": 1, "door": {"open": True}, "list": [1, "x"], "none": None}).encode()

    assert LineReader().read(line) == [
        ("t", 1, None),
        ("door_open", True, None),
        ("list_0", 1, None),
        ("list_1", "x", None),
    ]
    assert [stream for stream, _, _ in LineReader("pi").read(line)] == [
        "pi_t",
        "pi_door_open",
        "pi_list_0",
        "pi_list_1",
    ]


@pytest.mark.parametrize(("epoch", "when"), [({}, None), ({"epoch": 5}, 5), ({"epoch": "5.5"}, 5.5)])
def test_an_event_as_the_api_has_it(epoch, when):
    line = json.dumps({"key": "t", "value": 1} | epoch).encode()

    assert LineReader().read(line) == [("t", 1, when)]


def test_columns_are_named_by_the_first_line():
    reader = LineReader(columns=True)

    assert reader.read(b" r  b   swpd \n") == []
    assert reader.read(b" 1  0  12.5 \n") == [("r", 1, None), ("b", 0, None), ("swpd", 12.5, None)]
    assert reader.read(b"1 2\n") == Unreadable("2 columns, where the first line has 3")


@pytest.mark.parametrize("line", [b"", b"\n", b"  \r\n", b"\xef\xbb\xbf\n"])
def test_an_empty_line_says_nothing(line):
    assert list(LineReader().read(line)) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"alone", "one word only"),
        (b"\xff 1", "not UTF-8"),
        (b"{broken", "key must be a string"),
        (b'{"a": NaN}', "expected value"),
        (b'{"key": "t", "value": 1, "epoch": true}', "the epoch is no time"),
        (b'{"key": "t", "value": [1]}', "a list is no number"),
        (b"k" * 300 + b" 1", "300 characters"),
        (b"t " + b"x" * 2001, "at most 2000"),
        (b"t 1" + b"0" * 400 + b".5e9", None),
        (b"x" * 70_000, "longer than 65536 bytes"),
        (b'{"a":' * 1000, ""),
    ],
)
def test_a_line_that_is_none_of_these_is_a_value_that_says_why(line, why):
    found = LineReader().read(line)

    if why is None:
        assert found[0][1].startswith("1000")  # no number of anybody's: text
    else:
        assert isinstance(found, Unreadable)
        assert why in found.why


@given(st.binary(max_size=200), st.booleans(), st.sampled_from([None, "s"]))
def test_no_line_is_ever_an_exception(line, columns, stream):
    reader = LineReader(stream, columns=columns)

    for _ in range(2):
        found = reader.read(line)
        assert isinstance(found, Unreadable) or all(len(reading) == 3 for reading in found)
