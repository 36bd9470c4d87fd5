"""Several dashboards over one database: what one stores, all show, live and without a gap."""

import threading

import pytest
import requests

from tests.support.dashboards import serve
from tests.support.event_source import EventSource
from tests.support.processes import PATIENCE, eventually


@pytest.fixture
def shared(postgres):
    """The configuration of a dashboard over this test's schema."""
    store = {"type": "postgres", "url": postgres.url, "schema": postgres.new_schema()}
    return {"destinations": {"dashboard": {"type": "embedded", "store": store}}}


@pytest.fixture
def replicas(shared, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "one", config=shared) as one, serve(tmp_path / "other", config=shared) as other:
        yield one, other


@pytest.fixture
def guarded(shared, tmp_path):
    """Two replicas that ask for keys: `w` is an admin's."""
    keys = {"write_keys": ["w"]}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "one", keys, config=shared) as one, serve(tmp_path / "other", keys, config=shared) as other:
        yield one, other


def push(served, value, bucket="b"):
    assert served.push(bucket, {"key": "t", "value": value}).status_code == 204


def test_a_viewer_of_one_sees_what_the_other_stores_from_its_snapshot_on(replicas):
    one, other = replicas
    push(one, 1)
    snapshot = other.get("/api/v1/buckets/b/points").json()
    assert snapshot["series"]["t"]["values"] == [1]
    push(one, 2)
    push(other, 3)
    push(one, 4)

    with EventSource(other.url, "b", snapshot["live"]) as source:
        seen = set()
        while not {2, 3, 4} <= seen:
            seen |= {value for _, _, value in source.until("points").points}

    assert seen <= {1, 2, 3, 4}
    assert other.get("/api/v1/buckets/b/points").json()["series"]["t"]["values"] == [1, 2, 3, 4]


def test_a_viewer_whose_replica_may_have_missed_something_takes_a_new_snapshot(replicas):
    one, other = replicas
    push(one, 1)
    with EventSource(other.url, "b") as source:
        source.until("hello")
        other.dashboard.hub.lose()

        assert source.until("resync").event == "resync"


def test_dashboards_are_the_same_on_all(replicas):
    one, other = replicas

    one.dashboard.records.put("dashboard", "b", {"title": "Kitchen"})

    assert other.dashboard.records.get("dashboard", "b").body == {"title": "Kitchen"}


def test_who_looks_at_a_board_on_one_hears_that_it_was_changed_on_another(replicas):
    one, other = replicas
    with EventSource(other.url, "b") as source:
        source.until("hello")
        one.dashboard.records.put("dashboard", "b", {"title": "Kitchen"})
        assert source.until("board").data["board"] is None


def test_a_stream_deleted_on_one_is_gone_on_the_other(replicas):
    one, other = replicas
    push(one, 1)

    assert one.session.delete(f"{one.url}/api/v1/buckets/b", timeout=10).status_code == 200

    assert other.get("/api/v1/buckets/b/streams").status_code == 404
    push(other, 2)
    assert one.get("/api/v1/buckets/b/points").json()["series"]["t"]["values"] == [2]


def test_a_bridge_keeps_its_cursor_across_restarts_and_shares_it_with_nobody(shared, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "one", config=shared) as one:
        push(one, 1)
        before = one.dashboard.store.cursor
    with serve(tmp_path / "one", config=shared) as again, serve(tmp_path / "other", config=shared) as other:
        assert again.dashboard.store.cursor == before
        assert other.dashboard.store.cursor is None


def test_while_the_database_fails_the_page_is_told_why_and_then_it_is_well_again(replicas, postgres):
    one, _ = replicas
    push(one, 1)
    schema = one.dashboard.store.connections.schema
    postgres.execute(f"ALTER TABLE {schema}.buckets RENAME TO away")

    for path in ("/api/v1/buckets", "/api/v1/buckets/b/points", "/api/v1/buckets/b/streams"):
        answer = one.get(path)
        assert answer.status_code == 503
        assert "cannot be read now" in answer.json()["error"]
    postgres.execute(f"ALTER TABLE {schema}.away RENAME TO buckets")

    assert one.get("/api/v1/buckets/b/points").status_code == 200


