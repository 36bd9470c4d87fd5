"""A share link reads one bucket, and nothing else, until it is revoked or over."""

import pytest

from mqttbridge.dashboard.access import links, schemas
from mqttbridge.dashboard.records import SqliteRecords
from tests.support.browsing import Visitor
from tests.support.dashboards import serve

ADMIN = {"Authorization": "Bearer w"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    http = {"write_keys": ["w"], "view_tokens": ["v"], "embed_origins": ["https://home.example.org"]}
    with serve(tmp_path_factory.mktemp("shared"), http) as running:
        for bucket in ("a/b", "other", ".."):
            running.get("/api/events", params={"bucketKey": bucket, "accessKey": "w", "t": "1"})
        yield running


@pytest.fixture
def guest(guarded):
    client = Visitor(guarded.url)
    yield client
    client.session.close()


def make(guarded, bucket="a%2Fb", query="", **sent):
    answer = guarded.post(f"/api/v1/buckets/{bucket}/links{query}", json=sent, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    return schemas.MadeLink.model_validate(answer.json())


def token_of(made):
    return made.url.partition("token=")[2]


def test_a_guest_with_a_link_reads_that_bucket_and_no_other(guarded, guest):
    assert guest.get(make(guarded).url).status_code == 200

    reads = {
        path: guest.get(path).status_code
        for path in (
            "/api/v1/buckets/a%2Fb/streams",
            "/api/v1/buckets/a%2Fb/points",
            "/api/v1/buckets/other/streams",
            "/api/v1/buckets/a%2Fb/streams?bucket=other",
            "/api/v1/buckets",
            "/api/v1/status",
            "/metrics",
            "/b/other",
            "/",
        )
    }

    assert list(reads.values()) == [200, 200] + [401] * 7


def test_a_link_changes_and_sends_nothing(guarded, guest):
    made = make(guarded)
    guest.get(made.url)

    assert guest.get(f"/api/events?bucketKey=a/b&t=1&accessKey={token_of(made)}").status_code == 403
    assert guest.ask("POST", "/api/v1/buckets/a%2Fb/links", json={}).status_code == 401
    assert guest.ask("GET", "/api/v1/buckets/a%2Fb/links").status_code == 401


def test_a_token_of_one_bucket_is_no_token_of_another(guarded, guest):
    token = token_of(make(guarded))

    assert guest.get(f"/b/other?token={token}").status_code == 403
    assert guest.get(f"/?token={token}").status_code == 403
    assert guest.get("/api/v1/buckets/other/streams", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_revoking_one_link_leaves_the_others(guarded, guest):
    revoked, kept = make(guarded, label="for Ann"), make(guarded, label="for Bob")
    guest.get(revoked.url)

    assert guarded.session.delete(f"{guarded.url}/api/v1/links/{revoked.link.id}", headers=ADMIN).status_code == 204

    assert guest.get("/api/v1/buckets/a%2Fb/streams").status_code == 401
    guest.get(kept.url)
    assert guest.get("/api/v1/buckets/a%2Fb/streams").status_code == 200
    assert guarded.session.delete(f"{guarded.url}/api/v1/links/{revoked.link.id}", headers=ADMIN).status_code == 404


def test_a_dead_link_asks_a_browser_to_sign_in(guarded, guest):
    answer = guest.get("/b/other?token=share-nothing", headers={"Accept": "text/html"}, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fb%2Fother&problem=link")


def test_a_link_does_not_displace_a_viewers_own_session(guarded, guest):
    guest.get("/?token=v")
    guest.get(make(guarded).url)

    assert guest.get("/api/v1/buckets").status_code == 200


def test_links_to_several_buckets_stand_side_by_side(guarded, guest):
    guest.get(make(guarded).url)
    guest.get(make(guarded, "other").url)

    assert guest.get("/api/v1/buckets/a%2Fb/streams").status_code == 200
    assert guest.get("/api/v1/buckets/other/streams").status_code == 200


def test_a_bucket_that_no_path_can_name_is_shared_as_well(guarded, guest):
    made = make(guarded, "-", "?bucket=..")

    answer = guest.get(made.url, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/b/-?bucket=..")
    assert guest.get("/api/v1/buckets/-/streams?bucket=..").status_code == 200


def test_links_outlive_a_restart_and_their_tokens_are_kept_nowhere(tmp_path):
    with serve(tmp_path, {"write_keys": ["w"]}) as served:
        served.get("/api/events?bucketKey=b&t=1&accessKey=w")
        made = make(served, "b", label="Wall")
    for file in tmp_path.iterdir():
        if file.is_file():
            assert token_of(made).encode() not in file.read_bytes(), file

    with serve(tmp_path, {"write_keys": ["w"]}) as again:
        assert again.get(made.url).status_code == 200
        listed = schemas.ShareLinks.model_validate(again.get("/api/v1/links", headers=ADMIN).json())

    assert [(one.bucket, one.label, one.expired) for one in listed.links] == [("b", "Wall", False)]
    assert listed.links[0].used is not None


def test_a_link_ends_at_its_time():
    now = 1000.0
    shared = links.Links(FakeRecords(), clock=lambda: now)
    token, link = shared.add("b", "", expires=1010.0)

    assert shared.find(token) == link
    now = 1010.0
    assert shared.find(token) is None
    assert shared.all("b") == [link]


def test_expired_links_make_room_for_new_ones(monkeypatch):
    monkeypatch.setattr(links, "MAX_LINKS", 2)
    now = 1000.0
    shared = links.Links(FakeRecords(), clock=lambda: now)
    shared.add("b", "old", expires=1010.0)
    shared.add("b", "kept", expires=None)
    now = 1020.0

    shared.add("b", "new", expires=None)

    assert {link.label for link in shared.all()} == {"kept", "new"}
    with pytest.raises(links.TooMany):
        shared.add("b", "more", expires=None)


def test_with_a_bucket_go_links_that_another_bridge_made_and_nobody_told_of(tmp_path):
    records = SqliteRecords(tmp_path / "records.db")
    ours, theirs = links.Links(records), links.Links(records)
    token, _ = theirs.add("b", "", expires=None)

    assert ours.remove_all("b") == 1
    assert links.Links(records).find(token) is None
    records.close()


# --- frames of other sites ---------------------------------------------------------------------------------


def test_a_frame_shows_the_board_by_its_link_alone_without_a_cookie(guarded, guest):
    made = make(guarded)

    page = guest.get(made.embed, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})

    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert "frame-ancestors https://home.example.org" in page.headers["content-security-policy"]
    shown = guest.get(f"/api/v1/buckets/a%2Fb/streams?token={token_of(made)}")
    assert shown.status_code == 200
    assert guest.get(f"/api/v1/buckets/other/streams?token={token_of(made)}").status_code == 401
    assert guest.get("/api/v1/buckets/a%2Fb/streams?token=v").status_code == 401  # keys have no place in addresses


@pytest.mark.parametrize("path", ["/?embed=1", "/b/a%2Fb", "/settings?embed=1", "/login?embed=1", "/b/a%2Fb?embed=0"])
def test_nothing_but_an_embedded_board_may_be_framed(guarded, path):
    policy = guarded.get(path, headers=ADMIN).headers["content-security-policy"]

    assert "frame-ancestors 'none'" in policy


def test_without_allowed_origins_nothing_may_be_framed(served):
    assert "frame-ancestors 'none'" in served.get("/b/x?embed=1").headers["content-security-policy"]


class FakeRecords:
    """Forgets everything, which is enough."""

    def watch(self, kind, changed):
        return None

    def all(self, kind):
        return []

    def put(self, kind, key, body, expected=None):
        return None

    def delete(self, kind, key, expected=None):
        return True
