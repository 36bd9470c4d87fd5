"""What the page of the bridge asks for, and who may ask."""

from __future__ import annotations

from typing import Any

import pytest

from mqttbridge.errors import SpoolError
from mqttbridge.mapping.topics import InvalidFilter
from tests.support.dashboards import serve


class FakeInsight:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.free = True

    def _say(self, **asked: Any) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        return asked

    def snapshot(self, *, charts: bool) -> dict[str, Any]:
        return self._say(charts=charts)

    def unmatched(self) -> dict[str, Any]:
        return self._say(topics=[])

    def propose(self, topic: str) -> dict[str, Any]:
        return self._say(topic=topic)

    def listen(self, topic: str, seconds: float) -> dict[str, Any] | None:
        return self._say(topic=topic, seconds=seconds) if self.free else None

    def rejected(self, query: Any) -> dict[str, Any]:
        return self._say(reason=query.reason, topic=query.topic, limit=query.limit, newest=query.newest_first)

    def log(self, after: int, level: str) -> dict[str, Any]:
        return self._say(after=after, level=level)


@pytest.fixture
def insight():
    return FakeInsight()


@pytest.fixture
def looked_into(tmp_path, insight):
    with serve(tmp_path, insight=insight) as served:
        yield served


READ = [("get", "bridge"), ("get", "bridge/unmatched"), ("post", "bridge/propose"), ("get", "rejected")]
EDIT = [("post", "bridge/listen"), ("get", "bridge/log")]


def test_everybody_who_reads_sees_it_and_who_may_change_things_reads_the_log_and_listens(tmp_path, insight):
    with serve(tmp_path, {"write_keys": ["w"], "view_tokens": ["v"]}, insight=insight) as served:

        def status(how: str, path: str, token: str = "") -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return getattr(served, how)(f"/api/v1/{path}", data='{"topic": "a"}', headers=headers).status_code

        made = served.post("/api/v1/buckets/home/links", json={}, headers={"Authorization": "Bearer w"})
        shared = made.json()["url"].split("token=")[1]
        assert [status(*one) for one in READ + EDIT] == [401] * 6
        assert [status(*one, shared) for one in READ] == [401] * 4
        assert [status(*one, shared) for one in EDIT] == [403] * 2
        assert [status(*one, "v") for one in READ] == [200] * 4
        assert [status(*one, "v") for one in EDIT] == [403] * 2
        assert [status(*one, "w") for one in READ + EDIT] == [200] * 6


def test_what_is_asked_arrives(looked_into):
    get, post = looked_into.get, looked_into.post

    assert get("/api/v1/bridge?charts=1").json() == {"charts": True}
    assert post("/api/v1/bridge/propose", json={"topic": "a/ü"}).json() == {"topic": "a/ü"}
    assert post("/api/v1/bridge/listen").json() == {"topic": "#", "seconds": 60}
    assert get("/api/v1/bridge/log?after=7&level=warning").json() == {"after": 7, "level": "warning"}
    asked = get("/api/v1/rejected", params={"reason": "malformed", "topic": "a/#", "limit": "9999"}).json()
    assert asked == {"reason": "malformed", "topic": "a/#", "limit": 500, "newest": True}


@pytest.mark.parametrize(
    ("how", "path", "body"),
    [
        ("get", "bridge/log?after=-1", None),
        ("get", "bridge/log?after=x", None),
        ("get", "rejected?since=x", None),
        ("get", "rejected?limit=x", None),
        ("post", "bridge/propose", "{}"),
        ("post", "bridge/propose", "["),
        ("post", "bridge/listen", '{"seconds": 301}'),
        ("post", "bridge/listen", '{"secunds": 1}'),
    ],
)
def test_what_makes_no_sense_is_refused(looked_into, how, path, body):
    answer = getattr(looked_into, how)(f"/api/v1/{path}", data=body)

    assert (answer.status_code, set(answer.json())) == (400, {"error"})


@pytest.mark.parametrize(("error", "status"), [(InvalidFilter("no"), 400), (SpoolError("it is gone"), 503)])
def test_what_keeps_it_from_being_told_is_said(looked_into, insight, error, status):
    insight.error = error

    answer = looked_into.get("/api/v1/rejected")

    assert answer.status_code == status
    assert str(error) in answer.json()["error"]


def test_listening_twice_is_a_conflict(looked_into, insight):
    insight.free = False

    assert looked_into.post("/api/v1/bridge/listen").status_code == 409


def test_a_server_without_a_bridge_says_so(served):
    assert served.get("/api/v1/bridge").status_code == 404


def test_the_page_is_served(served):
    assert "text/html" in served.get("/bridge").headers["content-type"]
