"""Regular expressions of templates: the bound on their work holds, and what has none is refused."""

import re

import pytest
from hypothesis import given, strategies as st

from mqttbridge.mapping.families.template_patterns import InvalidExpression, parse_expression


@pytest.mark.parametrize(
    ("text", "length", "steps"),
    [
        ("a", 100, 1_000),
        (r"^\d+$", 255, 2_000),
        ("[^0-9.-]", 4_096, 15_000),
        ("^(?P<n>(?:button_)?[a-z0-9]+)_(?P<a>(?:press|hold)(?:_release)?)$", 64, 10_000),
        (r"(\d+)\.(\d+)", 30, 100_000),
        ("a{2,3}?b*?", 30, 10_000),
    ],
)
def test_what_is_in_use_costs_little(text, length, steps):
    assert parse_expression(text).steps(length) < steps


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(?:a?){30}a{30}", "(.*)*x", ".*.*.*.*.*x"])
def test_what_takes_for_ever_is_known_to(text):
    assert parse_expression(text).steps(100) > 100_000_000


@pytest.mark.parametrize(
    "text",
    ["(?=a)", "(?<!a)b", r"(a)\1", "(?P<a>x)(?P=a)", "(?i)a", "a**", "a++", "a???", "*a", "(", "a)", "[", "a{2}{3}",
     "x{5000}", "a{,3}", "[a--b]", "|*", "(?>a)", "a" * 301],
)  # fmt: skip
def test_what_is_broken_or_not_offered_is_refused(text):
    with pytest.raises(InvalidExpression):
        parse_expression(text)


@given(st.text(alphabet="ab()|*+?{2,}[]^$.\\d:P<>n", max_size=40))
def test_whatever_is_taken_is_one_of_pythons_too(text):
    try:
        expression = parse_expression(text)
    except InvalidExpression:
        return

    assert expression.compiled == re.compile(text)
    assert expression.steps(10) >= 1
