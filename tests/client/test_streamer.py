"""Streamer's interface: that of Initial State's own client, and what it does better."""

import enum
import gc
import logging
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from mqttbridge import Streamer
from tests.support.fake_events_api import ACCESS_KEY, FakeEventsApi
from tests.support.unsent import delivered, in_file

ROOT = Path(__file__).resolve().parents[2]


# --- batches -------------------------------------------------------------------------------------------------


def test_a_batch_goes_out_when_it_is_full_and_not_one_event_later(make, api):
    streamer = make(max_wait=60)
    for n in range(10):
        streamer.log("t", n)

    api.wait_for_events(10)

    assert delivered(api) == [("b", "t", n) for n in range(10)]
    assert len(api.requests_to("/events")) == 1


def test_a_batch_that_is_not_full_goes_out_after_max_wait(make, api):
    make(max_wait=0.05).log("t", 21.5)

    api.wait_for_events(1)


def test_what_was_logged_before_keeps_its_bucket(make, api):
    streamer = make(bucket_name="First", bucket_key="one")
    streamer.log("key1", "starting")
    streamer.set_bucket("Second", "two")
    streamer.log("key1", "starting")
    streamer.close()

    assert delivered(api) == [("one", "key1", "starting"), ("two", "key1", "starting")]
    assert api.buckets == {"one": "First", "two": "Second"}


def test_a_bucket_is_created_before_its_events_and_even_without_any(make, api):
    streamer = make(bucket_name="Home", bucket_key="home")
    api.wait_for_requests(1)
    streamer.set_bucket("Empty", "empty")
    streamer.log("t", 1)
    streamer.close()

    assert [request.path for request in api.requests] == ["/api/buckets", "/api/buckets", "/api/events"]
    assert api.buckets == {"home": "Home", "empty": "Empty"}


def test_without_a_key_each_bucket_gets_a_random_one(make):
    first, second = make(bucket_key=""), make(bucket_key="")

    assert re.fullmatch(r"[0-9a-f-]{36}", first.BucketKey)
    assert first.BucketKey != second.BucketKey


def test_a_request_says_what_the_api_asks_for(make, api):
    make(bucket_key="b").log("t", 1, 1_700_000_000.25)
    api.wait_for_requests(1)
    (request,) = api.requests_to("/buckets")

    assert request.headers["X-IS-AccessKey"] == ACCESS_KEY
    assert request.headers["X-IS-BucketKey"] == "b"
    assert request.headers["Accept-Version"] == "<=0.0.4"
    assert request.headers["Content-Type"] == "application/json"


