"""The Events API on a real socket, with every form its clients use, among them the official one."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from ISStreamer.Streamer import Streamer

from mqttbridge.dashboard.events import api as events_api
from mqttbridge.events import Reason
from tests.support.dashboards import Client, serve

JSON = {"Content-Type": "application/json"}


def stored(served):
    return [event[:3] for event in served.spool.events]


def error_of(answer):
    return answer.json()["message"]["error"]


# --- buckets -----------------------------------------------------------------------------------------------


def test_a_bucket_is_created_once_and_its_first_name_wins(served):
    first = served.post("/api/buckets", json={"bucketKey": "b", "bucketName": "First", "tags": None})
    again = served.post("/api/buckets", json={"bucketKey": "b", "bucketName": "Second"})

    assert (first.status_code, again.status_code, again.content) == (201, 204, b"")
    assert first.headers["content-type"] == "application/json"
    assert served.get("/api/v1/buckets").json()["buckets"][0]["name"] == "First"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_bucket_may_be_created_by_parameters(served, method):
    create = getattr(served, method)
    path = "/api/buckets?accessKey=any&bucketKey=b&bucketName=My%20home"

    assert [create(path).status_code, create(path).status_code] == [201, 204]
    assert served.get("/api/v1/buckets").json()["buckets"][0]["name"] == "My home"


def test_a_bucket_that_events_made_first_is_named_all_the_same(served):
    served.push("b", {"key": "t", "value": 1})

    assert served.post("/api/buckets", json={"bucketKey": "b", "bucketName": "Home"}).status_code == 201
    assert served.get("/api/v1/buckets").json()["buckets"][0]["name"] == "Home"


def bucket_tags(served):
    return {one["key"]: one["tags"] for one in served.get("/api/v1/buckets").json()["buckets"]}


def test_the_tags_of_the_first_creation_stay(served):
    first = served.post("/api/buckets", json={"bucketKey": "b", "tags": ["attic", "öl"]})
    again = served.post("/api/buckets", json={"bucketKey": "b", "bucketName": "B", "tags": ["other"]})

    assert (first.status_code, first.json()["tags"], again.status_code) == (201, ["attic", "öl"], 201)
    assert bucket_tags(served) == {"b": ["attic", "öl"]}


def test_a_bucket_created_without_tags_gets_none_later(served):
    served.post("/api/buckets", json={"bucketKey": "b", "tags": None})

    assert served.post("/api/buckets", json={"bucketKey": "b", "tags": ["late"]}).status_code == 204
    assert bucket_tags(served) == {"b": []}


def test_a_bucket_that_events_made_first_is_tagged_all_the_same(served):
    served.push("b", {"key": "t", "value": 1})
    created = [served.post("/api/buckets", json={"bucketKey": "b", "tags": [tag]}).status_code for tag in ("1", "2")]

    assert created == [201, 204]
    assert bucket_tags(served) == {"b": ["1"]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"bucketKey": "b", "tags": "one"},
        {"bucketKey": "b", "tags": [1]},
        {"bucketKey": "b", "tags": [""]},
        {"bucketKey": "b", "tags": ["t" * 251]},
        {"bucketKey": "b", "tags": ["t"] * 101},
        {"bucketKey": ""},
        {"bucketKey": 5},
        {"bucketKey": "b" * 251},
        {"bucketKey": "a:b"},
        {"bucketKey": 'a"b'},
        {"bucketKey": "a'b"},
        {"bucketKey": "b", "bucketName": "n" * 251},
        {"bucketKey": "b", "bucketName": 5},
        [],
    ],
)
def test_a_bucket_that_breaks_the_contract_is_refused(served, body):
    answer = served.post("/api/buckets", json=body)

    assert answer.status_code == 400
    assert error_of(answer)["message"]
    assert served.get("/api/v1/buckets").json()["buckets"] == []


def test_a_bucket_key_of_250_characters_will_do(served):
    assert served.post("/api/buckets", json={"bucketKey": "b" * 250}).status_code == 201


def test_without_a_dashboard_buckets_are_remembered_all_the_same(tmp_path):
    with serve(tmp_path, embedded=False) as served:
        codes = [served.post("/api/buckets", json={"bucketKey": "b"}).status_code for _ in range(2)]

    assert codes == [201, 204]


# --- events ------------------------------------------------------------------------------------------------


def test_an_event_is_in_the_spool_when_204_is_answered(served):
    answer = served.post("/api/events", json={"key": "t", "value": "66.5"}, headers={"X-IS-BucketKey": "b"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert stored(served) == [("b", "t", 66.5)]
    assert served.spool.sources == {"http"}
    assert served.metrics.received.value(source="http") == 1


def test_204_waits_for_the_commit(served):
    served.spool.gate.clear()
    answers = []
    request = threading.Thread(target=lambda: answers.append(served.push("b", {"key": "t", "value": 1})))
    request.start()
    assert served.get("/livez").status_code == 200
    assert answers == []

    served.spool.gate.set()
    request.join(20)

    assert answers[0].status_code == 204


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/events", {"X-IS-AccessKey": "k", "X-IS-BucketKey": "b"}),
        ("/api/events", {"X-Is-AccessKey": "k", "x-is-bucketkey": "b"}),
        ("/api/events?accessKey=k&bucketKey=b", {}),
    ],
)
@pytest.mark.parametrize("version", [None, "~0", "0.0.1", "<=0.0.4", "garbage"])
def test_keys_come_in_headers_or_in_the_query_and_any_version_is_welcome(served, path, headers, version):
    if version is not None:
        headers = headers | {"Accept-Version": version}

    assert served.post(path, json=[{"key": "t", "value": 1}], headers=headers).status_code == 204
    assert stored(served) == [("b", "t", 1)]


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_other_parameter_is_an_event(served, method):
    answer = getattr(served, method)("/api/events?accessKey=k&bucketKey=b&temp%C3%A9=1.5&state=on&temp%C3%A9=2")

    assert answer.status_code == 204
    assert stored(served) == [("b", "tempé", 1.5), ("b", "state", "on"), ("b", "tempé", 2)]


def test_a_bucket_key_in_a_header_may_be_of_any_script(served):
    headers = {"X-IS-BucketKey": "日本".encode()}

    assert served.post("/api/events", json={"key": "t", "value": 1}, headers=headers).status_code == 204
    assert stored(served) == [("日本", "t", 1)]


def test_an_empty_array_is_no_event_and_no_error(served):
    assert served.push("b").status_code == 204
    assert served.spool.commits == 0


def test_parameters_without_a_value_are_refused(served):
    answer = served.get("/api/events?accessKey=k&bucketKey=b")

    assert answer.status_code == 400
    assert error_of(answer)["message"].startswith("nothing was stored: there is no value")


def test_events_without_a_bucket_are_refused(served):
    answer = served.post("/api/events", json={"key": "t", "value": 1})

    assert answer.status_code == 400
    assert error_of(answer) == {"type": "INVALID_BUCKET", "message": "bucketKey is missing"}


def test_one_bad_event_refuses_the_whole_request_and_is_named(served):
    answer = served.push("b", {"key": "good", "value": 1}, {"key": "bad"}, {"value": {}})

    assert answer.status_code == 400
    assert error_of(answer) == {
        "type": "INVALID_EVENTS",
        "message": "nothing was stored: event 1: value is missing; event 2: key is missing",
    }
    assert stored(served) == []


def test_a_body_that_is_not_json_is_refused(served):
    answer = served.post("/api/events?bucketKey=b", data="{")

    assert answer.status_code == 400
    assert error_of(answer)["type"] == "INVALID_JSON"


def test_a_request_full_of_bad_events_is_answered_briefly(served):
    answer = served.post("/api/events?bucketKey=b", json=[{}] * 10_000)

    assert answer.status_code == 400
    assert len(answer.content) < 2000
    assert "and 9980 more" in error_of(answer)["message"]


def test_a_value_that_nothing_can_store_is_rejected_and_the_rest_is_stored(served):
    answer = served.post("/api/events?bucketKey=b", data='[{"key":"t","value":NaN},{"key":"u","value":1}]')

    assert answer.status_code == 204
    assert stored(served) == [("b", "u", 1)]
    assert [(one.reason, one.topic) for one in served.spool.rejected] == [(Reason.NOT_FINITE, "b/t")]
    assert served.metrics.received.value(source="http") == 2


def test_a_full_spool_is_503_and_the_client_may_come_again(served):
    served.spool.full = True

    answer = served.push("b", {"key": "t", "value": 1})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert served.metrics.received.total() == 0


def test_a_body_of_a_megabyte_is_taken_and_one_byte_more_is_not(served):
    events = b'[{"key":"t","value":1}' + b" " * 999_977 + b"]"
    assert len(events) == 1_000_000

    assert served.post("/api/events?bucketKey=b", data=events).status_code == 204
    answer = served.post("/api/events?bucketKey=b", data=events + b" ")

    assert answer.status_code == 413
    assert error_of(answer)["type"] == "TOO_LARGE"
    assert len(stored(served)) == 1


def test_a_body_of_unknown_length_is_bounded_as_well(served):
    answer = served.post("/api/events?bucketKey=b", data=(b"x" * 100_000 for _ in range(20)))

    assert answer.status_code == 413


def test_a_client_that_asks_before_sending_too_much_is_told_at_once(served):
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(
            f"POST /api/events?bucketKey=b HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_is_given_up(served, monkeypatch):
    monkeypatch.setattr("mqttbridge.dashboard.http.BODY_SECONDS", 0.05)
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(
            f"POST /api/events?bucketKey=b HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 10\r\n\r\n{{".encode()
        )
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert stored(served) == []


def test_rate_headers_are_on_every_answer(served):
    answers = [
        served.push("b", {"key": "t", "value": 1}),
        served.push("b", {}),
        served.post("/api/events", data="x" * 1_000_001),
        served.get("/api/versions"),
        served.get("/api/buckets"),
        served.session.put(served.url + "/api/events", timeout=10),
        served.get("/api/versions", headers={"Host": "elsewhere.example"}),
        served.get("/api/events?bucketKey=b&t=1", headers={"Sec-Fetch-Site": "cross-site"}),
    ]

    assert [answer.status_code for answer in answers] == [204, 400, 413, 200, 400, 405, 403, 403]
    for answer in answers:
        assert int(answer.headers["X-RateLimit-Limit"]) > int(answer.headers["X-RateLimit-Remaining"]) > 0
        assert int(answer.headers["X-RateLimit-Reset"]) > time.time()


def test_a_fault_of_ours_is_500_in_the_api_s_words_and_told_in_the_log(served, monkeypatch, caplog):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(served.spool, "append", fail)

    answer = served.push("b", {"key": "t", "value": 1})

    assert (answer.status_code, error_of(answer)["type"]) == (500, "CORE_API_ERROR")
    assert "X-RateLimit-Reset" in answer.headers
    assert "ZeroDivisionError" in caplog.text


def test_the_versions_are_those_of_the_api(served):
    assert served.get("/api/versions").json() == ["0.0.1", "0.0.2", "0.0.3", "0.0.4"]


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_store_nothing_and_no_other_origin_is_invited(served, method):
    answer = served.session.request(method, served.url + "/api/events?bucketKey=b&t=1", timeout=10)

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}
    assert stored(served) == []
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# --- keys --------------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(tmp_path):
    with serve(tmp_path, {"write_keys": ["ist_one", "two"]}) as running:
        yield running


@pytest.mark.parametrize("path", ["/api/events?bucketKey=b&t=1", "/api/buckets?bucketKey=b"])
def test_without_a_key_nothing_is_written(guarded, path):
    missing, wrong = guarded.get(path), guarded.get(path + "&accessKey=three")

    assert (missing.status_code, wrong.status_code) == (401, 403)
    assert "ACCESS_DENIED_KEY" in wrong.text
    assert stored(guarded) == []


@pytest.mark.parametrize("key", ["ist_one", "two"])
def test_each_key_writes_by_header_and_by_parameter(guarded, key):
    body = {"key": "t", "value": 1}

    by_header = guarded.post("/api/events?bucketKey=b", json=body, headers={"X-IS-AccessKey": key})
    by_parameter = guarded.post(f"/api/events?bucketKey=b&accessKey={key}", json=body)

    assert (by_header.status_code, by_parameter.status_code) == (204, 204)


def test_who_has_no_key_is_answered_before_the_body_is_read(guarded):
    address = urlsplit(guarded.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(
            f"POST /api/events HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 999999\r\n\r\n".encode()
        )
        assert client.recv(12) == b"HTTP/1.1 401"


# --- load --------------------------------------------------------------------------------------------------


def test_requests_that_come_together_share_commits(served):
    served.spool.gate.clear()
    state = served.server._server.server_state

    with ThreadPoolExecutor(20) as clients:
        answers = [clients.submit(Client(served.url).push, "b", {"key": f"s{n}", "value": n}) for n in range(20)]
        while len(state.tasks) < 20:  # none can be answered while the gate is closed
            time.sleep(0.001)
        served.spool.gate.set()

    assert [answer.result().status_code for answer in answers] == [204] * 20
    assert sorted(value for _, _, value in stored(served)) == list(range(20))
    assert served.spool.commits < 20


def test_large_bodies_take_turns(served):
    body = json.dumps([{"key": "t", "value": n} for n in range(5000)])
    assert len(body) > events_api.LARGE_BODY

    with ThreadPoolExecutor(3 * events_api.LARGE_BODIES_AT_ONCE) as clients:
        codes = list(clients.map(lambda _: Client(served.url).post("/api/events?bucketKey=b", data=body), range(12)))

    assert [answer.status_code for answer in codes] == [204] * 12
    assert len(stored(served)) == 60_000


# --- the official client -----------------------------------------------------------------------------------


# It leaves the closing of its sockets to the garbage collector.
untidy = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def streamer(served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it writes what it could not send into the working directory
    ini = tmp_path / "isstreamer.ini"
    ini.write_text(
        f"[isstreamer.client_config]\naccess_key=k\n\n[isstreamer.api_config]\nstream_api_base={served.url}\n"
    )

    def make(**how):
        return Streamer(bucket_name="Greenhouse", bucket_key="gh", ini_file_location=str(ini), **how)

    return make


@untidy
def test_the_official_client_sends_here_unchanged(served, streamer, tmp_path):
    client = streamer(use_async=False, buffer_size=5)
    for n in range(12):
        client.log("temperature", 20 + n / 10)
    client.log("door", "open")
    client.log("at", 1.5, epoch=time.time() - 60)
    client.log_object({"a": 1, "b": True}, key_prefix="p")
    client.close()

    values = [value for _, _, value in stored(served)]
    assert values == [20 + n / 10 for n in range(12)] + ["open", 1.5, 1, True]
    assert served.get("/api/v1/buckets").json()["buckets"][0]["name"] == "Greenhouse"
    assert not (tmp_path / "err_missed_events.txt").exists()


@untidy
def test_the_official_client_loses_one_nan_and_nothing_else(served, streamer):
    client = streamer(use_async=False)
    client.log("t", 1)
    client.log("t", float("nan"))
    client.log("t", 3)
    client.close()

    assert [value for _, _, value in stored(served)] == [1, 3]
    assert len(served.spool.rejected) == 1


@untidy
def test_the_official_client_in_threads_of_its_own_loses_nothing(served, streamer):
    client = streamer(buffer_size=3)
    for n in range(50):
        client.log("n", n)
    client.close()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon and "http" not in thread.name:
            thread.join(20)

    assert sorted(value for _, _, value in stored(served)) == list(range(50))
