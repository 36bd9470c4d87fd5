"""Both engines beside each other: given the same, they take and refuse the same and give the same answers.

What is sent is what somebody hostile would send: a batch that one engine could not store would block it for ever.
"""

import itertools
import math

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from mqttbridge.dashboard.store import SqliteStore
from mqttbridge.dashboard.store.postgres import PostgresStore
from mqttbridge.dashboard.store.rollup import MOST_TOTAL
from mqttbridge.events import INT64_MAX, INT64_MIN, Position

NOW = 1_800_000_000.0
YEAR = 31_557_600.0
HUGE = 1.7976931348623157e308
LARGE = MOST_TOTAL / 1e6  # sums of smaller ones are never cut, whatever the order

numbers = st.sampled_from(
    [HUGE, -HUGE, 1e308, -1e308, 9e299, 5e-324, -1e-320, 0.0, 1.5, INT64_MAX, INT64_MIN, 2**53 + 1, 2**64, 7, True]
)
values = st.one_of(
    numbers,
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.text(max_size=8),
    st.sampled_from(["\0", "\x1a0", "\ud800", "\\N", "\\.", "{}", "'); --", "%s%(x)s", "x" * 2000]),
)
names = st.sampled_from(["t", "\0", "\x1a0", "%", "%s", "\\", "{a}", "NULL", "\ud800", "é", "e\u0301", "😀" * 250])
epochs = st.one_of(
    st.sampled_from([NOW, NOW + 0.25, NOW - 59, NOW - 4000, NOW + 90, 0.0, -1.5e-6, -31.0]),
    st.sampled_from([-62e9, 200e9, 253402300799.0, 1e300, -1e300, 2**63 / 1e6]),
    st.floats(NOW - 9000, NOW + 9000),
)
batches = st.lists(st.tuples(names, values, epochs), min_size=1, max_size=12)
units = st.sampled_from(["", "°C", "\0", "\ud800", "%"])
fresh = itertools.count()


@pytest.fixture(scope="module")
def stores(postgres, tmp_path_factory):
    """One of each engine. Making them is slow, so examples share them and take a bucket of their own."""
    made = [
        SqliteStore(tmp_path_factory.mktemp("agree") / "dashboard", clock=lambda: NOW),
        PostgresStore(postgres.url, "test", clock=lambda: NOW, schema=postgres.new_schema()),
    ]
    yield made
    for store in made:
        store.close()


def taken(store, *batch):
    """Whether the store took a batch; false is: it never will."""
    try:
        store.append(*batch)
    except (ValueError, OverflowError):
        return False
    return True


def summed(one):
    """Statistics to compare: sums within their rounding, and where they may have been cut, that they are numbers."""
    assert all(map(math.isfinite, one.sums))
    tame = [max(abs(low), abs(high)) < LARGE for low, high in zip(one.minima, one.maxima, strict=True)]
    sums = [pytest.approx(total, 1e-9, 1e-6) if kept else None for total, kept in zip(one.sums, tame, strict=True)]
    columns = [list(map(float, column)) for column in (one.minima, one.maxima, one.firsts, one.lasts)]
    return one.width, one.unit, one.starts, one.counts, sums, columns


def typed(points):
    return [(value, type(value)) for value in points]


def answers(store, bucket):
    """All that can be asked of a bucket."""
    lines = {
        window: {
            name: (one.times, typed(one.values), one.kind, one.unit)
            for name, one in store.points(bucket, (), *window).items()
        }
        for window in ((0.0, None, 600), (NOW - 100, NOW + 100, 600), (-62e9, 253402300799.0, 10_000))
    }
    cells = {
        window: {name: summed(one) for name, one in store.statistics(bucket, (), *window).items()}
        for window in ((NOW - 5, NOW + 5, 600), (NOW - 100, NOW + 100, 20), (NOW - 9000, NOW, 60), (0.0, 8e9, 500))
    }
    rows = [(at, name, value, type(value)) for some in store.rows(bucket, (), -62e9, 8e9) for at, name, value in some]
    return store.streams(bucket), store.bucket_name(bucket), lines, cells, rows


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches, units)
@example([("t", HUGE, NOW), ("t", HUGE, NOW + 0.25), ("t", HUGE, NOW - 59)], "")
@example([("t", -HUGE, NOW), ("t", -1e308, NOW + 0.25), ("t", 1e308, NOW - 4000)], "")
def test_engines_take_the_same_and_answer_the_same_whatever_is_sent(stores, batch, unit):
    n = next(fresh)
    bucket, end = f"bucket {n}", Position(n + 1, 0)
    events = [(bucket, name, value, epoch) for name, value, epoch in batch]
    said = {(bucket, batch[0][0]): unit}

    alone = [[taken(store, [event], said) for event in events] for store in stores]
    assert alone[0] == alone[1]
    good = [event for event, kept in zip(events, alone[0], strict=True) if kept]
    for again in (good[::-1], events, good):  # late and corrected, with what is refused, and as a replay
        assert len({taken(store, again, {}, end) for store in stores}) == 1
    one, other = (answers(store, bucket) for store in stores)

    assert one == other
    assert stores[0].cursor == stores[1].cursor
