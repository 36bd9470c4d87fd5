import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import InvalidRules, Rulebook

NOW = 1_760_000_000.0
NS = 1_760_000_000_000_000_000


def applied(payload, **changes):
    rule = {"topic": "t/{id}", "format": "influx", "bucket": "b", "stream": "{series}.{field}"} | changes
    (route,) = Rulebook(Config.model_validate({"rules": [rule]})).routes(b"t/1")
    result = route.apply(payload.encode(), NOW)
    if isinstance(result, Rejected):
        return result.reason, result.detail
    return {(stream, epoch - NOW): value for _, stream, value, epoch in result}


def streams(payload, **changes):
    result = applied(payload, **changes)
    assert isinstance(result, dict), result
    return {stream: value for (stream, _), value in result.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5), ("1", 1.0), ("-3e2", -300.0), (".5", 0.5), ("12i", 12), ("-12i", -12), ("7u", 7),
        ("t", True), ("TRUE", True), ("F", False), ("false", False), ('"a b,c=d"', "a b,c=d"),
        (r'"say \"hi\" \\ \n"', 'say "hi" \\ \\n'), ('"two\nlines"', "two\nlines"), ('""', ""),
    ],
)  # fmt: skip
def test_values_are_read_as_the_protocol_has_them(text, value):
    found = streams(f"m f={text}")

    assert found == {"m.f": value}
    assert type(found["m.f"]) is type(value)


def test_measurement_tags_fields_and_time_of_each_line():
    lines = f"cpu,host=a,core=0 user=1,system=2i {NS - 10**9}\ncpu,host=b user=3 {NS}\n"

    assert applied(lines) == {("cpu.0.a.user", -1): 1, ("cpu.0.a.system", -1): 2, ("cpu.b.user", 0): 3}


@pytest.mark.parametrize(
    ("stream", "names"),
    [
        ("{measurement}.{field}", {"cpu.u"}),
        ("{tag.host}.{field}", {"a.u"}),
        ("{id}.{tags}.{field}", {"1.0.a.u"}),
        ("{series}", {"cpu.0.a.u"}),
        ("{id}.{field}", {"1.cpu.0.a.u"}),
        ("{field}", {"cpu.0.a.u"}),
        ("x", {"x.cpu.0.a.u"}),
    ],
)
def test_templates_may_name_them_and_get_the_series_before_the_field_where_they_do_not(stream, names):
    assert set(streams("cpu,host=a,core=0 u=1", stream=stream)) == names


def test_the_bucket_may_come_from_a_line():
    rule = {"topic": "t", "format": "influx", "bucket": "{tag.site}", "stream": "{field}"}
    (route,) = Rulebook(Config.model_validate({"rules": [rule]})).routes(b"t")

    result = route.apply(b"m,site=a v=1\nm,site=b v=2", NOW)

    assert result == [("a", "v", 1.0, NOW), ("b", "v", 2.0, NOW)]


def test_escapes_are_undone():
    line = r"my\ cpu\,x,ta\=g=a\ b,h=c\,d fi\ eld=1"

    assert streams(line, stream="{measurement}|{tag.ta=g}|{tag.h}|{field}") == {"my cpu,x|a b|c,d|fi eld": 1}


@pytest.mark.parametrize(
    ("precision", "text"), [("s", "1760000001"), ("ms", "1760000001000"), ("us", "1760000001000000")]
)
def test_the_precision_is_the_rules(precision, text):
    assert applied(f"m f=1 {text}", influx={"precision": precision}) == {("m.f", 1): 1}


