"""What a frame holds: ordered, of one kind, each time once, and never more than a chart can show."""

from hypothesis import given, strategies as st

from mqttbridge.dashboard.frames import MOST_PENDING, PLENTY, encode, merge, thin
from mqttbridge.dashboard.store.model import Column, Kind


def test_few_points_stay_as_they_are():
    column = Column(list(range(PLENTY)), list(range(PLENTY)))

    assert thin(column) == column


def test_points_are_put_in_order_and_of_one_time_the_last_value_stays():
    assert thin(Column([3, 1, 3, 2], ["a", "b", "c", "d"], Kind.TEXT)) == Column([1, 2, 3], ["b", "d", "c"], Kind.TEXT)


def test_values_of_another_kind_than_the_newest_are_left_out():
    mixed = Column([1, 2, 3, 4], [1.5, "off", True, 2])

    assert thin(mixed).values == [1.5, 2]
    mixed.kind = Kind.TEXT
    assert thin(mixed).values == ["off"]
    mixed.kind = Kind.BOOLEAN
    assert thin(mixed).values == [True]


@given(st.lists(st.tuples(st.integers(0, 10**12), st.floats(-9, 9)), min_size=1, max_size=300))
def test_the_extremes_and_the_ends_survive(points):
    newest = dict(points)
    column = Column([time for time, _ in points], [value for _, value in points])

    thinned = thin(column)

    assert thinned.times == sorted(set(thinned.times))
    assert (thinned.times[0], thinned.times[-1]) == (min(newest), max(newest))
    assert (min(thinned.values), max(thinned.values)) == (min(newest.values()), max(newest.values()))


def test_a_backlog_keeps_its_shape():
    day = Column([n * 10_000_000 for n in range(8640)], [float(n % 360) for n in range(8640)])

    assert 100 <= len(thin(day).times) <= 260


def test_what_waits_is_gathered_by_stream_and_bounded():
    pending: dict[str, Column] = {}
    for n in range(10):
        merge(pending, "s", Column([n], [n], Kind.NUMBER, f"unit {n}"))
    assert pending["s"] == Column(list(range(10)), list(range(10)), Kind.NUMBER, "unit 9")

    merge(pending, "s", Column(list(range(10, MOST_PENDING + 10)), [1] * MOST_PENDING))
    assert len(pending["s"].times) < 100


def test_a_frame_is_one_event_of_the_stream_whatever_the_values_hold():
    frame = encode("points", {"a\nb": "c\r\n\r\nevent: x"}, "boot-1")

    assert frame == b'id: boot-1\nevent: points\ndata: {"a\\nb":"c\\r\\n\\r\\nevent: x"}\n\n'
