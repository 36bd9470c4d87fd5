"""Rejected messages through the rules again: once, whole, and never lost on the way."""

from __future__ import annotations

import json

import pytest

from mqttbridge.config.model import Config
from mqttbridge.config.spool import SpoolConfig, WhenFull
from mqttbridge.errors import SpoolError
from mqttbridge.events import Batch, Position, Reason, Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from mqttbridge.spool.inspection import RejectedQuery, SpoolInspector
from mqttbridge.tools import refused
from mqttbridge.tools.refused import Refused

CONFIG = Config.model_validate(
    {
        "models": {"T": {"t": {"type": "float", "le": 50, "unit": "°C"}}},
        "rules": [
            {"name": "archive", "topic": "a/{d}", "format": "text", "bucket": "archive", "stream": "{d}",
             "continue": True},
            {"name": "climate", "topic": "a/{d}", "model": "T", "bucket": "b", "stream": "{d}", "to": ["dashboard"]},
        ],
    }
)  # fmt: skip
ALL = RejectedQuery(limit=10_000)


def no(topic: str, payload: bytes, rule: str = "climate", reason: Reason = Reason.VALIDATION, destination: str = ""):
    return Rejected(reason, "why", topic, payload, rule, destination)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def spool(tmp_path, metrics):
    spool = Spool(tmp_path / "spool.db", SpoolConfig(), metrics, ("dashboard", "cloud"))
    yield spool
    spool.close()


@pytest.fixture
def tools(spool):
    return Refused(spool, lambda: Rulebook(CONFIG), CONFIG.destinations)


def events(spool, destination="dashboard"):
    reader = spool.reader(destination)
    found = [event for row in reader.read(Position(0, 0), 10**6) for event in row.events]
    reader.close()
    return found


def rejected(spool):
    return [row.topic for row in spool.rejected_rows()]


def test_what_the_rules_take_now_leaves_the_rejected_with_the_time_at_which_it_came(spool, tools, metrics):
    spool.append([], [no("a/d1", b'{"t": 20}'), no("a/d2", b'{"t": 99}')])
    at = spool.rejected_rows()[0].at

    done = tools.replay(ALL)

    assert (done.looked_at, done.accepted, done.events, dict(done.still_rejected)) == (2, 1, 1, {"validation": 1})
    assert events(spool) == [("b", "d1", 20.0, at)]
    assert events(spool, "cloud") == []
    assert rejected(spool) == ["a/d2"]
    assert spool.stats().rejected == 1
    assert metrics.spooled.value(source="replay") == 1


def test_a_second_replay_finds_nothing_left_to_do(spool, tools):
    spool.append([], [no("a/d1", b'{"t": 20}')])
    tools.replay(ALL)

    assert tools.replay(ALL).looked_at == 0
    assert len(events(spool)) == 1


def test_only_the_rule_that_refused_it_is_asked_again_since_others_have_stored_it_already(spool, tools):
    spool.append([], [no("a/d1", b'{"t": 20}', rule="climate"), no("a/d2", b'{"t": 20}', rule="renamed")])
    tools.replay(ALL)

    assert sorted(event[:2] for event in events(spool)) == [("archive", "d2"), ("b", "d1"), ("b", "d2")]


def test_an_event_that_a_destination_refused_goes_to_that_destination_again(spool, tools):
    event = {"bucket": "b", "stream": "s", "value": 5, "epoch": 1.5}
    spool.append([], [no("b/s", json.dumps(event).encode(), "", Reason.REFUSED, "dashboard")])

    assert tools.replay(ALL).accepted == 1
    assert events(spool) == [("b", "s", 5, 1.5)]
    assert events(spool, "cloud") == []


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (no("a/d1", b"x" * 1024, reason=Reason.PAYLOAD_TOO_LARGE), refused.CUT),
        (no("a/d1", b"x" * 20_000), refused.CUT),
        (no("z/d1", b'{"t": 1}'), refused.UNMATCHED),
        (no("a/d1", b"{}", rule="Events API"), refused.NOT_A_MESSAGE),
        (no("b/s", b"{}", "", Reason.REFUSED, "gone"), refused.NO_DESTINATION),
        (no("b/s", b"{}", "", Reason.REFUSED, "dashboard"), refused.DAMAGED),
        (no("b/s", b'{"bucket": "b", "stream": "s", "value": NaN, "epoch": 1}', "", Reason.REFUSED, "dashboard"),
         refused.DAMAGED),
        (no("b/s", b'{"bucket": "", "stream": "s", "value": 1, "epoch": 1}', "", Reason.REFUSED, "dashboard"),
         refused.DAMAGED),
        (no("b/s", b'{"bucket": "b", "stream": "s", "value": [], "epoch": 1}', "", Reason.REFUSED, "dashboard"),
         refused.DAMAGED),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_stays_and_is_said(spool, tools, one, why):
    spool.append([], [one])
    done = tools.replay(ALL)

    assert (done.accepted, dict(done.left)) == (0, {why: 1})
    assert len(rejected(spool)) == 1


