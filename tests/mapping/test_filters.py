"""Filters of templates: what each makes of a text, and what is wrong with a call."""

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from mqttbridge.events import Reason
from mqttbridge.mapping.filters import FILTERS, MAX_CHARS, InvalidFilterCall, parse_filter_call
from mqttbridge.mapping.templates import InvalidTemplate, parse_template
from mqttbridge.mapping.unusable import Unusable


@pytest.mark.parametrize(
    ("call", "text", "made"),
    [
        ("lower", "Küche", "küche"),
        ("upper", "Küche", "KÜCHE"),
        ("title", "living room", "Living Room"),
        ("slug", "Küche / Ofen Nr. 2", "kuche-ofen-nr-2"),
        ("slug", "__a__", "a"),
        ("slug", "温度 計", "温度-計"),
        ("slug", "//", ""),
        ("replace:_,-", "a_b_c", "a-b-c"),
        ("replace:_,", "a_b", "ab"),
        (r"replace:\,,\\", "a,b", "a\\b"),
        ("default:none", "x", "x"),
        ("default:none", "", "none"),
        ("default:none", None, "none"),
        ("default:a,b:c", None, "a,b:c"),
        ("int", "007", "7"),
        ("int", " -21.00 ", "-21"),
        ("int", "-0", "0"),
        ("int", "2.5", None),
        ("int", "1e3", None),
        ("int", "²", None),
        *((name, None, None) for name in ("lower", "upper", "title", "slug", "int", "replace:a,b")),
    ],
)
def test_a_filter_makes_a_text_of_a_text(call, text, made):
    assert parse_filter_call(call)(text) == made


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("lowr", "unknown filter 'lowr'; did you mean 'lower'?"),
        ("", "unknown filter '' (known: lower, upper, title, slug, int, replace, default)"),
        ("lower:x", "the filter 'lower' takes no argument (got 'lower:x')"),
        ("default", "the filter 'default' needs the text that stands in, as in 'default:none'"),
        ("default:", "the filter 'default' needs the text that stands in"),
        ("replace", "the filter 'replace' needs what goes and what comes, as in 'replace:_,-'"),
        ("replace:a", "the filter 'replace' needs what goes and what comes"),
        ("replace:,b", "the filter 'replace' needs what goes and what comes"),
        ("replace:a,b,c", r"write '\,' for a comma itself"),
    ],
)
def test_a_bad_call_is_refused_with_the_reason(call, problem):
    with pytest.raises(InvalidFilterCall) as caught:
        parse_filter_call(call)

    assert problem in str(caught.value)


def test_a_bad_call_in_a_template_is_told_with_its_place():
    with pytest.raises(InvalidTemplate, match=r"unknown filter 'sulg'; did you mean 'slug'\? in \{site\|sulg\}"):
        parse_template("{site|sulg}", ("site",))


def test_what_filters_make_of_a_text_is_bounded():
    grow = "|".join(["replace:x," + "x" * 200] * 6)
    template = parse_template(f"{{site|{grow}}}", ("site",))

    with pytest.raises(Unusable) as caught:
        template.bind({"site": "x" * 100})

    assert caught.value.reason is Reason.BAD_NAME


def test_a_text_that_is_much_too_long_for_a_name_is_not_worked_on():
    with pytest.raises(Unusable, match="site has 4001 characters, too many for a name"):
        parse_template("{site|slug}", ("site",)).bind({"site": "x" * (MAX_CHARS + 1)})


CALLS = st.lists(
    st.sampled_from([*FILTERS[:5], "replace:a,", r"replace:\|,\}", "default:x", "replace:b,aa"]), max_size=4
)


@given(CALLS, st.text(max_size=50))
def test_filters_one_after_another_make_a_text_or_say_that_they_cannot(calls, value):
    template = parse_template("|".join(["{site", *calls]) + "}", ("site",))

    with suppress(Unusable):
        (made,) = template.bind({"site": value})
        assert isinstance(made, str)


@given(st.text(alphabet="a{}|:,\\", max_size=12))
def test_any_template_is_one_or_is_refused(text):
    try:
        template = parse_template(text, ("a",))
    except InvalidTemplate:
        return

    assert set(template.names) <= {"a"}
