"""Messages of several points through the ingest loop: gaps are told, retained ones compared stream by stream."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mqttbridge.config.model import Config
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.events import EventTuple, Position
from mqttbridge.ingest import Ingest
from mqttbridge.mapping import Rulebook
from mqttbridge.metrics import Metrics
from mqttbridge.sources.frames import RETAINED, Publish
from mqttbridge.spool import Spool
from tests.support.sparkplug_b import payload

LIVE = 0x32
INFLUX = {"topic": "influx", "format": "influx", "bucket": "{measurement}", "stream": "{field}"}
SPARKPLUG = {"topic": "spBv1.0/#", "format": "sparkplug", "bucket": "{group}", "stream": "{origin}"}


class OneRead:
    def __init__(self, messages: Sequence[Publish]) -> None:
        self._messages = list(messages)

    def poll(self, timeout: float) -> list[Publish]:
        messages, self._messages = self._messages, []
        return messages

    def acknowledge(self) -> None: ...
    def subscribe(self, filters): ...
    def publish(self, topic, payload): ...
    def keep_alive(self) -> None: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class Bench:
    def __init__(self, path: Path) -> None:
        self.metrics = Metrics()
        self.spool = Spool(path / "spool.db", SpoolConfig(), self.metrics, ("a",))

    def run(self, rule: dict[str, Any], *messages: Publish) -> list[EventTuple]:
        config = {"rules": [rule], "destinations": {"a": {"type": "embedded"}}}
        ingest = Ingest(OneRead(messages), Rulebook(Config.model_validate(config)), self.spool, self.metrics)
        ingest.step(0)
        ingest.stop()
        ingest.run()  # saves what was last known
        reader = self.spool.reader("a")
        rows = reader.read(Position(0, 0), 10**6)
        reader.close()
        return [event for row in rows for event in row.events]


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.spool.close()


def test_messages_that_never_came_are_counted_and_logged(bench, caplog) -> None:
    metric = {"name": "t", "datatype": 3, "int_value": 1}
    births = [(b"spBv1.0/G/NBIRTH/N", payload(metric, seq=0), LIVE)]
    data = [(b"spBv1.0/G/NDATA/N", payload(metric, seq=seq), LIVE) for seq in (1, 4, 5, 9)]

    with caplog.at_level(logging.WARNING):
        bench.run(SPARKPLUG, *births, *data)

    assert bench.metrics.sequence_gaps.value() == 2
    assert "messages of a Sparkplug node never came: 'G/N: seq 9 came after 5'" in caplog.text


def test_a_message_that_makes_no_events_is_matched_and_not_rejected(bench) -> None:
    assert bench.run(SPARKPLUG, (b"spBv1.0/G/NCMD/N", b"an order", LIVE)) == []
    assert (bench.metrics.matched.value(), bench.metrics.rejected.value(reason="malformed")) == (1, 0)


def test_of_a_retained_message_streams_of_one_name_in_two_buckets_are_kept_apart(bench) -> None:
    first = bench.run(INFLUX, (b"influx", b"cpu v=1\nmem v=2", LIVE))
    again = bench.run(INFLUX, (b"influx", b"cpu v=2\nmem v=2", LIVE | RETAINED))

    assert [event[:3] for event in first] == [("cpu", "v", 1.0), ("mem", "v", 2.0)]
    assert [event[:3] for event in again[2:]] == [("cpu", "v", 2.0)]


def test_a_retained_history_is_stored_whole(bench) -> None:
    now = 1_760_000_000
    rule = INFLUX | {"influx": {"precision": "s"}, "max_past": "36500d"}

    bench.run(rule, (b"influx", b"cpu v=5 %d" % now, LIVE))
    events = bench.run(
        rule, (b"influx", b"cpu v=5 %d\ncpu v=6 %d\ncpu v=5 %d" % (now + 1, now + 2, now + 3), LIVE | RETAINED)
    )

    assert [event[2:] for event in events[1:]] == [(5.0, now + 1), (6.0, now + 2), (5.0, now + 3)]
