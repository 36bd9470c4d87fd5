"""Whatever is sent to the Events API gets an answer within its contract, and the server goes on."""

import json
import select
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from mqttbridge.dashboard import http as http_module
from tests.support.dashboards import serve

GIGABYTE = 10**9
# What the server reads of a body it refuses, and what the sockets' buffers hold.
READ_AT_MOST = 40_000_000

NINES = "9" * 400
MANY_NINES = "9" * 900_000


def post(served, body, **params):
    return served.post("/api/events", params={"bucketKey": "b", **params}, data=body)


def connect(served):
    address = urlsplit(served.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def head(served, path, *headers):
    lines = [f"POST {path} HTTP/1.1", f"Host: {urlsplit(served.url).netloc}", *headers, "", ""]
    return "\r\n".join(lines).encode()


# --- keys and values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *("null", "5", '"x"', "{}", "[[]]", "[null]", '[{"key":"t","value":1},7]', "{", "\x00", "temp=1"),
        *('{"key":1,"value":1}', '{"key":[],"value":1}', '{"key":{},"value":1}', '{"key":true,"value":1}'),
        *('{"key":null,"value":1}', '{"key":"","value":1}', '{"value":1}', '{"key":"t"}', '{"key":"t","value":null}'),
        *('{"key":"t","value":[]}', '{"key":"t","value":{"a":1}}', '{"key":"\\ud800","value":1}'),
        pytest.param(b'{"key":"\xff","value":1}', id="not UTF-8"),
        pytest.param("[" * 500_000, id="nested half a million deep"),
        pytest.param('{"a":' * 150_000, id="objects nested deep"),
        pytest.param(f'{{"key":"{"k" * 251}","value":1}}', id="a key of 251"),
        pytest.param(f'{{"key":"{"k" * 900_000}","value":1}}', id="a key of 900,000"),
        pytest.param(f'{{"key":"t","value":"{"v" * 2001}"}}', id="a text of 2,001"),
        pytest.param(f'{{"key":"t","value":{MANY_NINES}}}', id="a number of 900,000 digits"),
        pytest.param(f'{{"key":"t","value":1,"epoch":{NINES}}}', id="an epoch of 400 digits"),
        pytest.param(f'{{"key":"t","value":1,"epoch":{MANY_NINES}}}', id="an epoch of 900,000 digits"),
        pytest.param(f'{{"key":"t","value":1,"epoch":"{MANY_NINES}"}}', id="an epoch as a text of 900,000 digits"),
        pytest.param(f'{{"key":"t","value":1,"iso8601":"{MANY_NINES}"}}', id="an ISO time of 900,000 digits"),
        *('{"key":"t","value":1,"epoch":{}}', '{"key":"t","value":1,"iso8601":{}}'),
    ],
)
def test_what_breaks_the_contract_is_400_and_nothing_of_it_is_stored(served, body):
    answer = post(served, body)

    assert answer.status_code == 400
    assert answer.json()["message"]["error"]["message"]
    assert len(answer.content) < 2000
    assert served.spool.events == []
    assert "X-RateLimit-Limit" in answer.headers


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k" * 250, "v" * 2000),
        ("a\0b", "c\0d"),
        ("__proto__", "constructor"),
        ("../../etc/passwd", "'; DROP TABLE points; --"),
        ("👩‍👩‍👧‍👦", "\u202eتجربة"),
        (" ", ""),
        ("\n", "\r\n"),
        ("t", 2**63 - 1),
        ("t", -(2**63)),
        ("t", 1.7976931348623157e308),
        ("t", 5e-324),
        ("t", False),
    ],
)
def test_any_name_and_value_within_bounds_comes_back_as_it_went_in(served, key, value):
    assert served.push(key, {"key": key, "value": value}).status_code == 204

    answer = served.get("/api/v1/buckets/-/streams", params={"bucket": key}).json()
    (stream,) = answer["streams"]
    assert (answer["bucket"]["key"], stream["stream"], stream["last"]["value"]) == (key, key, value)


@pytest.mark.parametrize("epoch", ["-" + NINES, "-1e308", "0", '"1e3"'])
def test_times_far_in_the_past_become_the_server_s(served, epoch):
    assert post(served, f'{{"key":"t","value":1,"epoch":{epoch}}}').status_code == 204

    assert abs(served.spool.events[0][3] - time.time()) < 60


@pytest.mark.parametrize("value", ["1e400", "-1e400", "NaN", "Infinity", NINES])
def test_a_number_that_nothing_can_hold_is_rejected_alone(served, value):
    answer = post(served, f'[{{"key":"t","value":{value}}},{{"key":"u","value":1}}]')

    assert answer.status_code == 204
    assert [event[1] for event in served.spool.events] == ["u"]
    assert len(served.spool.rejected) == 1


def test_parameters_that_are_no_events_are_400(served):
    for query in ("=5", "a=" + "1" * 3000, "k" * 251 + "=1"):
        assert served.get(f"/api/events?bucketKey=b&{query}").status_code == 400, query[:20]
    assert served.spool.events == []


