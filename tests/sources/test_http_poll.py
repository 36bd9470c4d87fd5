"""The poll source: what it asks, when, and what becomes of each answer."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mqttbridge.config.model import Config
from mqttbridge.config.mqtt import RetainedPolicy
from mqttbridge.config.sources import HttpPollConfig
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.events import Position
from mqttbridge.ingest import Ingest
from mqttbridge.mapping import Rulebook
from mqttbridge.metrics import Metrics
from mqttbridge.sources.frames import OVERSIZED
from mqttbridge.sources.http_poll import HttpPollSource
from mqttbridge.spool import Spool
from tests.support.fake_api import FakeApi, RawServer, weather
from tests.support.fake_events_api import Reply
from tests.support.memory_spool import FakeTime
from tests.support.tls import issue

CITIES = {"sf": {"q": "San Francisco"}, "nowhere": {"q": "Atlantis"}, "fresno": {"q": "Fresno"}}
OPEN_WEATHER = {"params": {"units": "imperial"}, "targets": CITIES, "auth": {"query": {"appid": "right-key"}}}


class Bench:
    """A source whose clock only the test moves."""

    def __init__(self, url: str, **options: Any) -> None:
        self.time = FakeTime(1_700_000_000.0)
        self.metrics = Metrics()
        config = HttpPollConfig.model_validate({"type": "http_poll", "url": url, "jitter": 0, **options})
        self.source = HttpPollSource("weather", config, self.metrics, clock=self.time, wall=self.time, luck=lambda: 0.5)

    def round(self, seconds: float = 0.0, acknowledge: bool = True) -> list[tuple[bytes, bytes, int]]:
        """Everything that is due after so many seconds."""
        self.time.now += seconds
        messages: list[tuple[bytes, bytes, int]] = []
        while self.source._schedule.next()[1] <= self.time.now:
            messages += self.source.poll(0)
            if not acknowledge:
                return messages
            self.source.acknowledge()
        assert self.source.poll(0) == []
        return messages

    def polls(self, outcome: str) -> float:
        return self.metrics.polls.value(source="weather", outcome=outcome)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def bench(api: FakeApi) -> Iterator[Any]:
    made: list[Bench] = []

    def make(url: str | None = None, **options: Any) -> Bench:
        made.append(Bench(url or api.url, **options))
        return made[-1]

    yield make
    for one in made:
        one.source.close()


# --- what is asked, and when ----------------------------------------------------------------------------


def test_each_target_is_asked_with_its_parameters_and_answers_on_its_topic(api, bench):
    api.respond = weather
    messages = bench(**OPEN_WEATHER).round()

    assert [(topic, json.loads(payload)["name"]) for topic, payload, _ in messages] == [
        (b"http/weather/sf", "San Francisco"),
        (b"http/weather/fresno", "Fresno"),
    ]
    assert api.asked()[0] == {"units": "imperial", "q": "San Francisco", "appid": "right-key"}


def test_one_url_without_targets_has_a_topic_of_its_own(api, bench):
    api.always(Reply(200, "[1]"))
    assert bench().round() == [(b"http/weather", b"[1]", 0)]


def test_the_topic_can_be_chosen(api, bench):
    (message, *_) = bench(topic="api/{target}/{source}/now", targets={"a": {}, "b": {}}).round()
    assert message[0] == b"api/a/weather/now"


def test_a_target_is_asked_again_when_its_time_has_come_and_missed_rounds_are_left_out(api, bench):
    one = bench(every="30s")
    assert len(one.round()) == 1
    assert one.round(29.9) == []
    assert len(one.round(0.1)) == 1
    assert len(one.round(95)) == 1  # at 125 s: those at 60, 90 and 120 have become one
    assert one.round(24.9) == []
    assert len(one.round(0.1)) == 1


def test_jitter_delays_each_request(api, bench):
    one = bench(every="30s", jitter="4s")  # luck is 0.5
    assert one.round() == []
    assert len(one.round(2)) == 1
    assert one.round(29.9) == []
    assert len(one.round(0.1)) == 1


def test_headers_and_authentication_are_sent(api, bench):
    bench(headers={"X-Kind": "a"}, auth={"bearer": "b-token", "headers": {"X-Key": "k"}}).round()
    bench(auth={"username": "me", "password": "pw"}, params={"flag": True, "n": 3}).round()

    first, second = (request.headers for request in api.requests)
    assert (first["X-Kind"], first["X-Key"], first["Authorization"]) == ("a", "k", "Bearer b-token")
    assert second["Authorization"] == "Basic " + base64.b64encode(b"me:pw").decode()
    assert api.asked()[1] == {"flag": "true", "n": "3"}


def test_over_tls_only_a_certificate_that_is_trusted_is_spoken_to(bench, tmp_path, monkeypatch):
    certificates = issue(tmp_path)
    with FakeApi(certificates=certificates) as api:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.other_ca))
        stranger = bench(api.url, auth={"bearer": "token"})
        assert stranger.round() == []
        assert "certificate verify failed" in stranger.source.status.detail
        assert api.requests == []

        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca))
        known = bench(api.url, auth={"bearer": "token"}, every="30s")
        assert len(known.round()) == len(known.round(30)) == 1
        assert api.connections == 1  # kept for the next request


# --- what is known already ------------------------------------------------------------------------------


def test_validators_are_sent_back_and_an_unchanged_answer_is_no_message(api, bench):
    api.script(Reply(200, "{}", {"ETag": '"v1"', "Last-Modified": "Tue, 14 Nov 2023 22:13:20 GMT"}))
    api.always(Reply(304, headers={"Content-Length": "2"}))  # the length that the body would have
    one = bench(every="30s")

    assert len(one.round()) == 1
    assert one.round(30) == []
    assert api.requests[1].headers["If-None-Match"] == '"v1"'
    assert api.requests[1].headers["If-Modified-Since"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert (one.polls("message"), one.polls("unchanged"), one.source.status.unchanged) == (1, 1, 1)


def test_an_answer_counts_as_known_only_once_it_is_stored(api, bench):
    api.always(Reply(200, "{}", {"ETag": '"v1"'}))
    one = bench(every="30s")
    assert len(one.round(acknowledge=False)) == 1
    one.time.now += 30
    assert one.source.poll(0) == []  # nothing is asked while an answer waits for its commit
    assert len(api.requests) == 1

    one.source._unstored = None  # the commit never came
    one.round()
    assert "If-None-Match" not in api.requests[1].headers


# --- failures -------------------------------------------------------------------------------------------


def test_a_city_that_is_not_found_is_a_failure_of_its_own_and_the_others_go_on(api, bench, caplog):
    api.respond = weather
    one = bench(**OPEN_WEATHER, every="1m")
    one.round()
    assert one.source.status.failing == {
        "nowhere": '404 Not Found (it said "{"cod":"404","message":"city not found"}")'
    }
    assert (one.source.status.state, one.source.status.messages, one.source.status.failed) == ("failing", 2, 1)
    assert one.polls("failed") == 1
    one.round(60)
    assert len([r for r in caplog.records if "'nowhere' fails" in r.message]) == 1  # once a change, not once a poll

    api.respond = lambda query: weather(query | {"q": "Fresno"})
    one.round(60)
    assert (one.source.status.state, one.source.status.failing) == ("ok", {})


def test_an_error_that_comes_with_status_200_is_told_by_what_is_expected(api, bench):
    api.script(
        Reply(200, '{"cod":"404","message":"city not found"}'), Reply(200, "<html>"), Reply(200, '{"cod": "200"}')
    )
    one = bench(expect={"cod": 200}, every="1h")

    assert one.round() == []
    assert "expected cod to be 200, found 404" in one.source.status.detail
    assert "city not found" in one.source.status.detail
    assert one.round(60) == []
    assert "the answer is not JSON" in one.source.status.detail
    assert one.round(60) == [(b"http/weather", b'{"cod": "200"}', 0)]


def test_pauses_grow_with_failures_up_to_their_bound(api, bench):
    api.always(500)
    one = bench(every="1s", retry={"min": "4s", "max": "10s"})
    pauses = []
    for _ in range(4):
        one.round()
        pauses.append(one.source._schedule.next()[1] - one.time.now)
        one.time.now += pauses[-1]
    assert pauses == [3.0, 6.0, 7.5, 7.5]  # three quarters, luck being 0.5


def test_too_many_requests_make_every_target_wait_as_long_as_the_server_asks(api, bench):
    api.script(Reply(429, "slow down", {"Retry-After": "120"}))
    one = bench(targets={"a": {}, "b": {}}, every="10s")
    one.round()
    assert len(api.requests) == 1
    assert one.round(119) == []
    assert {topic for topic, _, _ in one.round(1)} == {b"http/weather/a", b"http/weather/b"}
    assert one.source.status.state == "ok"


def test_a_target_that_always_fails_for_all_does_not_keep_the_others_from_their_turn(api, bench):
    api.respond = lambda query: Reply(403) if query["n"] == "a" else Reply(200, "{}")
    one = bench(targets={"a": {"n": "a"}, "b": {"n": "b"}}, every="10s")
    heard = [message for _ in range(100) for message in one.round(1)]
    assert len(heard) >= 8  # of 10 in so many seconds


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(cut=True), "no answer"),
        (Reply(200, "{}", {"Content-Length": "1000"}), "no answer within 0.5 s"),
        (Reply(200, "{}", {"Content-Length": "1000", "Connection": "close"}), "no answer: "),
        (Reply(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"}), "compressed"),
        (Reply(302, "", {"Location": "http://127.0.0.2:1/"}), "put the target into `url`"),
        (Reply(418, "\x00\x1b[31m"), "418 I'm a Teapot"),
    ],
    ids=["cut", "held back", "too short", "compressed", "redirect to another host", "another status"],
)
def test_what_is_no_answer_is_a_failure_in_words(api, bench, reply, words):
    api.script(reply)
    one = bench(timeout="500ms")
    assert one.round() == []
    assert words in one.source.status.detail
    assert one.source.status.detail.isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 99999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
        b"HTTP/1.1 302 X\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 X\r\nLocation: http://h:port/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 X\r\nLocation: \xff\xfe\x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 X\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_bytes_that_are_no_sound_answer_never_end_the_loop(bench, answer):
    with RawServer(answer, for_ever=False) as server:
        one = bench(server.url, timeout="2s")
        assert one.round() == []
        assert one.source.status.state == "failing"
        assert one.source.status.detail.isprintable()


def test_nobody_listening_is_a_failure_in_words(bench):
    one = bench("http://127.0.0.1:9/")
    assert one.round() == []
    assert "Connection refused" in one.source.status.detail


def test_redirects_are_followed_within_the_host_but_not_for_ever(api, bench):
    api.script(Reply(301, "", {"Location": "/api/elsewhere?x=1"}))
    api.always(Reply(200, "{}"))
    assert len(bench(auth={"bearer": "t"}).round()) == 1
    assert api.requests[1].path == "/api/elsewhere"
    assert api.requests[1].headers["Authorization"] == "Bearer t"

    asked = len(api.requests)
    api.always(Reply(301, "", {"Location": "/api"}))
    one = bench()
    assert one.round() == []
    assert len(api.requests) - asked == 4
    assert "more than 3 redirects" in one.source.status.detail


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["header", "body"])
def test_an_answer_that_trickles_in_ends_with_the_timeout(bench, beginning):
    with RawServer(beginning) as server:
        one = bench(server.url, timeout="200ms")
        assert one.round() == []
        assert one.source.status.detail == "no answer within 0.2 s"


def test_a_stop_ends_a_request_that_is_under_way(bench):
    with RawServer(b"HTTP/1.1 200 OK\r\n\r\n") as server:
        one = bench(server.url, timeout="50s")
        asking = threading.Thread(target=one.source.poll, args=(0,))
        asking.start()
        assert server.connected.wait(10)
        one.source.wake()
        asking.join(10)
        assert not asking.is_alive()
        assert one.source.status.state == "starting"  # a stop is no failure


def test_secrets_are_in_no_log_and_in_no_status(api, bench, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = ["q-sécret/1", "h-secret", "t-secret"]
    api.respond = lambda query: Reply(500, " ".join([*secrets, "q-s%C3%A9cret/1", "q-s%C3%A9cret%2F1"]))
    auth = {"query": {"appid": secrets[0]}, "headers": {"X-Key": secrets[1]}, "bearer": secrets[2]}
    one = bench(auth=auth)
    one.round()
    dead = bench("http://127.0.0.1:9/?page=1", auth=auth)
    dead.round()

    shown = caplog.text + repr(one.source.status) + repr(dead.source.status)
    assert "***" in one.source.status.detail
    assert not [secret for secret in [*secrets, "s%C3%A9cret", "page=1"] if secret in shown]


def test_a_secret_is_masked_before_what_the_api_says_is_cut(api, bench):
    api.always(Reply(500, "x" * 190 + "the-whole-secret"))
    one = bench(auth={"bearer": "the-whole-secret"})
    one.round()
    assert "the-w" not in one.source.status.detail
    assert "***" in one.source.status.detail


# --- into the spool -------------------------------------------------------------------------------------

RULES = {
    "models": {"Weather": {"temp": {"type": "float", "le": 130, "path": "main.temp"}, "dt": {"type": "int"}}},
    "rules": [
        {"topic": "http/weather/{city}", "model": "Weather", "bucket": "weather", "stream": "{city}.{field}"},
        {"topic": "http/big", "bucket": "b", "stream": "s"},
    ],
    "destinations": {"a": {"type": "embedded"}},
}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool.db", SpoolConfig(), Metrics(), ("a",))
    yield made
    made.close()


def test_answers_go_through_rules_and_models_into_the_spool_and_are_counted_like_messages(api, bench, spool):
    api.respond = weather
    api.script(Reply(200, '{"main": {"temp": 451}, "dt": 1}'))  # for San Francisco
    one = bench(**OPEN_WEATHER)
    book = Rulebook(Config.model_validate(RULES))
    ingest = Ingest(one.source, book, spool, one.metrics, retained=RetainedPolicy.ACCEPT, kind="http_poll")
    for _ in CITIES:
        ingest.step(0)

    reader = spool.reader("a")
    events = [event[:3] for row in reader.read(Position(0, 0), 100) for event in row.events]
    reader.close()
    assert events == [("weather", "fresno.temp", 93.4), ("weather", "fresno.dt", 1700000000)]
    assert [(row.reason, row.topic) for row in spool.rejected_rows()] == [("validation", "http/weather/sf")]
    assert one.metrics.received.value(source="http_poll") == one.metrics.matched.total() == 2
    assert one.source.status.failing.keys() == {"nowhere"}


def test_an_answer_over_the_limit_is_rejected_and_kept_cut(api, bench, spool):
    api.always(Reply(200, "x" * 5000, {"ETag": '"big"'}))
    one = bench(max_size="2KiB", topic="http/big")
    book = Rulebook(Config.model_validate(RULES))
    Ingest(one.source, book, spool, one.metrics, retained=RetainedPolicy.ACCEPT).step(0)

    (row,) = spool.rejected_rows()
    assert (row.reason, len(row.payload)) == ("payload_too_large", 1024)
    assert one.round(60)[0][2] == OVERSIZED
    assert "If-None-Match" not in api.requests[1].headers
