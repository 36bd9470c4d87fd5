"""A share link reads one bucket, and nothing else."""

import pytest

from mqttbridge.dashboard import schemas
from tests.support.dashboards import Client, serve


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("shared"), {"write_keys": ["w"], "view_tokens": ["v"]}) as running:
        for bucket in ("a/b", "other", ".."):
            running.get("/api/events", params={"bucketKey": bucket, "accessKey": "w", "t": "1"})
        yield running


@pytest.fixture
def guest(guarded):
    client = Client(guarded.url)
    yield client
    client.session.close()


def link(guarded, bucket, query=""):
    answer = guarded.get(f"/api/v1/buckets/{bucket}/share{query}", headers={"Authorization": "Bearer v"})
    return schemas.ShareLink.model_validate(answer.json()).url


def test_a_guest_with_a_link_reads_that_bucket_and_no_other(guarded, guest):
    assert guest.get(link(guarded, "a%2Fb")).status_code in {200, 404}

    reads = {
        path: guest.get(path).status_code
        for path in (
            "/api/v1/buckets/a%2Fb/streams",
            "/api/v1/buckets/a%2Fb/points",
            "/api/v1/buckets/a%2Fb/share",
            "/api/v1/buckets/other/streams",
            "/api/v1/buckets/a%2Fb/streams?bucket=other",
            "/api/v1/buckets",
            "/api/v1/status",
            "/metrics",
            "/b/other",
            "/",
        )
    }

    assert list(reads.values()) == [200, 200, 200] + [401] * 7


def test_a_link_does_not_write(guarded):
    token = link(guarded, "a%2Fb").partition("token=")[2]

    assert guarded.get(f"/api/events?bucketKey=a/b&t=1&accessKey={token}").status_code == 403


def test_a_token_of_one_bucket_is_no_token_of_another(guarded, guest):
    token = link(guarded, "a%2Fb").partition("token=")[2]

    assert guest.get(f"/b/other?token={token}").status_code == 403
    assert guest.get(f"/?token={token}").status_code == 403
    assert guest.get("/api/v1/buckets/other/streams", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_link_does_not_displace_a_viewers_own_token(guarded, guest):
    guest.get("/?token=v")
    guest.get(link(guarded, "a%2Fb"))

    assert guest.get("/api/v1/buckets").status_code == 200


def test_links_to_several_buckets_stand_side_by_side(guarded, guest):
    guest.get(link(guarded, "a%2Fb"))
    guest.get(link(guarded, "other"))

    assert guest.get("/api/v1/buckets/a%2Fb/streams").status_code == 200
    assert guest.get("/api/v1/buckets/other/streams").status_code == 200


def test_a_bucket_that_no_path_can_name_is_shared_as_well(guarded, guest):
    url = link(guarded, "-", "?bucket=..")

    answer = guest.get(url, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/b/-?bucket=..")
    assert guest.get("/api/v1/buckets/-/streams?bucket=..").status_code == 200


def test_another_key_makes_old_links_worthless(guarded, tmp_path):
    url = link(guarded, "other")
    with serve(tmp_path, {"write_keys": ["new"]}) as served:
        assert served.get(url).status_code == 403


def test_without_keys_the_link_is_the_pages_address(served):
    assert served.get("/api/v1/buckets/a%2Fb/share").json() == {"url": "/b/a%2Fb"}
