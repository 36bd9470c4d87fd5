"""The way in: nothing acknowledged before it is durable, and every message accounted for."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mqttbridge import ingest as ingest_module
from mqttbridge.config.model import Config
from mqttbridge.config.mqtt import RetainedPolicy
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.errors import SpoolError, SpoolFull
from mqttbridge.events import Batch, Position, Rejected
from mqttbridge.ingest import Ingest
from mqttbridge.mapping import Rulebook
from mqttbridge.metrics import Metrics
from mqttbridge.sources.frames import OVERSIZED, RETAINED, Publish
from mqttbridge.spool import Spool

RULES = {
    "models": {"Climate": {"temperature": {"type": "float", "le": 85, "unit": "°C"}, "humidity": {"type": "float"}}},
    "rules": [
        {"topic": "fleet/{device}/climate", "model": "Climate", "bucket": "fleet", "stream": "{device}.{field}"},
        {"topic": "state/{device}", "format": "text", "bucket": "state", "stream": "{device}"},
    ],
}
GOOD = b'{"temperature": 21.5, "humidity": 40}'


class ScriptedSource:
    """Hands out prepared messages and records in which order things happen to them."""

    def __init__(self, script: Sequence[Sequence[Publish]], journal: list[str]) -> None:
        self._script, self._journal = list(script), journal

    def poll(self, timeout: float) -> list[Publish]:
        return list(self._script.pop(0)) if self._script else []

    def acknowledge(self) -> None:
        self._journal.append("acknowledge")

    def publish(self, topic: str, payload: bytes) -> None:
        self._journal.append(f"publish {topic}")

    def keep_alive(self) -> None:
        self._journal.append("keep alive")

    def wake(self) -> None: ...
    def close(self) -> None:
        self._journal.append("close")


class Bench:
    """An ingest loop over a real spool, with what is needed to look at both ends of it."""

    def __init__(self, path: Path, config: dict[str, Any], **options: Any) -> None:
        self.metrics = Metrics()
        self.journal: list[str] = []
        self.spool = Spool(path / "spool.db", SpoolConfig(), self.metrics, ("a",))
        self._append = self.spool.append
        self.spool.append = self._record  # type: ignore[method-assign]
        self.refusals = 0
        self._rulebook = Rulebook(Config.model_validate(config | {"destinations": {"a": {"type": "embedded"}}}))
        self._options = options

    def _record(
        self,
        batches: Sequence[Batch],
        rejected: Sequence[Rejected] = (),
        known: Sequence[tuple[str, str]] = (),
        *,
        source: str = "mqtt",
    ) -> None:
        if self.refusals:
            self.refusals -= 1
            raise SpoolFull("no room")
        self._append(batches, rejected, known, source=source)
        self.journal.append("commit")

    def prepare(self, *reads: Sequence[Publish]) -> Ingest:
        return Ingest(ScriptedSource(reads, self.journal), self._rulebook, self.spool, self.metrics, **self._options)

    def run(self, *reads: Sequence[Publish]) -> Ingest:
        ingest = self.prepare(*reads)
        for _ in reads:
            ingest.step(0)
        return ingest

    def stored(self) -> list[tuple[str, str, object]]:
        reader = self.spool.reader("a")
        rows = reader.read(Position(0, 0), 10**6)
        reader.close()
        return [event[:3] for row in rows for event in row.events]


@pytest.fixture
def bench(tmp_path: Path):
    made: list[Bench] = []

    def make(config: dict[str, Any] = RULES, **options: Any) -> Bench:
        made.append(Bench(tmp_path, config, **options))
        return made[-1]

    yield make
    for one in made:
        one.spool.close()


def message(topic: str, payload: bytes, first: int = 0x32) -> Publish:
    return topic.encode(), payload, first


def test_a_read_is_committed_before_it_is_acknowledged(bench) -> None:
    one = bench()
    one.run([message("fleet/d1/climate", GOOD), message("state/d2", b"idle")])
    assert one.journal == ["commit", "acknowledge"]
    assert one.stored() == [
        ("fleet", "d1.temperature", 21.5),
        ("fleet", "d1.humidity", 40.0),
        ("state", "d2", "idle"),
    ]


def test_nothing_is_acknowledged_while_the_spool_blocks_but_the_connection_lives(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqttbridge.ingest._BLOCKED_PAUSE", 0.0)
    one = bench()
    one.refusals = 3
    one.run([message("state/d2", b"idle")])
    assert one.journal == ["keep alive"] * 3 + ["commit", "acknowledge"]


def test_what_could_not_be_stored_before_a_stop_is_not_acknowledged(bench) -> None:
    one = bench()
    one.refusals = 10**6
    ingest = one.run()
    ingest._source = ScriptedSource([[message("state/d2", b"idle")]], one.journal)
    ingest._stop.set()
    ingest.step(0)
    assert "acknowledge" not in one.journal


def test_rejected_and_unmatched_messages_are_acknowledged_too(bench) -> None:
    one = bench()
    one.run([message("fleet/d1/climate", b"{broken"), message("nobody/asked", b"1")])
    assert one.journal == ["commit", "acknowledge"]
    (row,) = one.spool.rejected_rows()
    assert (row.reason, row.topic, row.payload) == ("malformed", "fleet/d1/climate", b"{broken")


def test_only_unmatched_messages_cost_no_commit(bench) -> None:
    one = bench()
    one.run([message("nobody/asked", b"1")])
    assert one.journal == ["acknowledge"]
    assert one.metrics.unmatched.value() == 1


def test_every_message_is_counted_exactly_once(bench) -> None:
    one = bench(own_topic="mqttbridge/x/availability", retained=RetainedPolicy.IGNORE)
    one.run(
        [
            message("fleet/d1/climate", GOOD),
            message("fleet/d1/climate", b'{"temperature": 900, "humidity": 1}'),
            message("nobody/asked", b"1"),
            (b"fleet/\xff/climate", GOOD, 0x30),
            message("state/d1", b"x" * 10, 0x30 | OVERSIZED),
            message("state/d1", b"idle", 0x30 | RETAINED),
            message("mqttbridge/x/availability", b"online"),
        ]
    )
    m = one.metrics
    assert m.received.value(source="mqtt") == 7
    early = {row.reason: row for row in one.spool.rejected_rows()}
    assert set(early) == {"validation", "topic_not_utf8", "payload_too_large"}
    assert m.matched.value() == 2
    assert m.unmatched.value() + m.dropped.value(reason="retained_ignored") == 2 or m.unmatched.value() == 2
    assert m.dropped.value(reason="retained_ignored") == 1


def test_the_payload_of_a_message_with_an_unusable_topic_is_kept(bench) -> None:
    one = bench()
    one.run([(b"fleet/\xff/climate", GOOD, 0x30)])
    (row,) = one.spool.rejected_rows()
    assert (row.reason, row.payload) == ("topic_not_utf8", GOOD)


def test_no_two_values_of_a_stream_share_an_arrival_time(bench) -> None:
    one = bench()
    one.run([message("state/d1", b"x")] * 3000, [message("state/d1", b"x")] * 3000)
    reader = one.spool.reader("a")
    epochs = [event[3] for row in reader.read(Position(0, 0), 10**6) for event in row.events]
    reader.close()
    micros = [round(epoch * 1e6) for epoch in epochs]
    assert micros == sorted(set(micros))


def test_units_ride_along_the_first_time_only(bench) -> None:
    one = bench()
    one.run([message("fleet/d1/climate", GOOD)], [message("fleet/d1/climate", GOOD)])
    reader = one.spool.reader("a")
    first, second = reader.read(Position(0, 0), 100)
    reader.close()
    assert first.units == {("fleet", "d1.temperature"): "°C"}
    assert second.units == {}


def test_where_a_rule_says_how_long_every_stream_comes_with_its_rule(bench) -> None:
    climate, state = RULES["rules"]
    one = bench(RULES | {"rules": [climate, state | {"name": "states", "retention": "7d"}]})
    one.run([message("fleet/d1/climate", GOOD), message("state/d1", b"on")], [message("state/d1", b"off")])
    reader = one.spool.reader("a")
    first, second = reader.read(Position(0, 0), 100)
    reader.close()
    of_fleet = {("fleet", "d1.temperature"): "rule 1", ("fleet", "d1.humidity"): "rule 1"}
    assert first.rules == of_fleet | {("state", "d1"): "states"}
    assert first.units == {("fleet", "d1.temperature"): "°C"}
    assert (second.rules, second.units) == ({}, {})


RETAINED_FIRST = 0x32 | RETAINED


def test_a_retained_message_that_says_nothing_new_is_not_stored(bench) -> None:
    one = bench()
    one.run([message("state/d1", b"idle")], [message("state/d1", b"idle", RETAINED_FIRST)])
    assert one.stored() == [("state", "d1", "idle")]
    assert one.metrics.dropped.value(reason="retained_unchanged") == 1


def test_of_a_retained_message_the_streams_that_differ_are_stored(bench) -> None:
    one = bench()
    changed = b'{"temperature": 21.5, "humidity": 41}'
    one.run([message("fleet/d1/climate", GOOD)], [message("fleet/d1/climate", changed, RETAINED_FIRST)])
    assert one.stored()[2:] == [("fleet", "d1.humidity", 41.0)]


def test_what_was_last_known_is_known_after_a_restart(bench) -> None:
    one = bench()
    ingest = one.run([message("state/d1", b"idle"), message("state/d2", b"idle")])
    ingest.stop()
    ingest.run()
    one.spool.close()
    again = bench()
    again.run([message("state/d1", b"idle", RETAINED_FIRST), message("state/d2", b"busy", RETAINED_FIRST)])
    assert again.stored()[2:] == [("state", "d2", "busy")]


@pytest.mark.parametrize(("policy", "stored"), [(RetainedPolicy.ACCEPT, 2), (RetainedPolicy.IGNORE, 1)])
def test_the_other_retained_policies_accept_or_ignore_all(bench, policy: RetainedPolicy, stored: int) -> None:
    one = bench(retained=policy)
    one.run([message("state/d1", b"idle")], [message("state/d1", b"idle", RETAINED_FIRST)])
    assert len(one.stored()) == stored


def test_a_lingering_loop_gathers_several_reads_into_one_commit(bench) -> None:
    one = bench(linger=30.0, linger_messages=3)
    ingest = one.run()
    ingest._source = ScriptedSource([[message("state/d1", b"x")]] * 3, one.journal)
    ingest.step(0)
    assert one.journal == ["commit", "acknowledge"]
    assert len(one.stored()) == 3


# --- thinning

THINNED = {
    "rules": [
        {"topic": "flat/{d}", "bucket": "b", "stream": "{d}", "unit": "W", "thin": [{"changed": True}]},
        {"topic": "mean/{d}", "bucket": "b", "stream": "{d}", "unit": "W", "thin": [{"sample": {"every": "1h"}}]},
    ],
}


def units_stored(one) -> list[dict[tuple[str, str], str]]:
    reader = one.spool.reader("a")
    units = [row.units for row in reader.read(Position(0, 0), 10**6)]
    reader.close()
    return units


def test_events_that_are_thinned_out_are_acknowledged_and_counted(bench) -> None:
    one = bench(THINNED)
    one.run([message("flat/d", b"1"), message("flat/d", b"1"), message("flat/d", b"2")], [message("flat/d", b"2")])
    assert one.stored() == [("b", "d", 1), ("b", "d", 2)]
    assert one.journal == ["commit", "acknowledge", "acknowledge"]
    assert one.metrics.dropped.value(reason="thinned_changed") == 2
    assert one.metrics.matched.value() == 4


def test_a_retained_message_is_compared_with_what_was_known_not_with_what_was_kept(bench) -> None:
    one = bench({"rules": [THINNED["rules"][0] | {"thin": [{"deadband": 5}]}]})
    one.run([message("flat/d", b"1"), message("flat/d", b"3")], [message("flat/d", b"3", RETAINED_FIRST)])
    assert one.metrics.dropped.value(reason="retained_unchanged") == 1
    assert one.metrics.dropped.value(reason="thinned_deadband") == 1


def test_an_interval_that_is_over_is_stored_with_its_unit_though_nothing_more_comes(
    bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_760_000_400.0  # a whole hour
    monkeypatch.setattr("mqttbridge.ingest.time.time", lambda: now)
    one = bench(THINNED)
    ingest = one.run([message("mean/d", b"1"), message("mean/d", b"3")])
    assert one.stored() == []
    now += 3599
    ingest.step(0)
    assert one.stored() == []
    now += 4
    ingest.step(0)
    assert one.stored() == [("b", "d", 2.0)]
    assert units_stored(one) == [{("b", "d"): "W"}]
    assert one.metrics.dropped.value(reason="thinned_sample") == 1


def test_a_stop_stores_the_intervals_as_they_are(bench) -> None:
    one = bench(THINNED)
    ingest = one.run([message("mean/d", b"1"), message("mean/d", b"3")])
    ingest.stop()
    ingest.run()
    assert one.stored() == [("b", "d", 2.0)]
    assert one.journal[-2:] == ["commit", "close"]


def test_intervals_that_cannot_be_stored_at_a_stop_are_counted(bench, caplog: pytest.LogCaptureFixture) -> None:
    one = bench(THINNED)
    ingest = one.run([message("mean/d", b"1")])
    one.refusals = 10**6
    ingest.stop()
    ingest.run()
    assert one.metrics.dropped.value(reason="thinned_unsaved") == 1
    assert "1 events of thinning intervals are lost" in caplog.text


def test_what_was_last_known_is_known_by_device_where_payloads_name_the_devices(bench) -> None:
    rules = {"rules": [{"topic": "gw", "bucket": "b", "stream": "{payload.id}"}]}
    one = bench(rules)
    one.run(
        [message("gw", b'{"id": "a", "t": 1}'), message("gw", b'{"id": "b", "t": 2}')],
        [message("gw", b'{"id": "a", "t": 1}', 0x33), message("gw", b'{"id": "b", "t": 3}', 0x33)],
    )
    assert one.stored() == [("b", "a.t", 1), ("b", "b.t", 2), ("b", "b.t", 3)]


def test_a_retained_message_that_could_not_be_stored_before_a_stop_is_stored_after_the_next_start(bench) -> None:
    one = bench()
    retained = message("state/d1", b"open", 0x33)
    one.refusals = 10**6
    ingest = one.prepare([retained])
    threading.Timer(0.1, ingest.stop).start()
    ingest.run()
    assert "acknowledge" not in one.journal
    one.spool.close()
    again = bench()
    again.run([retained])
    assert again.stored() == [("state", "d1", "open")]


def test_arrival_times_follow_a_clock_that_is_set_back(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    times = iter([2_000_000_000.0, 1_700_000_000.0])
    monkeypatch.setattr(
        ingest_module, "time", SimpleNamespace(time=lambda: now, monotonic=time.monotonic, sleep=time.sleep)
    )
    ingest = one.prepare([message("state/d1", b"on")], [message("state/d1", b"off")])
    for now in times:  # noqa: B007  # read by the clock above
        ingest.step(0)
    (first, second) = [event for row in one.spool.reader("a").read(Position(0, 0), 10) for event in row.events]
    assert (round(first[3]), round(second[3])) == (2_000_000_000, 1_700_000_000)


def test_last_known_values_that_cannot_be_read_do_not_end_the_loop(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()

    def unreadable(_key: str) -> str | None:
        raise SpoolError("disk I/O error")

    monkeypatch.setattr(one.spool, "known", unreadable)
    one.run([message("state/d1", b"open", 0x33)])
    assert one.stored() == [("state", "d1", "open")]
