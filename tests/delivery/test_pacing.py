import pytest
from hypothesis import given, strategies as st

from mqttbridge.delivery.pacing import Backoff, TokenBucket

# Quarters are exact in binary, so that the property is about the arithmetic and not about rounding.
quarters = st.integers(0, 80).map(lambda n: n / 4)


@given(st.integers(1, 6), st.integers(1, 40).map(lambda n: n / 4), st.lists(st.tuples(quarters, quarters), max_size=60))
def test_no_window_sees_more_calls_than_allowed_neither_where_they_start_nor_where_they_arrive(calls, per, requests):
    bucket, now = TokenBucket(calls, per), 100.0
    started, arrived = [], []
    for pause, flight in requests:
        now += pause
        now += bucket.delay(now)
        assert bucket.delay(now) == 0
        bucket.take(now)
        started.append(now)
        # The server sees the request at any time before the answer: earliest and latest bound all others.
        arrived.append((now, now + flight))
        now += flight
        bucket.answered(now)
    for first, later in zip(started, started[calls:], strict=False):
        assert later - first >= per
    for (_, latest), (earliest, _) in zip(arrived, arrived[calls:], strict=False):
        assert earliest - latest >= per


@given(st.integers(1, 5), st.lists(st.tuples(st.booleans(), quarters), max_size=60))
def test_the_promise_holds_for_requests_that_overlap(calls, moves):
    bucket, now, started, in_flight = TokenBucket(calls, 10.0), 0.0, [], 0
    for start, pause in moves:
        now += pause
        if start:
            if bucket.delay(now) == 0:
                bucket.take(now)
                started.append(now)
                in_flight += 1
        elif in_flight:
            bucket.answered(now)
            in_flight -= 1
    for first, later in zip(started, started[calls:], strict=False):
        assert later - first >= 10.0


def test_a_burst_goes_out_at_once_and_the_next_call_waits_for_the_first_token():
    bucket = TokenBucket(3, 10.0)
    for _ in range(3):
        assert bucket.delay(5.0) == 0
        bucket.take(5.0)
        bucket.answered(5.5)
    assert bucket.delay(6.0) == 9.5
    assert bucket.delay(15.5) == 0


def test_while_every_token_is_in_flight_the_soonest_return_is_a_whole_period_away():
    bucket = TokenBucket(1, 10.0)
    bucket.take(0.0)
    assert bucket.delay(3.0) == 10.0


def test_a_token_is_not_taken_before_its_time():
    bucket = TokenBucket(1, 10.0)
    bucket.take(0.0)
    with pytest.raises(ValueError, match="no token"):
        bucket.take(1.0)


def test_a_server_that_says_its_limit_is_spent_silences_the_bucket_until_then():
    bucket = TokenBucket(3, 10.0)
    bucket.penalize(7.0)
    bucket.penalize(4.0)  # the later one counts
    assert bucket.delay(5.0) == 2.0
    assert bucket.delay(7.0) == 0


@given(st.integers(0, 5000), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_longer_than_the_cap(failures, luck):
    assert 0 <= Backoff(1.0, 300.0).pause(failures, luck) <= 300.0


def test_pauses_double_from_the_first_up_to_the_cap():
    backoff = Backoff(first=1.0, longest=10.0)
    assert [backoff.pause(n, 1.0) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert backoff.pause(3, 0.25) == 1.0
