"""Streams side by side: which rows there are, what each holds, and when all are made anew."""

from __future__ import annotations

from hypothesis import given, strategies as st

from mqttbridge.client.live.points import Column
from mqttbridge.panel.sheet import Rows, Sheet


def column(*points, kind="number"):
    return [Column(kind, [time for time, _ in points], [value for _, value in points])]


def test_a_row_holds_what_is_known_by_its_time():
    sheet = Sheet({"a": "s", "b": "t"}, 10, fill=True)

    assert sheet.begin({"s": column((1, 10), (3, 30)), "t": column((2, True))}) == Rows(
        [1, 2, 3], {"a": [10.0, 10.0, 30.0], "b": [None, 1.0, 1.0]}
    )
    assert sheet.append({"s": column((4, 40))}) == Rows([4], {"a": [40.0], "b": [1.0]})


def test_unfilled_a_row_holds_what_has_its_very_time():
    sheet = Sheet({"a": "s", "b": "t"}, 10, fill=False)

    assert sheet.begin({"s": column((1, 10)), "t": column((2, "on"), kind="text")}) == Rows(
        [1, 2], {"a": [10.0, None], "b": [None, "on"]}
    )
    assert sheet.append({"s": column((4, 40))}) == Rows([4], {"a": [40.0], "b": [None]})


def test_the_newest_rows_are_kept_and_filled_from_those_before_them():
    sheet = Sheet({"a": "s", "b": "t"}, 2, fill=True)

    assert sheet.begin({"s": column((1, 10), (2, 20), (3, 30)), "t": column((1, 5))}) == Rows(
        [2, 3], {"a": [20.0, 30.0], "b": [5.0, 5.0]}
    )


def test_what_comes_late_is_for_a_new_beginning():
    sheet = Sheet({"a": "s"}, 10, fill=True)
    sheet.begin({"s": column((5, 1))})

    assert sheet.append({"s": column((5, 2))}) is None
    assert sheet.append({"s": [*column((7, 1)), *column((4, 2))]}) is None
    assert sheet.append({}) == Rows([], {"a": []})


@given(
    st.dictionaries(st.sampled_from("st"), st.dictionaries(st.integers(0, 40), st.floats(0, 9)), max_size=2),
    st.integers(0, 40),
    st.booleans(),
)
def test_rows_that_come_bit_by_bit_are_those_that_come_at_once(streams, edge, fill):
    def part(inside):
        parts = {
            name: column(*sorted((t, v) for t, v in known.items() if inside(t))) for name, known in streams.items()
        }
        return {name: columns for name, columns in parts.items() if columns[0].times}

    columns = {"a": "s", "b": "t"}
    at_once = Sheet(columns, 100, fill=fill).begin(part(lambda _: True))
    sheet = Sheet(columns, 100, fill=fill)
    begun, appended = sheet.begin(part(lambda t: t < edge)), sheet.append(part(lambda t: t >= edge))

    assert appended is not None
    assert [*begun.times, *appended.times] == at_once.times
    assert {name: [*begun.columns[name], *appended.columns[name]] for name in columns} == at_once.columns
