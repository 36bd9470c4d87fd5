"""What is rejected and dropped is said: the first of each kind at once, the rest in numbers."""

from __future__ import annotations

import logging

import pytest

from mqttbridge.events import Reason, Rejected
from mqttbridge.metrics import Metrics
from mqttbridge.sayings import Sayings


class Bench:
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 1000.0
        self.metrics = Metrics()
        self.sayings = Sayings(self.metrics, clock=lambda: self.now)
        self._caplog = caplog

    def said(self) -> list[str]:
        """Level and text of what was said since the last call."""
        said = [f"{record.levelname} {record.getMessage()}" for record in self._caplog.records]
        self._caplog.clear()
        return said

    def after(self, seconds: float) -> list[str]:
        self.now += seconds
        self.sayings.tell()
        return self.said()


@pytest.fixture
def bench(caplog: pytest.LogCaptureFixture) -> Bench:
    caplog.set_level(logging.INFO, "mqttbridge.sayings")
    return Bench(caplog)


def rejected(topic: str = "fleet/d1", reason: Reason = Reason.MALFORMED, **more: str) -> Rejected:
    return Rejected(reason, "not JSON: expected value", topic, b"secret payload", **{"rule": "climate", **more})


def test_the_first_of_a_kind_is_said_at_once_with_rule_topic_and_reason(bench: Bench) -> None:
    bench.sayings.rejected([rejected()])
    (said,) = bench.said()
    assert said.startswith("WARNING rejected 'fleet/d1': malformed (rule 'climate'): not JSON: expected value;")
    assert "secret payload" not in said


def test_each_rule_reason_and_destination_is_a_kind_of_its_own(bench: Bench) -> None:
    bench.sayings.rejected(
        [rejected(), rejected(reason=Reason.VALIDATION), rejected(rule="power"), rejected(destination="cloud")]
    )
    assert len(bench.said()) == 4


def test_what_follows_is_summed_up_once_a_minute_the_most_frequent_first(bench: Bench) -> None:
    bench.sayings.rejected([rejected(), rejected(reason=Reason.VALIDATION)])
    bench.said()
    bench.sayings.rejected([rejected(reason=Reason.VALIDATION)])
    bench.sayings.rejected([rejected()] * 99 + [rejected("fleet/last")])
    assert bench.after(59) == []
    (said,) = bench.after(1)
    assert said == (
        "WARNING rejected since the last report: 100 malformed (rule 'climate', the latest 'fleet/last'), "
        "1 validation (rule 'climate', the latest 'fleet/d1')"
    )
    assert bench.after(600) == []


def test_a_kind_that_was_quiet_for_an_hour_is_news_again(bench: Bench) -> None:
    bench.sayings.rejected([rejected()])
    bench.said()
    assert bench.after(3601) == []
    bench.sayings.rejected([rejected()])
    assert len(bench.said()) == 1


def test_a_summary_of_very_many_kinds_stays_one_line_of_a_few(bench: Bench) -> None:
    many = [rejected(rule=f"rule {number}") for number in range(100)]
    bench.sayings.rejected(many)
    bench.said()
    bench.sayings.rejected(many)
    (said,) = bench.after(60)
    assert said.endswith("and 92 kinds more")


def test_what_is_not_due_yet_is_said_at_the_end(bench: Bench) -> None:
    bench.sayings.rejected([rejected(), rejected()])
    bench.said()
    bench.sayings.tell(at_once=True)
    assert len(bench.said()) == 1


def test_a_drop_by_policy_is_said_once_with_the_policy_and_summed_up_each_hour(bench: Bench) -> None:
    bench.metrics.dropped.add(reason="own_availability")
    assert bench.after(1) == ["INFO dropped 1 own_availability: our own availability message, which is not data"]
    bench.metrics.dropped.add(3, reason="own_availability")
    assert bench.after(1) == []
    assert bench.after(3600) == ["INFO dropped since the last report: 3 own_availability"]


def test_a_drop_that_loses_something_is_a_warning_summed_up_each_minute(bench: Bench) -> None:
    bench.metrics.dropped.add(5, reason="spool_age", destination="cloud")
    assert bench.after(1) == ["WARNING dropped 5 spool_age (destination 'cloud')"]
    bench.metrics.dropped.add(7, reason="spool_age", destination="cloud")
    bench.after(1)
    assert bench.after(60) == ["WARNING dropped since the last report: 7 spool_age (destination 'cloud')"]