def test_events_of_many_threads_all_arrive(make, api):
    streamer = make(buffer_size=7)
    threads = [threading.Thread(target=lambda n=n: [streamer.log(f"s{n}", i) for i in range(500)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    streamer.close()

    for n in range(8):
        assert [value for _, stream, value in delivered(api) if stream == f"s{n}"] == list(range(500))


def test_flush_sends_what_is_there_and_says_so(make, api):
    streamer = make(max_wait=60)
    streamer.log("t", 1)

    assert streamer.flush() is True
    assert delivered(api) == [("b", "t", 1)]


def test_flush_comes_back_when_the_server_takes_nothing(make, api):
    api.always(503)
    streamer = make(max_wait=60)
    streamer.log("t", 1)

    assert streamer.flush() is False
    api.always(None)
    api.wait_for_events(1)


def test_without_async_log_returns_when_the_batch_is_out(make, api):
    streamer = make(use_async=False, buffer_size=3, max_wait=60)
    for n in range(3):
        streamer.log("t", n)

    assert len(api.events) == 3


def test_log_and_close_never_wait_for_a_server_that_hangs(spool):
    with socket.create_server(("127.0.0.1", 0)) as server:
        streamer = Streamer(bucket_key="b", url=f"http://127.0.0.1:{server.getsockname()[1]}", buffer_size=1)
        connection, _ = server.accept()
        with connection:
            connection.recv(1)  # the request is under way, and is never answered
            for n in range(100):
                streamer.log("t", n)
            assert len(streamer.LogQueue) == 100
            stats = streamer.close(timeout=0.05)

    assert (stats.kept, stats.trouble) == (100, "the server did not answer in time")
    assert in_file(spool) == [("b", "t", n) for n in range(100)]


# --- values --------------------------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (True, True),
        (0, 0),
        (-(2**63), -(2**63)),
        (1.5, 1.5),
        ("", ""),
        ("grün", "grün"),
        (Decimal("1.25"), 1.25),
        (Colour.RED, "red"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    ],
)
def test_values_arrive_as_what_they_are(make, api, value, sent):
    streamer = make()
    streamer.log("s", value)
    streamer.close()

    ((_, _, found),) = delivered(api)
    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (float("nan"), ValueError, "'s': nan is not a finite number"),
        (float("-inf"), ValueError, "'s': -inf is not a finite number"),
        (Decimal("1e999"), ValueError, "not a finite number"),
        (2**63, ValueError, "does not fit into 64 bits"),
        ("x" * 2001, ValueError, "2001 characters, at most 2000"),
        ("\ud800", ValueError, "half a surrogate pair"),
        (None, TypeError, "a NoneType is no number, boolean or text"),
        ([1], TypeError, "a list is no number"),
        (b"1", TypeError, "a bytes is no number"),
        (object(), TypeError, "a object is no number"),
        pytest.param(10**5000, ValueError, "does not fit", id="huge"),
    ],
)
def test_what_could_never_be_delivered_is_refused_at_once(make, value, error, words):
    streamer = make()

    with pytest.raises(error, match=re.escape(words)):
        streamer.log("s", value)
    assert not streamer.LogQueue


@pytest.mark.parametrize(
    ("key", "error"),
    [("", ValueError), ("k" * 251, ValueError), ("\udfff", ValueError), (None, TypeError), (b"k", TypeError)],
)
def test_a_name_that_no_stream_can_have_is_refused(make, key, error):
    with pytest.raises(error, match="a stream's name"):
        make().log(key, 1)


def test_names_that_are_numbers_become_text(make, api):
    streamer = make()
    streamer.log(7, 1)
    streamer.log(":thermometer: Küche", 2)
    streamer.close()

    assert delivered(api) == [("b", "7", 1), ("b", ":thermometer: Küche", 2)]


@pytest.mark.parametrize("key", ["a:b", 'a"b', "a'b", "k" * 251, "a\nb", " a", "\ud800"])
def test_a_bucket_key_that_the_api_does_not_have_is_refused(make, key):
    streamer = make()

    with pytest.raises(ValueError, match="bucket_key"):
        streamer.set_bucket("n", key)
    assert streamer.BucketKey == "b"


def test_a_time_of_ones_own_is_kept(make, api):
    streamer = make()
    streamer.log("t", 1, 0)
    streamer.log("t", 2, epoch=1_700_000_000.123456)
    streamer.log("t", 3, datetime(2026, 1, 1, tzinfo=UTC))
    streamer.close()

    assert [event.epoch for event in api.events] == [0, 1_700_000_000.123456, 1_767_225_600.0]


@pytest.mark.parametrize("epoch", ["yesterday", 1_700_000_000_000, float("nan"), [], pytest.param(10**5000, id="huge")])
def test_a_time_that_is_none_becomes_the_present_and_is_said(make, api, caplog, epoch):
    before = time.time()
    streamer = make()
    streamer.log("t", 1, epoch)
    streamer.log("t", 2, epoch)
    streamer.close()

    assert all(before <= event.epoch <= time.time() for event in api.events)
    assert caplog.text.count("is no time in seconds") == 1


# --- the end -------------------------------------------------------------------------------------------------


def test_close_delivers_and_says_how_it_ended(make, api):
    streamer = make()
    for n in range(25):
        streamer.log("t", n)
    stats = streamer.close()

    assert (stats.delivered, stats.waiting, stats.kept, stats.refused, stats.dropped) == (25, 0, 0, 0, 0)
    assert streamer.IsClosed
    assert streamer.close() is None


