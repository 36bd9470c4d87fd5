"""Expressions in tiles: the bracket form, streams joined by time, history and live values."""

from __future__ import annotations

import time

import pytest

from mqttbridge.dashboard.boards.derived import MAX_WATCHED, Derived
from mqttbridge.dashboard.boards.expressions import Evaluation, parse, unknown_streams, window_of
from mqttbridge.dashboard.store.model import Column, Kind
from mqttbridge.mapping.expressions import InvalidExpression


def values(text: str, **streams: list[tuple[int, object]]) -> list[tuple[int, object]]:
    columns = {name: Column([t for t, _ in points], [v for _, v in points]) for name, points in streams.items()}
    found = Evaluation(parse(text)).over(columns)
    return list(zip(found.times, found.values, strict=True))


def test_a_stream_is_named_in_brackets():
    assert values("=[temp_f]*2", temp_f=[(1, 10.0), (2, 11)]) == [(1, 20.0), (2, 22.0)]
    assert parse("=[kitchen/air temp.1] - [a'b\\c]").names == {"kitchen/air temp.1", "a'b\\c"}


def test_brackets_in_a_text_are_no_name():
    assert parse("=1 if [state] == '[on]' else 0").names == {"state"}


def test_a_filter_is_a_comparison_times_a_value():
    points = [(1, -5.0), (2, 50.0), (3, 200.0)]

    assert values("=(0 < [s] < 100) * [s]", s=points) == [(1, -0.0), (2, 50.0), (3, 0.0)]


def test_streams_are_joined_by_time_with_the_last_value_carried_forward():
    joined = values("=[a]+[b]", a=[(1, 1), (3, 2), (6, 3)], b=[(2, 10), (3, 20), (7, 30)])

    assert joined == [(2, 11.0), (3, 22.0), (6, 23.0), (7, 33.0)]


def test_a_time_without_a_value_is_left_out_and_says_why():
    evaluation = Evaluation(parse("=1/[a]"))
    column = evaluation.over({"a": Column([1, 2, 3], [2, 0, 4])})

    assert (column.times, column.values, evaluation.problem) == ([1, 3], [0.5, 0.25], "")
    assert evaluation.over({"a": Column([4], [0])}).times == []
    assert evaluation.problem == "division by zero"


def test_a_whole_number_that_is_too_large_for_a_chart_is_left_out_and_says_why():
    evaluation = Evaluation(parse("=" + "*".join(["[a]"] * 20)))

    assert evaluation.over({"a": Column([1, 2], [2**62, 2])}).values == [2.0**20]
    assert evaluation.over({"a": Column([3], [2**62])}).times == []
    assert evaluation.problem == "int too large to convert to float"


def test_a_result_may_be_a_state_or_a_text():
    evaluation = Evaluation(parse("=[a] > 20"))

    assert evaluation.over({"a": Column([1], [21])}).kind is Kind.BOOLEAN
    assert values("='warm' if [a] > 20 else 'cold'", a=[(1, 21), (2, 3)]) == [(1, "warm"), (2, "cold")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a]", "begins with ="),
        ("=", "not an expression"),
        ("=[a]*", "not an expression"),
        ("=1+1", "names no stream"),
        ("=[a].__class__", "not offered"),
        ("=open([a])", "unknown function 'open'"),
        ("=" + "+".join(f"[s{n}]" for n in range(11)), "more than 10 streams"),
        ("=" + "(" * 140 + "[a]" + ")" * 140 + "+" + "-" * 10, "not an expression"),
        ("=[a]" + "+1" * 200, "too long"),
        ("=[a]\n\x00", "not an expression"),
    ],
)
def test_what_is_wrong_is_said_in_words(text, words):
    with pytest.raises(InvalidExpression, match=words.replace("(", r"\(")):
        parse(text)


def test_a_misspelt_stream_is_noticed():
    assert unknown_streams(parse("=[temprature]"), ["temperature"]) == (
        "there is no stream [temprature]; did you mean [temperature]?"
    )


def test_a_window_begins_with_the_point_before_it_and_is_thinned():
    column = Column(list(range(1000)), [float(n % 7) for n in range(1000)])

    assert window_of(column, 990, 1000, 100).times == [*range(989, 1000)]
    assert len(window_of(column, 0, 1000, 10).times) <= 40


def test_live_values_go_on_from_the_streams_last_ones():
    derived = Derived()
    evaluation = derived.watch("=[a]+[b]", parse("=[a]+[b]"))
    assert derived.of({"a": Column([5], [1.0])}) == {}
    evaluation.seed("a", 99.0)  # older than what came
    evaluation.seed("b", 10.0)

    assert derived.of({"c": Column([6], [1.0])}) == {}
    assert derived.of({"b": Column([7], [20.0])})["=[a]+[b]"].values == [21.0]


def test_no_more_expressions_are_watched_than_the_bound():
    derived = Derived()
    for number in range(MAX_WATCHED + 1):
        derived.watch(f"=[a]+{number}", parse(f"=[a]+{number}"))

    live = derived.of({"a": Column([1], [0.0])})

    assert len(live) == MAX_WATCHED
    assert "=[a]+0" not in live


def test_points_and_live_frames_have_the_expressions_that_were_asked_for(served):
    now = time.time()
    served.push("hall", *({"key": "f", "value": 50 + n, "epoch": now - 10 + n} for n in range(3)))
    good, bad, none = "=([f]-32)/1.8", "=[f]+[g]", "=[f"
    query = {"expression": [good, bad, none]}

    answer = served.get("/api/v1/buckets/hall/points", params=query).json()

    assert answer["series"] == {}
    assert answer["derived"][good]["values"] == pytest.approx([10.0, 10.556, 11.111], abs=1e-3)
    assert answer["errors"] == {bad: "there is no stream [g] yet", none: answer["errors"][none]}
    assert "never closed" in answer["errors"][none]
    live = served.url + f"/api/v1/buckets/hall/live?last_event_id={answer['live']}"
    with served.session.get(live, stream=True, timeout=10) as stream:
        served.push("hall", {"key": "f", "value": 212, "epoch": now})
        frame = next(line for line in stream.iter_lines() if b'"series"' in line)
    assert b'"derived":{"=([f]-32)/1.8":{"kind":"number","unit":"","epochs"' in frame
    assert b'"values":[100.0]' in frame


def test_an_answer_that_was_asked_for_no_expression_is_as_ever(served):
    served.push("hall", {"key": "f", "value": 50})

    assert served.get("/api/v1/buckets/hall/points").json().keys() == {"now", "live", "after", "before", "series"}
    many = {"expression": [f"=[f]+{n}" for n in range(21)]}
    assert served.get("/api/v1/buckets/hall/points", params=many).status_code == 400
