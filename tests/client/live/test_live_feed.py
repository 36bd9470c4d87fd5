"""A feed against a real server: a snapshot and then all that comes, once, whatever becomes of the connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mqttbridge.client.live import feed as feeds, subscription as subscriptions
from mqttbridge.client.live.dashboard import Address, Dashboard
from mqttbridge.client.live.sharing import subscribe
from mqttbridge.client.live.subscription import Subscription
from mqttbridge.dashboard import frames
from mqttbridge.delivery.pacing import Backoff
from tests.support.dashboards import Served, serve
from tests.support.fake_api import FakeApi
from tests.support.fake_events_api import Reply
from tests.support.processes import PATIENCE, eventually, free_port


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(feeds, "BACKOFF", Backoff(first=0.05, longest=0.1))
    monkeypatch.setattr(feeds.Feed.__init__, "__defaults__", (feeds.BACKOFF,))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path) as running:
        yield running


@pytest.fixture
def base() -> int:
    return int(time.time()) - 1000


@contextmanager
def looking(
    url: str, *streams: str, bucket: str = "b", token: str = "", backlog: int = 1000, history: float = 3600
) -> Iterator[Looker]:
    subscription = subscribe(Address(url, token), bucket, streams or ("s",), backlog=backlog, history=history)
    try:
        yield Looker(subscription)
    finally:
        subscription.close()


class Looker:
    """Takes what comes, and checks that nothing comes twice."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.values: list = []
        self.wholes = 0

    def take(self) -> list:
        taken = self.subscription.take()
        if taken is not None:
            values = [value for part in taken.columns.get("s", []) for value in part.values]
            self.wholes += taken.whole
            self.values = values if taken.whole else self.values + values
            assert len(self.values) == len(set(self.values))
        return self.values

    def sees(self, expected: list) -> bool:
        return sorted(self.take()) == expected


def push(served: Served, base: int, *numbers: int, bucket: str = "b", stream: str = "s") -> None:
    events = [{"key": stream, "value": n, "epoch": base + n / 10} for n in numbers]
    assert served.push(bucket, *events).status_code == 204


def cut(looker: Looker) -> None:
    """What a router that forgets a connection does."""
    looker.subscription._feed._listener._client._cut()


def test_who_joins_amid_the_flow_misses_nothing_and_sees_nothing_twice(served, base, monkeypatch):
    monkeypatch.setattr(frames, "PLENTY", 300)  # a busy machine gathers more in a frame than it keeps of a series

    def flow():
        for n in range(300):
            push(served, base, n)

    thread = threading.Thread(target=flow)
    with looking(served.url) as first:
        thread.start()
        eventually(lambda: len(first.take()) > 20, what="the flow")
        with looking(served.url) as second:
            thread.join()
            for looker in (first, second):
                eventually(lambda one=looker: one.sees(list(range(300))), what="every value once")
            assert served.dashboard.hub.viewers == 1


def test_all_who_look_at_a_bucket_share_a_connection_and_the_last_to_leave_ends_it(served, base):
    push(served, base, 1, 2)
    push(served, base, 5, bucket="other")
    with looking(served.url) as one, looking(served.url, "s", "t") as two, looking(served.url, bucket="other") as other:
        assert all(looker.subscription.wait(PATIENCE) for looker in (one, two, other))
        assert (one.take(), two.take(), other.take()) == ([1, 2], [1, 2], [5])
        assert served.dashboard.hub.viewers == 2

    eventually(lambda: served.dashboard.hub.viewers == 0, what="nobody looks on")
    eventually(lambda: not [t for t in threading.enumerate() if "live-" in t.name], what="no thread is left")


def test_a_broken_connection_goes_on_where_it_was_without_another_snapshot(served, base, monkeypatch):
    snapshots = []
    real = Dashboard.points
    monkeypatch.setattr(Dashboard, "points", lambda self, *args: snapshots.append(1) or real(self, *args))
    push(served, base, 1)
    with looking(served.url) as looker:
        eventually(lambda: looker.sees([1]), what="the first value")
        for n in range(2, 6):
            cut(looker)
            push(served, base, n)
            eventually(lambda n=n: looker.sees(list(range(1, n + 1))), what="what came meanwhile")
        assert len(snapshots) == 1
        eventually(lambda: looker.subscription.live and not looker.subscription.trouble, what="all is well")


