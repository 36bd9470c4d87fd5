from __future__ import annotations

from contextlib import suppress

import pytest
import yaml
from hypothesis import given, strategies as st

from mqttbridge.config import yaml_tree
from mqttbridge.config.yaml_tree import (
    MAX_ALIASED_NODES,
    MAX_DEPTH,
    Items,
    Node,
    Scalar,
    Table,
    YamlError,
    parse_yaml,
)


@pytest.fixture(autouse=True, params=[yaml.SafeLoader, yaml.CSafeLoader], ids=["pure", "libyaml"])
def _either_parser(request, monkeypatch):
    # Where wheels have no libyaml the pure parser is used; users must not see a difference.
    monkeypatch.setattr(yaml_tree, "_LOADER", request.param)


def bare(node: Node | None) -> object:
    match node:
        case Table():
            return {key: bare(value) for key, (_, value) in node.entries.items()}
        case Items():
            return [bare(item) for item in node.nodes]
        case Scalar():
            return node.text
    return None


def error_of(text: str) -> tuple[int, str]:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    return caught.value.line, caught.value.what


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n...\n"])
def test_nothing_in_the_file_is_no_document_or_an_empty_value(text):
    assert bare(parse_yaml(text)) in (None, "")


def test_every_key_and_item_has_its_line():
    root = parse_yaml("mqtt:\n  url: x\n\nrules:\n  - topic: a\n    bucket: b\n  - c\n")
    assert isinstance(root, Table)
    assert {key: line for key, (line, _) in root.entries.items()} == {"mqtt": 1, "rules": 4}
    rules = root.entries["rules"][1]
    assert isinstance(rules, Items)
    assert [item.line for item in rules.nodes] == [5, 7]
    first = rules.nodes[0]
    assert isinstance(first, Table)
    assert first.entries["bucket"][0] == 6


def test_a_scalar_knows_whether_it_was_quoted():
    root = parse_yaml("""[1, '1', "1"]""")
    assert isinstance(root, Items)
    assert [item.plain for item in root.nodes if isinstance(item, Scalar)] == [True, False, False]


def test_a_tag_is_kept_as_written():
    assert parse_yaml("!file a/b.txt") == Scalar(1, "a/b.txt", plain=True, tag="!file")


def test_keys_that_stand_twice_are_noted_with_their_line_and_the_first_one_holds():
    root = parse_yaml("a: 1\nb: 2\na: 3\n")
    assert isinstance(root, Table)
    assert root.repeated == ((3, "a"),)
    assert bare(root) == {"a": "1", "b": "2"}


def test_an_alias_stands_for_its_anchor_and_a_merge_gives_way_to_what_is_written_out():
    root = parse_yaml("base: &b {x: 1, y: 2}\ncopy: *b\nmore:\n  <<: *b\n  y: 3\n")
    assert bare(root) == {"base": {"x": "1", "y": "2"}, "copy": {"x": "1", "y": "2"}, "more": {"x": "1", "y": "3"}}


def test_of_several_merged_mappings_the_first_wins():
    assert bare(parse_yaml("{a: &a {x: 1}, b: &b {x: 2, y: 2}, c: {<<: [*a, *b]}}")) == {
        "a": {"x": "1"},
        "b": {"x": "2", "y": "2"},
        "c": {"x": "1", "y": "2"},
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n  b: 1\n\tc: 2\n", 3, "a tab indents this line: YAML wants spaces"),
        ("# °€😀\na: °\n\tc: 2\n", 3, "a tab indents this line: YAML wants spaces"),
        ("a: 1\nb: c: d\n", 2, "needs quotes"),
        ("a: 1\nb: {c}/d\n", 2, "a text that starts with '{' needs quotes"),
        ("a: 1\nb: @x\n", 2, "a text that starts with '@' needs quotes"),
        ("a: 1\n---\nb: 2\n", 2, "a second document starts here ('---'): one is expected"),
        ("a: [1,\n", 1, "not valid YAML"),
        ("a: 1\nb: 'x\n", 2, "not valid YAML"),
        ("a: 1\nb: *nope\n", 2, "the alias *nope has no anchor &nope before it"),
        ("a: &a [*a]\n", 1, "the alias *a has no anchor &a before it"),
        ("a: 1\nb: x\0y\n", 2, r"the character '\x00' cannot stand in a YAML file"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "a key must be a plain text"),
        ("a: !!python/object:os.system {}\n", 1, "only '!file path' is known"),
        ("a: !x [1]\n", 1, "only '!file path' is known"),
        ("a:\n  <<: 5\n", 2, "'<<' merges mappings only"),
    ],
)
def test_what_is_not_usable_is_said_in_words_with_the_line(text, line, words):
    found_line, what = error_of(text)
    assert found_line == line
    assert words in what


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
    line, what = error_of("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + levels)
    assert line == 5
    assert what == f"aliases add more than {MAX_ALIASED_NODES} values"


def test_aliases_do_not_nest_deeper_than_what_is_written_out_may():
    levels = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3 * MAX_DEPTH))
    assert error_of("a0: &a0 [x]\n" + levels)[1] == f"nested deeper than {MAX_DEPTH} levels"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_without_exhausting_the_stack(opening):
    assert error_of(opening * 100_000)[1] == f"nested deeper than {MAX_DEPTH} levels"


@given(st.text(alphabet=st.sampled_from("ab:-?&*!|>'\"[]{},#\n\t \\%@0.~<")) | st.text())
def test_any_text_makes_a_tree_or_a_yaml_error(text):
    with suppress(YamlError):
        parse_yaml(text)
