import pytest
from hypothesis import given, strategies as st
from paho.mqtt.client import topic_matches_sub

from mqttbridge.mapping.topics import FilterTrie, InvalidFilter, parse_filter, without_covered

# Few and short, so that filters and topics meet often; empty and `$` levels are what implementations get wrong.
LEVELS = st.sampled_from(["a", "b", "", "$SYS", "é"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(LEVELS | st.just("+"), min_size=0, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


def matches(topic_filter, topic):
    return FilterTrie([parse_filter(topic_filter).levels]).matching(topic.split("/")) == [0]


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+/#", "a", False),
        ("+/#", "a", True),
        ("+", "/a", False),
        ("+/+", "/a", True),
        ("/+", "/a", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("a/+", "a/$b", True),
        ("A/b", "a/b", False),
    ],
)
def test_a_filter_matches_by_the_rules_of_mqtt(topic_filter, topic, expected):
    assert matches(topic_filter, topic) is expected


@given(FILTERS, TOPICS)
def test_matching_agrees_with_paho(topic_filter, topic):
    assert matches(topic_filter, topic) == topic_matches_sub(topic_filter, topic)


@given(st.lists(FILTERS, max_size=12), TOPICS)
def test_many_filters_match_as_each_alone_would_and_in_order(filters, topic):
    found = FilterTrie(text.split("/") for text in filters).matching(topic.split("/"))

    assert found == [index for index, text in enumerate(filters) if topic_matches_sub(text, topic)]


@pytest.mark.parametrize(
    ("text", "subscription", "topic", "captured"),
    [
        ("fleet/{site}/{device}/climate", "fleet/+/+/climate", "fleet/lab/d1/climate", {"site": "lab", "device": "d1"}),
        ("{a}/+/{rest#}", "+/+/#", "x/y/z/w", {"a": "x", "rest": "z.w"}),
        ("{a}/{rest#}", "+/#", "x", {"a": "x", "rest": ""}),
        ("{a}/{rest#}", "+/#", "x/", {"a": "x", "rest": ""}),
        ("{all#}", "#", "x/y", {"all": "x.y"}),
        ("/{a}", "/+", "/x", {"a": "x"}),
        ("a/#", "a/#", "a/b", {}),
    ],
)
def test_captures_become_wildcards_and_remember_their_levels(text, subscription, topic, captured):
    topic_filter = parse_filter(text)

    assert topic_filter.subscription == subscription
    assert topic_filter.capture(topic.split("/")) == captured
    assert set(topic_filter.names) == set(captured)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a/#/b", "'#' must be the last level (got 'a/#/b')"),
        ("a/{rest#}/b", "'{rest#}' must be the last level (got 'a/{rest#}/b')"),
        ("a/b#", "'#' must stand alone in its level (got 'b#')"),
        ("a/b+", "'+' must stand alone in its level (got 'b+')"),
        ("{a}/{a}", "'{a}' is captured twice"),
        ("{a}/{a#}", "'{a}' is captured twice"),
        ("{field}/x", "'{field}' is the payload's field in `stream`; give the capture another name"),
        ("dev{ice}", "a capture takes a whole level"),
        ("{}", "a capture takes a whole level"),
        ("{1a}", "a capture takes a whole level"),
        ("a/{b", "a capture takes a whole level"),
        ("a/b}", "a capture takes a whole level"),
        ("a/{rest#:x}", "a pattern is for one level, and '{rest#:x}' takes all the rest"),
        ("a/{id:[0-9}", "not a regular expression (look-around and back-references are not offered): '[0-9' in '{id:"),
        ("a/{id:(?=x)x}", "not a regular expression"),
        ("a/{id:a)|(b}", "not a regular expression"),
        ("a/{id:[^/]+}", "a capture's pattern ends with '}' and holds no '/'"),
        ("a/{id:x", "a capture's pattern ends with '}' and holds no '/'"),
        ("$share", "a shared subscription has a plain name for its group"),
        ("$share//a", "a shared subscription has a plain name for its group"),
        ("$share/{g}/a", "a shared subscription has a plain name for its group"),
        ("$share/group", "a shared subscription needs a filter after its group"),
        ("$share/group/", "a shared subscription needs a filter after its group"),
        ("", "a topic filter has 1 to 65535 bytes"),
        ("a\0b", "no NUL character"),
        ("é" * 40_000, "a topic filter has 1 to 65535 bytes"),
    ],
)
def test_a_bad_filter_is_refused_with_the_reason(text, problem):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text)

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "topic", "accepted"),
    [
        ("dev/{id:[0-9a-f]+}", "dev/1f", True),
        ("dev/{id:[0-9a-f]+}", "dev/1F", False),
        ("dev/{id:[0-9a-f]+}", "dev/x1f", False),
        ("dev/{id:[0-9a-f]+}", "dev/1f\n", False),
        ("dev/{id:[0-9]{4}}", "dev/2025", True),
        ("dev/{id:[0-9]{4}}", "dev/202", False),
        ("dev/{id:a|b}/{n:.*#}", "dev/b/x#", True),
        ("dev/{id:a|b}/{n:.*#}", "dev/ab/x#", False),
        ("dev/{id:}", "dev/", True),
        ("dev/{id:}", "dev/x", False),
    ],
)
def test_a_captures_pattern_is_for_the_whole_level(text, topic, accepted):
    topic_filter = parse_filter(text)

    assert topic_filter.subscription == "/".join("+" if part.startswith("{") else part for part in text.split("/"))
    assert topic_filter.accepts(topic.split("/")) is accepted


