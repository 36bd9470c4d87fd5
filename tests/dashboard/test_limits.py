"""What each key may send: true headers, 429 and 402 as documented, and counts that outlive a restart."""

import time

import pytest

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.limits import UNLIMITED, Limits
from tests.support.dashboards import serve

T = 1_700_000_000.0  # a multiple of ten: a window of 10 s begins here


def limits(keys=(), **config):
    return Limits(HttpConfig(write_keys=keys, limits=config))


def calls(one, account, *times):
    return [one.call(account, T + at) for at in times]


def rate(answer):
    """Limit, remaining, reset."""
    return [int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


# --- requests ----------------------------------------------------------------------------------------------


def test_a_window_holds_so_many_calls_and_the_next_one_as_many_again():
    one = limits(calls=3, per="10s")
    account = one.account(None)

    assert calls(one, account, 0, 1, 2, 3, 9.99) == [True, True, True, False, False]
    assert calls(one, account, 10, 10, 10, 10) == [True, True, True, False]


def test_the_standing_is_true_to_the_second():
    one = limits(calls=3, per="10s")
    account = one.account(None)
    before = one.standing(account, T)
    calls(one, account, 0, 0, 4)

    assert (before.limit, before.remaining, before.reset) == (3, 3, T + 10)
    assert one.standing(account, T + 4).remaining == 0
    assert one.standing(account, T + 10).remaining == 3


def test_whoever_waits_until_the_reset_is_let_in_though_windows_are_no_whole_seconds():
    one = limits(calls=1, per="1.5s")
    account = one.account(None)
    at = T
    for _ in range(20):
        assert one.call(account, at)
        assert not one.call(account, at)
        at = one.standing(account, at).reset


def test_a_clock_that_is_set_back_locks_nobody_out():
    one = limits(calls=1, per="10s")
    account = one.account(None)

    assert calls(one, account, 0, 0, -1000, -1000) == [True, False, True, False]


def test_each_key_has_its_own_allowance_and_without_keys_all_share_one():
    keyed, open_ = limits(["a", "b"], calls=1), limits(calls=1)

    assert [keyed.call(keyed.account(key), T) for key in "abab"] == [True, True, False, False]
    assert [open_.call(open_.account(key), T) for key in ("a", "b", None)] == [True, False, False]


def test_keys_that_are_made_on_the_page_have_an_allowance_of_their_own_each():
    config = HttpConfig.model_validate({"listen": "0.0.0.0:8080", "limits": {"calls": 1, "per": "10s"}})
    shared = Limits(config)

    assert shared.call(shared.account("made"), 0.0)
    assert shared.call(shared.account("another"), 0.0)
    assert not shared.call(shared.account("made"), 0.0)


def test_nothing_is_limited_unless_it_is_configured():
    one = limits()
    account = one.account(None)

    assert all(one.call(account, T) and one.spend(account, 10**9, T) for _ in range(1000))
    assert one.standing(account, T).remaining == UNLIMITED - 1


# --- events ------------------------------------------------------------------------------------------------


def test_a_period_holds_so_many_events_and_a_request_is_taken_whole_or_not():
    one = limits(events=10, period="100s")
    account = one.account(None)

    assert [one.spend(account, events, T) for events in (6, 5, 4, 1, 0)] == [True, False, True, False, True]
    assert not one.spend(account, 1, T + 99)
    assert one.spend(account, 10, T + 100)


def test_events_that_could_not_be_stored_are_given_back():
    one = limits(events=10, period="100s")
    account = one.account(None)
    one.spend(account, 10, T)
    one.refund(account, 10)

    assert one.spend(account, 10, T)


def test_what_was_used_outlives_a_restart_and_holds_no_key():
    before = limits(["secret", "gone"], events=10)
    before.spend(before.account("secret"), 8, T)
    before.spend(before.account("gone"), 8, T)
    after = limits(["secret", "new"], events=10)
    after.restore(before.usage)

    assert "secret" not in before.usage
    assert not after.spend(after.account("secret"), 3, T)
    assert after.spend(after.account("new"), 10, T)


@pytest.mark.parametrize("usage", ["", "{", "[]", '{"": 5}', '{"": [1]}', '{"": ["x", "y"]}'])
def test_a_usage_that_cannot_be_read_is_none(usage):
    one = limits(events=10)
    one.restore(usage)

    assert one.spend(one.account(None), 10, T)


# --- over HTTP ---------------------------------------------------------------------------------------------


def test_past_the_rate_the_answer_is_429_with_retry_after_and_nothing_is_stored(tmp_path):
    with serve(tmp_path, {"write_keys": ["k", "other"], "limits": {"calls": 2, "per": "1000s"}}) as served:
        path = "/api/events?bucketKey=b&accessKey="
        ours = [served.post(path + "k", json={"key": "t", "value": n}) for n in range(3)]
        bucket = served.post("/api/buckets?bucketKey=b&accessKey=k")
        denied = served.post(path + "wrong", json={"key": "t", "value": 1})
        other = served.post(path + "other", json={"key": "t", "value": 9})
        stored = [event[2] for event in served.spool.events]

    assert [answer.status_code for answer in ours] == [204, 204, 429]
    assert [rate(answer)[:2] for answer in ours] == [[2, 1], [2, 0], [2, 0]]
    refused = ours[2]
    assert refused.json()["message"]["error"]["type"] == "RATE_LIMITED"
    assert 0 < int(refused.headers["Retry-After"]) <= 1000
    assert abs(rate(refused)[2] - time.time() - int(refused.headers["Retry-After"])) < 5
    assert (bucket.status_code, denied.status_code, other.status_code) == (429, 403, 204)
    assert "Retry-After" not in ours[0].headers
    assert stored == [0, 1, 9]


def test_versions_tell_how_a_key_stands_and_cost_nothing(tmp_path):
    with serve(tmp_path, {"write_keys": ["k"], "limits": {"calls": 5, "per": "1000s"}}) as served:
        served.get("/api/events?bucketKey=b&accessKey=k&t=1")
        known, unknown = served.get("/api/versions?accessKey=k"), served.get("/api/versions")

    assert (rate(known)[:2], rate(unknown)[:2]) == ([5, 4], [5, 5])


def test_past_the_quota_the_answer_is_402_as_documented_and_a_restart_forgets_nothing(tmp_path):
    http = {"limits": {"events": 3}}
    with serve(tmp_path, http) as served:
        answers = [served.push("b", {"key": "t", "value": 1}, {"key": "u", "value": 1}) for _ in range(2)]
        kept = served.spool.kept
        created = served.post("/api/buckets", json={"bucketKey": "new"})
    with serve(tmp_path, http, kept=kept) as served:
        again = served.push("b", {"key": "t", "value": 1}, {"key": "u", "value": 1})
        last = served.push("b", {"key": "t", "value": 1})

    assert [answer.status_code for answer in answers] == [204, 402]
    assert answers[1].json()["message"].startswith("Event limit exceeded for current cycle")
    assert "Retry-After" not in answers[1].headers
    assert rate(answers[1])[0] == UNLIMITED
    assert created.status_code == 201
    assert (again.status_code, last.status_code) == (402, 204)


def test_a_spool_that_is_full_costs_no_quota(tmp_path):
    with serve(tmp_path, {"limits": {"events": 1}}) as served:
        served.spool.full = True
        full = served.push("b", {"key": "t", "value": 1})
        served.spool.full = False
        then = served.push("b", {"key": "t", "value": 1})

    assert (full.status_code, then.status_code) == (503, 204)


def test_a_request_that_breaks_the_contract_costs_no_quota(tmp_path):
    with serve(tmp_path, {"limits": {"events": 1}}) as served:
        answers = [served.push("b", {"key": "t"}), served.push("b", {"key": "t", "value": 1})]

    assert [answer.status_code for answer in answers] == [400, 204]