def test_comments_blank_lines_and_carriage_returns_are_passed_over():
    assert streams("# comment\r\n\r\n  \nm f=1\r\n\n# more") == {"m.f": 1}


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        ("", Reason.EMPTY_PAYLOAD, "the payload is empty"),
        ("# only a comment", Reason.NO_VALUES, "there is nothing to store in the payload"),
        ("m", Reason.MALFORMED, 'line 1: expected `measurement,tag=value field=value` (got "m")'),
        ("m f", Reason.MALFORMED, 'line 1: expected field=value (got "f")'),
        ("m f=1\nm f=", Reason.MALFORMED, 'line 2: expected field=value (got "f=")'),
        ("m f=abc", Reason.MALFORMED, 'line 1: f: expected a number, true, false or a text in quotes (got "abc")'),
        ('m f="open', Reason.MALFORMED, 'line 1: expected field=value (got "f=\\"open")'),
        ("m f=1 soon", Reason.MALFORMED, 'line 1: expected a timestamp or the line\'s end (got " soon")'),
        ("m f=1,f=2", Reason.DUPLICATE_KEYS, "line 1: the field f stands twice"),
        (",a=b f=1", Reason.MALFORMED, 'a line has no measurement (got ",a=b")'),
        ("m,a f=1", Reason.MALFORMED, 'expected tag=value (got ",a")'),
        ("m f=99999999999999999999i", Reason.INTEGER_TOO_LARGE, "f: the integer does not fit into 64 bits"),
        ("m f=1e999", Reason.NOT_FINITE, "f: Infinity is not a finite number"),
        (f"m f=1 {NS * 3}", Reason.BAD_TIMESTAMP, None),
        ("m f=1 1", Reason.BAD_TIMESTAMP, None),
        ("m f=1\n" * 5_001, Reason.TOO_MANY_FIELDS, "more than 2500 lines in one message"),
    ],
)
def test_what_is_not_the_protocol_is_rejected_with_the_reason(payload, reason, detail):
    found, words = applied(payload)

    assert found is reason
    assert detail is None or words == detail


@pytest.mark.parametrize(
    "payload", ["\n".join(f"m,t={n} f=1" for n in range(1_001)), "m," + "t=v," * 1_000 + "u=v f=1"]
)
def test_series_have_a_bound_in_number_and_length(payload):
    assert applied(payload)[0] in {Reason.TOO_MANY_FIELDS, Reason.BAD_NAME}


def test_a_tag_that_a_line_has_not_got_rejects_the_message():
    assert applied("m f=1", stream="{tag.host}") == (
        Reason.BAD_NAME,
        "tag.host is missing or empty, and the name is made of it",
    )


def test_a_time_that_is_no_good_may_be_that_of_arrival():
    assert applied("m f=1 1", bad_timestamp="arrival") == {("m.f", 0): 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timestamp": "time"}, "format influx has times of its own"),
        ({"stream": "{mesurement}"}, "unknown name {mesurement}; known here: {id}, {field}, {measurement}"),
        ({"csv": {"columns": ["a"]}}, "is for format csv (got influx)"),
    ],
)
def test_what_cannot_work_is_said_at_load(changes, said):
    with pytest.raises(InvalidRules) as caught:
        applied("m f=1", **changes)
    assert said in str(caught.value)


ALPHABET = 'ma=, \\"1i.e-\nt#'


@given(st.text(alphabet=ALPHABET, max_size=40) | st.text(max_size=20))
def test_whatever_comes_is_read_or_rejected(payload):
    applied(payload)


@pytest.mark.parametrize(
    "payload",
    ["\\" * 1_000_000, "m," + "a=b," * 250_000, "m " + "a=1," * 250_000, 'm a="' + "\\" * 999_999, "a\\ " * 300_000,
     "m f=1" + " " * 900_000 + "x", "#" * 1_000_000, " " * 1_000_000 + "x", "=" * 900_000, "m f=" + "1" * 900_000 + "x",
        "m f=1 " + "1" * 900_000],
    ids=range(11),
)  # fmt: skip
def test_a_long_line_takes_time_by_its_length(payload):
    applied(payload)  # the suite's time limit tells whether it does


def escaped(text, specials):
    return "".join(f"\\{char}" if char in specials else char for char in text)


TEXTS = st.text(alphabet="abc ,=xyz", min_size=1, max_size=6)


@given(
    TEXTS.filter(lambda t: not t.startswith("#")),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.dictionaries(TEXTS, st.floats(-1e9, 1e9), min_size=1),
)
def test_what_a_writer_escapes_comes_out_again(measurement, tags, fields):
    head = ",".join(
        [escaped(measurement, ", "), *(f"{escaped(k, ',= ')}={escaped(v, ',= ')}" for k, v in tags.items())]
    )
    line = head + " " + ",".join(f"{escaped(k, ',= ')}={v!r}" for k, v in fields.items())

    expected = {
        f"{'.'.join([measurement, *(tags[k] for k in sorted(tags))])}|{key}": value for key, value in fields.items()
    }
    assert streams(line, stream="{series}|{field}") == expected
