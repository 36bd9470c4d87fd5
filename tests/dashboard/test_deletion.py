"""Buckets and streams are deleted by those who may write, and come back with the next event."""

from tests.support.dashboards import serve

KEYS = {"write_keys": ["w" * 32], "view_tokens": ["v" * 32]}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_streams_and_buckets_are_deleted_and_come_back_with_the_next_event(served):
    served.push("b", {"key": "a/b", "value": 1}, {"key": "kept", "value": 2})
    delete = served.session.delete

    assert delete(f"{served.url}/api/v1/buckets/b/streams", params={"stream": ["a/b", "no"]}, timeout=9).ok
    assert [one["stream"] for one in served.get("/api/v1/buckets/b/streams").json()["streams"]] == ["kept"]
    assert delete(f"{served.url}/api/v1/buckets/b/streams", params={"stream": "a/b"}, timeout=9).status_code == 404
    assert delete(f"{served.url}/api/v1/buckets/b/streams", timeout=9).status_code == 400
    assert delete(f"{served.url}/api/v1/buckets/b", timeout=9).json() == {"deleted": True}
    assert served.get("/api/v1/buckets/b/streams").status_code == 404
    assert delete(f"{served.url}/api/v1/buckets/b", timeout=9).status_code == 404

    served.push("b", {"key": "a/b", "value": 3})
    assert served.get("/api/v1/buckets/b/points").json()["series"]["a/b"]["values"] == [3]


def test_who_may_only_read_deletes_nothing(tmp_path):
    with serve(tmp_path, KEYS) as served:
        url = f"{served.url}/api/v1/buckets/b"
        served.dashboard.store.create_bucket("b")

        assert served.session.delete(url, headers=bearer("v" * 32), timeout=9).status_code in {401, 403}
        assert served.session.delete(url, timeout=9).status_code in {401, 403}
        assert served.session.delete(url, headers=bearer("w" * 32), timeout=9).status_code == 200
