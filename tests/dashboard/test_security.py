"""Who may do what: on loopback without keys, and with write keys and view tokens."""

from urllib.parse import quote

import pytest

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.access.caller import COOKIE
from mqttbridge.dashboard.headers import HEADERS
from mqttbridge.dashboard.reach import is_loopback, refuse_to_start
from tests.support.dashboards import Client, serve

READS = ["/api/v1/buckets", "/api/v1/buckets/b/points", "/api/v1/buckets/b/streams", "/api/v1/status", "/metrics"]
WRITE = "/api/events?bucketKey=b&t=1"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with a write key and a view token."""
    with serve(tmp_path_factory.mktemp("guarded"), {"write_keys": ["w"], "view_tokens": ["v", "wé+/ &;"]}) as running:
        running.get("/api/events?bucketKey=b&t=1&accessKey=w")
        yield running


@pytest.fixture(scope="module")
def open_here(tmp_path_factory):
    """A server on loopback without keys."""
    with serve(tmp_path_factory.mktemp("open")) as running:
        running.get(WRITE)
        yield running


@pytest.fixture
def browser(guarded):
    """A client that keeps cookies."""
    client = Client(guarded.url)
    yield client
    client.session.close()


def code(served, path, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return served.get(path, headers=named, allow_redirects=False).status_code


# --- starting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listen", ["0.0.0.0:80", "[::]:80", "192.168.1.5:80", "myhost:80", "10.0.0.1:0"])
def test_an_address_that_others_reach_needs_write_keys(listen):
    refusal = refuse_to_start(HttpConfig(listen=listen, view_tokens=("v",)))

    assert refusal is not None
    assert listen in refusal
    assert "http.write_keys" in refusal
    assert refuse_to_start(HttpConfig(listen=listen, write_keys=("w",))) is None
    assert refuse_to_start(HttpConfig(listen=listen, enabled=False)) is None


def test_where_keys_can_be_made_on_the_page_none_is_needed_to_start():
    assert refuse_to_start(HttpConfig(listen="0.0.0.0:80"), keeps_keys=True) is None


@pytest.mark.parametrize("listen", ["127.0.0.1:80", "127.8.8.8:80", "[::1]:80", "localhost:80", "LOCALHOST:80"])
def test_loopback_needs_none(listen):
    assert refuse_to_start(HttpConfig(listen=listen)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost.evil.org", "127.0.0.1.evil.org", "", "1", "128.0.0.1"])
def test_what_only_looks_like_loopback_is_not(host):
    assert not is_loopback(host)


# --- with keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic djp2"}, 401),
        ({"Authorization": "v"}, 401),
        ({"Authorization": "Bearer v"}, 200),
        ({"Authorization": "bearer v"}, 200),
        ({"Authorization": "Bearer w"}, 200),
        ({"Cookie": f"{COOKIE}=v"}, 401),  # no key is a session
        ({"X-IS-AccessKey": "w"}, 200),
    ],
)
def test_reading_needs_a_view_token_or_a_write_key(guarded, path, headers, status):
    assert guarded.get(path, headers=headers).status_code == status


def test_a_view_token_does_not_write(guarded):
    assert code(guarded, WRITE, X_IS_AccessKey="v") == 403
    assert code(guarded, WRITE, Authorization="Bearer w") == 401
    assert code(guarded, WRITE, Cookie=f"{COOKIE}=w") == 401
    assert code(guarded, WRITE, X_IS_AccessKey="w") == 204


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json", "/api/versions", "/static/none.js"])
def test_what_holds_nobodys_data_is_open(guarded, path):
    assert code(guarded, path) in {200, 404}


def test_the_live_stream_needs_a_token(guarded):
    assert code(guarded, "/api/v1/buckets/b/live") == 401


def test_without_view_tokens_the_write_keys_read(tmp_path):
    with serve(tmp_path, {"write_keys": ["w"]}) as served:
        assert [code(served, "/api/v1/buckets"), code(served, "/api/v1/buckets", Authorization="Bearer w")] == [
            401,
            200,
        ]


def test_with_keys_any_host_name_and_site_will_do(guarded):
    assert code(guarded, "/api/v1/buckets", Host="dash.example.org", Authorization="Bearer v") == 200
    assert code(guarded, WRITE + "&accessKey=w", Sec_Fetch_Site="cross-site") == 204


# --- the page's token --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/b/a%2Fb"])
@pytest.mark.parametrize("token", ["v", "wé+/ &;"])
def test_a_token_in_the_url_is_traded_for_a_cookie(guarded, browser, path, token):
    answer = browser.get(path, params={"token": token}, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert f"={quote(token, safe='').lower()};" not in cookie
    assert browser.get("/api/v1/buckets").status_code == 200
    assert browser.get(path).status_code in {200, 404}  # 404 only where the page's files are missing


def test_a_wrong_token_gets_no_cookie(browser):
    answer = browser.get("/?token=x")

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_browser_without_a_token_is_asked_to_sign_in(browser):
    answer = browser.get("/b/a%2Fb?x=1", headers={"Accept": "text/html"}, allow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fb%2Fa%252Fb%3Fx%3D1")


def test_a_page_without_a_token_says_what_is_needed(browser):
    answer = browser.get("/b/x")

    assert answer.status_code == 401
    assert "token" in answer.text
    assert answer.headers["www-authenticate"] == "Bearer"


def test_no_path_makes_the_redirect_leave_this_server(guarded):
    answer = guarded.get("//evil.org/b/x?token=v", allow_redirects=False)

    assert answer.status_code == 404 or answer.headers["location"].startswith("/evil.org")


# --- loopback without keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", *READS, WRITE, "/livez"])
@pytest.mark.parametrize("host", ["evil.org", "evil.org:80", "127.0.0.1.evil.org", "0.0.0.0", "[::2]", "[bad", "a b"])
def test_a_name_that_is_not_this_machine_is_refused(open_here, path, host):
    assert code(open_here, path, Host=host) == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "127.1.2.3:99", "[::1]:8080", "LocalHost"])
def test_every_name_of_this_machine_will_do(open_here, host):
    assert code(open_here, "/api/v1/buckets", Host=host) == 200


def test_what_another_sites_page_sends_is_refused(open_here):
    for site in ("cross-site", "same-site"):
        assert code(open_here, WRITE, Sec_Fetch_Site=site) == 403
        assert code(open_here, WRITE, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate") == 403
        assert code(open_here, "/api/v1/buckets/b/live", Sec_Fetch_Site=site) == 403
    for origin in ("http://evil.org", "null", "http://localhost:1"):
        assert code(open_here, WRITE, Origin=origin) == 403


def test_a_link_to_the_page_from_another_site_works(open_here):
    assert code(open_here, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") in {200, 404}


def test_the_address_bar_the_own_page_and_programs_may_write(open_here):
    assert code(open_here, WRITE, Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate") == 204
    assert code(open_here, WRITE, Sec_Fetch_Site="same-origin") == 204
    assert code(open_here, WRITE, Origin=open_here.url) == 204
    assert code(open_here, WRITE) == 204


# --- headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/v1/buckets", "/nothing", "/livez", WRITE, "/static/none"])
def test_every_answer_carries_the_security_headers(open_here, path):
    answer = open_here.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in answer.headers


def test_the_policy_allows_no_inline_script_and_no_other_host(open_here):
    policy = open_here.get("/").headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
