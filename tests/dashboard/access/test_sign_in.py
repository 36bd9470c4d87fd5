"""Signing in and out, the first start, and guessing."""

import pytest

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.access import attempts, schemas, sessions
from mqttbridge.dashboard.access.attempts import Attempts, network_of
from mqttbridge.dashboard.access.sessions import Sessions
from mqttbridge.dashboard.security import Access, Security
from tests.support.browsing import Visitor
from tests.support.dashboards import serve


@pytest.fixture
def guarded(tmp_path):
    with serve(tmp_path, {"write_keys": ["w"], "view_tokens": ["v"]}) as running:
        yield running


@pytest.fixture
def visitor(guarded):
    client = Visitor(guarded.url)
    yield client
    client.session.close()


def standing(visitor):
    return schemas.Session.model_validate(visitor.ask("GET", "/api/v1/session").json())


def test_one_signs_in_with_a_key_and_gets_a_cookie_that_is_not_the_key(visitor):
    assert standing(visitor).role is None

    answer = visitor.sign_in("w")

    assert answer.status_code == 200
    assert schemas.Session.model_validate(answer.json()).role == "admin"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "=w;" not in cookie
    assert (standing(visitor).role, standing(visitor).by_cookie) == ("admin", True)
    assert visitor.ask("GET", "/api/v1/keys").status_code == 200


def test_behind_tls_the_cookie_is_for_tls_alone(visitor):
    answer = visitor.ask("POST", "/api/v1/session", json={"token": "v"}, headers={"X-Forwarded-Proto": "https"})

    assert "secure" in answer.headers["set-cookie"].lower()


def test_after_signing_out_the_old_cookie_opens_nothing(visitor):
    visitor.sign_in("v")
    cookie = visitor.session.cookies["mqttbridge_session"]

    assert visitor.ask("DELETE", "/api/v1/session").status_code == 204

    assert standing(visitor).role is None
    assert visitor.get("/api/v1/buckets", headers={"Cookie": f"mqttbridge_session={cookie}"}).status_code == 401


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_another_sites_page_signs_nobody_in_or_out(visitor, method):
    visitor.sign_in("v")
    for how in ({"site": "cross-site"}, {"site": "same-site"}):
        assert visitor.ask(method, "/api/v1/session", json={"token": "w"}, **how).status_code == 403
    assert standing(visitor).role == "viewer"


def test_what_changes_something_by_cookie_comes_from_our_own_page(visitor):
    visitor.sign_in("w")

    for site in ("cross-site", "same-site"):
        for path in ("/api/v1/keys", "/api/v1/buckets/b/links", "/api/v1/plotly/tokens", "/api/v1/rejected/purge"):
            assert visitor.ask("POST", f"{path}?accessKey=x", json={"role": "admin"}, site=site).status_code == 403


@pytest.mark.parametrize(("key", "status"), [("x", 401), ("", 400), ("w" * 2000, 400), (5, 400)])
def test_a_wrong_key_gets_no_session(visitor, key, status):
    answer = visitor.ask("POST", "/api/v1/session", json={"token": key})

    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


def test_without_keys_everybody_on_this_machine_is_an_admin(served):
    answer = schemas.Session.model_validate(served.get("/api/v1/session").json())

    assert (answer.guarded, answer.role, answer.first_start) == (False, "admin", False)


# --- the first start where others can reach the server -----------------------------------------------------


def test_until_the_first_key_is_made_nothing_is_shown_and_then_one_is_in(tmp_path, reachable):
    with serve(tmp_path) as served:
        visitor = Visitor(served.url)
        for path in ("/api/v1/buckets", "/api/v1/keys", "/metrics", "/", "/api/events?bucketKey=b&t=1"):
            assert visitor.get(path).status_code == 401, path
        assert standing(visitor).first_start
        code = served.server.first_key_url.partition("#first=")[2]

        assert visitor.ask("POST", "/api/v1/first-key", json={"code": "x"}).status_code == 403
        assert visitor.ask("POST", "/api/v1/first-key", json={"code": code}, site="cross-site").status_code == 403
        answer = visitor.ask("POST", "/api/v1/first-key", json={"code": code, "label": "Ann"})

        made = schemas.MadeKey.model_validate(answer.json())
        assert (answer.status_code, made.key.role, made.key.label) == (201, "admin", "Ann")
        assert visitor.get("/api/v1/buckets").status_code == 200
        assert visitor.ask("POST", "/api/v1/first-key", json={"code": code}).status_code == 403
        assert served.server.first_key_url is None
        visitor.session.close()

    with serve(tmp_path) as again:
        assert again.server.first_key_url is None
        assert again.get("/api/v1/buckets", headers={"Authorization": f"Bearer {made.secret}"}).status_code == 200


def test_who_needs_no_key_is_offered_none(served):
    assert served.server.first_key_url is None
    assert served.post("/api/v1/first-key", json={"code": "x"}).status_code == 403


def test_who_has_a_key_is_offered_none(tmp_path, reachable):
    with serve(tmp_path, {"write_keys": ["w"]}) as served:
        assert served.server.first_key_url is None
        assert served.post("/api/v1/first-key", json={"code": "x"}).status_code == 403