def test_a_tidy_run_leaves_no_file(make, spool):
    with make() as streamer:
        streamer.log("t", 1)

    assert not spool.exists()


def test_a_streamer_that_was_closed_may_be_used_again(make, api):
    streamer = make()
    for n in range(3):
        streamer.log("t", n)
        streamer.close()

    assert delivered(api) == [("b", "t", 0), ("b", "t", 1), ("b", "t", 2)]
    assert [thread.name for thread in threading.enumerate()].count("mqttbridge-streamer") == 0


def test_a_streamer_that_is_forgotten_delivers_all_the_same(make, api):
    streamer = Streamer(bucket_key="b", access_key=ACCESS_KEY, url=api.url)
    streamer.log("t", 1)
    del streamer
    gc.collect()

    assert delivered(api) == [("b", "t", 1)]


def test_a_program_that_ends_without_close_delivers_all_the_same(api):
    run(f"""
        from mqttbridge import Streamer
        streamer = Streamer(bucket_key="b", access_key={ACCESS_KEY!r}, url={api.url!r})
        streamer.log("t", 1)
    """)

    assert delivered(api) == [("b", "t", 1)]


def test_a_program_that_ends_while_the_server_is_away_leaves_its_events_and_says_where(spool):
    done = run("""
        from mqttbridge import Streamer
        Streamer(bucket_key="b", url="http://127.0.0.1:1").log("t", 1)
    """)

    assert in_file(spool) == [("b", "t", 1)]
    assert "1 events are not delivered" in done.stderr
    assert f"mqttbridge spool replay {spool}" in done.stderr


def test_a_forked_child_sends_its_own_events_and_none_of_its_parents(api):
    run(f"""
        import os
        from mqttbridge import Streamer
        streamer = Streamer(bucket_key="b", access_key={ACCESS_KEY!r}, url={api.url!r}, max_wait=60)
        streamer.log("parent", 1)
        child = os.fork()
        streamer.log("child" if child == 0 else "parent", 2)
        if child == 0:
            streamer.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        streamer.close()
    """)

    assert sorted(delivered(api)) == [("b", "child", 2), ("b", "parent", 1), ("b", "parent", 2)]


def run(program):
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{textwrap.dedent(program)}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )


# --- what is shown -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", range(11))
def test_no_debug_level_shows_a_key_or_changes_delivery(make, api, capsys, caplog, level):
    caplog.set_level(logging.DEBUG)
    api.script(*bad_replies())
    streamer = make(debug_level=level)
    streamer.log("temperature", 21.5)
    streamer.close()

    shown = capsys.readouterr().out + caplog.text + repr(streamer) + repr(vars(streamer)["_shipper"])
    assert ACCESS_KEY not in shown
    assert ("temperature 21.5" in shown) == (level >= 1)
    assert ("POST http" in shown.replace("Starting new HTTP", "")) == (level >= 2)
    assert delivered(api) == [("b", "temperature", 21.5)]


def bad_replies():
    from tests.support.fake_events_api import Reply  # noqa: PLC0415

    return [Reply(503, f"no {ACCESS_KEY} here"), Reply(cut=True)]


def test_an_access_key_that_cannot_be_one_is_refused_without_being_shown():
    with pytest.raises(ValueError, match="access_key") as refused:
        Streamer(access_key="secret\nkey", url="http://127.0.0.1:1")
    assert "secret" not in str(refused.value)


def test_a_time_that_no_calendar_has_is_shown_and_sent(make, api, capsys):
    with make(debug_level=1) as streamer:
        streamer.log("t", 1, -9e10)

    assert "-90000000000.000000: t 1" in capsys.readouterr().out
    assert [event.epoch for event in api.events] == [-9e10]


def test_a_streamer_that_cannot_be_made_leaves_no_thread():
    with pytest.raises(ValueError, match="bucket_key"):
        Streamer(bucket_key="a:b", url="http://127.0.0.1:1")

    assert "mqttbridge-streamer" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("url", ["groker.init.st", "ftp://x", "http://", "http://x?y=1", "http://user:pw@x"])
