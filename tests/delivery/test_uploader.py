import json
import logging
import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings, strategies as st

from mqttbridge.config.spool import SpoolConfig
from mqttbridge.delivery.health import State
from mqttbridge.delivery.pacer import Pacer
from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Prepared, Refused
from mqttbridge.delivery.uploader import Uploader
from mqttbridge.destinations.base import BatchLimits, Delivery, Rate
from mqttbridge.errors import SpoolError
from mqttbridge.events import Batch, Position, Reason
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from tests.support.memory_spool import FakeTime, MemorySpool

LIMITS = BatchLimits(max_events=4, max_bytes=100_000, max_wait=1.0)


class ScriptedDestination:
    """Answers from a script, then accepts everything; `judge` decides by the events instead."""

    name = "cloud"

    def __init__(self, *script, judge: Callable | None = None, one_bucket=True, limits=LIMITS, start=None):
        self.script, self.judge = list(script), judge
        self.one_bucket, self.limits, self.start = one_bucket, limits, start
        self.tried: list[Delivery] = []
        self.accepted: list = []
        self.open_calls = self.close_calls = 0

    def open(self):
        self.open_calls += 1
        return self.start

    def send(self, delivery):
        self.tried.append(delivery)
        settlement = self.script.pop(0) if self.script else self.judge(delivery) if self.judge else Accepted()
        if isinstance(settlement, Accepted):
            self.accepted += delivery.events
        return settlement

    def close(self):
        self.close_calls += 1


class Rig:
    """An uploader over a spool in memory, in a time that only waiting moves."""

    def __init__(self, destination, *, pacer_rate: Rate | None = None, luck: float = 0.5):
        self.time = FakeTime()
        self.spool = MemorySpool(self.time)
        self.destination, self.metrics = destination, Metrics()
        self.pacer = Pacer(pacer_rate, self.time) if pacer_rate else None
        self.uploader = Uploader(
            destination,
            self.spool,
            self.metrics,
            pacer=self.pacer,
            clock=self.time,
            wall=self.time,
            sleep=self.time.sleep,
            luck=lambda: luck,
        )

    def add(self, text: str, **options) -> None:
        """One row: `a1 b2` is an event of bucket a and one of bucket b."""
        self.spool.add(*map(event, text.split()), **options)

    def open(self):
        self.uploader.open()
        return self

    def run_until(self, done: Callable[[], bool], steps: int = 2000) -> None:
        for _ in range(steps):
            if done():
                return
            self.uploader.step()
        raise AssertionError("the uploader did not come to an end")

    def drain(self, steps: int = 2000) -> None:
        """Run until everything in the spool is settled."""
        end = Position(len(self.spool.rows) + 1, 0)
        self.run_until(lambda: self.spool.cursor >= end, steps)


def event(text: str):
    return (text[0], "s", int(text[1:]), 1.0)


def names(events: Sequence) -> str:
    return " ".join(f"{bucket}{value}" for bucket, _, value, _ in events)


def test_events_arrive_in_batches_of_one_bucket_and_the_cursor_follows():
    rig = Rig(ScriptedDestination()).open()
    rig.add("a1 b1 a2 b2 a3 a4")
    rig.drain()
    assert [names(delivery.events) for delivery in rig.destination.tried] == ["a1 a2 a3 a4", "b1 b2"]
    assert rig.spool.cursor == Position(2, 0)
    assert rig.metrics.delivered.value(destination="cloud") == 6


def test_a_batch_that_is_not_full_waits_for_company_no_longer_than_max_wait():
    rig = Rig(ScriptedDestination()).open()
    began = rig.time.now
    rig.add("a1")
    rig.spool.on_wait = lambda: rig.add("a2") if len(rig.spool.rows) == 1 else None
    rig.drain()
    assert [names(delivery.events) for delivery in rig.destination.tried] == ["a1 a2"]
    assert rig.time.now - began == LIMITS.max_wait


def test_lag_is_measured_from_the_commit_of_each_event():
    rig = Rig(ScriptedDestination()).open()
    rig.add("a1")
    rig.time.now += 0.9
    rig.add("a2 a3 a4")
    rig.drain()
    samples = {(name, labels): value for name, labels, value in rig.metrics.delivery_lag.samples()}
    at_once = ("mqttbridge_delivery_seconds_bucket", (("destination", "cloud"), ("le", "0.005")))
    assert samples[at_once] == 3
    assert samples["mqttbridge_delivery_seconds_sum", (("destination", "cloud"),)] == pytest.approx(0.9)


