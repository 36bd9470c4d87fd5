"""Buckets and streams are deleted by those who may write, and come back with the next event."""

from mqttbridge.alerting.desk import Desk
from mqttbridge.alerting.service import Alerts
from mqttbridge.config.alerts import AlertsConfig
from tests.support.dashboards import serve

RULE = {"name": "Hot", "bucket": "b", "stream": "t", "when": {"is": ">", "value": 0}}
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


def test_what_people_made_for_a_bucket_alone_goes_with_it_and_old_links_stay_dead(tmp_path):
    def desk_of(served):
        config = AlertsConfig.model_validate({"rules": [RULE | {"name": "Of the file"}]})
        alerts = Alerts(config, served.dashboard.store, served.dashboard.records, served.metrics)
        alerts.recall()
        return Desk(alerts)

    key = bearer("w" * 32)
    with serve(tmp_path, KEYS, make_alerts=desk_of) as served:
        store, url = served.dashboard.store, "/api/v1/buckets/b"
        store.append([("b", "t", 1, 1.9e9), ("other", "t", 1, 1.9e9)])
        for path, body in ((f"{url}/links", {}), ("/api/v1/buckets/other/links", {})):
            assert served.post(path, json=body, headers=key).status_code == 201
        token = served.post(f"{url}/links", json={}, headers=key).json()["url"].split("token=")[1]
        for name, bucket in (("Of b", "b"), ("Of all", "*")):
            rule = RULE | {"name": name, "bucket": bucket}
            assert served.post("/api/v1/alerts/rules", json=rule, headers=key).status_code == 201
        put = served.session.put
        board = {"json": {"tiles": []}, "headers": key | {"If-Match": '"0"'}, "timeout": 9}
        assert put(f"{served.url}{url}/dashboard", **board).status_code == 200
        picture = {"data": b"\x89PNG\r\n\x1a\n", "headers": key, "timeout": 9}
        assert put(f"{served.url}{url}/dashboard/background", **picture).ok
        assert served.get(f"{url}/streams", headers=bearer(token)).status_code == 200

        assert served.session.delete(served.url + url, headers=key, timeout=9).json() == {"deleted": True}
        store.append([("b", "t", 2, 1.9e9)])

        assert served.get(f"{url}/streams", headers=bearer(token)).status_code == 401
        assert [one["bucket"] for one in served.get("/api/v1/links", headers=key).json()["links"]] == ["other"]
        assert served.get(f"{url}/dashboard", headers=key).json()["source"] == "auto"
        assert served.get(f"{url}/dashboard/background", headers=key).status_code == 404
        rules = served.get("/api/v1/alerts", headers=key).json()["rules"]
        assert {one["rule"]["name"] for one in rules} == {"Of the file", "Of all"}
        assert served.get(f"{url}/alerts", headers=key).json()["states"] == []
