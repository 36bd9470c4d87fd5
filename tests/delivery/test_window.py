from itertools import chain, count, repeat

from hypothesis import given, strategies as st

from mqttbridge.delivery.lane import approximate_size
from mqttbridge.delivery.window import Window
from mqttbridge.destinations.base import BatchLimits
from mqttbridge.events import Position
from mqttbridge.spool import Row

LIMITS = BatchLimits(max_events=3, max_bytes=100_000, max_wait=1.0)


def row(seq, *events, created=0.0, offset=0, units=None):
    return Row(created, list(events), units or {}, Position(seq, offset), Position(seq + 1, 0))


def event(bucket, n, value=1.0):
    return (bucket, f"s{n}", value, float(n))


START = Position(1, 0)


def window(*rows, limits=LIMITS, one_bucket=True, start=START):
    made = Window(limits, start, one_bucket=one_bucket)
    for each in rows:
        made.add(each)
    return made


def test_a_batch_that_is_full_goes_at_once():
    held = window(row(1, event("a", 1), event("b", 2), event("a", 3), event("a", 4)))
    assert held.next(0.0).events == [event("a", 1), event("a", 3), event("a", 4)]


def test_one_that_is_not_waits_max_wait_from_its_commit_and_no_longer():
    held = window(row(1, event("a", 1), created=10.0))
    assert held.next(10.9) is None
    assert held.due_in(10.9) == 11.0 - 10.9
    assert held.next(11.0).events == [event("a", 1)]


def test_a_clock_that_was_set_back_delays_nothing():
    assert window(row(1, event("a", 1), created=5000.0)).next(10.0) is not None


def test_a_flush_waits_for_nothing():
    assert window(row(1, event("a", 1))).next(0.0, flush=True).events == [event("a", 1)]


def test_the_bucket_with_the_oldest_event_goes_before_one_that_became_full():
    held = window(row(1, event("old", 0), event("a", 1), event("a", 2), event("a", 3)))
    assert held.next(0.5).bucket == "a"
    assert held.next(1.0).bucket == "old"


def test_full_buckets_are_served_in_turn():
    limits = BatchLimits(max_events=1, max_bytes=100_000, max_wait=60.0)
    held = window(row(1, *(event(bucket, n) for n in range(3) for bucket in "abc")), limits=limits)
    served = []
    while parcel := held.next(0.0):
        served.append(parcel.bucket)
        held.settle(parcel)
    assert "".join(served) == "abcabcabc"


def test_the_position_is_the_longest_settled_prefix():
    held = window(row(1, event("a", 1), event("b", 2), event("a", 3), event("a", 4)), row(2, event("b", 5)))
    parcel = held.next(0.0)
    held.settle(parcel)  # all of a; b's first event is the second of the row
    assert held.position == Position(1, 1)
    held.settle(held.next(1.0))
    assert held.position == Position(3, 0)


def test_positions_count_from_where_a_row_was_cut():
    held = window(row(7, event("a", 1), event("b", 2), offset=40), start=Position(7, 40))
    held.settle(held.next(1.0))
    assert held.position == Position(7, 41)


def test_a_row_without_events_moves_the_position_on():
    held = window(row(1), start=Position(1, 0))
    assert held.position == held.tail == Position(2, 0)
    held.add(row(2, event("a", 1)))
    held.add(row(3))
    assert held.position == Position(2, 0)
    held.settle(held.next(1.0))
    assert held.position == Position(4, 0)


def test_a_batch_holds_no_more_bytes_than_allowed_unless_one_event_does():
    one = approximate_size(event("a", 1, "x" * 2000))
    limits = BatchLimits(max_events=100, max_bytes=int(one * 2.5), max_wait=1.0)
    events = [event("a", n, "x" * 2000) for n in range(5)]
    held = window(row(1, *events), limits=limits)
    assert len(held.next(0.0).events) == 2  # full by bytes: it need not wait
    tiny = BatchLimits(max_events=100, max_bytes=1024, max_wait=1.0)
    assert len(window(row(1, *events), limits=tiny).next(0.0).events) == 1