def test_a_destination_that_mixes_buckets_gets_contiguous_batches_with_their_end_and_units():
    rig = Rig(ScriptedDestination(one_bucket=False, start=Position(1, 1))).open()
    rig.add("a1 b1 a2", units={("a", "s"): "°C"})
    rig.add("b2 b3 b4")
    rig.drain()
    first, second = rig.destination.tried
    assert (names(first.events), first.end, first.units) == ("b1 a2 b2 b3", Position(2, 2), {("a", "s"): "°C"})
    assert (names(second.events), second.end, second.units) == ("b4", Position(3, 0), {})


def test_only_the_event_at_fault_is_rejected_and_the_rest_arrives_in_order():
    def judge(delivery):
        return Refused("no threes") if any(value == 3 for _, _, value, _ in delivery.events) else Accepted()

    rig = Rig(ScriptedDestination(judge=judge)).open()
    rig.add("a1 a2 a3 a4 a5")
    rig.drain()
    assert names(rig.destination.accepted) == "a1 a2 a4 a5"
    (rejected,) = rig.spool.rejected
    assert (rejected.reason, rejected.detail, rejected.topic, rejected.destination) == (
        Reason.REFUSED,
        "no threes",
        "a/s",
        "cloud",
    )
    assert rejected.payload == b'{"bucket": "a", "stream": "s", "value": 3, "epoch": 1.0}'
    assert rig.metrics.refused.value(destination="cloud") == 1
    assert rig.uploader.status().refused == 1


@given(st.text("abc", min_size=1, max_size=40), st.sets(st.integers(0, 39)), st.integers(1, 9))
def test_bisecting_rejects_exactly_the_bad_events_and_delivers_all_others_in_order(buckets, bad, max_events):
    def judge(delivery):
        return Refused("bad") if any(value in bad for _, _, value, _ in delivery.events) else Accepted()

    limits = BatchLimits(max_events, 100_000, 1.0)
    rig = Rig(ScriptedDestination(judge=judge, limits=limits)).open()
    events = [(bucket, "s", n, 1.0) for n, bucket in enumerate(buckets)]
    rig.spool.add(*events)
    rig.drain()
    for bucket in set(buckets):
        mine = [one for one in events if one[0] == bucket]
        got = [one for one in rig.destination.accepted if one[0] == bucket]
        assert got == [one for one in mine if one[2] not in bad]
    assert len(rig.spool.rejected) == len(bad & set(range(len(buckets))))


outcomes = st.sampled_from(
    [
        Accepted(),
        Accepted(quiet=3.0),
        Prepared(),
        Refused("no"),
        Kept("busy"),
        Kept("busy", 5.0),
        Kept("off", pause=True),
    ]
)


@settings(deadline=None)
@given(st.lists(st.text("abc", max_size=9), max_size=6), st.lists(outcomes, max_size=60), st.booleans(), st.booleans())
def test_whatever_the_answers_nothing_is_lost_doubled_or_reordered_and_every_crash_is_safe(
    rows, script, one_bucket, paced
):
    rate = Rate(3, 10.0, "") if paced else None
    rig = Rig(ScriptedDestination(*script, one_bucket=one_bucket), pacer_rate=rate).open()
    everything = []
    for number, buckets in enumerate(rows):
        events = [(bucket, "s", 100 * number + n, 1.0) for n, bucket in enumerate(buckets)]
        everything += events
        rig.spool.add(*events)
    end = Position(len(rows) + 1, 0)

    def settled():
        refused = [tuple(_json_event(one.payload)) for one in rig.spool.rejected]
        # Should the process die now, the next one starts at the cursor: what lies before it must be settled.
        assert set(rig.spool.events_before_cursor()) <= {*rig.destination.accepted, *refused}
        return rig.spool.cursor >= end

    rig.run_until(settled)
    refused = [tuple(_json_event(one.payload)) for one in rig.spool.rejected]
    assert sorted([*rig.destination.accepted, *refused]) == sorted(everything)
    for bucket in "abc":
        got = [one for one in rig.destination.accepted if one[0] == bucket]
        assert got == sorted(got, key=lambda one: one[2])
    assert rig.uploader.status().delivered + rig.uploader.status().refused == len(everything)


def _json_event(payload: bytes):
    return json.loads(payload).values()


