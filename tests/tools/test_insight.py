"""What a bridge tells of itself, from the parts that count it."""

from __future__ import annotations

import logging

import pytest

from mqttbridge.config.model import Config
from mqttbridge.dashboard.bridge import schemas
from mqttbridge.events import Batch, Position, Reason, Rejected
from mqttbridge.logtail import LogTail
from mqttbridge.mapping.tally import Tally
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from mqttbridge.spool.inspection import RejectedQuery
from mqttbridge.tools import insight as insight_module
from mqttbridge.tools.insight import Insight
from mqttbridge.tools.live import LiveTools
from mqttbridge.unmatched import Unmatched


class Rig:
    """An insight over a real spool, with a clock of its own."""

    def __init__(self, directory, monkeypatch):
        self.config = Config.model_validate(
            {
                "data_dir": str(directory),
                "models": {"Power": {"w": {"type": "float"}}},
                "rules": [{"name": "power", "topic": "x/{d}/y", "bucket": "b", "stream": "{d}"}],
                "destinations": {
                    "cloud": {"type": "initialstate", "access_key": "very-secret", "batch": {"max_events": 10}}
                },
            }
        )
        self.metrics, self.strays, self.log_tail = Metrics(), Unmatched(), LogTail()
        self.spool = Spool(directory / "spool.db", self.config.spool, self.metrics, ("cloud",))
        self.tallies = [Tally("power", "x/+/y")]
        self.now = 1000.0
        monkeypatch.setattr(insight_module.time, "monotonic", lambda: self.now)
        self.insight = Insight(
            self.config,
            self.metrics,
            self.spool,
            status=self.status,
            tallies=lambda: self.tallies,
            strays=self.strays,
            log_tail=self.log_tail,
            tools=LiveTools(self.config, self.spool),
        )

    def status(self):
        stats = self.spool.stats()
        return {
            "version": "1",
            "now": 5.0,
            "spool": {"bytes": stats.bytes},
            "destinations": {"cloud": {"kept": stats.kept["cloud"]}},
        }

    def events(self, count):
        self.spool.append([Batch([("b", "s", 1, float(number)) for number in range(count)], ())])

    def pass_seconds(self, seconds, events=0):
        for _ in range(seconds):
            self.now += 1
            if events:
                self.events(events)
            self.insight.look()


@pytest.fixture
def rig(tmp_path, monkeypatch):
    made = Rig(tmp_path, monkeypatch)
    made.insight.look()
    yield made
    made.insight.close()
    made.spool.close()


def test_rates_and_what_is_ahead(rig):
    rig.pass_seconds(70, events=5)

    snapshot = rig.insight.snapshot(charts=True)
    schemas.BridgeSnapshot.model_validate(snapshot)
    cloud = snapshot["destinations"]["cloud"]

    assert snapshot["rates"]["spooled"] == 5
    assert snapshot["charts"]["rates"]["spooled"] == [5.0] * 14
    assert snapshot["spool"]["max_bytes"] == rig.config.spool.max_size
    assert (cloud["incoming"], cloud["rate"], cloud["empty_in"]) == (5, 0, None)
    assert cloud["quota"]["hourly"] == pytest.approx(18_000)
    assert cloud["quota"]["gone_in"] == pytest.approx(25_000 / 5)
    assert cloud["quota"]["most_hourly"] == 30 / 10 * 10 * 3600


def test_a_backlog_that_shrinks_says_when_it_is_gone(rig):
    rig.events(1000)
    rig.pass_seconds(70)
    rig.spool.settle("cloud", Position(rig.spool.committed_seq, 500))
    rig.pass_seconds(1)

    cloud = rig.insight.snapshot(charts=False)["destinations"]["cloud"]

    assert cloud["kept"] == 500
    assert cloud["empty_in"] == pytest.approx(500 / (500 / 60))


def test_rules_of_several_rulebooks_are_added_up(rig):
    for number, at in ((3, 10.0), (4, 20.0)):
        tally = Tally("power", "x/+/y")
        tally.messages, tally.topic, tally.at = number, b"x/%d/y" % number, at
        rig.tallies.append(tally)

    (rule,) = rig.insight.snapshot(charts=False)["rules"]

    assert rule == {"rule": "power", "filter": "x/+/y", "messages": 7, "rejected": 0, "topic": "x/4/y", "at": 20.0}


def test_a_stray_is_shown_and_a_rule_is_made_of_it(rig):
    rig.strays.note(b"home/hall/power", b'{"w": 5}', 10.0)
    rig.strays.note(b"home/hall/raw", b"\xff\x00", 11.0)

    told = rig.insight.unmatched()
    schemas.Strays.model_validate(told)
    proposal = rig.insight.propose("home/hall/power")
    schemas.RuleProposed.model_validate(proposal)

    assert [(one["topic"], one.get("payload"), one.get("payload_base64")) for one in told["topics"]] == [
        ("home/hall/raw", None, "/wA="),
        ("home/hall/power", '{"w": 5}', None),
    ]
    assert "topic: home/hall/power" in proposal["text"]
    assert rig.insight.propose("nobody/knows")["text"] == ""


def test_rejected_messages_and_the_log_are_told(rig):
    rig.spool.append([], [Rejected(Reason.MALFORMED, "no JSON", "x/1/y", b"?", "power")])
    rig.log_tail.emit(logging.makeLogRecord({"msg": "hello", "levelno": 20, "levelname": "INFO", "name": "a.b"}))

    rows = rig.insight.rejected(RejectedQuery(topic="x/#"))
    schemas.RejectedRows.model_validate(rows)
    lines = rig.insight.log(0, "")
    schemas.LogLines.model_validate(lines)

    assert [(row["topic"], row["reason"], row["payload"]) for row in rows["rows"]] == [("x/1/y", "malformed", "?")]
    assert rig.insight.rejected(RejectedQuery(reason="validation"))["rows"] == []
    assert [line["message"] for line in lines["lines"]] == ["hello"]
    assert rig.insight.log(lines["last"], "")["lines"] == []
    assert rig.insight.log(0, "warning")["lines"] == []


def test_no_key_is_in_anything_that_is_told(rig):
    rig.pass_seconds(61, events=1)

    assert "very-secret" not in str(rig.insight.snapshot(charts=True))