@pytest.mark.parametrize("history", [3600, 1])  # a snapshot reaches back beyond the gap, however little is asked for
def test_a_server_that_was_away_is_asked_for_what_came_meanwhile(tmp_path: Path, base, history, monkeypatch):
    monkeypatch.setattr(feeds, "GAP_MARGIN", 2000)
    listen = {"listen": f"127.0.0.1:{free_port()}"}
    with serve(tmp_path, listen) as served:
        url = served.url
        with looking(url, history=history) as looker:
            assert looker.subscription.wait(PATIENCE)
            push(served, base, 1)
            eventually(lambda: looker.sees([1]), what="the first value")
            served.server.stop()
            eventually(lambda: looker.subscription.trouble, what="it is noticed")
            assert not looker.subscription.live
            served.dashboard.close()
            with serve(tmp_path, listen) as again:
                push(again, base, 2, 3)
                eventually(lambda: looker.sees([1, 2, 3]), what="what came before the connection")
                push(again, base, 4)
                eventually(lambda: looker.sees([1, 2, 3, 4]), what="what came after it")
                assert looker.wholes == 1  # the rest came as it is: new


def test_a_bucket_that_is_not_there_yet_is_waited_for(served, base):
    with looking(served.url) as looker:
        assert looker.subscription.wait(PATIENCE)
        assert looker.take() == []
        push(served, base, 1)
        eventually(lambda: looker.sees([1]), what="its first value")


def test_who_takes_nothing_for_long_finds_the_newest_and_memory_is_bounded(served, base, monkeypatch):
    monkeypatch.setattr(subscriptions, "_MOST_WAITING", 50)
    with looking(served.url, backlog=20) as lazy, looking(served.url, backlog=20) as keen:
        keen.subscription.wait(PATIENCE)
        lazy.take()
        for begin in range(0, 200, 10):
            push(served, base, *range(begin, begin + 10))
            eventually(lambda n=begin: n + 9 in keen.take(), what="the newest")
        assert lazy.take() == list(range(180, 200))
        assert lazy.wholes == 2


def test_one_more_who_wants_more_of_the_past_gets_it(served, base):
    push(served, base, *range(100))
    with looking(served.url, backlog=10) as little:
        assert little.subscription.wait(PATIENCE)
        assert little.take() == list(range(90, 100))
        with looking(served.url, backlog=1000) as more:
            eventually(lambda: more.sees(list(range(100))), what="all of it")


def test_names_of_every_kind_reach_their_buckets(served, base):
    for bucket in ("..", "a/b c?d#e%", "größe"):
        push(served, base, 7, bucket=bucket)
        with looking(served.url, bucket=bucket) as looker:
            eventually(lambda one=looker: one.sees([7]), what=bucket)


def test_who_may_not_read_is_told_so_without_the_token(tmp_path, base):
    http = {"write_keys": ["a-write-key"], "view_tokens": ["a-view-token"]}
    with serve(tmp_path, http) as served:
        with looking(served.url, token="wrong-token") as looker:
            assert not looker.subscription.wait(PATIENCE)
            assert looker.subscription.trouble.startswith("status 401: a token is needed")
        with looking(served.url, token="a-view-token") as looker:
            assert looker.subscription.wait(PATIENCE)


def test_a_server_that_is_no_dashboard_is_no_harm():
    with FakeApi(lambda _: Reply(200, "hello")) as api, looking(api.url) as looker:
        assert not looker.subscription.wait(PATIENCE)
        assert "check url" in looker.subscription.trouble


def test_who_goes_without_a_word_is_let_go(served, base):
    with looking(served.url) as gone, looking(served.url) as looker:
        looker.subscription.wait(PATIENCE)
        gone.subscription.abandon()
        push(served, base, 1)
        eventually(lambda: looker.sees([1]), what="the value")
        eventually(lambda: gone.subscription not in looker.subscription._feed.subscriptions, what="it is let go")


@pytest.mark.parametrize(
    ("url", "token"), [("127.0.0.1:8080", ""), ("ftp://x", ""), ("http://u:p@x", ""), ("http://x", "a\nb")]
)
def test_an_address_that_cannot_be_right_is_refused_at_once(url, token):
    with pytest.raises(ValueError, match=r"url|token") as raised:
        Address(url, token)
    assert "a\nb" not in str(raised.value)
