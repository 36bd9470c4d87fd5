import struct

import pytest
from hypothesis import given, strategies as st

from mqttbridge.cli.load import load_and_compile
from mqttbridge.config.model import Config
from mqttbridge.errors import ConfigError
from mqttbridge.events import Reason
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.formats import format_of
from mqttbridge.mapping.unusable import Unusable


def parser(payload_format="struct", fields=None, **layout):
    rule = {
        "topic": "t",
        "bucket": "b",
        "stream": "x",
        "format": payload_format,
        "layout": {"fields": fields, **layout},
    }
    return format_of(Config.model_validate({"rules": [rule]}).rules[0]).parse


def refusal(parse, payload):
    with pytest.raises(Unusable) as caught:
        parse(payload)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("field", "frame", "value"),
    [
        ({"type": "uint8"}, b"\xff", 255),
        ({"type": "int8"}, b"\xff", -1),
        ({"type": "uint16"}, b"\x01\x02", 258),
        ({"type": "uint16", "endian": "little"}, b"\x01\x02", 513),
        ({"type": "int16"}, b"\xff\xfe", -2),
        ({"type": "uint24"}, b"\x01\x00\x00", 65536),
        ({"type": "int24", "endian": "little"}, b"\xff\xff\xff", -1),
        ({"type": "uint32"}, b"\xff\xff\xff\xff", 2**32 - 1),
        ({"type": "int64"}, b"\xff" * 8, -1),
        ({"type": "float16"}, struct.pack(">e", 1.5), 1.5),
        ({"type": "float32", "endian": "little"}, struct.pack("<f", -0.5), -0.5),
        ({"type": "float64"}, struct.pack(">d", 0.1), 0.1),
        ({"type": "bool"}, b"\x02", True),
        ({"type": "bool", "bits": "0"}, b"\x02", False),
        ({"type": "text", "length": 4}, b"ab\0\0", "ab"),
        ({"type": "bytes", "length": 2}, b"\x01\xff", "01ff"),
        ({"type": "uint8", "bits": "4-7"}, b"\xa5", 10),
        ({"type": "int8", "bits": "0-3"}, b"\x0f", -1),
        ({"type": "uint16", "bits": "3-12"}, b"\xff\xff", 1023),
        ({"type": "int16", "scale": 0.01}, b"\x08\x9b", 22.03),
        ({"type": "uint16", "scale": 0.1, "offset": -40}, b"\x00\x03", -39.7),
        ({"type": "uint8", "scale": 10, "offset": 2000}, b"\x19", 2250),
        ({"type": "float32", "scale": 2}, struct.pack(">f", 0.25), 0.5),
    ],
)
def test_a_field_is_read_by_its_type(field, frame, value):
    found = parser(fields={"x": field})(frame)

    assert found == {"x": value}
    assert type(found["x"]) is type(value)


def test_fields_follow_each_other_unless_they_say_where_they_stand():
    fields = {
        "battery": {"type": "uint16", "scale": 0.001},
        "open": {"type": "bool", "at": 2, "bits": "7"},
        "kind": {"type": "uint8", "at": 2, "bits": "0-6"},
        "count": {"type": "uint24"},
    }

    assert parser(fields=fields)(bytes.fromhex("0be481000102")) == {
        "battery": 3.044, "open": True, "kind": 1, "count": 258,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["01ff", "01FF", " 01 ff\n", "0x01ff", "01:ff", "01-FF"])
def test_hex_is_read_as_people_and_gateways_write_it(text):
    assert parser("hex", fields={"x": {"type": "uint16"}})(text.encode()) == {"x": 511}


@pytest.mark.parametrize("text", ["01f", "xx", "01ff0x", "²²", "0x"])
def test_what_is_not_hex_is_refused(text):
    assert refusal(parser("hex", fields={"x": {"type": "uint8"}}), text.encode())[0] in {
        Reason.MALFORMED, Reason.EMPTY_PAYLOAD,
    }  # fmt: skip


def test_a_frame_is_as_long_as_its_layout_or_as_the_layout_lets_it():
    exact = parser(fields={"x": {"type": "uint16"}})
    open_ended = parser(fields={"x": {"type": "uint16"}}, exact=False)

    assert refusal(exact, b"\1") == (Reason.MALFORMED, "expected a frame of 2 bytes (got 1)")
    assert refusal(exact, b"\1\2\3") == (Reason.MALFORMED, "expected a frame of 2 bytes (got 3)")
    assert refusal(open_ended, b"\1") == (Reason.MALFORMED, "expected a frame of at least 2 bytes (got 1)")
    assert open_ended(b"\0\1rest") == {"x": 1}