def test_filters_choose_what_is_meant(spool, tools):
    spool.append(
        [], [no("a/d1", b'{"t": 1}'), no("a/d2", b"{", reason=Reason.MALFORMED), no("c/d1", b"1", rule="other")]
    )
    ids = {row.topic: row.id for row in spool.rejected_rows()}

    assert tools.replay(RejectedQuery(rule="nobody")).looked_at == 0
    assert tools.replay(RejectedQuery(topic="c/+")).looked_at == 1
    assert tools.replay(RejectedQuery(reason="malformed")).last_id == ids["a/d2"]
    assert tools.replay(RejectedQuery(since=4e9)).looked_at == 0
    assert tools.replay(RejectedQuery(ids=(ids["a/d1"],))).accepted == 1


def test_purging_forgets_what_is_meant_and_no_more(spool, tools):
    spool.append([], [no("a/d1", b"1"), no("a/d2", b"2"), no("c/d1", b"3")])

    assert tools.purge(RejectedQuery(topic="a/#")).accepted == 2
    assert rejected(spool) == ["c/d1"]
    assert spool.stats().rejected == 1


def test_many_are_replayed_in_bounded_steps(spool, tools, monkeypatch):
    monkeypatch.setattr(refused, "MAX_ROWS", 3)
    monkeypatch.setattr(refused, "_ROWS_A_COMMIT", 2)
    spool.append([], [no(f"a/d{n}", b'{"t": 1}') for n in range(5)])

    assert (tools.replay(ALL).accepted, tools.replay(ALL).accepted, tools.replay(ALL).accepted) == (3, 2, 0)
    assert sorted(event[1] for event in events(spool)) == [f"d{n}" for n in range(5)]


@pytest.mark.parametrize("policy", [WhenFull.BLOCK, WhenFull.DROP_NEWEST])
def test_a_full_spool_leaves_them_among_the_rejected(tmp_path, metrics, policy):
    spool = Spool(tmp_path / "spool.db", SpoolConfig(when_full=policy), metrics, ("dashboard",))
    spool.append([Batch([("b", "s", 1, 1.0)])], [no("a/d1", b'{"t": 20}')])  # an empty spool is never full
    spool._bounds._config = spool._bounds._config.model_copy(update={"max_size": 1})

    with pytest.raises(SpoolError, match="full"):
        Refused(spool, lambda: Rulebook(CONFIG), CONFIG.destinations).replay(ALL)
    assert rejected(spool) == ["a/d1"]
    assert metrics.dropped.total() == 0
    spool.close()


def test_a_look_from_outside_sees_what_waits_and_for_whom(spool, tmp_path):
    spool.append([Batch([("b", "s", 1, 1.0)] * 3), Batch([("b", "s", 1, 1.0)], ("cloud",))], [no("a", b"1")])
    spool.settle("dashboard", Position(spool.committed_seq - 1, 2), [no("b/s", b"{}")])
    with SpoolInspector(tmp_path / "spool.db") as inspector:
        view = inspector.view()
        assert (view.rows, view.events, view.rejected) == (2, 4, 2)
        assert (
            {one.destination: one.events for one in view.waiting} == spool.stats().kept == {"dashboard": 1, "cloud": 4}
        )
        assert [row.destinations for row in inspector.rows()] == [(), ("cloud",)]
        assert inspector.faults() == []
        assert [row.topic for row in inspector.rejected(RejectedQuery(limit=1))] == ["b/s"]


def test_a_row_that_does_not_hold_what_it_says_is_a_fault(spool, tmp_path):
    spool.append([Batch([("b", "s", 1, 1.0)]), Batch([("b", "s", 1, 1.0)])])
    spool._file.connection.execute("UPDATE batch SET events = 5 WHERE seq = (SELECT min(seq) FROM batch)")
    spool._file.connection.execute("UPDATE batch SET body = x'00' WHERE seq = (SELECT max(seq) FROM batch)")
    with SpoolInspector(tmp_path / "spool.db") as inspector:
        first, second = inspector.faults()
    assert "says 5 events and holds 1" in first
    assert "cannot be read" in second


def test_a_spool_that_is_not_there_is_said_and_not_made(tmp_path):
    with pytest.raises(SpoolError, match="there is no spool"):
        SpoolInspector(tmp_path / "spool.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_spool_is_said(tmp_path):
    (tmp_path / "spool.db").write_bytes(b"no database " * 100)
    with pytest.raises(SpoolError, match="cannot read the spool"), SpoolInspector(tmp_path / "spool.db") as inspector:
        inspector.view()
