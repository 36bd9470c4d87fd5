"""The Read API: latest values as strings."""

from types import SimpleNamespace

from tests.support.dashboards import serve


def test_the_latest_value_of_each_stream_is_a_string(served):
    served.push(
        "b", {"key": "t", "value": 1, "epoch": 1.8e9 - 1e8}, {"key": "on", "value": True}, {"key": "s", "value": "x"}
    )
    served.push("b", {"key": "t", "value": 66.5})

    latest = served.get("/data/v1/events/latest?accessKey=k&bucketKey=b").json()

    assert {stream: one["value"] for stream, one in latest.items()} == {"t": "66.5", "on": "true", "s": "x"}
    assert isinstance(latest["t"]["epoch"], float)


def test_only_the_keys_asked_for_are_answered_and_headers_will_do(served):
    served.push("b", *({"key": key, "value": 1} for key in "abc"))

    answer = served.get("/data/v1/events/latest?key=a&key=c&key=none", headers={"X-IS-BucketKey": "b"})

    assert list(answer.json()) == ["a", "c"]


def test_a_bucket_key_in_a_header_may_be_of_any_script(served):
    served.push("日本", {"key": "t", "value": 1})

    answer = served.get("/data/v1/events/latest", headers={"X-IS-BucketKey": "日本".encode()})

    assert answer.json()["t"]["value"] == "1"


def test_without_a_bucket_key_the_request_is_refused(served):
    assert served.get("/data/v1/events/latest").status_code == 400


def test_a_bucket_that_is_not_there_has_no_values(served):
    assert served.get("/data/v1/events/latest?bucketKey=no").json() == {}


def test_a_write_key_reads_where_keys_are_set(tmp_path):
    with serve(tmp_path, {"write_keys": ["k"]}) as served:
        codes = [
            served.get("/data/v1/events/latest?bucketKey=b" + key).status_code
            for key in ("", "&accessKey=x", "&accessKey=k")
        ]

    assert codes == [401, 401, 200]


def test_without_a_dashboard_there_is_nothing_to_read(tmp_path):
    with serve(tmp_path, embedded=False) as served:
        assert served.get("/data/v1/events/latest?bucketKey=b").status_code == 404


def test_reads_are_limited_by_the_minute_where_the_configuration_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("mqttbridge.dashboard.events.latest.time", SimpleNamespace(time=lambda: now))
    now = 1_700_000_040.0 - 20
    with serve(tmp_path, {"write_keys": ["k", "l"], "limits": {"reads": 2}}) as served:

        def read(key):
            return served.get(f"/data/v1/events/latest?bucketKey=b&accessKey={key}")

        codes = [read(key).status_code for key in "kkkl"]
        refused = read("k")
        now += 20
        again = read("k").status_code

    assert codes == [200, 200, 429, 200]
    assert refused.headers["Retry-After"] == "20"
    assert again == 200