@pytest.mark.parametrize("bucket", ["k" * 251, ""])
@pytest.mark.parametrize("path", ["/api/events", "/api/buckets"])
def test_a_bucket_s_key_out_of_bounds_is_400(served, path, bucket):
    answer = served.post(path, params={"bucketKey": bucket, "accessKey": "k" * 5000}, json={"key": "t", "value": 1})

    assert answer.status_code == 400


def test_an_access_key_of_any_length_and_script_is_an_unknown_one(tmp_path):
    with serve(tmp_path, {"write_keys": ["k"], "limits": {"calls": 1, "events": 1}}) as served:
        keys = ["x" * 60_000, "ключ", "\0", "k "]
        codes = [served.get("/api/events", params={"accessKey": key, "bucketKey": "b", "t": 1}) for key in keys]
        header = served.get("/api/events?bucketKey=b&t=1", headers={"X-IS-AccessKey": b"\xff\xfe"})
        known = served.get("/api/events?bucketKey=b&t=1&accessKey=k")

    assert [answer.status_code for answer in [*codes, header]] == [403] * 5
    assert known.status_code == 204


# --- bodies without end ------------------------------------------------------------------------------------


def flood(served, first, *, chunked=False):
    """Send a request's head and then a gigabyte, until the server answers or cuts. Bytes sent, and the answer."""
    block = b"x" * 65536
    if chunked:
        block = b"10000\r\n" + block + b"\r\n"
    sent, answer = 0, b""
    with connect(served) as client:
        client.sendall(first)
        client.setblocking(False)
        while sent < GIGABYTE:
            # Look for the answer before sending more: what is sent into a closed connection makes TCP throw it away.
            # The head alone is enough for most answers, so there the look is a long one.
            readable, _, _ = select.select([client], [], [], 0.01 if sent else 1.0)
            if not readable:
                readable, writable, _ = select.select([client], [client], [], 20)
                assert readable or writable, "neither an answer nor room to send"
            try:
                if readable:
                    if not (data := client.recv(65536)):
                        break
                    answer += data
                else:
                    sent += client.send(block)
            except OSError:
                break
    return sent, answer


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("key", "status"), [("k", 413), ("wrong", 403), (None, 401)])
def test_a_gigabyte_is_refused_without_being_read(tmp_path, key, status, chunked):
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {GIGABYTE}"
    with serve(tmp_path, {"write_keys": ["k"]}) as served:
        headers = [length] if key is None else [length, f"X-IS-AccessKey: {key}"]
        sent, answer = flood(served, head(served, "/api/events?bucketKey=b", *headers), chunked=chunked)
        alive = served.get("/livez").status_code

    assert sent < READ_AT_MOST
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert alive == 200


def test_a_gigabyte_past_the_rate_is_refused_without_being_read(tmp_path):
    with serve(tmp_path, {"limits": {"calls": 1, "per": "1000s"}}) as served:
        served.get("/api/events?bucketKey=b&t=1")
        sent, answer = flood(served, head(served, "/api/events?bucketKey=b", f"Content-Length: {GIGABYTE}"))

    assert sent < READ_AT_MOST
    assert answer.startswith(b"HTTP/1.1 429 ")


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 10", "Content-Length: 20"],
        ["Content-Length: -5"],
        ["Content-Length: ten"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip"],
    ],
)
def test_a_body_whose_length_is_told_twice_or_wrongly_stores_nothing(served, headers):
    with connect(served) as client:
        client.sendall(head(served, "/api/events?bucketKey=b", *headers) + b'{"key":"t","value":1}')
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()

    assert b"HTTP/1.1 2" not in answer
    assert served.spool.events == []
    assert served.get("/livez").status_code == 200


# --- clients that stop half-way ----------------------------------------------------------------------------


def test_a_client_that_goes_away_half_way_stores_nothing(served):
    for part in (b"", b"POST /api/ev", head(served, "/api/events?bucketKey=b", "Content-Length: 100") + b'{"key'):
        with connect(served) as client:
            client.sendall(part)
    assert served.push("b", {"key": "t", "value": 1}).status_code == 204

    assert [event[:3] for event in served.spool.events] == [("b", "t", 1)]


def test_many_half_open_connections_leave_room_for_the_others(served, monkeypatch):
    monkeypatch.setattr(http_module, "BODY_SECONDS", 5.0)
    stalled = head(served, "/api/events?bucketKey=b", "Content-Length: 900000") + b"["
    clients = [connect(served) for _ in range(50)]
    try:
        for client in clients:
            client.sendall(stalled)
        assert served.push("b", {"key": "t", "value": 1}).status_code == 204
    finally:
        for client in clients:
            client.close()


def test_clients_that_send_and_do_not_wait_for_the_answer_harm_nobody(served):
    body = json.dumps([{"key": "t", "value": n} for n in range(100)]).encode()
    request = head(served, "/api/events?bucketKey=b", f"Content-Length: {len(body)}") + body

    def hurry():
        with connect(served) as client:
            client.sendall(request)

    threads = [threading.Thread(target=hurry) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert served.push("last", {"key": "t", "value": 1}).status_code == 204
    assert len(served.spool.events) % 100 == 1  # each request whole or not at all
