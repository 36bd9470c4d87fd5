"""Payload paths with brackets and `[*]`; those without are in test_timestamps.py."""

import pytest

from mqttbridge.mapping.paths import find_each, parse_path, path_text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", "0", "b")),
        ("a[0][12]", ("a", "0", "12")),
        ("[1].a", ("1", "a")),
        ("[*]", ("[*]",)),
        ("a[*].b[*]", ("a", "[*]", "b", "[*]")),
        ("a b.ü", ("a b", "ü")),
    ],
)
def test_brackets_are_indexes_or_every_item(text, path):
    assert parse_path(text, each=True) == path
    assert parse_path(path_text(path), each=True) == path


@pytest.mark.parametrize(
    "text", ["", ".", "a.", "a..b", "a[", "a]", "a[x]", "a[-1]", "a[]", "a.[0]", "a[0]b", "[0", "a[1234567890]"]
)
def test_anything_else_is_no_path(text):
    with pytest.raises(ValueError, match="a payload path is keys and list indexes"):
        parse_path(text, each=True)


def test_every_item_comes_with_its_own_path():
    document = {"rooms": [{"s": [1, 2]}, {"s": {"x": 3}}, {"s": []}, {"s": 5}, {}], "a.b": [7]}

    assert list(find_each(document, parse_path("rooms[*].s[*]", each=True))) == [
        (("rooms", "0", "s", "0"), 1),
        (("rooms", "0", "s", "1"), 2),
        (("rooms", "1", "s", "x"), 3),
        (("rooms", "2", "s", "[*]"), []),
        (("rooms", "3", "s", "[*]"), 5),
        (("rooms", "4", "s", "[*]"), None),
    ]
    assert list(find_each(document, parse_path("a.b[*]", each=True))) == [(("a", "b", "0"), 7)]
    assert list(find_each([1], parse_path("[*]", each=True))) == [(("0",), 1)]
