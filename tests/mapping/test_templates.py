import pytest
from hypothesis import given, strategies as st

from mqttbridge.events import Reason
from mqttbridge.mapping.templates import InvalidTemplate, checked_name, parse_template
from mqttbridge.mapping.unusable import Unusable


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", ("plain",)),
        ("{site}", ("lab",)),
        ("{site}-{device}", ("lab-d1",)),
        ("{device}.{field}", ("d1.", "")),
        ("{field}@{site}/{field}", ("", "@lab/", "")),
        ("{{site}}", ("{site}",)),
        ("a}}{site}{{", ("a}lab{",)),
    ],
)
def test_captures_are_filled_in_and_fields_leave_their_place(text, pieces):
    template = parse_template(text, ("site", "device", "field"))

    assert template.bind({"site": "lab", "device": "d1"}) == pieces


def test_what_a_capture_holds_is_never_read_as_a_template():
    assert parse_template("{site}", ("site",)).bind({"site": "{field}{x"}) == ("{field}{x",)


@pytest.mark.parametrize(
    ("text", "known", "problem"),
    [
        ("", (), "is empty"),
        ("{devcie}", ("site", "device"), "unknown name {devcie}; known here: {site}, {device}; did you mean {device}?"),
        ("{zzz}", ("site",), "unknown name {zzz}; known here: {site}"),
        ("{site}", (), "unknown name {site}; known here: no names: the topic captures nothing"),
        ("{}", ("site",), "unknown name {}"),
        ("{site#}", ("site",), "did you mean {site}?"),
        ("{site", ("site",), "'{' is never closed in '{site' (write '{{' for the brace itself)"),
        ("site}", ("site",), "'}' was never opened in 'site}' (write '}}' for the brace itself)"),
    ],
)
def test_a_bad_template_is_refused_with_the_reason(text, known, problem):
    with pytest.raises(InvalidTemplate) as caught:
        parse_template(text, known)

    assert problem in str(caught.value)


@given(st.text(alphabet="a{}b", max_size=10))
def test_doubled_braces_give_any_text_back(text):
    escaped = text.replace("{", "{{").replace("}", "}}")

    if escaped:
        assert parse_template(escaped, ()).bind({}) == (text,)


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("", "a stream's name came out empty"),
        ("x" * 251, "a stream's name has 251 characters, at most 250 are possible"),
        ("a\x00b", 'a stream\'s name holds a control character ("a\\u0000b")'),
        ("a\nb", "a stream's name holds a control character"),
        ("a\x85b", "a stream's name holds a control character"),
    ],
)
def test_a_name_that_cannot_be_used_is_a_bad_name(name, detail):
    with pytest.raises(Unusable) as caught:
        checked_name(name, "a stream's name")

    assert caught.value.reason is Reason.BAD_NAME
    assert detail in caught.value.detail


@pytest.mark.parametrize("name", ["x", "x" * 250, "küche / ofen", "<img src=x>", "..", 'a"b:c', "温度"])
def test_any_other_text_is_a_name(name):
    assert checked_name(name, "a stream's name") == name
