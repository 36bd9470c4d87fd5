"""What counters and thinning compare with is stored with the events that they made, and known after a restart."""

from __future__ import annotations

import json

import pytest

from mqttbridge.config.model import Config
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.errors import SpoolFull
from mqttbridge.ingest import Ingest
from mqttbridge.mapping import Rulebook
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

RULE = {"topic": "m/+/{d}", "format": "json", "bucket": "b", "stream": "{d}"}
COUNTER = {**RULE, "values": {"total": {"counter": "delta"}}}
NAMED = {**COUNTER, "stream": "{payload.id}"}
SERIES = {"topic": "m/#", "format": "influx", "bucket": "{measurement}", "stream": "{tag.h}",
          "values": {"total": {"counter": "delta"}}}  # fmt: skip


class Source:
    """Hands out one read after another; nobody is there to be told anything."""

    def __init__(self, *reads):
        self.reads = list(reads)

    def poll(self, timeout):
        return self.reads.pop(0) if self.reads else []

    def acknowledge(self): ...
    def keep_alive(self): ...
    def subscribe(self, filters): ...
    def publish(self, topic, payload): ...
    def wake(self): ...
    def close(self): ...


@pytest.fixture
def run(tmp_path):
    """One life of a bridge over one spool, ended as by a crash: nothing is saved at the end. Returns its values."""

    def live(rule, *payloads, topic=b"m/x/d", full=0):
        metrics = Metrics()
        config = Config.model_validate({"rules": [rule], "destinations": {"a": {"type": "embedded"}}})
        spool = Spool(tmp_path / "spool.db", SpoolConfig(), metrics, ("a",))
        stored, append = [], spool.append

        def appending(batches, *arguments, **options):
            nonlocal full
            if full:
                full -= 1
                raise SpoolFull("no room")
            append(batches, *arguments, **options)
            stored.extend(event[1:3] for batch in batches for event in batch.events)

        spool.append = appending
        ingest = Ingest(Source(*([(topic, payload, 0)] for payload in payloads)), Rulebook(config), spool, metrics)
        for _ in payloads:
            ingest.step()
        spool.close()
        return stored

    return live


def totals(*values, **more):
    return [json.dumps({"total": value, **more}).encode() for value in values]


def test_growth_over_a_crash_is_told_once(run):
    assert run(COUNTER, *totals(100, 110)) == [("d.total", 10)]
    assert run(COUNTER, *totals(125)) == [("d.total", 15)]
    assert run(COUNTER, *totals(130, 131)) == [("d.total", 5), ("d.total", 1)]


def test_a_first_sample_alone_is_remembered(run):
    assert run(COUNTER, *totals(100)) == []
    assert run(COUNTER, *totals(107)) == [("d.total", 7)]


def test_growth_is_told_once_though_the_spool_was_full_for_a_while(run):
    assert run(COUNTER, *totals(100, 110), full=2) == [("d.total", 10)]
    assert run(COUNTER, *totals(111)) == [("d.total", 1)]


def test_counters_that_messages_name_and_those_of_many_origins_are_told_apart(run):
    run(NAMED, *totals(100, id="x"), *totals(500, id="y"))
    assert run(NAMED, *totals(101, id="x"), *totals(502, id="y")) == [("x.total", 1), ("y.total", 2)]
    run(SERIES, b"p,h=x total=1\np,h=y total=10", topic=b"m/lines")
    assert run(SERIES, b"p,h=x total=2\np,h=y total=15", topic=b"m/lines") == [("x.total", 1.0), ("y.total", 5.0)]


def test_another_rules_counter_and_what_nobody_can_read_are_no_first_sample(run, tmp_path):
    run({**COUNTER, "name": "one"}, *totals(100))
    assert run({**COUNTER, "name": "other"}, *totals(107)) == []
    metrics = Metrics()
    spool = Spool(tmp_path / "spool.db", SpoolConfig(), metrics, ("a",))
    spool.remember([("counters\none\nm/x/d\nb\nd", '{"total": "?"}')])
    spool.close()
    assert run({**COUNTER, "name": "one"}, *totals(110)) == []


@pytest.mark.parametrize("thin", [{"deadband": 5}, {"changed": True}, {"throttle": {"every": "1h"}}])
def test_what_thinning_kept_last_is_known_after_a_crash(run, thin):
    rule = {**RULE, "thin": [thin]}
    assert run(rule, *totals(100)) == [("d.total", 100)]
    assert run(rule, *totals(100)) == []
    assert run(rule, *totals(100), *totals(200)) == ([] if "throttle" in thin else [("d.total", 200)])
    assert run({**rule, "name": "other"}, *totals(100)) == [("d.total", 100)]


@pytest.mark.parametrize("stored", [True, False])
def test_counters_that_were_forgotten_for_want_of_room_go_on_where_they_were(stored, monkeypatch):
    monkeypatch.setattr("mqttbridge.mapping.rules.MAX_KEPT_BYTES", 3_000)
    book, kept = Rulebook(Config.model_validate({"rules": [COUNTER]})), {}
    book.memory.keep(kept.get)

    def total(topic, value):
        (route,) = book.routes(topic)
        return [event[2] for event in route.apply(totals(value)[0], 1.76e9 + value)]

    assert total(b"m/x/d", 100) == []
    before = book.routes(b"m/x/d")
    for other in range(20):
        total(b"m/x/%d" % other, 1)
    assert book.routes(b"m/x/d") is not before
    if stored:
        kept.update(book.memory.take())
    assert total(b"m/x/d", 107) == [7]