def test_a_bucket_that_is_gone_is_said_once_and_its_events_are_rejected_without_asking_again(caplog):
    def judge(delivery):
        return BucketGone("a", "removed") if delivery.events[0][0] == "a" else Accepted()

    rig = Rig(ScriptedDestination(judge=judge)).open()
    rig.add("a1 a2 b1 a3 a4 a5 b2 a6")
    rig.drain()
    assert names(rig.destination.accepted) == "b1 b2"
    assert [one.reason for one in rig.spool.rejected] == [Reason.BUCKET_REMOVED] * 6
    assert sum(delivery.events[0][0] == "a" for delivery in rig.destination.tried) == 1
    assert len([record for record in caplog.records if "does not take bucket 'a'" in record.message]) == 1


def test_a_request_that_only_prepared_is_followed_by_the_batch():
    rig = Rig(ScriptedDestination(Prepared())).open()
    rig.add("a1 a2 a3 a4")
    rig.drain()
    assert [names(delivery.events) for delivery in rig.destination.tried] == ["a1 a2 a3 a4"] * 2
    assert names(rig.destination.accepted) == "a1 a2 a3 a4"


def test_pauses_grow_while_a_destination_fails_and_are_jittered():
    rig = Rig(ScriptedDestination(*[Kept("503")] * 12), luck=0.5).open()
    rig.add("a1 a2 a3 a4")
    rig.drain()
    assert rig.time.sleeps == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 150, 150, 150]


def test_a_wait_that_the_server_asks_for_is_kept_to():
    rig = Rig(ScriptedDestination(Kept("429", retry_after=17.0), Kept("429", retry_after=0.0))).open()
    rig.add("a1 a2 a3 a4")
    rig.drain()
    assert rig.time.sleeps == [17.0, 1.0]  # "0" from a server that fails again is answered by our own pause


def test_nothing_else_is_sent_and_nothing_is_settled_while_a_batch_is_kept():
    rig = Rig(ScriptedDestination(*[Kept("503")] * 5)).open()
    rig.add("a1 a2 a3 a4 b1 b2 b3 b4")
    rig.run_until(lambda: len(rig.destination.tried) == 5)
    assert {names(delivery.events) for delivery in rig.destination.tried} == {"a1 a2 a3 a4"}
    assert rig.spool.cursor == Position(1, 0)


def test_memory_is_bounded_while_a_destination_is_down():
    rig = Rig(ScriptedDestination(judge=lambda _: Kept("503"))).open()
    for _ in range(100):
        rig.spool.add(*[("a", "s", n, 1.0) for n in range(1000)])
    rig.run_until(lambda: len(rig.destination.tried) == 20)
    assert len(rig.uploader._window) <= 20_000


@pytest.mark.parametrize(
    ("kept", "state", "level", "wait"),
    [
        (Kept("401 no such key", pause=True), State.PAUSED, logging.ERROR, 60.0),
        (Kept("402 used up", retry_after=3600.0, pause=True), State.PAUSED, logging.ERROR, 3600.0),
        (Kept("503 busy"), State.RETRYING, logging.WARNING, 0.5),
    ],
)
def test_a_change_of_state_is_said_once_in_status_metrics_and_log(caplog, kept, state, level, wait):
    caplog.set_level(logging.INFO)
    rig = Rig(ScriptedDestination(kept, kept, kept)).open()
    rig.add("a1 a2 a3 a4")
    rig.run_until(lambda: len(rig.destination.tried) == 3)
    status = rig.uploader.status()
    assert (status.state, status.detail, status.last_success) == (state, kept.detail, None)
    assert rig.metrics.destination_state.value(destination="cloud", state=state.value) == 1
    assert rig.metrics.destination_state.value(destination="cloud", state="ok") == 0
    assert [(record.levelno, kept.detail in record.message) for record in caplog.records] == [(level, True)]
    assert rig.time.sleeps[0] == wait

    rig.drain()
    assert rig.uploader.status().state is State.OK
    assert rig.uploader.status().detail == ""
    assert rig.uploader.status().last_success is not None
    assert rig.metrics.destination_state.value(destination="cloud", state="ok") == 1
    assert [record.levelno for record in caplog.records] == [level, logging.INFO]
    assert "3 failed tries" in caplog.records[-1].message


def test_requests_are_counted_by_outcome():
    rig = Rig(ScriptedDestination(Prepared(), Kept("503"), Refused("no"))).open()
    rig.add("a1 a2 a3 a4")
    rig.drain()
    counts = {dict(labels)["outcome"]: n for _, labels, n in rig.metrics.requests.samples()}
    assert counts == {"prepared": 1, "kept": 1, "refused": 1, "accepted": 2}


