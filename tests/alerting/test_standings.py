"""Who looks on is told what changed: the worst of each stream, the worst of each bucket, and not too often."""

from __future__ import annotations

from typing import Any

import pytest

from mqttbridge.alerting.engine import Entry
from mqttbridge.alerting.ledger import SilencePeriod
from mqttbridge.alerting.machine import State, StreamState
from mqttbridge.alerting.standings import PAUSE_SECONDS, Standings
from mqttbridge.config.alerts import PageRule
from mqttbridge.dashboard.hub import EVERYWHERE

NOW = 1_000_000.0


def entry(name: str, states: dict[tuple[str, str], State], level: str = "warning", **more: Any) -> Entry:
    body = {"name": name, "stream": "*", "when": {"is": ">", "value": 30}, "level": level, **more}
    return Entry(
        name, PageRule.model_validate(body), "page", states={k: StreamState(s, NOW) for k, s in states.items()}
    )


class Looker:
    """Keeps what was told last, and how often."""

    def __init__(self) -> None:
        self.time = 0.0
        self.notes: dict[str, Any] = {}
        self.told = 0
        self.standings = Standings(self.note, lambda: self.time)

    def note(self, bucket: str, name: str, content: Any) -> None:
        assert name == "alerts"
        self.notes[bucket] = content
        self.told += bucket == EVERYWHERE

    def tell(self, entries: list[Entry], *changed: str, silences: tuple[SilencePeriod, ...] = ()) -> None:
        self.standings.changed(changed)
        self.standings.tell(entries, silences, NOW)

    def states(self, bucket: str) -> dict[str, str]:
        return {row["stream"]: f"{row['name']} {row['state']}" for row in self.notes[bucket] or ()}


@pytest.fixture
def looker() -> Looker:
    return Looker()


def test_each_stream_is_told_under_the_worst_of_its_rules_and_each_bucket_by_the_worst_of_its_streams(looker):
    hot = entry("hot", {("hall", "t"): State.OK, ("hall", "u"): State.PENDING, ("attic", "t"): State.FIRING})
    dry = entry("dry", {("hall", "t"): State.FIRING}, level="critical")
    off = entry("off", {("hall", "v"): State.FIRING}, enabled=False)

    looker.tell([hot, dry, off], "hall", "attic")

    assert looker.states("hall") == {"t": "dry firing", "u": "hot pending"}
    assert looker.notes[EVERYWHERE] == {
        "hall": {"state": "firing", "level": "critical", "silenced": False, "streams": 1},
        "attic": {"state": "firing", "level": "warning", "silenced": False, "streams": 1},
    }


def test_what_changes_again_at_once_is_told_once_after_a_pause(looker):
    rule = entry("hot", {("hall", "t"): State.FIRING})
    looker.tell([rule], "hall")
    assert looker.standings.wait(1.0) == 1.0
    for state in (State.OK, State.FIRING, State.PENDING):
        rule.states["hall", "t"] = StreamState(state)
        looker.tell([rule], "hall")
    assert looker.told == 1
    assert looker.standings.wait(1.0) == PAUSE_SECONDS

    looker.time += PAUSE_SECONDS
    looker.tell([rule])

    assert looker.told == 2
    assert looker.states("hall") == {"t": "hot pending"}


def test_a_silence_quiets_its_streams_from_beginning_to_end_and_another_alert_is_heard_beside_it(looker):
    rule = entry("hot", {("hall", "t"): State.FIRING, ("hall", "u"): State.PENDING})
    silence = SilencePeriod("s", "hot", "hall", "t", NOW - 60, NOW + 60)
    looker.tell([rule], "hall")
    looker.time += 1
    looker.tell([rule], silences=(silence,))
    assert [row["silenced"] for row in looker.notes["hall"]] == [True, False]
    assert looker.notes[EVERYWHERE]["hall"]["state"] == "pending"

    looker.time += 1
    looker.tell([rule], silences=(SilencePeriod("s", "hot", "hall", "t", NOW - 60, NOW - 1),))

    assert looker.notes[EVERYWHERE]["hall"]["state"] == "firing"


def test_a_bucket_that_nothing_watches_any_more_is_told_to_be_without_alerts(looker):
    rule = entry("hot", {("hall", "t"): State.FIRING})
    looker.tell([rule], "hall")
    looker.time += 1

    looker.tell([], "hall")

    assert looker.notes == {"hall": None, EVERYWHERE: {}}
