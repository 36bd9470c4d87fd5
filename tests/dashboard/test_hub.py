"""A viewer gets a snapshot and then deltas with no gap and no duplicate; a slow one never slows the hub."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mqttbridge.dashboard import hub as hub_module
from mqttbridge.dashboard.framequeue import MAX_QUEUED
from mqttbridge.dashboard.hub import LEASE, MAX_LEASED, MAX_PAUSE, RING_SECONDS, Hub
from mqttbridge.dashboard.store.model import columns_of


class FakeLoop:
    """What the hub uses of an event loop, on a clock that only `advance` moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_soon_threadsafe(self, call: Callable[..., None], *arguments: object) -> None:
        self.due.append((self.now, partial(call, *arguments)))

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        self.due.append((self.now + delay, call))

    def advance(self, seconds: float = 0.0) -> None:
        self.now += seconds
        while ready := [one for one in self.due if one[0] <= self.now]:
            for one in ready:
                self.due.remove(one)
                one[1]()


@dataclass
class Sent:
    """One event of the stream as a browser parses it."""

    event: str
    id: str | None = None
    data: dict = field(default_factory=dict)

    @property
    def points(self) -> list[tuple[str, float, object]]:
        return [
            (stream, epoch, value)
            for stream, series in self.data["series"].items()
            for epoch, value in zip(series["epochs"], series["values"], strict=True)
        ]


def parse(stream: bytes) -> list[Sent]:
    sent = []
    for block in stream.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        sent.append(Sent(fields["event"], fields.get("id"), json.loads(fields["data"])))
    return sent


def read(viewer) -> list[Sent]:
    """Everything in the viewer's queue."""
    joined = b"".join([*viewer.frames, *viewer.notes.values()])
    viewer.frames.clear()
    viewer.notes.clear()
    return parse(joined)


def publish(hub, *events) -> None:
    hub.publish(columns_of(events))


@pytest.fixture
def loop():
    return FakeLoop()


@pytest.fixture
def hub(loop):
    made = Hub(clock=loop.time, boot="boot")
    made.attach(loop)
    return made


def events_of(sent: list[Sent]) -> list[str]:
    return [one.event for one in sent]


def test_a_viewer_is_greeted_with_the_id_it_starts_from(hub):
    (hello,) = read(hub.subscribe("b", None))

    assert (hello.event, hello.id, hello.data) == ("hello", "boot-1", {"now": 1000.0})


def test_a_point_goes_out_at_once_when_the_hub_was_idle(hub, loop):
    viewer = hub.subscribe("b", None)
    read(viewer)

    publish(hub, ("b", "s", 1.5, 990.0))
    loop.advance()

    (frame,) = read(viewer)
    assert (frame.event, frame.id, frame.points) == ("points", "boot-2", [("s", 990.0, 1.5)])
    assert frame.data["now"] == 1000.0


def test_whoever_comes_is_greeted_with_what_was_noted_of_the_bucket_and_hears_of_changes(hub, loop):
    hub.note("b", "board", 3)
    hub.note("b", "alerts", ["hot"])
    hub.note("other", "board", 9)
    viewer = hub.subscribe("b", None)
    (hello,) = read(viewer)
    assert hello.data == {"now": 1000.0, "board": 3, "alerts": ["hot"]}

    hub.note("b", "board", 4)
    hub.note("b", "alerts", None)
    loop.advance()

    assert [(sent.event, sent.id, sent.data) for sent in read(viewer)] == [
        ("board", None, {"now": 1000.0, "board": 4}),
        ("alerts", None, {"now": 1000.0, "alerts": None}),
    ]
    (hello,) = read(hub.subscribe("b", "boot-1"))
    assert hello.data == {"now": 1000.0, "board": 4}


def test_a_slow_viewer_gets_the_last_note_alone_and_a_resync_takes_none_away(hub, loop):
    viewer = hub.subscribe("b", None)
    read(viewer)
    for n in range(MAX_QUEUED + 1):
        hub.note("b", "board", n)
        publish(hub, ("b", "s", n, float(n)))
        loop.advance(1)

    assert [(sent.event, sent.data.get("board")) for sent in read(viewer)] == [("resync", None), ("board", MAX_QUEUED)]


