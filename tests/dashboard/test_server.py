"""The server's own thread: starting, stopping, and not being held up."""

import socket
from urllib.parse import urlsplit

import pytest
import requests

from mqttbridge.config.http import HttpConfig
from mqttbridge.config.model import Config
from mqttbridge.dashboard import server as server_module
from mqttbridge.dashboard.app import Backend, create_app
from mqttbridge.dashboard.server import HttpServer
from mqttbridge.errors import ListenError
from mqttbridge.metrics import Metrics
from tests.support.dashboards import DirectSpool, serve


def make(listen):
    config = HttpConfig(listen=listen, write_keys=("k",))
    backend = Backend(config=Config(mqtt=None, http=config), metrics=Metrics(), spool=DirectSpool(None))
    return HttpServer(config, create_app(backend))


def connect(served):
    address = urlsplit(served.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def test_requests_are_served_as_soon_as_start_returns(tmp_path):
    with serve(tmp_path) as served:
        assert served.get("/livez").status_code == 200


def test_a_port_in_use_is_said_with_what_to_do(tmp_path):
    with serve(tmp_path) as served:
        other = make(served.url.removeprefix("http://"))

        with pytest.raises(ListenError, match=r"cannot listen on 127.0.0.1:\d+: another program .* http.listen"):
            other.start()


def test_an_address_of_another_machine_is_said():
    with pytest.raises(ListenError, match="this machine has no such address"):
        make("192.0.2.1:8080").start()


def test_a_name_that_does_not_resolve_is_said():
    with pytest.raises(ListenError, match=r"cannot listen on no\.such\.host\.invalid:1"):
        make("no.such.host.invalid:1").start()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::1]:0", "[::]:0", "localhost:0"])
def test_the_url_is_one_that_this_machine_reaches(listen):
    server = make(listen)
    server.start()
    try:
        assert requests.get(server.url + "/livez", timeout=10, proxies={"http": ""}).status_code == 200
    finally:
        server.stop()


def test_a_server_that_was_stopped_has_not_failed(tmp_path):
    with serve(tmp_path) as served:
        assert not served.server.failed
        served.server.stop()
        assert not served.server.failed
        served.server.stop()


def test_stopping_before_starting_is_harmless():
    server = make("127.0.0.1:0")
    server.stop()

    assert not server.failed


def test_a_server_that_ends_by_itself_has_failed(tmp_path):
    with serve(tmp_path) as served:
        served.server._server.should_exit = True
        served.server._thread.join(20)

        assert served.server.failed


def test_the_port_is_free_again_after_stopping(tmp_path):
    with serve(tmp_path) as served:
        address = urlsplit(served.url)

    again = make(f"127.0.0.1:{address.port}")
    again.start()
    again.stop()


def test_a_request_whose_head_never_ends_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.05)
    with serve(tmp_path) as served, connect(served) as slow:
        slow.sendall(b"GET /livez HT")

        with pytest.raises(ConnectionResetError):
            while slow.recv(100):
                raise AssertionError("it was answered")
            raise ConnectionResetError


def test_a_second_request_on_a_connection_has_its_time_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.3)
    with serve(tmp_path) as served, connect(served) as client:
        for _ in range(2):
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
            while not client.recv(4096).endswith(b"}"):
                pass
        client.sendall(b"GET")

        with pytest.raises(ConnectionResetError):
            while client.recv(100):
                pass
            raise ConnectionResetError


def test_a_head_that_is_too_long_is_refused(tmp_path):
    with serve(tmp_path) as served, connect(served) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (server_module.MAX_HEAD_BYTES + 10))

        assert client.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"\0" * 100_000])
def test_what_is_not_http_is_refused_and_the_server_goes_on(tmp_path, garbage):
    with serve(tmp_path) as served:
        with connect(served) as client:
            client.sendall(garbage)
            assert client.recv(12) in {b"HTTP/1.1 400", b""}

        assert served.get("/livez").status_code == 200


def test_a_path_that_is_not_percent_encoded_rightly_is_no_fault(tmp_path):
    with serve(tmp_path) as served, connect(served) as client:
        client.sendall(b"GET /b/%zz%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert client.recv(12) in {b"HTTP/1.1 200", b"HTTP/1.1 404"}