def test_every_request_waits_for_its_turn():
    rig = Rig(ScriptedDestination(Prepared()), pacer_rate=Rate(2, 10.0, "")).open()
    sent = []
    rig.destination.judge = lambda delivery: sent.append(rig.time.now) or Accepted()
    rig.add(" ".join(f"a{n}" for n in range(12)))
    began = rig.time.now
    rig.drain()
    assert [at - began for at in sent] == [0.0, 10.0, 10.0]


def test_a_rate_limit_that_is_spent_silences_all_of_the_account():
    rig = Rig(ScriptedDestination(Accepted(quiet=8.0)), pacer_rate=Rate(100, 10.0, "")).open()
    rig.add("a1 a2 a3 a4 a5 a6 a7 a8")
    rig.run_until(lambda: bool(rig.destination.accepted))
    assert rig.pacer.delay() == 8.0
    rig.drain()


def test_a_destination_that_asks_for_quiet_gets_it_also_while_a_stop_drains_it():
    rig = Rig(ScriptedDestination(Accepted(quiet=2.0), Accepted(quiet=3.0))).open()
    rig.add("a1 a2 a3 a4 a5 a6 a7 a8 a9")
    rig.run_until(lambda: len(rig.destination.tried) == 1)
    rig.uploader.stop(rig.time.now + 10)
    finish(rig)
    assert rig.time.sleeps == [2.0, 3.0]
    assert len(rig.destination.accepted) == 9


def test_a_destination_that_fails_in_an_unforeseen_way_ends_the_loop_and_gives_its_token_back():
    def judge(_):
        raise ZeroDivisionError

    rig = Rig(ScriptedDestination(judge=judge), pacer_rate=Rate(1, 10.0, ""))
    rig.add("a1 a2 a3 a4")
    with pytest.raises(ZeroDivisionError):
        rig.uploader.run()
    assert rig.destination.close_calls == 1
    assert rig.spool.cursor == Position(1, 0)
    rig.time.sleep(10)
    assert rig.pacer.claim() == 0


def test_refused_events_wait_in_memory_while_the_spool_cannot_take_them_and_are_not_sent_again(caplog):
    rig = Rig(ScriptedDestination(Refused("no"))).open()
    rig.spool.faults = [SpoolError("disk full"), SpoolError("disk full")]
    rig.add("a1")
    rig.drain()
    assert len(rig.destination.tried) == 1
    assert [one.topic for one in rig.spool.rejected] == ["a/s"]
    assert "disk full" in caplog.text


def test_a_spool_that_cannot_be_read_is_tried_again():
    rig = Rig(ScriptedDestination()).open()
    rig.add("a1 a2 a3 a4")
    rig.spool.read_faults = [SpoolError("I/O error")]
    rig.uploader.step()
    assert rig.uploader.status().state is State.RETRYING
    rig.drain()
    assert rig.uploader.status().state is State.OK


def test_a_spool_that_works_again_is_ok_again_though_nothing_comes_to_send():
    rig = Rig(ScriptedDestination()).open()
    rig.spool.read_faults = [SpoolError("I/O error")]
    for _ in range(3):
        rig.uploader.step()
    assert rig.uploader.status().state is State.OK


def test_rows_for_others_that_wake_us_do_not_make_it_spin():
    rig = Rig(ScriptedDestination()).open()
    rig.uploader._reader.wait = lambda after, timeout: True  # as when another destination's rows arrive
    for _ in range(100):
        rig.uploader.step()
    assert rig.time.now - 1_700_000_000.0 > 2.0


# --- stopping ----------------------------------------------------------------------------------------------------


def stopped_rig(destination, text="a1 a2 a3 a4 a5"):
    rig = Rig(destination).open()
    rig.add(text)
    return rig


def finish(rig, steps=100):
    for _ in range(steps):
        if rig.uploader.is_done():
            return
        rig.uploader.step()
    raise AssertionError("still not done")


def test_a_stop_delivers_what_is_there_without_waiting_for_company():
    rig = stopped_rig(ScriptedDestination(), "a1 b1")
    rig.uploader.stop(rig.time.now + 10)
    finish(rig)
    assert names(rig.destination.accepted) == "a1 b1"
    assert rig.time.sleeps == []