def test_points_that_come_while_the_hub_pauses_share_one_frame(hub, loop):
    viewer = hub.subscribe("b", None)
    publish(hub, ("b", "s", 1, 1.0))
    loop.advance()
    hub._not_before = loop.now + 0.1
    read(viewer)

    publish(hub, ("b", "s", 2, 2.0))
    publish(hub, ("b", "s", 3, 3.0), ("b", "t", "x", 3.0))
    loop.advance()
    assert read(viewer) == []
    loop.advance(0.1)

    (frame,) = read(viewer)
    assert frame.points == [("s", 2.0, 2), ("s", 3.0, 3), ("t", 3.0, "x")]


def test_the_pause_grows_with_the_cost_of_a_frame_and_is_never_longer_than_its_bound(hub, loop, monkeypatch):
    hub.subscribe("b", None)
    pauses = []
    for cost in (0.0, 0.001, 0.002, 1.0):
        monkeypatch.setattr(hub_module, "thin", lambda column, cost=cost: (loop.advance(cost), column)[1])
        publish(hub, ("b", "s", 1, 1.0))
        loop.advance(MAX_PAUSE)
        pauses.append(hub._not_before - loop.now + cost)

    assert pauses == sorted(pauses)
    assert pauses[0] < 0.002
    assert pauses[-1] == pytest.approx(MAX_PAUSE)


def test_a_frame_is_encoded_once_for_all_its_viewers(hub, loop):
    viewers = [hub.subscribe("b", None) for _ in range(3)]

    publish(hub, ("b", "s", 1, 1.0))
    loop.advance()

    assert len({id(viewer.frames[-1]) for viewer in viewers}) == 1


def test_a_viewer_sees_its_own_bucket_alone(hub, loop):
    viewer = hub.subscribe("b", None)

    publish(hub, ("other", "s", 1, 1.0), ("b", "s", 2, 2.0))
    loop.advance()

    assert read(viewer)[1].points == [("s", 2.0, 2)]


def test_buckets_that_nobody_watches_cost_nothing(hub, loop):
    hub.subscribe("b", None)

    publish(hub, ("other", "s", 1, 1.0))

    assert loop.due == []


def test_deltas_between_a_snapshot_and_its_subscription_are_not_missed(hub, loop):
    live = hub.position("b")
    publish(hub, ("b", "s", 1, 1.0))
    loop.advance()
    publish(hub, ("b", "s", 2, 2.0))

    viewer = hub.subscribe("b", live)
    loop.advance(1)

    hello, first, second = read(viewer)
    assert hello.id is None
    assert first.points + second.points == [("s", 1.0, 1), ("s", 2.0, 2)]


def test_a_viewer_that_comes_back_gets_exactly_what_it_missed(hub, loop):
    viewer = hub.subscribe("b", None)
    publish(hub, ("b", "s", 1, 1.0))
    loop.advance()
    last = read(viewer)[-1].id
    hub.unsubscribe(viewer)
    for n in (2, 3):
        publish(hub, ("b", "s", n, float(n)))
        loop.advance(1)

    again = read(hub.subscribe("b", last))

    assert [one.points for one in again[1:]] == [[("s", 2.0, 2)], [("s", 3.0, 3)]]


@pytest.mark.parametrize(
    "last_id", ["other-0", "boot-7", "boot-", "boot--1", "", "x", "boot-\u0661", "boot-" + "9" * 99]
)
def test_an_id_that_is_not_of_this_boot_makes_a_resync(hub, last_id):
    assert events_of(read(hub.subscribe("b", last_id))) == ["hello", "resync"]