def test_a_frame_may_end_before_its_optional_fields_but_not_within_one():
    parse = parser(fields={"x": {"type": "uint8"}, "y": {"type": "uint16", "optional": True}})

    assert parse(b"\1") == {"x": 1}
    assert parse(b"\1\0\2") == {"x": 1, "y": 2}
    assert refusal(parse, b"\1\0") == (Reason.MALFORMED, "y: the frame ends within it, at byte 2")
    assert refusal(parse, b"\1\0\2\3") == (Reason.MALFORMED, "expected a frame of 1 to 3 bytes (got 4)")


def test_a_text_that_is_none_is_refused():
    assert refusal(parser(fields={"x": {"type": "text", "length": 1}}), b"\xff")[0] is Reason.NOT_UTF8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layout": None}, "format struct needs a layout"),
        ({"layout": {"fields": {}}}, "at least 1 item"),
        ({"layout": {"fields": {"": {"type": "uint8"}}}}, "must not be empty"),
        ({"layout": {"fields": {"x": {"type": "text"}}}}, "length belongs to text and bytes"),
        ({"layout": {"fields": {"x": {"type": "uint8", "length": 1}}}}, "length belongs to text and bytes"),
        ({"layout": {"fields": {"x": {"type": "uint8", "bits": "8"}}}}, "below 8 (got 8)"),
        ({"layout": {"fields": {"x": {"type": "uint8", "bits": "5-3"}}}}, "from low to high"),
        ({"layout": {"fields": {"x": {"type": "float32", "bits": "3"}}}}, "bits are those of an integer"),
        ({"layout": {"fields": {"x": {"type": "bool", "bits": "3-4"}}}}, "a bool is one bit"),
        ({"layout": {"fields": {"x": {"type": "bool", "scale": 2}}}}, "scale and offset are for numbers"),
        ({"layout": {"fields": {"x": {"type": "uint8", "scale": "nan"}}}}, "must be finite numbers"),
        ({"format": "json", "layout": {"fields": {"x": {"type": "uint8"}}}}, "is for format hex and struct (got json)"),
    ],
)
def test_what_cannot_work_is_said_at_load(changes, said):
    with pytest.raises((InvalidRules, ValueError)) as caught:
        Rulebook(
            Config.model_validate(
                {"rules": [{"topic": "t", "bucket": "b", "stream": "x", "format": "struct", **changes}]}
            )
        )
    assert said in str(caught.value)


def test_a_layout_that_cannot_be_read_is_not_called_missing_as_well(tmp_path):
    layout = "{fields: {x: {type: uint8, bits: 9-12}}}"
    (tmp_path / "config.yaml").write_text(
        f"rules:\n  - {{topic: t, bucket: b, stream: x, format: hex, layout: {layout}}}\n"
    )

    with pytest.raises(ConfigError) as caught:
        load_and_compile(tmp_path / "config.yaml", {})

    assert [(problem.line, problem.path) for problem in caught.value.problems] == [(2, "rules[0].layout.fields.x")]


EVERYTHING = {
    "a": {"type": "int24", "scale": 0.1},
    "b": {"type": "float16", "optional": True},
    "c": {"type": "text", "length": 2, "optional": True},
    "d": {"type": "bool", "at": 0, "bits": "3"},
}


@pytest.mark.parametrize("payload_format", ["hex", "struct"])
@given(payload=st.binary(max_size=10) | st.text(alphabet="0123456789abcdef :x", max_size=20).map(str.encode))
def test_whatever_comes_is_read_or_refused(payload_format, payload):
    try:
        parser(payload_format, fields=EVERYTHING)(payload)
    except Unusable as unusable:
        assert unusable.detail  # noqa: PT017  # any other exception is the failure looked for


@given(st.integers(-(2**15), 2**15 - 1), st.sampled_from([0.01, 0.1, 0.5, 0.0625, 0.001, 10]))
def test_a_scaled_number_has_no_more_decimals_than_its_scale(number, scale):
    found = parser(fields={"x": {"type": "int16", "scale": scale}})(number.to_bytes(2, signed=True))["x"]

    assert found == pytest.approx(number * scale)
    assert len(f"{found!r}".partition(".")[2]) <= len(f"{scale!r}".partition(".")[2])
