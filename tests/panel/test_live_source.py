"""A live source in each of its forms, over a real dashboard; in plain programs, where only the test drains it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import holoviews as hv
import hvplot.pandas  # noqa: F401  # gives frames their `hvplot`
import pandas as pd
import panel as pn
import pytest
import requests

from mqttbridge.errors import DashboardError
from mqttbridge.panel import LiveSource, latest, live_source
from tests.support.dashboards import Served, serve
from tests.support.processes import eventually, free_port


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("dashboard")) as running:
        yield running


@pytest.fixture
def served(shared: Served) -> Served:
    return shared


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def now() -> int:
    return int(time.time()) - 100


@pytest.fixture
def source(served: Served, bucket: str) -> Iterator[LiveSource]:
    made = live_source(bucket, {"a": "x.a", "b": "x.b"}, url=served.url, backlog=5)
    yield made
    made.close()


def push(served: Served, bucket: str, *events: tuple) -> None:
    body = [{"key": f"x.{name}", "value": value, "epoch": epoch} for name, value, epoch in events]
    assert served.push(bucket, *body).status_code == 204


def drained(source: LiveSource, rows: int) -> pd.DataFrame:
    eventually(lambda: (source.drain(), len(source.data) == rows)[1], what=f"{rows} rows")
    return source.data


def test_the_frame_has_a_column_a_stream_and_grows(served, bucket, source, now):
    assert list(source.data.columns) == ["a", "b"]
    assert len(source.data) == 0
    push(served, bucket, ("a", 1, now), ("b", True, now), ("a", 2, now + 1.5))
    frame = drained(source, 2)

    assert frame["a"].tolist() == [1.0, 2.0]
    assert frame["b"].tolist() == [1.0, 1.0]
    assert frame.index.tolist() == [pd.Timestamp(now, unit="s"), pd.Timestamp(now + 1.5, unit="s")]
    assert source.live
    assert source.trouble == ""


def test_a_buffer_feeds_plots_and_keeps_the_backlog(served, bucket, source, now):
    hv.extension("bokeh")
    push(served, bucket, ("a", 1, now))
    frame = drained(source, 1)
    plots = [
        hv.renderer("bokeh").get_plot(one)
        for one in (
            frame.hvplot.line(y="a", stream=source.buffer),
            hv.DynamicMap(lambda data: hv.Curve(data, "time", "a"), streams=[source.buffer]),
        )
    ]

    def drawn() -> list:
        return [list(plot.handles["source"].data["a"]) for plot in plots]

    for n in range(2, 9):
        push(served, bucket, ("a", n, now + n))
    eventually(lambda: (source.drain(), source.data["a"].max() == 8)[1], what="the last value")

    assert source.data["a"].tolist() == [4, 5, 6, 7, 8]
    assert drawn() == 2 * [[4, 5, 6, 7, 8]]
    push(served, bucket, ("a", 55, now + 5.5))  # late: it stands in its place
    eventually(lambda: (source.drain(), 55 in source.data["a"].tolist())[1], what="the late value")
    assert drawn() == 2 * [[5, 55, 6, 7, 8]]
    push(served, bucket, ("a", 9, now + 9))
    eventually(lambda: (source.drain(), source.data["a"].max() == 55 and 9 in source.data["a"].tolist())[1], what="9")
    assert drawn() == 2 * [[55, 6, 7, 8, 9]]


def test_a_reactive_expression_follows(served, bucket, source, now):
    newest = source.rx()["a"].max()
    seen = []
    newest.rx.watch(seen.append)
    push(served, bucket, ("a", 41, now), ("a", 42, now + 1))
    drained(source, 2)

    assert newest.rx.value == 42
    assert seen[-1] == 42


def test_a_streaming_frame_gets_the_backlog_and_then_each_row_once(served, bucket, source, now):
    push(served, bucket, ("a", 1, now), ("a", 2, now + 2))
    drained(source, 2)
    streaming = source.streamz()
    frames = streaming.stream.sink_to_list()
    sums = streaming["a"].sum().stream.sink_to_list()
    source.drain()
    push(served, bucket, ("a", 3, now + 3))
    drained(source, 3)
    push(served, bucket, ("a", 10, now + 1))  # late
    drained(source, 4)

    assert [frame["a"].tolist() for frame in frames] == [[1, 2], [3], [10]]
    assert sums[-1] == 16
    assert streaming is source.streamz()


def test_texts_are_texts_also_when_a_stream_begins_to_say_them(served, bucket, source, now):
    push(served, bucket, ("a", 1, now))
    assert drained(source, 1)["b"].dtype == float
    push(served, bucket, ("b", "<b>on</b>", now + 1))
    frame = drained(source, 2)

    assert frame["b"].tolist()[1] == "<b>on</b>"
    assert source.buffer.data["b"].dtype == object


def test_times_are_of_the_clock_that_is_asked_for(served, bucket, now):
    at = int(now) - 86_400
    push(served, bucket, ("a", 1, at))
    sources = [
        live_source(bucket, "x.a", url=served.url, history=2 * 86400, timezone=zone) for zone in (None, "Asia/Tokyo")
    ]
    try:
        assert [drained(one, 1).index[0].isoformat() for one in sources] == [
            datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(),
            datetime.fromtimestamp(at + 9 * 3600, UTC).replace(tzinfo=None).isoformat(),
        ]
    finally:
        for one in sources:
            one.close()


def test_where_a_loop_runs_it_drains_by_itself(served, bucket, now):
    async def program() -> float:
        source = live_source(bucket, ["x.a"], url=served.url, every=0.05)
        came = asyncio.Event()
        source.param.watch(lambda _: came.set(), "data")
        push(served, bucket, ("a", 5, now))
        async with asyncio.timeout(20):
            await came.wait()
        source.close()
        return source.data["x.a"].iloc[-1]

    assert asyncio.run(program()) == 5


def test_sessions_share_a_connection_drain_by_themselves_and_leave_at_their_end(served, bucket, now):
    push(served, bucket, ("a", 1, now))
    sources: list[LiveSource] = []

    def app() -> pn.pane.Str:
        sources.append(live_source(bucket, "x.a", url=served.url, every=0.05))
        return pn.pane.Str(sources[-1].param.trouble)

    short = {"unused_session_lifetime_milliseconds": 1000, "check_unused_sessions_milliseconds": 50}
    port = free_port()
    server = pn.serve(app, port=port, threaded=True, show=False, verbose=False, **short)
    try:
        for _ in range(2):
            eventually(lambda: answers(f"http://127.0.0.1:{port}/"), what="a session")
        eventually(lambda: all(len(one.data) for one in sources), what="the first row")
        assert served.dashboard.hub.viewers == 1
        eventually(lambda: served.dashboard.hub.viewers == 0, what="both sessions ended")
    finally:
        server.stop()
        server.join(20)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=20).status_code == 200
    except requests.ConnectionError:
        return False


def test_a_source_that_is_forgotten_leaves_its_connection(served, bucket, now):
    source = live_source(bucket, "x.a", url=served.url)
    subscription = source._subscription
    del source
    gc.collect()

    assert subscription.abandoned
    push(served, bucket, ("a", 1, now))
    eventually(lambda: not subscription._feed.subscriptions, what="nobody looks on")


def test_the_latest_values_are_a_table(served, bucket, now):
    push(served, bucket, ("a", 1.5, now), ("b", "on", now), ("c", True, now))
    table = latest(bucket, url=served.url)

    assert table["value"].to_dict() == {"x.a": 1.5, "x.b": "on", "x.c": True}
    assert set(table["time"]) == {pd.Timestamp(now, unit="s")}
    assert latest("nothing", url=served.url).empty


def test_a_dashboard_that_is_away_is_said(served, bucket):
    source = live_source(bucket, "a", url="http://127.0.0.1:1")
    try:
        assert not source.live
        assert source.trouble.startswith("no answer")
        with pytest.raises(DashboardError, match="no answer"):
            latest(bucket, url="http://127.0.0.1:1", timeout=5)
    finally:
        source.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"streams": []},
        {"streams": [""]},
        {"streams": {"time": "x"}},
        {"bucket": ""},
        {"backlog": 0},
        {"history": 0},
        {"history": float("nan")},
        {"every": 0},
        {"timezone": "Europe/Atlantis"},
        {"url": "localhost"},
    ],
)
def test_what_cannot_be_right_is_said_at_once(wrong):
    with pytest.raises(ValueError, match=r"must|not known|the index"):
        live_source(**({"bucket": "b", "streams": "s"} | wrong))
