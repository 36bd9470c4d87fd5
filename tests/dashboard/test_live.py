"""The live stream over real sockets."""

import socket
import threading

import pytest

from mqttbridge.dashboard import live, schemas
from mqttbridge.dashboard.framequeue import FrameQueue
from tests.support.dashboards import serve
from tests.support.event_source import EventSource


def push(served, value, bucket="b"):
    assert served.push(bucket, {"key": "t", "value": value}).status_code == 204


def test_a_viewer_is_greeted_and_told_when_to_come_again(served):
    with EventSource(served.url, "b") as source:
        hello = source.next()

    assert source.status == 200
    assert source.headers["content-type"].startswith("text/event-stream")
    assert source.headers["cache-control"] == "no-store, no-transform"
    assert source.headers["x-accel-buffering"] == "no"
    assert hello.event == "hello"


def test_a_point_reaches_its_viewers(served):
    with EventSource(served.url, "a/b") as one, EventSource(served.url, "a/b") as other:
        one.until("hello")
        other.until("hello")
        push(served, 20.5, "a/b")

        frames = [source.until("points") for source in (one, other)]

    assert frames[0] == frames[1]
    assert [(stream, value) for stream, _, value in frames[0].points] == [("t", 20.5)]
    schemas.Frame.model_validate(frames[0].data)


@pytest.mark.parametrize("snapshot", ["points", "streams"])
def test_a_snapshots_live_id_gives_exactly_what_came_after_it(served, snapshot):
    push(served, 1)
    live_id = served.get(f"/api/v1/buckets/b/{snapshot}").json()["live"]
    push(served, 2)
    push(served, 3)

    with EventSource(served.url, "b", live_id) as source:
        values = []
        while values != [2, 3]:
            values += [value for _, _, value in source.until("points").points]
            assert values == [2, 3][: len(values)]


def test_the_id_may_come_as_a_parameter(served):
    push(served, 1)
    live_id = served.get("/api/v1/buckets/b/points").json()["live"]
    push(served, 2)

    with served.get(f"/api/v1/buckets/b/live?last_event_id={live_id}", stream=True) as answer:
        lines = answer.iter_lines()
        while not next(lines).startswith(b"event: points"):
            pass


def test_an_id_of_another_boot_makes_a_resync(served):
    push(served, 1)

    with EventSource(served.url, "b", "other-17") as source:
        assert [source.next().event, source.next().event] == ["hello", "resync"]


def test_live_points_have_the_times_that_the_store_has(served):
    with EventSource(served.url, "b") as source:
        source.until("hello")
        push(served, 1)
        frame = source.until("points")

    assert frame.data["series"]["t"] == served.get("/api/v1/buckets/b/points").json()["series"]["t"]


def test_beyond_the_number_of_viewers_allowed_the_answer_is_503(tmp_path):
    with serve(tmp_path, {"max_viewers": 2}) as served:
        sources = [EventSource(served.url, "b") for _ in range(2)]
        for source in sources:
            source.until("hello")

        answer = served.get("/api/v1/buckets/b/live")
        for source in sources:
            source.close()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


def test_a_viewer_that_left_is_forgotten_at_once(served):
    gone = threading.Event()
    hub = served.dashboard.hub
    unsubscribe = hub.unsubscribe
    hub.unsubscribe = lambda viewer: (unsubscribe(viewer), gone.set())
    source = EventSource(served.url, "b")
    source.until("hello")
    assert "mqttbridge_live_viewers 1" in served.get("/metrics").text

    source.close()

    assert gone.wait(20)
    assert hub.viewers == 0


def test_a_viewer_that_reads_nothing_is_cut_and_holds_up_nobody(served, monkeypatch):
    monkeypatch.setattr(live, "SEND_SECONDS", 0.2)
    cut = threading.Event()
    hub = served.dashboard.hub
    unsubscribe = hub.unsubscribe
    hub.unsubscribe = lambda viewer: (unsubscribe(viewer), cut.set())
    stuck, reader = EventSource(served.url, "b"), EventSource(served.url, "b")
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.until("hello")
    reader.until("hello")

    for n in range(10_000):
        served.push("b", *({"key": f"log{m}", "value": f"{n} " + "x" * 1900} for m in range(100)))
        reader.until("points")
        if cut.is_set():
            break

    assert cut.is_set()
    assert hub.viewers == 1
    reader.close()
    stuck.close()


def test_silence_is_filled_with_pings(served, monkeypatch):
    monkeypatch.setattr(live, "PING_SECONDS", 0.02)

    with served.get("/api/v1/buckets/b/live", stream=True) as answer:
        lines = answer.iter_lines()
        while next(lines) != b": ping":
            pass


def test_frames_go_straight_to_viewers_that_keep_up(served, monkeypatch):
    with EventSource(served.url, "b") as source:
        source.until("hello")
        monkeypatch.delattr(FrameQueue, "put")  # the way through the viewer's task
        push(served, 1)
        push(served, 2)
        values = []
        while values != [1, 2]:
            values += [value for _, _, value in source.until("points").points]


def test_who_speaks_http_1_0_gets_frames_without_chunks(served):
    with socket.create_connection(("127.0.0.1", served.server._socket.getsockname()[1]), timeout=10) as old:
        old.sendall(b"GET /api/v1/buckets/b/live HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        stream = old.makefile("rb")
        while not stream.readline().startswith(b"event: hello"):
            pass
        push(served, 1)

        assert [stream.readline()[:4] for _ in range(5)] == [b"data", b"\n", b"id: ", b"even", b"data"]


def test_head_is_answered_without_a_stream(served):
    answer = served.session.head(served.url + "/api/v1/buckets/b/live", timeout=10)

    assert answer.status_code == 200
    assert served.dashboard.hub.viewers == 0


@pytest.mark.parametrize("viewers", [1, 20])
def test_stopping_ends_every_stream_in_good_time(tmp_path, viewers):
    with serve(tmp_path) as served:
        sources = [EventSource(served.url, "b") for _ in range(viewers)]
        for source in sources:
            source.until("hello")

        served.server.stop(5)

        assert not served.server._thread.is_alive()
        for source in sources:
            with pytest.raises(ConnectionError):
                source.until("points")
            source.close()