# --- guessing ----------------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_ten_wrong_keys_at_once_then_one_every_six_seconds():
    clock = Clock()
    tries = Attempts(clock)
    waits = []
    for _ in range(attempts.BURST + 1):
        waits.append(tries.wait("a"))
        tries.failed("a")

    assert waits == [0] * attempts.BURST + [6]
    assert tries.wait("b") == 0
    clock.now += 12
    assert tries.wait("a") == 0
    clock.now += 10_000
    assert tries.wait("a") == 0


def test_addresses_that_guess_take_bounded_memory(monkeypatch):
    monkeypatch.setattr(attempts, "MAX_ADDRESSES", 3)
    tries = Attempts(Clock())
    for n in range(10):
        tries.failed(str(n))
        tries.succeeded(str(n), "key")

    assert (len(tries._free_at), len(tries._good)) == (3, 3)


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("testclient", "testclient"),
    ],
)
def test_a_home_with_ipv6_counts_as_one_address(host, network):
    assert network_of(host) == network


def test_guessing_is_slowed_down_whatever_way_the_key_is_shown(guarded, visitor):
    for n in range(3):
        visitor.sign_in(f"x{n}")
        visitor.get("/api/v1/buckets", headers={"Authorization": f"Bearer y{n}"})
        visitor.get(f"/?token=z{n}")
        visitor.get(f"/api/events?bucketKey=b&t=1&accessKey=a{n}")

    answers = [
        visitor.sign_in("w"),
        visitor.get("/api/v1/buckets", headers={"Authorization": "Bearer w"}),
        visitor.get("/?token=w"),
        visitor.get("/api/events?bucketKey=b&t=1&accessKey=w"),
    ]

    assert [answer.status_code for answer in answers] == [429] * 4
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    assert visitor.get("/api/v1/buckets").status_code == 401  # who shows nothing guesses nothing
    assert visitor.get("/livez").status_code == 200


def test_a_device_that_has_used_its_key_goes_on_while_another_at_its_address_guesses(guarded, visitor):
    send = "/api/events?bucketKey=b&t=1&accessKey="
    visitor.get(f"{send}w")
    visitor.sign_in("v")
    for n in range(20):
        visitor.get(f"{send}x{n}")

    assert visitor.get(f"{send}w").status_code == 204
    assert visitor.get("/api/v1/buckets").status_code == 200  # by the session
    assert visitor.get("/api/v1/buckets", headers={"Authorization": "Bearer v"}).status_code == 200


@pytest.mark.parametrize(
    ("trusted", "forwarded", "counted"),
    [
        ([], "9.9.9.9", "127.0.0.1"),
        (["127.0.0.0/8"], "9.9.9.9", "9.9.9.9"),
        (["127.0.0.1"], "anybody, 8.8.8.8, 9.9.9.9", "9.9.9.9"),
        (["127.0.0.1", "9.9.9.9"], "8.8.8.8, 9.9.9.9", "8.8.8.8"),
        (["127.0.0.1"], "9.9.9.9, no address", "127.0.0.1"),
        (["127.0.0.1"], "", "127.0.0.1"),
    ],
)
def test_behind_a_trusted_proxy_a_wrong_key_counts_for_who_sent_it(tmp_path, trusted, forwarded, counted):
    with serve(tmp_path, {"write_keys": ["w"], "trusted_proxies": trusted}) as served:
        served.get("/api/v1/buckets", headers={"Authorization": "Bearer x", "X-Forwarded-For": forwarded})

        assert list(served.server._security.attempts._free_at) == [counted]


# --- sessions ----------------------------------------------------------------------------------------------


def test_a_session_ends_at_its_time():
    clock = Clock()
    known = Sessions(None, clock)
    cookie = known.open("k")

    clock.now += sessions.SECONDS - 1
    assert known.find(cookie) is not None
    clock.now += 1
    assert known.find(cookie) is None


def test_who_signs_in_again_and_again_ends_the_oldest_session_of_their_own_key(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_OF_KEY", 2)
    known = Sessions(None, Clock())
    other = known.open("other")
    cookies = [known.open("k") for _ in range(4)]

    assert [known.find(cookie) is not None for cookie in cookies] == [False, False, True, True]
    assert known.find(other) is not None


def test_who_follows_live_is_cut_when_the_right_to_is_gone(monkeypatch):
    security = Security(HttpConfig(write_keys=("w",)))
    key = security.keys.find("w")
    request = fake_request(f"mqttbridge_session={security.sessions.open(key.id)}")
    monkeypatch.setattr("mqttbridge.dashboard.security.RECHECK_SECONDS", 0.0)
    allowed = security.still_allowed(request, Access.READ)

    assert allowed()
    security.sessions.close(request.cookies["mqttbridge_session"])
    assert not allowed()


def fake_request(cookie):
    from starlette.requests import Request  # noqa: PLC0415  # only here

    return Request(
        {
            "type": "http", "method": "GET", "scheme": "http", "path": "/", "raw_path": b"/", "query_string": b"",
            "headers": [(b"cookie", cookie.encode())], "path_params": {}, "client": ("1.2.3.4", 5),
        }
    )  # fmt: skip
