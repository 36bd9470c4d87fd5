"""M4 keeps what a line chart shows, on a grid that does not depend on the window."""

from hypothesis import given, strategies as st

from mqttbridge.dashboard.store.downsample import grid_width, m4
from mqttbridge.dashboard.store.model import Column, Kind

points = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(-100, 100)), min_size=1, max_size=200, unique_by=lambda p: p[0]
)
widths = st.integers(0, 12).map(lambda power: 1 << power)


def column(points) -> Column:
    ordered = sorted(points)
    return Column([time for time, _ in ordered], [value for _, value in ordered])


def cells(column: Column, width: int) -> dict[int, list[tuple[int, float]]]:
    by_cell: dict[int, list[tuple[int, float]]] = {}
    for time, value in zip(column.times, column.values, strict=True):
        by_cell.setdefault(time // width, []).append((time, value))
    return by_cell


@given(points, widths)
def test_first_least_greatest_and_last_of_every_cell_stay(points, width):
    whole = column(points)

    thinned = cells(m4(whole, width), width)

    for cell, all_points in cells(whole, width).items():
        kept = thinned[cell]
        values = [value for _, value in all_points]
        assert kept[0] == all_points[0]
        assert kept[-1] == all_points[-1]
        assert min(value for _, value in kept) == min(values)
        assert max(value for _, value in kept) == max(values)
        assert len(kept) <= 4


@given(points, widths)
def test_only_points_that_were_there_come_out_in_order_of_time(points, width):
    thinned = m4(column(points), width)

    assert set(zip(thinned.times, thinned.values, strict=True)) <= set(points)
    assert thinned.times == sorted(thinned.times)


@given(points, widths)
def test_the_order_in_which_points_came_does_not_matter(points, width):
    as_they_came = Column([time for time, _ in points], [value for _, value in points])

    assert m4(as_they_came, width) == m4(column(points), width)


@given(points, widths, st.integers(0, 10_000))
def test_a_window_that_moves_on_leaves_the_cells_inside_it_as_they_were(points, width, start):
    edge = start // width * width
    whole = m4(column(points), width)
    later = m4(column([point for point in points if point[0] >= edge] or [(20_000, 0.0)]), width)

    assert [time for time in whole.times if time >= edge] == [time for time in later.times if time < 20_000]


def test_a_spike_of_one_point_survives():
    flat = [(n, 20.0) for n in range(1000)]
    flat[500] = (500, 99.0)

    assert 99.0 in m4(column(flat), 1024).values


def test_of_texts_the_last_of_a_cell_stays():
    texts = Column([1, 2, 9], ["a", "b", "c"], Kind.TEXT)

    assert m4(texts, 8).values == ["b", "c"]


def test_booleans_keep_their_changes():
    switched = Column(list(range(8)), [False, False, True, False, False, False, False, False], Kind.BOOLEAN)

    assert m4(switched, 8).values == [False, True, False]


@given(st.integers(1, 10**13), st.integers(1, 5000))
def test_a_grid_has_no_more_cells_than_asked_for_and_more_than_half_of_them(span, buckets):
    width = grid_width(span, buckets)

    assert span / width <= buckets
    assert width == 1 or span / (width // 2) > buckets
    assert width & (width - 1) == 0
