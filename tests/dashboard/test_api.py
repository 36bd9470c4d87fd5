"""Our own API, held to the models that the OpenAPI document is made from."""

import time
from urllib.parse import quote

import pytest

from mqttbridge.dashboard import schemas
from mqttbridge.errors import StoreError
from tests.support.dashboards import serve

NAMES = ["a/b", "%2F", "a..b", "../x", "<img src=x onerror=alert(1)>", "日本 😀", "a b+c", "#?&;", "b" * 250]


def points(served, bucket="b", **query):
    answer = served.get(f"/api/v1/buckets/{quote(bucket, safe='')}/points", params=query)
    assert answer.status_code == 200, answer.text
    return schemas.Points.model_validate(answer.json())


def test_buckets_and_streams_are_listed(served):
    served.push("b", {"key": "t", "value": 20.5}, {"key": "on", "value": True}, {"key": "say", "value": "hi"})

    buckets = schemas.Buckets.model_validate(served.get("/api/v1/buckets").json())
    streams = schemas.Streams.model_validate(served.get("/api/v1/buckets/b/streams").json())

    assert [(b.key, b.name, b.streams) for b in buckets.buckets] == [("b", "b", 3)]
    assert streams.bucket == schemas.BucketName(key="b", name="b")
    assert [(s.stream, s.kind, s.last.value) for s in streams.streams] == [
        ("on", "boolean", True),
        ("say", "text", "hi"),
        ("t", "number", 20.5),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_bucket_of_any_name_is_found_by_its_encoded_name(served, name):
    served.push(name, {"key": name, "value": 1})
    path = f"/api/v1/buckets/{quote(name, safe='')}"

    assert served.get(f"{path}/streams").json()["bucket"]["key"] == name
    assert list(served.get(f"{path}/points", params={"stream": name}).json()["series"]) == [name]
    assert served.get(f"/b/{quote(name, safe='')}").status_code == 200


@pytest.mark.parametrize("name", [".", ".."])
def test_names_a_browser_cannot_put_into_a_path_come_as_a_parameter(served, name):
    served.push(name, {"key": "t", "value": 1})

    assert served.get(f"/api/v1/buckets/-/streams?bucket={name}").json()["bucket"]["key"] == name


def test_values_keep_their_kind(served):
    served.push("b", {"key": "t", "value": 20.5}, {"key": "on", "value": False}, {"key": "say", "value": "hi"})

    series = points(served).series

    assert {stream: (one.kind, one.values) for stream, one in series.items()} == {
        "on": ("boolean", [False]),
        "say": ("text", ["hi"]),
        "t": ("number", [20.5]),
    }


def test_windows_are_absolute_or_relative_as_netdata_has_them(served):
    now = time.time()
    served.push("b", *({"key": "t", "value": n, "epoch": now - 100 * n} for n in range(10)))

    def values(**query):
        return points(served, **query).series["t"].values

    assert values() == list(range(9, -1, -1))
    assert values(after=-250) == [3, 2, 1, 0]  # and the point before the window
    assert values(after=now - 450, before=now - 150) == [5, 4, 3, 2]
    assert values(after=-200, before=-550) == [8, 7, 6]
    assert values(after=now - 450, before=-350) == [5, 4]


def test_the_answer_says_which_window_it_is_of(served):
    served.push("b", {"key": "t", "value": 1})

    answer = points(served, after=-60)

    assert answer.before == answer.now
    assert answer.after == pytest.approx(answer.now - 60)


@pytest.mark.parametrize("query", [{"after": "x"}, {"points": "many"}, {"after": 50, "before": 5}, {"before": 1e15}])
def test_a_window_that_makes_no_sense_is_refused(served, query):
    served.push("b", {"key": "t", "value": 1})

    answer = served.get("/api/v1/buckets/b/points", params=query)

    assert answer.status_code == 400
    assert schemas.Error.model_validate(answer.json()).error


def test_many_points_are_thinned_to_what_is_asked_for(served):
    now = time.time()
    served.push("b", *({"key": "t", "value": n % 7, "epoch": now - 5000 + n} for n in range(5000)))

    assert 100 <= len(points(served, points=100, after=-5000).series["t"].values) <= 401


@pytest.mark.parametrize("what", ["streams", "points"])
def test_an_unknown_bucket_is_404(served, what):
    answer = served.get(f"/api/v1/buckets/no/{what}")

    assert answer.status_code == 404
    assert "no such bucket" in answer.json()["error"]


@pytest.mark.parametrize("path", ["buckets", "buckets/b/streams", "buckets/b/points", "buckets/b/live"])
def test_without_a_dashboard_our_api_says_so_and_events_are_taken_all_the_same(tmp_path, path):
    with serve(tmp_path, embedded=False) as served:
        answer = served.get(f"/api/v1/{path}")
        pushed = served.push("b", {"key": "t", "value": 1})

    assert answer.status_code == 404
    assert "embedded" in answer.json()["error"]
    assert pushed.status_code == 204


def test_the_status_is_the_bridges_with_version_and_time(served):
    status = schemas.Status.model_validate(served.get("/api/v1/status").json())

    assert status.version
    assert status.now == pytest.approx(time.time(), abs=60)


def test_a_store_that_fails_is_503(served, monkeypatch):
    def fail(*_):
        raise StoreError("disk gone")

    monkeypatch.setattr(served.dashboard.store, "buckets", fail)

    answer = served.get("/api/v1/buckets")

    assert (answer.status_code, answer.json()) == (503, {"error": "disk gone"})
    assert answer.headers["retry-after"]


def test_a_fault_of_ours_is_500_and_tells_nothing_of_our_inside(served, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(served.dashboard.store, "buckets", fail)

    answer = served.get("/api/v1/buckets")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    served.server.stop()  # it logs after it has answered
    assert "secret" in caplog.text


def test_answers_are_not_cached(served):
    served.push("b", {"key": "t", "value": 1})

    for path in ("buckets", "buckets/b/streams", "buckets/b/points", "status"):
        assert served.get(f"/api/v1/{path}").headers["cache-control"] == "no-store"


def test_what_is_not_there_is_404_in_json(served):
    assert served.get("/nothing/here").json() == {"error": "there is nothing at this address"}
