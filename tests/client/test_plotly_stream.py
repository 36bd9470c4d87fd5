"""`Stream` against servers that cut, refuse, fall silent or stop: every write is counted."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import subprocess
import sys
import threading
from collections import OrderedDict

import pytest

import mqttbridge
from mqttbridge import Stream, StreamConfig
from mqttbridge.client import plotly_worker
from mqttbridge.client.plotly_json import MAX_LINE_BYTES, encode
from mqttbridge.errors import StreamError
from tests.support.processes import eventually, free_port
from tests.support.streams import Behaviour, Misbehaving, StreamServer, serve_streams

WRITES = 300


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("mqttbridge.client.plotly_stream.OPEN_SECONDS", 0.05)
    monkeypatch.setattr(plotly_worker, "CONFIRM_SECONDS", 0.2)
    monkeypatch.setattr(plotly_worker, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(plotly_worker, "LONGEST_PAUSE", 0.05)


def numbers(server: Misbehaving) -> set[int]:
    return {write["y"] for write in server.taken}


# --- the original's meaning --------------------------------------------------------------------------------


def test_writes_arrive_as_the_original_sends_them():
    with Misbehaving() as server:
        stream = Stream("tok-en-1", url=server.url)
        assert not stream.connected
        stream.open()
        assert stream.connected
        stream.write({"x": 1, "y": 2, "type": "scatter"}, layout={"title": "T"})
        stream.write({"x": [1], "y": [2]}, None, True, (200, "", 408))
        stream.heartbeat()
        stream.close()

        assert not stream.connected
        assert server.taken == [{"x": 1, "y": 2, "layout": {"title": "T"}}, {"x": [1], "y": [2]}]
        assert server.heads[0].headers["plotly-streamtoken"] == "tok-en-1"
        assert server.heartbeats >= 1

        stream.open()
        stream.write({"y": 3})
        stream.close()
        assert server.taken[-1] == {"y": 3}


def test_what_is_not_open_says_so():
    stream = Stream("token")

    for use in (lambda: stream.write({"y": 1}), stream.heartbeat, stream.close):
        with pytest.raises(StreamError, match="open"):
            use()
    with pytest.raises(StreamError, match="no way to the streaming server"):
        Stream("token", url=f"http://127.0.0.1:{free_port()}").open()


def test_a_token_comes_with_its_maxpoints_in_its_bounds():
    assert StreamConfig("t").maxpoints == 500
    assert StreamConfig("t", maxpoints=10_000).maxpoints == 10_000
    for token, maxpoints in [("", 1), (None, 1), ("t", -1), ("t", 10_001), ("t", True), ("t", "80")]:
        with pytest.raises(ValueError, match=r"token|maxpoints"):
            StreamConfig(token, maxpoints)
    with Misbehaving() as server, Stream({"token": "tt", "maxpoints": 60}, url=server.url) as stream:
        stream.write({"y": 1})
        server.wait_for(lambda: bool(server.taken))
        assert server.heads[0].headers["mqttbridge-maxpoints"] == "60"


def test_the_server_is_named_by_argument_environment_or_default(monkeypatch):
    assert Stream("t")._url == "http://127.0.0.1:8081"
    monkeypatch.setenv("PLOTLY_STREAMING_DOMAIN", "stream.example.org")
    assert Stream("t")._url == "stream.example.org"
    assert Stream("t", url="http://h:1")._url == "http://h:1"


def test_heartbeats_go_out_by_themselves(monkeypatch):
    monkeypatch.setattr(plotly_worker, "HEARTBEAT_SECONDS", 0.02)
    with Misbehaving() as server, Stream("t", url=server.url):
        server.wait_for(lambda: server.heartbeats >= 3)


def test_it_can_be_imported_from_the_package_without_slowing_it_down():
    assert mqttbridge.Stream is Stream
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = mqttbridge.Nothing
    code = "import sys, mqttbridge; sys.exit(any('client' in name for name in sys.modules if 'mqttbridge' in name))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what is written ----------------------------------------------------------------------------------------


class Array:
    """As numpy's and pandas' are to us."""

    def __init__(self, *values):
        self.values = values

    def tolist(self):
        return list(self.values)


class Graph:
    def to_plotly_json(self):
        return OrderedDict(x=Array(1, 2), y=[1, float("nan")], type="scatter")


@pytest.mark.parametrize(
    ("trace", "written"),
    [
        (Graph(), {"x": [1, 2], "y": [1, None]}),
        ({"y": float("inf"), "marker": {"size": (1, float("nan"))}}, {"y": None, "marker": {"size": [1, None]}}),
        (
            {"x": dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC), "y": decimal.Decimal("1.5")},
            {"x": "2026-01-02T03:04:05.000006+00:00", "y": 1.5},
        ),
        ({"x": range(3), "text": "é"}, {"x": [0, 1, 2], "text": "é"}),
    ],
)
def test_numbers_of_any_library_are_written_and_what_is_none_is_a_gap(trace, written):
    assert json.loads(encode(trace)) == written


@pytest.mark.parametrize("trace", [None, 5, "x", [1], {}, {1: 2}, {"x": object()}, {"y": [0] * MAX_LINE_BYTES}])
def test_what_cannot_be_written_is_refused_and_the_stream_lives_on(trace):
    with Misbehaving() as server, Stream("t", url=server.url) as stream:
        with pytest.raises(ValueError, match=r"trace|write"):
            stream.write(trace)
        stream.write({"y": 1})
        server.wait_for(lambda: server.taken == [{"y": 1}])


def test_what_is_nested_in_itself_is_refused():
    circle: dict = {}
    circle["x"] = circle
    with pytest.raises(ValueError, match="nested too deeply"):
        encode(circle)


# --- no write is lost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 200, 408, 423, 449, 500, 502, 503, 520])
def test_a_server_that_ends_the_stream_again_and_again_gets_every_write(status):
    with Misbehaving(*[Behaviour(lines=40, status=status)] * 12, Behaviour()) as server:
        with Stream("t", url=server.url) as stream:
            for n in range(WRITES):
                stream.write({"y": n})
        assert numbers(server) == set(range(WRITES))


@pytest.mark.parametrize("status", [308, 400, 403, 404, 406, 422])
def test_a_refusal_for_good_is_an_error_that_counts_what_was_not_delivered(status):
    with Misbehaving(Behaviour(lines=5, status=status)) as server:
        stream = Stream("t", url=server.url)
        stream.open()

        def writes():
            for n in range(100_000):
                stream.write({"y": n})

        with pytest.raises(StreamError, match=str(status)) as raised:
            writes()
        assert raised.value.status == status
        with pytest.raises(StreamError, match="not delivered") as left:
            stream.close()
        assert left.value.unsent > 0


def test_whoever_does_not_want_to_reconnect_is_told_of_the_cut():
    with Misbehaving(Behaviour(lines=1, status=0), Behaviour()) as server:
        stream = Stream("t", url=server.url)
        stream.open()
        stream.write({"y": 0}, reconnect_on=())
        with pytest.raises(StreamError, match="was cut"):
            eventually(lambda: stream.heartbeat(()), what="the cut")
        with pytest.raises(StreamError):
            stream.close()


def test_while_the_server_is_away_writes_wait_and_past_the_bound_nothing_is_taken():
    with Misbehaving(Behaviour(lines=1, status=0)) as server:
        stream = Stream("t", url=server.url, queue_size=5, write_timeout=0.05, close_timeout=0.2)
        stream.open()
        stream.write({"y": 0})
        server.wait_for(lambda: bool(server.taken))
    written = 0
    with pytest.raises(StreamError, match="nothing more fits"):
        while True:
            stream.write({"y": written + 1})
            written += 1
    with pytest.raises(StreamError, match="not delivered") as left:
        stream.close()

    assert left.value.unsent in {written, written + 1}  # the first may have been taken before the cut


def test_threads_may_write_at_once():
    with Misbehaving() as server:
        with Stream("t", url=server.url) as stream:
            threads = [
                threading.Thread(target=lambda start=start: [stream.write({"y": start + n}) for n in range(100)])
                for start in range(0, 400, 100)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert numbers(server) == set(range(400))
        assert len(server.taken) == 400


def test_a_program_that_forgets_to_close_has_its_writes_delivered_at_its_end():
    with Misbehaving() as server:
        code = f"from mqttbridge import Stream; s = Stream('t', url={server.url!r}); s.open(); s.write(dict(y=7))"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
        assert server.taken == [{"y": 7}]


# --- with mqttbridge's own listener -------------------------------------------------------------------------


def values(served: StreamServer) -> list:
    return [value for *_, value, _ in served.events]


def test_our_listener_stores_each_write_once_and_in_order(tmp_path):
    with serve_streams(tmp_path) as served:
        with Stream(StreamConfig(served.add(), 10), url=served.stream_url) as stream:
            for n in range(5000):
                stream.write({"y": n})
        assert values(served) == list(range(5000))
        assert served.figure()["traces"]["t"]["y"] == list(range(4990, 5000))


def test_connections_that_are_cut_cost_our_listener_neither_a_write_nor_a_duplicate(tmp_path):
    with serve_streams(tmp_path) as served:
        with Stream(served.add(), url=served.stream_url) as stream:
            for n in range(2000):
                stream.write({"y": n})
                if n % 250 == 249:
                    served.on_loop(lambda listener: [one.abort() for one in list(listener._sockets)])
        assert values(served) == list(range(2000))


def test_a_bridge_that_restarts_gets_every_write(tmp_path):
    port = free_port()
    first = StreamServer(tmp_path, listen=f"127.0.0.1:{port}")
    stream = Stream(first.add(), url=f"http://127.0.0.1:{port}")
    stream.open()
    for n in range(100):
        stream.write({"y": n})
    first.stop()
    for n in range(100, 200):
        stream.write({"y": n})
    with serve_streams(tmp_path, listen=f"127.0.0.1:{port}") as second:
        stream.close()
        stored = values(first) + values(second)

    assert set(stored) == set(range(200))
    assert len(stored) <= 200 + 100  # at least once: what the first had no time to acknowledge


def test_an_unknown_token_is_refused_at_once(tmp_path):
    with serve_streams(tmp_path) as served, pytest.raises(StreamError, match="404"):
        Stream("unknown-token", url=served.stream_url).open()
