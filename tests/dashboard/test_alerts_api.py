"""Alerts over HTTP: who may see and change what, and what is answered to what makes no sense."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mqttbridge.alerting.desk import Desk
from mqttbridge.alerting.service import Alerts
from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.dashboard.alerts import schemas
from tests.support.dashboards import Served, serve
from tests.support.event_source import EventSource

RULE = {"name": "Hot", "bucket": "b", "stream": "*.t", "when": {"is": ">", "value": 30}, "for": "5m"}
API = "/api/v1/alerts"


def desk_of(served: Served) -> Alerts:
    assert served.dashboard is not None
    config = AlertsConfig.model_validate({"rules": [{**RULE, "name": "Of the file"}], "page_webhooks": ["*"]})
    dashboard = served.dashboard
    alerts = Alerts(config, dashboard.store, dashboard.records, served.metrics, note=dashboard.hub.note)
    alerts.recall()
    return alerts


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, make_alerts=lambda served: Desk(desk_of(served))) as running:
        yield running


def test_a_rule_is_made_changed_and_removed(served):
    made = served.post(f"{API}/rules", json=RULE)
    assert made.status_code == 201
    written = schemas.RuleWritten.model_validate(made.json())
    again = served.session.put(
        f"{served.url}{API}/rules/{written.id}", json={**RULE, "level": "info"}, headers={"If-Match": '"1"'}
    )
    assert again.json()["version"] == 2
    late = served.session.put(f"{served.url}{API}/rules/{written.id}", json=RULE, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["version"]) == (409, 2)
    overview = schemas.Alerts.model_validate(served.get(API).json())
    assert [(one.rule["name"], one.editable) for one in overview.rules] == [("Of the file", False), ("Hot", True)]
    assert served.session.delete(f"{served.url}{API}/rules/{written.id}").status_code == 204
    assert served.session.delete(f"{served.url}{API}/rules/{written.id}").status_code == 404


def test_states_and_history_of_a_bucket_have_the_shapes_of_the_document(served):
    served.push("b", {"key": "x.t", "value": 31, "epoch": 1.9e9})
    schemas.AlertHistory.model_validate(served.get(f"{API}/history?limit=5").json())
    schemas.BucketAlerts.model_validate(served.get("/api/v1/buckets/b/alerts").json())
    preview = served.post(f"{API}/preview", json=RULE)
    assert schemas.AlertPreview.model_validate(preview.json()).streams == 1


def test_a_state_reaches_who_watches_the_bucket_and_who_watches_all_and_nobody_else(tmp_path):
    made: list[Alerts] = []

    def make(served: Served) -> Desk:
        made.append(desk_of(served))
        return Desk(made[0])

    with serve(tmp_path, make_alerts=make) as served:
        served.push("b", {"key": "x.t", "value": 31})
        served.push("other", {"key": "x.t", "value": 31})
        with (
            EventSource(served.url, "b") as board,
            EventSource(served.url, "other") as another,
            EventSource(served.url, None) as shelf,
        ):
            assert "alerts" not in board.until("hello").data
            rule = served.post(f"{API}/rules", json={**RULE, "for": 0}).json()["id"]
            made[0].turn()
            (row,) = board.until("alerts").data["alerts"]
            assert (row["stream"], row["name"], row["state"]) == ("x.t", "Hot", "firing")
            worst = {"state": "firing", "level": "warning", "silenced": False, "streams": 1}
            assert shelf.until("alerts").data["alerts"] == {"b": worst}
            served.session.delete(f"{served.url}{API}/rules/{rule}")
            another.until("hello")
            served.push("other", {"key": "x.t", "value": 32})
            assert another.next().event == "points"
        with EventSource(served.url, "b") as later:
            assert later.until("hello").data["alerts"] == [row]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**RULE, "when": {"is": ">"}}, "value"),
        ({**RULE, "when": {"is": "matches", "pattern": "("}}, "regular expression"),
        ({**RULE, "stream": "*" * 20}, "at most 8"),
        ({**RULE, "actions": ["nobody"]}, "no action"),
        ({**RULE, "name": "Of the file"}, "already"),
        ({**RULE, "webhook": "file:///etc/passwd"}, "expected http"),
        ({**RULE, "extra": 1}, "Extra"),
        ([], "object"),
    ],
)
def test_what_makes_no_sense_is_told_so(served, rule: Any, words):
    answer = served.post(f"{API}/rules", json=rule)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_rule_of_the_file_is_changed_in_the_file(served):
    rule = served.get(API).json()["rules"][0]["id"]
    answer = served.session.put(f"{served.url}{API}/rules/{rule}", json=RULE)
    assert (answer.status_code, "configuration file" in answer.text) == (400, True)


def test_a_silence_begins_and_ends(served):
    rule = served.get(API).json()["rules"][0]["id"]
    made = served.post(f"{API}/silences", json={"rule": rule, "seconds": 60})
    assert made.status_code == 201
    assert len(served.get(API).json()["silences"]) == 1
    assert served.session.delete(f"{served.url}{API}/silences/{made.json()['id']}").status_code == 204
    assert served.session.delete(f"{served.url}{API}/silences/{made.json()['id']}").status_code == 404
    assert served.post(f"{API}/silences", json={"rule": "none", "seconds": 60}).status_code == 404


def test_large_bodies_and_other_sites_are_refused(served):
    assert served.post(f"{API}/rules", data=b" " * 20_000).status_code == 413
    elsewhere = served.post(f"{API}/rules", json=RULE, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403


def test_readers_see_and_only_writers_change(tmp_path):
    keys = {"write_keys": ["w"], "view_tokens": ["v"]}
    with serve(tmp_path, keys, make_alerts=lambda served: Desk(desk_of(served))) as served:
        read, write = ({"Authorization": f"Bearer {key}"} for key in ("v", "w"))
        own = {**RULE, "webhook": "https://example.org/token"}
        assert served.post(f"{API}/rules", json=own, headers=read).status_code == 403
        assert served.post(f"{API}/rules", json=own, headers=write).status_code == 201
        assert served.post(f"{API}/test", json=own, headers=read).status_code == 403
        assert "token" not in served.get(API, headers=read).text
        assert "token" in served.get(API, headers=write).text
        assert served.get(API).status_code == 401


def test_without_a_dashboard_there_is_nothing_to_watch_over(tmp_path):
    with serve(tmp_path, embedded=False) as served:
        assert served.get(API).status_code == 404
