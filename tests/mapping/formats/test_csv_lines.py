import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import InvalidRules, Rulebook

NOW = 1_760_000_000.0


def applied(payload, timestamp=None, **csv):
    rule = {"topic": "t", "format": "csv", "csv": csv, "bucket": "b", "stream": "{field}", "timestamp": timestamp}
    (route,) = Rulebook(Config.model_validate({"rules": [rule]})).routes(b"t")
    result = route.apply(payload.encode(), NOW)
    if isinstance(result, Rejected):
        return result.reason, result.detail
    return [(stream, value, epoch - NOW) for _, stream, value, epoch in result]


def fields(payload, **csv):
    return {stream: value for stream, value, _ in applied(payload, **csv)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21", 21), ("-3", -3), ("+5", 5), ("0", 0), ("21.5", 21.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
        ("05.5", 5.5), ("2E-1", 0.2), ("true", True), ("FALSE", False), ("on", "on"), ("007", "007"),
        ("1.2.3", "1.2.3"),
        ("2024-01-01", "2024-01-01"), ("  padded  ", "padded"), ('"a, ""b"""', 'a, "b"'), ('"21"', 21), ("1_0", "1_0"),
    ],
)  # fmt: skip
def test_a_columns_type_goes_by_its_value(text, value):
    found = fields(text, columns=["x"])

    assert found == {"x": value}
    assert type(found["x"]) is type(value)


def test_an_empty_column_has_no_value_and_a_column_without_a_name_is_left_out():
    assert fields("1,,3,4", columns=["a", "b", "", "d"]) == {"a": 1, "d": 4}


def test_the_delimiter_is_the_rules():
    assert fields("1,5;2", columns=["a", "b"], delimiter=";") == {"a": "1,5", "b": 2}
    assert fields("1\t2", columns=["a", "b"], delimiter="\t") == {"a": 1, "b": 2}


def test_a_header_names_the_columns_unless_the_rule_does():
    assert fields("a, b\r\n1, 2\r\n", header=True) == {"a": 1, "b": 2}
    assert fields("a,b\n1,2\n", header=True, columns=["x", "y"]) == {"x": 1, "y": 2}


def test_several_lines_are_points_at_the_times_of_their_timestamp_column():
    lines = f"{NOW - 20:.0f},1\n\n{NOW - 10:.0f},2\n"

    assert applied(lines, "at", columns=["at", "t"]) == [("t", 1, -20), ("t", 2, -10)]


def test_two_lines_of_one_time_stay_two_points():
    result = applied(f"{NOW:.0f},1\n{NOW:.0f},2\n", "at", columns=["at", "t"])

    assert [(value, round(at, 6)) for _, value, at in result] == [(1, 0), (2, 0.000001)]


@pytest.mark.parametrize(
    ("payload", "csv", "reason", "detail"),
    [
        ("1\n2", {"columns": ["a"]}, Reason.MALFORMED, "2 lines, and no `timestamp` column tells their times"),
        ("1,2,3", {"columns": ["a", "b"]}, Reason.MALFORMED, "line 1 has 3 columns, expected 2"),
        ("a,b\n1", {"header": True}, Reason.MALFORMED, "line 2 has 1 columns, expected 2"),
        ("a,a\n1,2", {"header": True}, Reason.DUPLICATE_KEYS, "the header names the column a twice"),
        ('"open', {"columns": ["a"]}, Reason.MALFORMED, "not CSV: unexpected end of data"),
        ('"a"b', {"columns": ["a"]}, Reason.MALFORMED, "not CSV: ',' expected after '\"'"),
        ("nan", {"columns": ["a"]}, Reason.NOT_FINITE, "a: NaN is not a finite number"),
        ("", {"columns": ["a"]}, Reason.EMPTY_PAYLOAD, "the payload is empty"),
        (",", {"columns": ["a", "b"]}, Reason.NO_VALUES, "there is nothing to store in the payload"),
        ("a,b\n", {"header": True}, Reason.NO_VALUES, "there is nothing to store in the payload"),
        ("1," * 20_001, {"columns": ["a"]}, Reason.TOO_MANY_FIELDS, "more than 3000 values in one message"),
        ("1," * 10_001, {"columns": ["a"]}, Reason.TOO_MANY_FIELDS, "more than 3000 values in one message"),
        ("1\n" * 20_000, {"columns": ["a"]}, Reason.TOO_MANY_FIELDS, "more than 2500 lines in one message"),
        ("9" * 300_000, {"columns": ["a"]}, Reason.MALFORMED, "not CSV: field larger than field limit (131072)"),
    ],
)
def test_what_is_not_such_a_csv_is_rejected_with_the_reason(payload, csv, reason, detail):
    assert applied(payload, **csv) == (reason, detail)


def test_one_line_without_its_time_rejects_the_message():
    assert applied(f"{NOW:.0f},1\n,2\n", "at", columns=["at", "t"]) == (Reason.BAD_TIMESTAMP, "at: is missing")


def test_a_model_checks_each_line():
    rule = {"topic": "t", "format": "csv", "csv": {"columns": ["t"]}, "bucket": "b", "stream": "x", "model": "M"}
    config = {"models": {"M": {"t": {"type": "float", "le": 85}}}, "rules": [rule]}
    (route,) = Rulebook(Config.model_validate(config)).routes(b"t")

    assert route.apply(b"21", NOW) == [("b", "x", 21.0, NOW)]
    assert route.apply(b"120", NOW).detail == "t: must be at most 85 (got 120)"


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ({}, "format csv needs the names of its `columns`, or `header: true`"),
        ({"columns": ["", ""]}, "names no column"),
        ({"columns": ["a", "a"]}, "the column 'a' stands here twice"),
        ({"columns": ["a"], "delimiter": '"'}, "must be an ASCII character other than a quote or a line's end"),
    ],
)
def test_what_cannot_work_is_said_at_load(csv, said):
    with pytest.raises((InvalidRules, ValueError)) as caught:
        applied("1", **csv)
    assert said in str(caught.value)


def test_all_that_is_wrong_with_a_rule_is_said_at_once():
    rule = {"topic": "a/#/b", "format": "csv", "bucket": "b", "stream": "{open"}

    with pytest.raises(InvalidRules) as caught:
        Rulebook(Config.model_validate({"rules": [rule, rule | {"topic": "{a}", "stream": "{a}{"}]}))

    assert [loc for loc, _ in caught.value.problems] == [
        ("rules", 0, "csv"), ("rules", 0, "topic"), ("rules", 0, "stream"), ("rules", 1, "csv"), ("rules", 1, "stream"),
    ]  # fmt: skip


@given(
    st.text(alphabet='a1,;"\n\r\\ .-e', max_size=40) | st.text(max_size=20),
    st.sampled_from([None, "a"]),
    st.sampled_from([{"columns": ["a", "b"]}, {"header": True}, {"columns": ["a"], "header": True, "delimiter": ";"}]),
)
def test_whatever_comes_is_read_or_rejected(payload, timestamp, csv):
    applied(payload, timestamp, **csv)


@given(st.lists(st.tuples(st.integers(0, 86_400), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_no_line_is_lost_and_none_is_invented(rows):
    payload = "".join(f"{NOW - before:.0f},{value!r}\n" for before, value in rows)

    result = applied(payload, "at", columns=["at", "t"])

    assert [value for _, value, _ in result] == [value for _, value in rows]
    assert [round(at) for *_, at in result] == [-before for before, _ in rows]
    assert len({at for *_, at in result}) == len(rows)
