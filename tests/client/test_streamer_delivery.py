"""Against a server that does everything the documentation says it may: sent = delivered + spooled, always."""

import logging
import random
import threading
import time

import pytest

from mqttbridge import Streamer
from mqttbridge.client import pending, posting
from tests.support.fake_events_api import ACCESS_KEY, BUCKET_REMOVED, FakeEventsApi, Reply
from tests.support.processes import eventually
from tests.support.unsent import delivered, in_file

EVENTS = [("b", "t", n) for n in range(25)]
KEPT = [401, 402, 403, 404, 408, 429, 500, 503]
STORMS = {
    "server faults": [Reply(500), Reply(503), Reply(502)],
    "cut connections": [Reply(cut=True), Reply(cut=True)],
    "slow answers": [Reply(delay=0.2), Reply(503, delay=0.1)],
    "rate limit, no word when to come back": [Reply(429), Reply(429), Reply(429)],
    "rate limit with a time": [Reply(429, headers={"Retry-After": "0"})] * 5,
    "redirect": [Reply(302, headers={"Location": "/elsewhere"})],
    "nonsense": [Reply(500, b"\xff" * 100_000), Reply(418), Reply(999, "<html>")],
}


def log_all(streamer, events=EVENTS):
    for _, stream, value in events:
        streamer.log(stream, value)


@pytest.mark.parametrize("status", KEPT)
def test_what_the_server_does_not_take_now_is_delivered_later_in_order(make, api, status):
    streamer = make(max_wait=0)
    api.wait_for_requests(1)
    api.script(Reply(status))
    log_all(streamer)
    api.wait_for_requests(2)
    if status in {401, 402, 403}:
        streamer.close()  # only a human can mend these, so it is not tried again soon: the next run does
        streamer = make()

    api.wait_for_events(25)
    assert delivered(api) == EVENTS


@pytest.mark.parametrize("status", [*KEPT, 302])
def test_what_cannot_be_delivered_at_the_end_is_in_the_file(make, api, spool, assert_balance, status):
    api.always(status)
    streamer = make()
    log_all(streamer)
    stats = streamer.close()

    assert (stats.kept, stats.delivered, stats.refused, stats.dropped) == (25, 0, 0, 0)
    assert str(status) in stats.trouble
    assert in_file(spool) == EVENTS
    assert_balance(EVENTS)


@pytest.mark.parametrize("replies", STORMS.values(), ids=STORMS)
def test_no_storm_loses_an_event_or_its_place(make, api, assert_balance, replies):
    streamer = make(buffer_size=3)
    log_all(streamer, EVENTS[:10])
    api.script(*replies)
    log_all(streamer, EVENTS[10:])
    streamer.close()
    with make() as later:
        later.flush()

    assert_balance(EVENTS)
    assert [event for n, event in enumerate(delivered(api)) if event not in delivered(api)[:n]] == EVENTS


def test_a_long_mixed_storm_balances(make, api, assert_balance):
    luck = random.Random(7)
    weather = [Reply(), Reply(429, headers={"Retry-After": "0"}), Reply(503), Reply(500), Reply(413), Reply(408)]
    sent = []
    for run in range(4):
        streamer = make(buffer_size=luck.randint(1, 20), max_pending=50)
        for n in range(150):
            if luck.random() < 0.2:
                api.script(luck.choice(weather[1:]))
            if luck.random() < 0.05:
                streamer.set_bucket("", luck.choice(["b", "c"]))
            streamer.log("t", 1000 * run + n)
            sent.append((streamer.BucketKey, "t", 1000 * run + n))
        streamer.close(timeout=luck.choice([0, 5]))

    assert_balance(sent)


def test_an_answer_that_was_lost_means_twice_and_never_not_at_all(make, api):
    """The server stored it, and the connection was cut: nobody can know."""
    streamer = make()
    streamer.log("t", 1)
    streamer.flush()
    api.script(Reply(cut=True))
    streamer.log("t", 2)
    streamer.close()

    assert delivered(api) == [("b", "t", 1), ("b", "t", 2)]


def test_retry_after_is_honoured(make, api):
    streamer = make(max_wait=0)
    streamer.log("t", 0)
    api.wait_for_events(1)
    api.script(Reply(429, headers={"Retry-After": "1"}))
    streamer.log("t", 1)
    api.wait_for_events(2)

    refused, taken = api.requests_to("/events")[1:]
    assert taken.at - refused.at >= 1