def test_an_id_older_than_the_ring_makes_a_resync(hub, loop):
    live = hub.position("b")
    keeper = hub.subscribe("b", None)
    for n in range(3):
        publish(hub, ("b", "s", n, float(n)))
        loop.advance(RING_SECONDS)

    assert events_of(read(hub.subscribe("b", live))) == ["hello", "resync"]
    assert keeper in keeper.channel.viewers


def test_the_ring_is_bounded_in_bytes(hub, loop, monkeypatch):
    monkeypatch.setattr(hub_module, "RING_BYTES", 500)
    live = hub.position("b")
    for n in range(20):
        publish(hub, ("b", "s", n, float(n)))
        loop.advance(1)

    assert sum(len(frame.data) for frame in hub._ring) <= 500
    assert events_of(read(hub.subscribe("b", live))) == ["hello", "resync"]
    assert len(read(hub.subscribe("b", f"boot-{hub._seq - 1}"))) == 2


def test_a_channel_closes_after_its_lease_and_then_an_old_id_makes_a_resync(hub, loop):
    live = hub.position("b")
    hub.subscribe("other", None)
    loop.advance(LEASE + 1)
    publish(hub, ("other", "s", 1, 1.0))
    loop.advance()
    assert "b" not in hub._channels

    publish(hub, ("b", "s", 1, 1.0))
    publish(hub, ("other", "s", 2, 2.0))
    loop.advance(1)

    assert events_of(read(hub.subscribe("b", live))) == ["hello", "resync"]


def test_snapshots_of_very_many_buckets_do_not_keep_as_many_channels_open(hub):
    for n in range(10 * MAX_LEASED):
        hub.position(f"b{n}")

    assert len(hub._channels) <= MAX_LEASED + 1


def test_a_slow_viewer_is_told_to_resync_and_the_others_miss_nothing(hub, loop):
    slow, quick = hub.subscribe("b", None), hub.subscribe("b", None)
    seen = []
    for n in range(3 * MAX_QUEUED):
        publish(hub, ("b", "s", n, float(n)))
        loop.advance(1)
        seen += [one for one in read(quick) if one.event == "points"]
        assert len(slow.frames) <= MAX_QUEUED + 1

    assert [one.points[0][2] for one in seen] == list(range(3 * MAX_QUEUED))
    resync, *after = read(slow)
    assert resync.event == "resync"
    assert [one.points for one in after] == [one.points for one in seen[len(seen) - len(after) :]]


def test_a_flood_is_thinned_to_what_a_chart_can_show(hub, loop):
    viewer = hub.subscribe("b", None)
    read(viewer)
    flood = [("b", "s", float(n % 100), 1000 + n / 10_000) for n in range(2500)]
    flood[1234] = ("b", "s", 999.0, flood[1234][3])

    publish(hub, *flood)
    loop.advance()

    (frame,) = read(viewer)
    assert len(frame.points) <= 24
    assert 999.0 in [value for _, _, value in frame.points]


def test_what_waits_for_a_loop_that_is_busy_stays_bounded(hub):
    hub.subscribe("b", None)

    for n in range(100):
        publish(hub, *[("b", "s", float(m), 1000 + n / 10 + m / 10_000) for m in range(1000)])

    (pending,) = hub._channels["b"].pending.values()
    assert len(pending.times) < 10_000


def test_points_that_waited_in_a_channel_when_it_closed_make_a_resync(hub, loop):
    live = hub.position("b")
    publish(hub, ("b", "s", 1, 1.0))
    loop.advance(LEASE + 1)
    assert "b" not in hub._channels

    assert events_of(read(hub.subscribe("b", live))) == ["hello", "resync"]


def test_points_published_before_the_server_runs_are_no_failure():
    publish(Hub(), ("b", "s", 1, 1.0))


def test_closing_ends_every_viewer_and_later_ones_at_once(hub):
    async def run():
        viewer = hub.subscribe("b", None)
        read(viewer)
        hub.close()
        late = hub.subscribe("b", None)
        await late.next(10)
        return await viewer.next(10), viewer.closed, late.closed

    assert asyncio.run(run()) == (b"", True, True)


