from __future__ import annotations

from typing import Any

import pytest

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.bridge.schemas import Explanation, Replayed
from mqttbridge.dashboard.openapi import OPERATIONS
from mqttbridge.errors import BridgeError, SpoolFull
from mqttbridge.mapping.topics import InvalidFilter
from mqttbridge.spool.inspection import RejectedQuery
from mqttbridge.tools.running import RunningBridge
from tests.support.dashboards import Served, serve

DONE = {"looked_at": 1, "accepted": 1, "events": 2, "still_rejected": {}, "left": {}, "last_id": 9}


class FakeTools:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.error: Exception | None = None

    def explain(self, topic: bytes, payload: bytes) -> dict[str, Any]:
        self.asked.append((topic, payload))
        return {"topic": topic.decode(), "verdict": "unmatched", "rules": [], "passed": [], "not_asked": [],
                "nearest": None, "rejected": None}  # fmt: skip

    def replay(self, query: RejectedQuery) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        self.asked.append(query)
        return DONE

    def purge(self, query: RejectedQuery) -> dict[str, Any]:
        self.asked.append(("purge", query))
        return DONE


@pytest.fixture
def tools():
    return FakeTools()


@pytest.fixture
def with_tools(tmp_path, tools):
    with serve(tmp_path, tools=tools) as served:
        yield served


@pytest.fixture
def guarded(tmp_path, tools):
    with serve(tmp_path, {"write_keys": ["w"], "view_tokens": ["v"]}, tools=tools) as served:
        yield served


def test_a_message_is_explained(with_tools: Served, tools: FakeTools):
    told = with_tools.get("/api/v1/explain", params={"topic": "a/b", "payload": "21.5 °C"})
    assert told.status_code == 200
    Explanation.model_validate(told.json())
    with_tools.post("/api/v1/explain", params={"topic": "a/ü"}, data=b"\xff\x00")
    assert tools.asked == [(b"a/b", "21.5 °C".encode()), ("a/ü".encode(), b"\xff\x00")]


def test_a_topic_is_needed_and_a_body_is_bounded(with_tools: Served):
    assert with_tools.get("/api/v1/explain").status_code == 400
    assert with_tools.post("/api/v1/explain", params={"topic": "a"}, data=b"x" * 1_000_001).status_code == 413


def test_what_is_selected_is_what_is_replayed(with_tools: Served, tools: FakeTools):
    selection = {"ids": [1, 2], "rule": "climate", "topic": "a/+", "since": 5, "after_id": 3, "limit": 7}
    answer = with_tools.post("/api/v1/rejected/replay", json=selection)
    assert answer.json() == DONE
    Replayed.model_validate(answer.json())
    with_tools.post("/api/v1/rejected/purge")
    asked = RejectedQuery((1, 2), "", "climate", "a/+", 5.0, 3, 7, newest_first=False)
    assert tools.asked == [asked, ("purge", RejectedQuery(limit=2000, newest_first=False))]


@pytest.mark.parametrize("body", ["{", "[]", '{"limit": 0}', '{"rul": "x"}', '{"ids": ["x"]}', '{"since": NaN}'])
def test_a_selection_that_makes_no_sense_is_refused(with_tools: Served, tools: FakeTools, body):
    answer = with_tools.post("/api/v1/rejected/replay", data=body)
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert tools.asked == []


@pytest.mark.parametrize(("error", "status"), [(InvalidFilter("no"), 400), (SpoolFull("the spool is full"), 503)])
def test_what_keeps_it_from_being_done_is_said(with_tools: Served, tools: FakeTools, error, status):
    tools.error = error
    answer = with_tools.post("/api/v1/rejected/replay", json={})
    assert answer.status_code == status
    assert str(error) in answer.json()["error"]


def test_reading_takes_a_view_token_and_changing_a_write_key(guarded: Served, tools: FakeTools):
    def status(path: str, **headers: str) -> int:
        how = guarded.get if path == "explain" else guarded.post
        return how(f"/api/v1/{path}", params={"topic": "a"}, headers=headers).status_code

    assert status("explain") == 401
    assert status("explain", Authorization="Bearer v") == 200
    for path in ("rejected/replay", "rejected/purge"):
        assert status(path) == 401
        assert status(path, Authorization="Bearer v") == 403
        assert status(path, Cookie="mqttbridge_session=w") in {401, 403}
        assert status(path, **{"X-IS-AccessKey": "w"}) == 200
    assert len(tools.asked) == 3


def test_another_sites_page_cannot_change_anything(with_tools: Served, tools: FakeTools):
    answer = with_tools.post("/api/v1/rejected/purge", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert tools.asked == []


def test_a_server_without_rules_says_so(served: Served):
    assert served.get("/api/v1/explain", params={"topic": "a"}).status_code == 404
    assert served.post("/api/v1/rejected/replay").status_code == 404


def test_the_document_has_them():
    assert {("/api/v1/explain", "GET"), ("/api/v1/explain", "POST"), ("/api/v1/rejected/replay", "POST")} <= set(
        OPERATIONS
    )


def test_the_command_asks_a_running_bridge_by_a_key_made_on_its_page_and_says_so_where_it_lacks(tmp_path, tools):
    query = RejectedQuery(rule="climate")
    with serve(tmp_path, tools=tools) as open_to_all:
        assert RunningBridge(HttpConfig(), open_to_all.url).replay(query) == DONE
    with serve(tmp_path, {"write_keys": ["w"]}, tools=tools) as guarded:
        admin = {"X-IS-AccessKey": "w"}
        made = guarded.post("/api/v1/keys", json={"role": "admin"}, headers=admin).json()["secret"]

        assert RunningBridge(HttpConfig(), guarded.url, made).purge(query) == DONE
        for key, words in (("", "asks for a key"), ("wrong", "does not take this key")):
            with pytest.raises(BridgeError, match=words) as told:
                RunningBridge(HttpConfig(), guarded.url, key).purge(query)
            assert "--key" in str(told.value)