def test_sizes_count_bytes_and_not_characters():
    assert approximate_size(event("a", 1, "é" * 100)) == approximate_size(event("a", 1, "e" * 200))


def test_where_buckets_may_mix_batches_are_contiguous_and_know_their_end():
    held = window(
        row(1, event("a", 1), event("b", 2), units={("a", "s1"): "°C"}),
        row(2, event("c", 3), event("a", 4), event("a", 5), units={("c", "s3"): "%"}),
        row(3, event("a", 6), units={("a", "s6"): "V"}),
        one_bucket=False,
    )
    first = held.next(0.0)
    assert first.events == [event("a", 1), event("b", 2), event("c", 3)]
    assert first.end == Position(2, 1)
    assert first.units == {("a", "s1"): "°C", ("c", "s3"): "%"}
    held.settle(first)
    assert held.position == Position(2, 1)
    last = held.next(1.0)
    assert last.events == [event("a", 4), event("a", 5), event("a", 6)]
    assert last.end == Position(4, 0)


def test_a_full_window_reads_no_more_and_waits_for_no_company():
    held = window(limits=BatchLimits(max_events=10_000, max_bytes=10**9, max_wait=60.0))
    seq = 0
    while (room := held.room) > 0:
        seq += 1
        held.add(row(seq, *(event(f"b{seq}", n) for n in range(min(room, 900)))))
    assert held.is_full or held.room == 0
    while not held.is_full:
        seq += 1
        held.add(row(seq, *(event(f"b{seq}", n) for n in range(900))))
    assert held.next(0.0) is not None


def test_text_fills_the_window_by_its_bytes():
    held = window()
    seq = 0
    while held.room > 0:
        seq += 1
        held.add(row(seq, *(event(f"b{n}", n, "x" * 2000) for n in range(500))))
    assert seq * 500 < 10_000


def per_bucket(events):
    return {bucket: [one for one in events if one[0] == bucket] for bucket in "abc"}


moves = st.tuples(st.booleans(), st.sampled_from([0.0, 0.6]), st.sampled_from(["settle", "keep", "halve"]))


@given(st.lists(st.text("abc", max_size=8), max_size=6), st.lists(moves, max_size=40), st.booleans())
def test_whatever_happens_streams_stay_in_order_and_the_position_never_passes_an_unsettled_event(
    buckets, script, one_bucket
):
    numbers = count()
    rows = [row(seq, *(event(bucket, next(numbers)) for bucket in text)) for seq, text in enumerate(buckets, 1)]
    flat = {Position(each.start.seq, i): one for each in rows for i, one in enumerate(each.events)}
    held, waiting, settled, now = window(one_bucket=one_bucket), list(rows), [], 0.0
    for add, pause, verdict in chain(script, repeat((True, 1.0, "settle"))):
        if waiting and add:
            held.add(waiting.pop(0))
        now += pause
        if parcel := held.next(now):
            if verdict == "settle":
                held.settle(parcel)
                settled += parcel.events
            elif verdict == "halve" and len(parcel.events) > 1:
                held.halve(parcel)
        assert {one for position, one in flat.items() if position < held.position} <= set(settled)
        if not waiting and len(settled) == len(flat):
            break
    assert held.position == Position(len(rows) + 1, 0)
    assert len(held) == 0
    assert per_bucket(settled) == per_bucket(flat.values())


def test_memory_does_not_grow_with_what_has_passed():
    held = window(limits=BatchLimits(max_events=2, max_bytes=100_000, max_wait=0.0))
    for seq in range(1, 2000):
        held.add(row(seq, *(event(f"bucket {seq % 7}", n) for n in range(4))))
        while parcel := held.next(0.0):
            held.settle(parcel)
    assert (len(held._lanes), len(held._heads), len(held._full_lanes), len(held._spans)) == (0, 0, 0, 0)