def test_a_pattern_takes_linear_time_where_backtracking_would_take_years():
    pattern = parse_filter("dev/{id:(a+)+b}")

    assert not pattern.accepts(["dev", "a" * 60_000])


@pytest.mark.parametrize(
    ("text", "subscription", "levels", "share"),
    [
        ("$share/g/a/{b}", "$share/g/a/+", ("a", "+"), "g"),
        ("$share/g//a", "$share/g//a", ("", "a"), "g"),
        ("$share/g/$SYS/#", "$share/g/$SYS/#", ("$SYS", "#"), "g"),
        ("a/$share/b", "a/$share/b", ("a", "$share", "b"), ""),
        ("$shared/g/a", "$shared/g/a", ("$shared", "g", "a"), ""),
    ],
)
def test_a_shared_subscription_matches_by_the_filter_behind_its_group(text, subscription, levels, share):
    topic_filter = parse_filter(text)

    assert (topic_filter.subscription, topic_filter.levels, topic_filter.share) == (subscription, levels, share)


@pytest.mark.parametrize(
    ("text", "other", "covers"),
    [
        ("a/{x}", "a/{y:[0-9]+}", True),
        ("a/{x:[0-9]+}", "a/{y:[0-9]+}", True),
        ("a/{x:[0-9]+}", "a/{y:[0-9]}", False),
        ("a/{x:[0-9]+}", "a/{y}", False),
        ("a/{x:[0-9]+}", "a/17", True),
        ("a/{x:[0-9]+}", "a/b", False),
        ("a/{x:[+]}/#", "a/+/b", False),
    ],
)
def test_a_filter_with_patterns_covers_one_whose_levels_surely_look_the_same(text, other, covers):
    assert parse_filter(text).covers(parse_filter(other)) is covers


@given(st.text(alphabet="ab/+#{}$:", max_size=12))
def test_what_a_parsed_filter_subscribes_to_is_itself_a_filter(text):
    try:
        subscription = parse_filter(text).subscription
    except InvalidFilter:
        return

    assert parse_filter(subscription).subscription == subscription


@pytest.mark.parametrize(
    ("filters", "needed"),
    [
        (["fleet/+/x", "fleet/#"], ("fleet/#",)),
        (["fleet/#", "fleet"], ("fleet/#",)),
        (["+", "+/#"], ("+/#",)),
        (["a/b", "a/b"], ("a/b",)),
        (["a/+", "a/b", "a/+/c"], ("a/+", "a/+/c")),
        (["a/+", "+/b"], ("a/+", "+/b")),
        (["#", "$SYS/#", "$SYS/a"], ("#", "$SYS/#")),
        (["a/#", "a/+/#"], ("a/#",)),
        (["a/+/#", "a/#"], ("a/#",)),
    ],
)
def test_filters_that_another_one_covers_are_left_out(filters, needed):
    assert without_covered(filters) == needed


@given(st.lists(FILTERS, max_size=8), TOPICS)
def test_leaving_filters_out_changes_nothing_about_what_is_received(filters, topic):
    needed = without_covered(filters)

    assert any(topic_matches_sub(text, topic) for text in needed) == any(
        topic_matches_sub(text, topic) for text in filters
    )


def test_filters_of_different_shared_subscriptions_do_not_cover_each_other():
    filters = ["a/#", "$share/g/a/b", "$share/h/a/b", "$share/g/a/+"]

    assert without_covered(filters) == ("a/#", "$share/h/a/b", "$share/g/a/+")