def as_admin(served, method, path, **how):
    answer = served.session.request(
        method, f"{served.url}/api/v1{path}", headers={"Authorization": "Bearer w"}, timeout=10, **how
    )
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def reads(served, token):
    """Whether who shows a key or link may see the bucket's streams."""
    answer = requests.get(
        f"{served.url}/api/v1/buckets/b/streams", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    return answer.status_code == 200


def is_signed_in(served, cookie):
    answer = requests.get(f"{served.url}/api/v1/session", cookies={"mqttbridge_session": cookie}, timeout=10)
    return answer.json()["role"] is not None


def test_keys_links_and_sessions_of_one_count_on_the_other_until_they_are_revoked_there(guarded):
    one, other = guarded
    other.dashboard.store.append([("b", "t", 1, 1.8e9)])
    key = as_admin(one, "POST", "/keys", json={"role": "viewer", "label": ""})
    link = as_admin(one, "POST", "/buckets/b/links", json={"label": ""})
    token = link["url"].partition("token=")[2]
    signed_in = requests.post(f"{one.url}/api/v1/session", json={"token": "w"}, timeout=10)
    cookie = signed_in.cookies["mqttbridge_session"]
    eventually(lambda: reads(other, key["secret"]) and reads(other, token), what="key and link count on the other")
    eventually(lambda: is_signed_in(other, cookie), what="the session counts on the other")

    as_admin(other, "DELETE", f"/keys/{key['key']['id']}")
    as_admin(other, "DELETE", f"/links/{link['link']['id']}")
    requests.delete(f"{other.url}/api/v1/session", cookies={"mqttbridge_session": cookie}, timeout=10)

    eventually(lambda: not reads(one, key["secret"]) and not reads(one, token), what="key and link are revoked")
    eventually(lambda: not is_signed_in(one, cookie), what="the session has ended")


def test_once_any_replica_has_a_key_no_code_for_the_first_one_is_worth_anything(shared, tmp_path, monkeypatch):
    monkeypatch.setattr("mqttbridge.dashboard.security.is_loopback", lambda _: False)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with serve(tmp_path / "one", config=shared) as one, serve(tmp_path / "other", config=shared) as other:
        codes = [served.server.first_key_url.partition("#first=")[2] for served in (one, other)]
        made = one.post("/api/v1/first-key", json={"code": codes[0], "label": ""})
        eventually(lambda: other.server.first_key_url is None, what="the other knows of the key")

        assert (made.status_code, other.post("/api/v1/first-key", json={"code": codes[1]}).status_code) == (201, 403)


def test_what_was_revoked_while_a_replica_could_not_hear_of_it_ends_there_when_it_can(guarded, postgres, monkeypatch):
    one, other = guarded
    other.dashboard.store.append([("b", "t", 1, 1.8e9)])
    key = as_admin(one, "POST", "/keys", json={"role": "viewer", "label": ""})
    eventually(lambda: reads(other, key["secret"]), what="the key counts on the other")
    schema = one.dashboard.store.connections.schema
    deaf = threading.Event()
    connect = other.dashboard.store.connections.connect

    def connect_when_it_can():
        assert deaf.wait(PATIENCE)
        return connect()

    monkeypatch.setattr(other.dashboard.store.connections, "connect", connect_when_it_can)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE application_name = 'mqttbridge changes of {schema}'"
    )
    as_admin(one, "DELETE", f"/keys/{key['key']['id']}")
    postgres.execute(f"TRUNCATE {schema}.changes")  # it was away for longer than changes are kept
    deaf.set()

    eventually(lambda: not reads(other, key["secret"]), what="the key is revoked")