def test_a_stop_at_its_deadline_leaves_the_rest_in_the_spool():
    rig = stopped_rig(ScriptedDestination(), " ".join(f"a{n}" for n in range(40)))
    rig.destination.judge = lambda _: rig.time.sleep(3.0) or Accepted()
    rig.uploader.stop(rig.time.now + 10)
    finish(rig)
    assert len(rig.destination.accepted) == 16  # the fourth request began before the deadline and was waited for
    rig.uploader.close()
    assert rig.spool.cursor == Position(1, 16)
    assert rig.destination.close_calls == 1


def test_a_hiccup_during_the_drain_is_waited_out():
    rig = stopped_rig(ScriptedDestination(Kept("503"), Kept("503")))
    rig.uploader.stop(rig.time.now + 10)
    finish(rig)
    assert names(rig.destination.accepted) == "a1 a2 a3 a4 a5"


@pytest.mark.parametrize(
    "kept", [Kept("401", pause=True), Kept("503", retry_after=60.0)], ids=["paused", "asks for longer than there is"]
)
def test_a_drain_ends_when_the_next_try_would_be_too_late(kept):
    rig = stopped_rig(ScriptedDestination(judge=lambda _: kept))
    rig.uploader.stop(rig.time.now + 10)
    finish(rig)
    assert len(rig.destination.tried) == 1
    assert rig.time.sleeps == []


def test_a_destination_that_was_down_before_the_stop_does_not_hold_it_up():
    rig = stopped_rig(ScriptedDestination(judge=lambda _: Kept("503")))
    rig.run_until(lambda: len(rig.destination.tried) == 3)
    slept = len(rig.time.sleeps)
    rig.uploader.stop(rig.time.now + 10)
    finish(rig)
    assert len(rig.time.sleeps) == slept
    assert rig.spool.cursor == Position(1, 0)


def test_the_default_deadline_is_the_shutdown_timeout():
    rig = stopped_rig(ScriptedDestination(judge=lambda _: Kept("503")))
    rig.uploader.stop()
    began = rig.time.now
    finish(rig)
    assert rig.time.now - began <= 10.0
    assert rig.spool.woken == 1


@pytest.fixture
def spool(tmp_path):
    made = Spool(tmp_path / "spool.db", SpoolConfig(), Metrics(), ["cloud"])
    yield made
    made.close()


def run_in_thread(uploader):
    thread = threading.Thread(target=uploader.run, name=f"upload-{uploader.name}")
    thread.start()
    return thread


def test_a_running_loop_delivers_what_is_appended_and_a_stop_wakes_it(spool):
    arrived = threading.Event()
    destination = ScriptedDestination(limits=BatchLimits(10, 100_000, 0.0))
    destination.judge = lambda _: arrived.set() or Accepted()
    uploader = Uploader(destination, spool, Metrics())
    thread = run_in_thread(uploader)
    spool.append([Batch([event("a1"), event("a2")])])
    assert arrived.wait(10)
    uploader.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert names(destination.accepted) == "a1 a2"
    assert spool.stats().kept == {"cloud": 0}


def test_a_stop_interrupts_a_long_pause(spool):
    spool.append([Batch([event("a1")])])
    tried = threading.Event()
    destination = ScriptedDestination(judge=lambda _: tried.set() or Kept("402", retry_after=3600.0, pause=True))
    destination.limits = BatchLimits(1, 100_000, 0.0)
    uploader = Uploader(destination, spool, Metrics())
    thread = run_in_thread(uploader)
    assert tried.wait(10)
    uploader.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert spool.stats().kept == {"cloud": 1}


def test_a_restart_goes_on_where_the_last_process_stood(tmp_path):
    path = tmp_path / "spool.db"
    spool = Spool(path, SpoolConfig(), Metrics(), ["cloud"])
    spool.append([Batch([event(f"a{n}") for n in range(10)])])
    limits = BatchLimits(4, 100_000, 0.0)
    first = ScriptedDestination(Accepted(), judge=lambda _: Kept("401", pause=True), limits=limits)
    uploader = Uploader(first, spool, Metrics())
    thread = run_in_thread(uploader)
    uploader.stop()
    thread.join(10)
    spool.close()

    spool = Spool(path, SpoolConfig(), Metrics(), ["cloud"])
    second = ScriptedDestination(limits=limits)
    uploader = Uploader(second, spool, Metrics())
    uploader.stop()
    uploader.run()
    assert names(first.accepted) == "a0 a1 a2 a3"
    assert names(second.accepted) == "a4 a5 a6 a7 a8 a9"
    spool.close()
