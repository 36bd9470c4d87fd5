"""Stored rows page by page: every row once, in order, whatever the pages' size and direction."""

import math

import pytest
from hypothesis import given, settings, strategies as st

from mqttbridge.dashboard.raw import browse, query
from mqttbridge.dashboard.raw.browse import Cursor, page
from mqttbridge.dashboard.raw.query import BadQuery, Filter, Range
from mqttbridge.dashboard.raw.summary import TooMany, summaries
from mqttbridge.dashboard.store import SqliteStore, bounds

ANY = Filter()
ALL = Range("b", (), 0, query.MAX_EPOCH)


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path)
    yield store
    store.close()


def every_page(store, asked, limit, *, newest_first, wanted=ANY):
    found, cursor = [], None
    while True:
        one = page(store, asked, wanted, limit, cursor, newest_first=newest_first)
        found += one.rows
        cursor = one.next
        if cursor is None:
            return found


def fill(store, count=300, streams=3):
    events = [("b", f"s{n % streams}", n / 4, 1e9 + (n // streams) * 0.001 + (n > 200) * 1e6) for n in range(count)]
    store.append([*events, ("other", "s0", 1, 1e9)])
    return sorted((round(epoch * 1e6), stream, value) for _, stream, value, epoch in events)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_pages_hold_every_row_once_in_order(store, limit, newest_first, monkeypatch):
    monkeypatch.setattr(bounds, "BATCH", 10)
    monkeypatch.setattr(browse, "_SLICE_ROWS", 20)
    monkeypatch.setattr(browse, "MAX_LOOKED_AT", 50)
    expected = fill(store, 60 if limit == 1 else 300)

    assert every_page(store, ALL, limit, newest_first=newest_first) == (expected[::-1] if newest_first else expected)


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.tuples(st.integers(0, 40), st.sampled_from("abc")), max_size=60),
    st.integers(0, 40),
    st.integers(1, 41),
    st.booleans(),
)
def test_a_range_is_from_its_beginning_to_before_its_end(tmp_path_factory, points, after, length, newest_first):
    store = SqliteStore(tmp_path_factory.mktemp("store"))
    store.append([("b", stream, 1.5, 1e9 + time) for time, stream in points])
    asked = Range("b", (), 1e9 + after, 1e9 + after + length)

    found = every_page(store, asked, 5, newest_first=newest_first)
    store.close()

    expected = sorted((time, stream) for time, stream in points if after <= time < after + length)
    assert [(at / 1e6 - 1e9, stream) for at, stream, _ in found] == (expected[::-1] if newest_first else expected)


def test_more_streams_in_one_microsecond_than_a_slice_holds_are_all_found(store, monkeypatch):
    monkeypatch.setattr(browse, "_SLICE_ROWS", 5)
    store.append([("b", f"s{n:02}", n, 1e9) for n in range(20)])

    assert len(every_page(store, ALL, 3, newest_first=True)) == 20


def test_values_come_back_as_they_went_in_and_only_of_the_streams_asked_for(store):
    store.append(
        [("b", "on", True, 1e9), ("b", "n", 7, 1e9 + 1), ("b", "x", 0.1, 1e9 + 2), ("b", "say", "hi", 1e9 + 3)]
    )

    found = every_page(store, Range("b", ("on", "n", "say"), 0, 2e9), 10, newest_first=False)

    assert [(stream, value, type(value)) for _, stream, value in found] == [
        ("on", True, bool),
        ("n", 7, int),
        ("say", "hi", str),
    ]


def test_what_comes_in_meanwhile_moves_no_page(store):
    store.append([("b", "s", n, 1e9 + n) for n in range(10)])
    first = page(store, ALL, Filter(), 4, None, newest_first=True)
    store.append([("b", "s", n, 1e9 + n) for n in range(10, 20)])

    second = page(store, ALL, Filter(), 4, first.next, newest_first=True)

    assert [value for *_, value in first.rows + second.rows] == [9, 8, 7, 6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    ("wanted", "streams"),
    [
        (Filter(text="kitchen"), ["Kitchen.door", "Kitchen.t"]),
        (Filter(text="open"), ["hall.door"]),
        (Filter(text="true"), ["Kitchen.door"]),
        (Filter(least=5), ["Kitchen.t"]),
        (Filter(most=5), ["Kitchen.door", "hall.t"]),
        (Filter(text="hall", least=0, most=10), ["hall.t"]),
    ],
)
def test_a_filter_is_of_names_texts_and_numbers(store, wanted, streams):
    store.append(
        [
            ("b", "Kitchen.t", 20.5, 1e9),
            ("b", "Kitchen.door", True, 1e9),
            ("b", "hall.t", 4, 1e9),
            ("b", "hall.door", "Open", 1e9),
        ]
    )

    found = every_page(store, ALL, 10, newest_first=False, wanted=wanted)

    assert [stream for _, stream, _ in found] == streams


def test_a_filter_that_nothing_passes_ends_a_page_before_the_whole_history_is_read(store, monkeypatch):
    monkeypatch.setattr(browse, "MAX_LOOKED_AT", 100)
    monkeypatch.setattr(bounds, "BATCH", 50)
    fill(store)

    one = page(store, ALL, Filter(text="nothing"), 10, None, newest_first=False)

    assert one.rows == []
    assert one.next is not None
    assert every_page(store, ALL, 10, newest_first=True, wanted=Filter(text="nothing")) == []


@pytest.mark.parametrize("text", ["", "7", ":", "x:s", "1.5:s", "9" * 30 + ":s", "--1:s"])
def test_a_cursor_that_is_none_is_refused(text):
    with pytest.raises(BadQuery):
        Cursor.parse(text)


def test_a_cursor_of_any_name_comes_back():
    assert Cursor.parse(str(Cursor(17, "a:b:c"))) == Cursor(17, "a:b:c")


def test_a_summary_is_of_every_point(store):
    store.append([("b", "t", n, 1e9 + n) for n in range(5)] + [("b", "on", n > 2, 1e9 + n) for n in range(4)])
    store.append([("b", "say", "hi", 1e9 + 1)])

    found = summaries(store, Range("b", (), 1e9 + 1, 1e9 + 4))

    t, on, say = found["t"], found["on"], found["say"]
    assert (t.count, t.least, t.mean, t.greatest, t.first, t.last) == (3, 1, 2, 3, (1e9 + 1, 1), (1e9 + 3, 3))
    assert math.isclose(on.mean, 1 / 3)
    assert (say.count, say.mean, say.least) == (1, None, None)


def test_a_summary_that_takes_too_long_is_given_up(store):
    fill(store)

    with pytest.raises(TooMany, match="shorter"):
        summaries(store, ALL, clock=iter([0.0, 100.0]).__next__)


class Counting:
    """A store that says how many points were read from it one by one."""

    def __init__(self, store):
        self.store, self.read = store, 0

    def __getattr__(self, name):
        return getattr(self.store, name)

    def rows(self, *asked):
        for batch in self.store.rows(*asked):
            self.read += len(batch)
            yield batch


@pytest.mark.parametrize(("after", "before"), [(0.0, 1e11), (1e9 + 5000, 1e9 + 39 * 86400 + 7)])
def test_a_long_range_is_summed_up_without_reading_it(store, after, before):
    times = [1e9 + 600 * n for n in range(6 * 24 * 40)]
    store.append([("b", "t", n % 1000, at) for n, at in enumerate(times)] + [("b", "say", "hi", times[7])])
    values = [n % 1000 for n, at in enumerate(times) if after <= at < before]
    inside = [at for at in times if after <= at < before]
    counting = Counting(store)

    found = summaries(counting, Range("b", ("t",), after, before))

    t = found["t"]
    assert list(found) == ["t"]
    assert (t.count, t.least, t.greatest) == (len(values), min(values), max(values))
    assert math.isclose(t.mean, sum(values) / len(values))
    assert (t.first, t.last) == ((inside[0], values[0]), (inside[-1], values[-1]))
    assert counting.read < len(values) / 20