def test_a_time_to_wait_that_is_longer_than_close_has_ends_in_the_file_at_once(make, api, spool):
    api.always(Reply(429, headers={"Retry-After": "3000"}))
    streamer = make()
    log_all(streamer)

    assert streamer.close(timeout=50).kept == 25
    assert len(api.requests) == 1


def test_a_spent_rate_limit_is_waited_out(make, api):
    streamer = make(buffer_size=1, max_wait=0)
    streamer.log("t", 0)
    api.wait_for_events(1)
    # By the server's own clock, which tells whole seconds: two of them, or one when the second has just changed.
    reset = str(int(time.time()) + 2)
    api.always(Reply(204, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}))
    streamer.log("t", 1)
    api.wait_for_events(2)
    streamer.log("t", 2)
    api.wait_for_events(3)

    earlier, later = api.requests_to("/events")[1:]
    assert later.at - earlier.at > 0.9


# --- refused for good ----------------------------------------------------------------------------------------


def test_one_bad_event_does_not_take_others_with_it(make, api, spool, assert_balance, caplog):
    api.refuse_streams({"bad"})
    sent = [("b", "bad" if n == 7 else "t", n) for n in range(20)]
    streamer = make(buffer_size=20)
    log_all(streamer, sent)
    stats = streamer.close()

    assert (stats.delivered, stats.refused, stats.kept) == (19, 1, 0)
    assert in_file(spool, refused=True) == [("b", "bad", 7)]
    assert "an event of bucket 'b' is refused" in caplog.text
    assert_balance(sent)


def test_a_batch_that_is_too_large_goes_in_parts(make, api):
    api.judge = lambda events: Reply(413) if len(events) > 4 else None
    streamer = make(buffer_size=30)
    log_all(streamer)
    streamer.close()

    assert delivered(api) == EVENTS


def test_a_batch_beyond_the_servers_limit_is_cut_without_asking(make, api, monkeypatch):
    monkeypatch.setattr(posting, "MAX_BODY", 500)
    streamer = make(buffer_size=30)
    log_all(streamer)
    streamer.close()

    assert delivered(api) == EVENTS
    assert all(len(request.body) <= 500 for request in api.requests)


def test_events_of_a_bucket_that_was_removed_are_kept_as_refused(make, api, spool, assert_balance):
    api.script(BUCKET_REMOVED)
    streamer = make()
    log_all(streamer)
    streamer.flush()
    streamer.set_bucket("", "other")
    streamer.log("t", 99)
    stats = streamer.close()

    assert (stats.delivered, stats.refused) == (1, 25)
    assert in_file(spool, refused=True) == EVENTS
    assert_balance([*EVENTS, ("other", "t", 99)])
    assert len(api.requests_to("/buckets")) == 2


# --- from run to run -----------------------------------------------------------------------------------------


def test_the_next_streamer_sends_what_the_last_one_left_and_first(make, api, spool):
    api.always(503)
    with make(bucket_name="Home") as streamer:
        log_all(streamer)
    api.always(None)
    with make(bucket_key="new") as streamer:
        streamer.log("t", 99)

    assert delivered(api) == [*EVENTS, ("new", "t", 99)]
    assert api.buckets["b"] == "Home"
    assert in_file(spool) == []


def test_it_is_sent_even_if_nothing_is_logged(make, api):
    api.always(503)
    with make() as streamer:
        log_all(streamer)
    api.always(None)
    make()

    api.wait_for_events(25)


def test_another_account_does_not_send_it(make, api, spool):
    api.always(503)
    with make() as streamer:
        log_all(streamer)
    api.always(None)
    with make(access_key="another") as streamer:
        pass

    assert delivered(api) == []
    assert in_file(spool) == EVENTS
    assert ACCESS_KEY.encode() not in spool.read_bytes()


def test_without_a_file_what_is_left_is_counted_and_said(make, api, caplog, somewhere):
    api.always(503)
    streamer = make(spool=None)
    log_all(streamer)
    stats = streamer.close()

    assert (stats.kept, stats.dropped) == (0, 25)
    assert "25 events are lost" in caplog.text
    assert list(somewhere.iterdir()) == []


