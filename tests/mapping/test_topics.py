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
        ("$share/group/a", "shared subscriptions are not offered"),
        ("", "a topic filter has 1 to 65535 bytes"),
        ("a\0b", "no NUL character"),
        ("é" * 40_000, "a topic filter has 1 to 65535 bytes"),
    ],
)
def test_a_bad_filter_is_refused_with_the_reason(text, problem):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text)

    assert problem in str(caught.value)


@given(st.text(alphabet="ab/+#{}$", max_size=12))
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
