"""Keys that are made on the page: what each role may, and that none is kept."""

import pytest

from mqttbridge.dashboard.access import keys, schemas
from tests.support.browsing import Visitor
from tests.support.dashboards import serve

ADMIN = {"Authorization": "Bearer w"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("keys"), {"write_keys": ["w"], "view_tokens": ["v"]}) as running:
        running.get("/api/events?bucketKey=b&t=1&accessKey=w")
        yield running


@pytest.fixture
def visitor(guarded):
    client = Visitor(guarded.url)
    yield client
    client.session.close()


def make(served, role, **sent):
    answer = served.post("/api/v1/keys", json={"role": role} | sent, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return schemas.MadeKey.model_validate(answer.json())


def may(visitor, secret):
    """What a program may with this key: read, send, change."""
    shown = {"Authorization": f"Bearer {secret}"}
    return (
        visitor.get("/api/v1/buckets", headers=shown).status_code == 200,
        visitor.get(f"/api/events?bucketKey=b&t=1&accessKey={secret}").status_code == 204,
        visitor.get("/api/v1/keys", headers=shown).status_code == 200,
    )


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("viewer", (True, False, False)), ("sender", (False, True, False)), ("admin", (True, True, True))],
)
def test_each_role_may_what_it_is_for(guarded, visitor, role, allowed):
    made = make(guarded, role)

    assert may(visitor, made.secret) == allowed


def test_a_revoked_key_and_its_sessions_open_nothing(guarded, visitor):
    made = make(guarded, "viewer", label="Wall")
    assert visitor.sign_in(made.secret).status_code == 200
    assert visitor.get("/api/v1/buckets").status_code == 200

    assert guarded.session.delete(f"{guarded.url}/api/v1/keys/{made.key.id}", headers=ADMIN).status_code == 204

    assert visitor.get("/api/v1/buckets").status_code == 401
    assert visitor.sign_in(made.secret).status_code == 401


def test_keys_of_the_configuration_are_shown_and_revoked_there(guarded):
    listed = schemas.AccessKeys.model_validate(guarded.get("/api/v1/keys", headers=ADMIN).json())

    configured = [key for key in listed.keys if key.configured]
    assert sorted(key.role for key in configured) == ["admin", "viewer"]
    answer = guarded.session.delete(f"{guarded.url}/api/v1/keys/{configured[0].id}", headers=ADMIN)
    assert answer.status_code == 409


def test_the_list_tells_when_a_key_was_used_and_never_the_key(guarded, visitor):
    used, unused = make(guarded, "sender", label="Roof"), make(guarded, "sender")
    may(visitor, used.secret)

    answer = guarded.get("/api/v1/keys", headers=ADMIN)

    by_id = {key["id"]: key for key in answer.json()["keys"]}
    assert by_id[used.key.id]["label"] == "Roof"
    assert by_id[used.key.id]["used"] is not None
    assert by_id[unused.key.id]["used"] is None
    assert used.secret not in answer.text


def test_keys_and_sessions_outlive_a_restart_and_no_secret_is_on_the_disk(tmp_path):
    with serve(tmp_path, {"write_keys": ["w"]}) as served:
        made = make(served, "viewer")
        visitor = Visitor(served.url)
        visitor.sign_in(made.secret)
        cookie = visitor.session.cookies["mqttbridge_session"]
        served.server.stop()  # waits for what is to be saved

    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        for secret in (made.secret, cookie):
            assert secret.encode() not in file.read_bytes(), file
    with serve(tmp_path, {"write_keys": ["w"]}) as again:
        visitor.url = again.url
        assert visitor.get("/api/v1/buckets").status_code == 200
        visitor.session.close()


def test_another_key_in_the_configuration_ends_the_sessions_of_the_old_one(tmp_path):
    with serve(tmp_path, {"write_keys": ["old"]}) as served:
        visitor = Visitor(served.url)
        visitor.sign_in("old")
        assert visitor.get("/api/v1/buckets").status_code == 200
        served.server.stop()
    with serve(tmp_path, {"write_keys": ["new"]}) as served:
        visitor.url = served.url
        assert visitor.get("/api/v1/buckets").status_code == 401
        visitor.session.close()


def test_the_last_key_that_may_change_things_is_not_revoked(tmp_path, reachable):
    with serve(tmp_path) as served:
        code = served.server.first_key_url.partition("first=")[2]
        first = schemas.MadeKey.model_validate(served.post("/api/v1/first-key", json={"code": code}).json())
        shown = {"Authorization": f"Bearer {first.secret}"}
        address = f"{served.url}/api/v1/keys/{first.key.id}"

        assert served.session.delete(address, headers=shown).status_code == 409
        second = served.post("/api/v1/keys", json={"role": "admin"}, headers=shown).json()
        assert served.session.delete(address, headers=shown).status_code == 204
        shown = {"Authorization": f"Bearer {second['secret']}"}
        assert served.get("/api/v1/keys", headers=shown).status_code == 200


def test_there_is_a_bound_to_keys(guarded, monkeypatch):
    monkeypatch.setattr(keys, "MAX_KEYS", 1)

    assert guarded.post("/api/v1/keys", json={"role": "viewer"}, headers=ADMIN).status_code == 409


@pytest.mark.parametrize(
    "sent",
    [
        b"{",
        b"[]",
        b'{"role": "root"}',
        b'{"role": "viewer", "label": 5}',
        b'{"role": "viewer", "more": 1}',
        b"\xff",
        b"",
    ],
)
def test_what_makes_no_sense_makes_no_key(guarded, sent):
    answer = guarded.post("/api/v1/keys", data=sent, headers=ADMIN)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_made_keys_have_their_own_allowance(tmp_path):
    http = {"write_keys": ["w"], "limits": {"calls": 1, "per": "1000s"}}
    with serve(tmp_path, http) as served:
        roof, cellar = make(served, "sender").secret, make(served, "sender").secret

        sent = [served.get(f"/api/events?bucketKey=b&t=1&accessKey={key}").status_code for key in (roof, roof, cellar)]

    assert sent == [204, 429, 204]


def test_a_bridge_without_a_dashboard_has_no_place_for_keys(tmp_path):
    with serve(tmp_path, {"write_keys": ["w"]}, embedded=False) as served:
        assert served.post("/api/v1/keys", json={"role": "viewer"}, headers=ADMIN).status_code == 404
        assert served.post("/api/v1/buckets/b/links", json={}, headers=ADMIN).status_code == 404
        assert [key["configured"] for key in served.get("/api/v1/keys", headers=ADMIN).json()["keys"]] == [True]
