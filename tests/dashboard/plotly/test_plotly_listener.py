"""The streaming listener on real sockets: statuses, tokens, bounds, and the client that people have."""

from __future__ import annotations

import importlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import eventually
from tests.support.streams import RawStream, StreamServer, serve_streams

# It closes none of its sockets; Python says so when they are collected, in whichever test that is.
untidy = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[StreamServer]:
    with serve_streams(tmp_path) as running:
        yield running


def port(served: StreamServer) -> int:
    assert served.plotly.port is not None
    return served.plotly.port


def points(served: StreamServer, trace: str = "t", figure: str = "f") -> list:
    shown = served.figure(figure)["traces"][trace]
    return list(zip(shown["x"], shown["y"], strict=True))


# --- the client that people have ---------------------------------------------------------------------------


@untidy
def test_chart_studio_streams_here_unmodified(served, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # where it keeps its credentials
    plotly = importlib.import_module("chart_studio.plotly")
    session = importlib.import_module("chart_studio.session")
    session.sign_in("user", "key", plotly_streaming_domain="127.0.0.1", plotly_domain="http://127.0.0.1")
    monkeypatch.setattr(plotly.Stream, "HTTP_PORT", port(served))
    stream = plotly.Stream(served.add(maxpoints=80))

    stream.open()
    for n in range(100):
        stream.write({"x": n, "y": n / 2}, layout={"title": "Time Series"})
    stream.heartbeat()
    assert stream.connected  # nothing was said to it
    stream.write({"x": [1, 2], "y": [3, 4], "type": "scatter"})
    stream.close()

    eventually(lambda: points(served) == [(1, 3), (2, 4)], what="the list that was written last")
    assert [value for *_, value, _ in served.events] == [n / 2 for n in range(100)]
    assert served.figure()["layout"] == {"title": "Time Series"}
    assert served.metrics.received.value(source="plotly") == 100

    stream.open()  # a closed stream may be opened again
    stream.write({"x": 3, "y": 5})
    eventually(lambda: points(served)[-1] == (3, 5), what="a point after reopening")
    stream.close()


def test_arduinos_name_their_stream_in_each_line_and_count_milliseconds(served):
    one, two = served.add("one"), served.add("two")
    began = time.time()
    with RawStream(port(served), None, "plotly-convertTimestamp: Europe/Vienna") as stream:
        stream.write(x=1000, y=1, streamtoken=one)
        stream.write(x=1000, y=2, streamtoken=two)
        stream.write(x=2500, y=3, streamtoken=one)
        stream.end()
        assert stream.status == 200

    assert [(trace, value) for _, trace, value, _ in served.events] == [("one", 1), ("two", 2), ("one", 3)]
    first, _, third = (epoch for *_, epoch in served.events)
    assert third - first == pytest.approx(1.5, abs=1e-3)
    assert began <= first <= time.time()


# --- statuses -----------------------------------------------------------------------------------------------


def test_a_stream_that_is_ended_gets_200_once_its_points_are_synced(served):
    served.spool.gate.clear()
    with RawStream(port(served), served.add()) as stream:
        stream.write(y=1)
        stream.end()
        eventually(lambda: served.get("/api/v1/figures/f").json()["traces"]["t"]["y"] == [1], what="the point shown")
        stream.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            stream.socket.recv(1)
        served.spool.gate.set()
        stream.socket.settimeout(20)
        assert stream.status == 200
    assert len(served.events) == 1


@pytest.mark.parametrize(
    ("token", "method", "sent", "status"),
    [
        ("nobodys-token", "POST", b"", 404),
        ("x" * 5000, "POST", b"", 404),
        ("known", "GET", b"", 405),
        (None, "POST", b"3\r\n{}\n\r\n", 406),
        (None, "POST", b'1f\r\n{"streamtoken": "nobodys-one"}\n\r\n', 404),
        ("known", "POST", b"5\r\nNaN}\n\r\n", 422),
        ("known", "POST", b"4\r\n[1]\n\r\n", 422),
        ("known", "POST", b"XYZ\r\n", 400),
        ("known", "POST", b"200000\r\n" + b"x" * 2**21, 400),
        (None, "POST", b"2000\r\n" + b"x" * 8192, 400),
    ],
)
def test_what_is_wrong_has_its_status(served, token, method, sent, status):
    given = served.add() if token == "known" else token
    with RawStream(port(served), given, method=method) as stream:
        try:
            stream.send(sent)
        except OSError:  # it was told enough before the end
            assert len(sent) > 10_000
        assert stream.status == status
    assert served.events == []


def test_what_came_before_a_bad_line_is_kept(served):
    with RawStream(port(served), served.add()) as stream:
        stream.send(b'10\r\n{"y": 1}\nnothing\r\n3\r\n{\n\n\r\n')
        assert stream.status == 422

    assert [value for *_, value, _ in served.events] == [1]


def test_a_second_connection_on_a_token_ends_the_first(served):
    token = served.add()
    with RawStream(port(served), token) as first:
        first.write(y=1)
        eventually(lambda: len(served.events) == 1, what="the first's point")
        with RawStream(port(served), token) as second:
            assert first.status == 308
            second.write(y=2)
            second.end()
            assert second.status == 200

    assert [value for *_, value, _ in served.events] == [1, 2]


def test_silence_ends_a_stream_and_a_heartbeat_keeps_it(served):
    with RawStream(port(served), served.add()) as stream:
        stream.write(y=1)
        eventually(lambda: len(served.events) == 1, what="the point")
        (connection,) = served.plotly._listener._connections
        connection._heard = time.monotonic() - 59
        stream.send(b"1\r\n\n\r\n")
        eventually(lambda: connection._heard > time.monotonic() - 30, what="the heartbeat")
        served.on_loop(lambda listener: listener.sweep(time.monotonic() + 20))
        stream.write(y=2)
        eventually(lambda: len(served.events) == 2, what="a point after the heartbeat")
        served.on_loop(lambda listener: listener.sweep(time.monotonic() + 61))
        assert stream.status == 408


def test_who_connects_and_says_nothing_is_sent_away(served):
    with socket.create_connection(("127.0.0.1", port(served)), timeout=20) as silent:
        silent.sendall(b"POST / HT")
        eventually(lambda: served.metrics.plotly_streams.value() == 1, what="the connection")
        served.on_loop(lambda listener: listener.sweep(time.monotonic() + 16))
        assert silent.recv(100).startswith(b"HTTP/1.1 408")


def test_a_token_that_is_removed_ends_its_stream(served):
    token = served.add()
    with RawStream(port(served), token) as stream:
        stream.write(y=1)
        eventually(lambda: len(served.events) == 1, what="the point")
        served.tokens.remove(token)
        assert stream.status == 403
    assert served.get("/api/v1/figures").json()["figures"] == []
    assert served.get("/api/v1/figures/f").status_code == 404


def test_a_token_that_is_given_another_trace_has_its_stream_connect_again(served):
    token = served.add("old")
    with RawStream(port(served), token) as stream:
        stream.write(x=1, y=1)
        eventually(lambda: points(served, "old") == [(1, 1)], what="the first point")
        served.tokens.add("f", "new", 500, "lines", token)
        served.on_loop(lambda listener: listener.sweep(time.monotonic()))
        assert stream.status == 449
    with RawStream(port(served), token) as stream:
        stream.write(x=2, y=2)
        eventually(lambda: points(served, "new") == [(2, 2)], what="the point in its new place")


def test_there_is_room_for_so_many_and_no_more(tmp_path):
    with serve_streams(tmp_path, max_connections=2) as served:
        tokens = [served.add(str(n)) for n in range(3)]
        with RawStream(port(served), tokens[0]) as first, RawStream(port(served), tokens[1]):
            first.write(y=1)
            eventually(lambda: served.metrics.plotly_streams.value() == 2, what="two streams")
            with RawStream(port(served)) as third:
                assert third.status == 503
            first.end()
            assert first.status == 200
        with RawStream(port(served), tokens[2]) as third:
            third.write(y=3)
            third.end()
            assert third.status == 200


# --- nothing is lost ----------------------------------------------------------------------------------------


def test_while_the_spool_takes_nothing_points_wait_and_their_stream_is_read_no_further(served):
    served.spool.full = True
    with RawStream(port(served), served.add()) as stream:
        stream.socket.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while True:
                stream.socket.sendall(b"%x\r\n%b\r\n" % (1000 * 100, (b'{"y": 1}'.ljust(99) + b"\n") * 1000))
                sent += 1000
        assert sent < 1_000_000  # the kernel's buffers and our bound
        assert served.events == []
    served.spool.full = False
    eventually(lambda: len(served.events) > 1000, what="the points that were read")


def test_our_client_is_told_what_is_synced_and_a_write_sent_again_is_not_stored_again(served):
    token = served.add()
    session = ("mqttbridge-session: abc", "mqttbridge-first: 1")
    with RawStream(port(served), token, *session) as stream:
        stream.write(y=1)
        stream.write(y=2)
        eventually(lambda: len(served.events) == 2, what="two points")
        assert b"ack 2\n" in eventually(lambda: stream.socket.recv(4096), what="an answer") + _more(stream)
    with RawStream(port(served), token, "mqttbridge-session: abc", "mqttbridge-first: 2") as stream:
        stream.write(y=2)
        stream.write(y=3)
        stream.end()
        assert stream.rest().endswith(b"ack 3\nend 200 OK\n")

    assert [value for *_, value, _ in served.events] == [1, 2, 3]


def _more(stream: RawStream) -> bytes:
    """What is there already; the acknowledgement may have come with the head or after it."""
    stream.socket.settimeout(1)
    try:
        return stream.socket.recv(4096)
    except TimeoutError:
        return b""


def test_a_stream_may_wish_for_its_maxpoints_and_another_token_leaves_them(served):
    with RawStream(port(served), served.add(), "mqttbridge-maxpoints: 2") as stream:
        for n in range(4):
            stream.write(y=n)
        stream.end()
        assert stream.status == 200
    served.add("other")
    eventually(lambda: "other" in served.figure()["traces"], what="the other trace")

    assert served.figure()["traces"]["t"]["y"] == [2, 3]


def test_when_the_server_stops_its_streams_are_told_and_their_points_kept(tmp_path):
    served = StreamServer(tmp_path)
    with RawStream(port(served), served.add()) as stream:
        stream.write(y=1)
        eventually(lambda: served.figure()["traces"]["t"]["y"] == [1], what="the point shown")
        served.stop()
        assert stream.status == 503
    assert [value for *_, value, _ in served.events] == [1]


def test_without_an_address_nothing_listens_and_there_are_no_figures(tmp_path):
    with serve_streams(tmp_path, listen=None) as served:
        assert served.plotly.port is None
        assert served.get("/api/v1/figures").json()["figures"] == []


# --- the feed -----------------------------------------------------------------------------------------------


def test_a_viewer_gets_the_whole_figure_and_then_each_change(served):
    with RawStream(port(served), served.add()) as stream:
        stream.write(x=1, y=1)
        eventually(lambda: len(served.events) == 1, what="the point")
        answer = served.get("/api/v1/figures/f/live", stream=True)
        lines = answer.iter_lines()
        frames = (json.loads(line[6:]) for line in lines if line.startswith(b"data: "))
        first = next(frames)
        assert first["traces"]["t"]["x"] == [1]
        stream.write(x=2, y=2, layout={"title": "T"})
        change = next(frames)
        assert change["traces"] == {"t": {"replace": False, "x": [2], "y": [2]}}
        assert change["layout"] == {"title": "T"}
        answer.close()

    assert served.get("/api/v1/figures/nothing/live").status_code == 404