def test_waiting_ends_with_the_next_frame_or_after_the_time_given(hub, loop):
    async def run():
        viewer = hub.subscribe("b", None)
        await viewer.next(10)
        nothing = await viewer.next(0.001)
        waiting = asyncio.create_task(viewer.next(10))
        await asyncio.sleep(0)
        publish(hub, ("b", "s", 1, 1.0))
        loop.advance()
        return nothing, parse(await waiting)[0].event

    assert asyncio.run(run()) == (b"", "points")


def test_viewers_are_counted(hub):
    viewers = [hub.subscribe("b", None) for _ in range(3)]
    hub.unsubscribe(viewers[0])

    assert hub.viewers == 2


class Page:
    """The live page's side of the promise: a snapshot, its deltas, and what it does when told to resync."""

    def __init__(self, hub: Hub, history: list[tuple[str, float, object]]) -> None:
        self.hub, self.history = hub, history
        self.points: set[tuple[str, float, object]] = set()
        self.frames: list[str] = []
        self.last_id = ""
        self.viewer = None

    def snapshot(self) -> None:
        self.last_id = self.hub.position("b")
        self.points = set(self.history)

    def connect(self) -> None:
        self.viewer = self.hub.subscribe("b", self.last_id)

    def disconnect(self) -> None:
        self.hub.unsubscribe(self.viewer)
        self.viewer = None

    def read(self) -> None:
        for one in read(self.viewer):
            if one.id is not None:
                assert one.id not in self.frames, "a frame came twice"
                self.last_id = one.id
            if one.event == "points":
                self.frames.append(one.id)
                self.points.update(one.points)
            elif one.event == "resync":
                live, self.points = self.hub.position("b"), set(self.history)
                assert int(live.split("-")[1]) >= int(self.last_id.split("-")[1])


class NoGapNoDuplicate(RuleBasedStateMachine):
    """Any interleaving of commits, frames, snapshots, connections and pauses ends with every point on the page."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = FakeLoop()
        self.hub = Hub(clock=self.loop.time, boot="boot")
        self.hub.attach(self.loop)
        self.history: list[tuple[str, float, object]] = []
        self.committed: list[tuple[str, str, object, float]] = []
        self.page = Page(self.hub, self.history)
        self.page.snapshot()
        self.count = 0

    @rule(stream=st.sampled_from("st"))
    def commit(self, stream):
        """The store's transaction: a snapshot sees it from here on, the hub not yet."""
        self.count += 1
        self.history.append((stream, float(self.count), self.count))
        self.committed.append(("b", stream, self.count, float(self.count)))

    @precondition(lambda self: self.committed)
    @rule()
    def publish(self):
        self.hub.publish(columns_of(self.committed))
        self.committed.clear()

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.3, LEASE + 1, RING_SECONDS + 1]))
    def pass_time(self, seconds):
        self.loop.advance(seconds)

    @precondition(lambda self: self.page.viewer is None)
    @rule(fresh=st.booleans())
    def connect(self, fresh):
        if fresh:
            self.page.snapshot()
        self.page.connect()

    @precondition(lambda self: self.page.viewer is not None)
    @rule()
    def read(self):
        self.page.read()

    @precondition(lambda self: self.page.viewer is not None)
    @rule()
    def disconnect(self):
        """What is still in the queue is lost on the way."""
        self.page.disconnect()

    @precondition(lambda self: self.page.viewer is not None)
    @rule()
    def flood(self):
        """More frames than a viewer's queue holds."""
        for _ in range(MAX_QUEUED + 2):
            self.commit("s")
            self.publish()
            self.loop.advance(MAX_PAUSE)

    @invariant()
    def nothing_is_missing_once_all_is_read(self):
        if self.committed or self.page.viewer is None:
            return
        self.loop.advance(MAX_PAUSE)
        self.page.read()
        assert self.page.points == set(self.history)


TestNoGapNoDuplicate = NoGapNoDuplicate.TestCase
TestNoGapNoDuplicate.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
