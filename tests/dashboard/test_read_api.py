"""The Read API: latest values as strings."""

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