def test_two_streamers_on_one_file_share_it(api, spool):
    api.always(503)
    streamers = [Streamer(bucket_key=f"b{n}", access_key=ACCESS_KEY, url=api.url, max_pending=20) for n in range(2)]
    sent = [(f"b{n}", "t", value) for n in range(2) for value in range(500)]

    def work(n):
        for value in range(500):
            streamers[n].log("t", value)
        if n == 1:
            api.always(None)
        streamers[n].close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(delivered(api) + in_file(spool)) == sorted(sent)


# --- the bound on memory -------------------------------------------------------------------------------------


def test_what_memory_cannot_hold_goes_to_the_file_and_keeps_its_place(make, api, spool):
    api.always(503)
    streamer = make(max_pending=100)
    for n in range(1050):
        streamer.log("t", n)
        assert len(streamer.LogQueue) <= 100
    assert len(in_file(spool)) >= 900
    api.always(None)

    api.wait_for_events(1050)
    assert [value for _, _, value in delivered(api)] == list(range(1050))


def test_a_file_that_is_full_drops_the_newest_and_says_so(make, api, spool, caplog, monkeypatch):
    monkeypatch.setattr("mqttbridge.client.streamer.Leftovers", lambda path: leftovers(path, 16 * 4096))
    from mqttbridge.client.leftovers import Leftovers as leftovers  # noqa: N813, PLC0415  # the real one

    api.always(503)
    streamer = make(max_pending=20)
    for n in range(2000):
        streamer.log("t", n)
    stats = streamer.close()

    assert stats.dropped > 0
    assert stats.kept + stats.dropped == 2000
    assert in_file(spool) == [("b", "t", n) for n in range(stats.kept)]
    assert "events are dropped from now on, the newest first" in caplog.text
    assert "is full" in caplog.text


def test_a_directory_that_cannot_be_written_is_said_at_once(make, caplog):
    make(spool="/proc/mqttbridge/unsent.db")

    assert "cannot be written: name another file" in caplog.text


def test_a_damaged_file_is_set_aside(make, api, spool, caplog):
    spool.write_bytes(b"not a database" * 1000)
    with make() as streamer:
        streamer.log("t", 1)
        api.always(503)
        streamer.log("t", 2)

    assert "was damaged; it is now" in caplog.text
    assert len(list(spool.parent.glob("*.damaged-*"))) == 1
    assert len(delivered(api)) + len(in_file(spool)) == 2


def test_a_fault_of_ours_keeps_everything(make, api, spool, monkeypatch, caplog):
    monkeypatch.setattr(posting.EventsApi, "send", lambda *_: 1 / 0)
    streamer = make(max_wait=0)
    streamer.log("t", 1)
    eventually(lambda: "delivery has ended by a fault" in caplog.text, what="the fault is said")
    streamer.log("t", 2)
    stats = streamer.close()

    assert stats.kept == 2
    assert in_file(spool) == [("b", "t", 1), ("b", "t", 2)]


def test_trouble_is_said_once_and_so_is_its_end(make, api, caplog):
    caplog.set_level(logging.WARNING)
    api.always(503)
    streamer = make(max_wait=0)
    log_all(streamer)
    api.wait_for_requests(5)
    api.always(None)
    api.wait_for_events(25)
    streamer.close()

    assert caplog.text.count("events wait: 503") == 1
    assert caplog.text.count("events are delivered again") == 1


def test_a_server_that_comes_up_late_gets_everything(make, free_api_port):
    streamer = make(url=f"http://127.0.0.1:{free_api_port}", max_wait=0)
    log_all(streamer)
    eventually(lambda: streamer.stats().trouble, what="nobody there")
    with FakeEventsApi(ACCESS_KEY, port=free_api_port) as late:
        late.wait_for_events(25)
        assert delivered(late) == EVENTS
        streamer.close()


def test_long_texts_count_by_their_length(make, api, spool, monkeypatch):
    monkeypatch.setattr(pending, "_MAX_TEXT", 10_000)
    api.always(503)
    streamer = make(max_wait=0)
    for n in range(30):
        streamer.log("t", f"{n:02}" + "x" * 998)
        assert sum(len(value) for _, _, value, _ in streamer.LogQueue) <= 10_000
    assert len(in_file(spool)) >= 20
    api.always(None)
    streamer.log("n", 1)

    api.wait_for_events(31)
    assert [value[:2] for _, stream, value in delivered(api) if stream == "t"] == [f"{n:02}" for n in range(30)]