def test_a_url_that_cannot_be_one_is_refused(url):
    with pytest.raises(ValueError, match="url must"):
        Streamer(url=url)


# --- what programs touch -------------------------------------------------------------------------------------


def test_the_attributes_of_the_original_are_there(make, api):
    streamer = make(bucket_name="Home", buffer_size=5, debug_level=0)

    assert (streamer.BucketKey, streamer.BucketName, streamer.AccessKey) == ("b", "Home", ACCESS_KEY)
    assert (streamer.BufferSize, streamer.DebugLevel, streamer.ApiVersion) == (5, 0, "<=0.0.4")
    assert (streamer.IsClosed, streamer.Offline, streamer.Async) == (False, False, True)
    assert streamer.StreamApiBase == api.url.removesuffix("/api")
    streamer.log("t", 1)
    assert len(streamer.LogQueue) == 1


def test_the_attributes_may_be_set(make, api):
    with FakeEventsApi() as other:
        streamer = make(buffer_size=100, max_wait=60)
        streamer.log("t", 1)
        streamer.BucketKey, streamer.BucketName = "c", "Cellar"
        streamer.BufferSize, streamer.DebugLevel = 1, 0
        streamer.log("t", 2)
        api.wait_for_events(2)
        streamer.AccessKey = "another"
        streamer.StreamApiBase = other.url
        streamer.log("t", 3)
        streamer.close()

        assert delivered(api) == [("b", "t", 1), ("c", "t", 2)]
        assert delivered(other) == [("c", "t", 3)]
        assert other.requests[0].headers["X-IS-AccessKey"] == "another"
        assert other.buckets == {"c": "Cellar"}


def test_it_is_made_by_the_environment(api):
    environ = {
        "STREAMER_URL": api.url,
        "STREAMER_ACCESS_KEY": ACCESS_KEY,
        "STREAMER_BUCKET_KEY": "env",
        "STREAMER_BUCKET_NAME": "Environment",
        "STREAMER_BUFFER_SIZE": "3",
    }
    with Streamer.from_env(environ, bucket_key="argument") as streamer:
        streamer.log("t", 1)
        assert streamer.BufferSize == 3

    assert delivered(api) == [("argument", "t", 1)]
    assert api.buckets == {"argument": "Environment"}
    with pytest.raises(ValueError, match="STREAMER_BUFFER_SIZE is a number"):
        Streamer.from_env({"STREAMER_BUFFER_SIZE": "many"})


@pytest.mark.parametrize("wrong", [{"buffer_size": 0}, {"max_wait": -1}, {"timeout": 0}, {"max_pending": 0}])
def test_sizes_and_times_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        Streamer(url="http://127.0.0.1:1", **wrong)


# --- offline -------------------------------------------------------------------------------------------------


def test_offline_mode_writes_rows_behind_those_of_earlier_runs(somewhere, api):
    for n in range(2):
        with Streamer(offline=True, url=api.url) as streamer:
            streamer.log("t", n, 1_700_000_000.5)
            streamer.log_object({"a": True})
            assert streamer.flush()

    rows = (somewhere / "isstreamer_out.csv").read_text().splitlines()
    assert [row.split(",")[1:] for row in rows] == [["t", "0"], ["dict_a", "True"], ["t", "1"], ["dict_a", "True"]]
    assert rows[0] == "1700000000.5,t,0"
    assert api.requests == []


@pytest.mark.parametrize(("named", "found"), [("out", "out.csv"), ("out.csv", "out.csv"), ("a.b", "a.b.csv")])
def test_the_offline_file_has_one_suffix(somewhere, named, found):
    (somewhere / "isstreamer.ini").write_text(
        f"[isstreamer.client_config]\noffline_mode = true\noffline_file = {named}\n"
    )
    streamer = Streamer()
    streamer.log("t", 1, 5)
    streamer.close()

    assert (somewhere / found).read_text() == "5.0,t,1\n"
