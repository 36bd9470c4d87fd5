from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given, strategies as st
from requests.structures import CaseInsensitiveDict

from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Refused
from mqttbridge.destinations.http_outcome import Answer, one_line, retry_after, settlement_of

NOW = 1_700_000_000.0
REMOVED = b'{"message":{"error":{"type":"BUCKET_REMOVED","message":"gone"}}}'


def answer(status, body=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, CaseInsensitiveDict(named), body)


def settle(status, body=b"", **headers):
    return settlement_of(answer(status, body, **headers), bucket="kitchen", now=NOW, quota_pause=1800.0)


def http_date(epoch):
    return format_datetime(datetime.fromtimestamp(epoch, UTC), usegmt=True)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207, 299])
def test_2xx_is_accepted(status):
    assert settle(status) == Accepted()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_server_will_never_take_is_refused(status):
    assert isinstance(settle(status, b"bad event"), Refused)
    assert "bad event" in settle(status, b"bad event").detail


def test_a_removed_bucket_is_told_from_a_bad_event():
    assert settle(400, REMOVED) == BucketGone("kitchen", settle(400, REMOVED).detail)
    assert "BUCKET_REMOVED" in settle(400, REMOVED).detail


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"BUCKET_REMOVED"', b'{"message":"BUCKET_REMOVED"}', b'{"message":{"error":[]}}',
     b'{"message":{"error":{"type":1}}}', b"\xff\xfe", b"[" * 10_000],
)  # fmt: skip
def test_any_other_400_is_refused(body):
    assert isinstance(settle(400, body), Refused)


def test_only_a_400_speaks_of_removed_buckets():
    assert isinstance(settle(422, REMOVED), Refused)


@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_key_keeps_everything_and_pauses(status):
    kept = settle(status, b'"ACCESS_DENIED_KEY"')
    assert isinstance(kept, Kept)
    assert (kept.pause, kept.retry_after) == (True, None)
    assert "access_key" in kept.detail
    assert kept.detail.endswith('(it said "ACCESS_DENIED_KEY")')


def test_a_spent_quota_keeps_everything_and_pauses_until_it_may_have_renewed():
    kept = settle(402, b'{"message":"Event limit exceeded for current cycle"}')
    assert isinstance(kept, Kept)
    assert (kept.pause, kept.retry_after) == (True, 1800.0)
    assert "Event limit exceeded" in kept.detail


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 599])
def test_what_may_pass_is_kept_and_tried_again(status):
    kept = settle(status)
    assert isinstance(kept, Kept)
    assert (kept.pause, kept.retry_after) == (False, None)
    assert str(status) in kept.detail


@pytest.mark.parametrize("status", [100, 301, 302, 307, 308, 404, 405, 406, 409, 410, 418, 451, 600, 999, 0])
def test_what_the_table_does_not_name_is_kept(status):
    assert isinstance(settle(status), Kept)


@pytest.mark.parametrize("status", [302, 404])
def test_a_wrong_url_is_said_clearly(status):
    assert "url" in settle(status).detail


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        (" 17 ", 17.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("999999", 3600.0),
        (http_date(NOW + 40), 40.0),
        (http_date(NOW - 40), 0.0),
        (http_date(NOW + 10**8), 3600.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date_within_bounds(status, header, seconds):
    assert settle(status, Retry_After=header).retry_after == seconds


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1e3", "٣", "nan", "inf", "0x10", "1" * 400, "Tue, 99 Foo 2023", "Mon, 01 Jan 0000"]
)
def test_a_retry_after_that_is_nonsense_is_ignored(header):
    assert settle(503, Retry_After=header).retry_after is None


@given(st.text(max_size=60))
def test_no_header_makes_it_fail(text):
    found = retry_after(answer(503, Retry_After=text, Date=text), NOW)
    assert found is None or 0 <= found <= 3600
    settle(429, X_RateLimit_Remaining=text, X_RateLimit_Reset=text)


def test_dates_count_by_the_servers_clock_where_it_tells_its_time():
    fast = NOW + 500  # its clock is that much ahead of ours
    assert settle(503, Retry_After=http_date(fast + 40), Date=http_date(fast)).retry_after == 40.0


def test_a_spent_rate_limit_is_honoured_although_the_answer_was_yes():
    spent = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(NOW + 7)}
    assert settle(204, **spent) == Accepted(quiet=7.0)
    assert settle(204, **{**spent, "X_RateLimit_Remaining": "3"}) == Accepted()
    assert settle(204, X_RateLimit_Remaining="0") == Accepted()


def test_a_429_without_retry_after_waits_for_the_rate_limits_reset():
    spent = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(NOW + 7)}
    assert settle(429, **spent).retry_after == 7.0
    assert settle(429, **spent, Retry_After="2").retry_after == 2.0


def test_a_servers_words_are_quoted_on_one_line_and_cut():
    detail = settle(500, b"<html>\r\n\x1b[31mboom\x00</html>" + b"x" * 10_000).detail
    assert detail.isprintable()
    assert len(detail) < 300
    assert "<html> [31mboom </html>" in detail


@given(st.text())
def test_one_line_is_one_printable_line(text):
    assert one_line(text).isprintable()
