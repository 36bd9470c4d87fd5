"""Who may change what is shown: `Access.EDIT`, asked for by the routes that write what people made on the page."""

import pytest
from starlette.requests import Request

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.access.caller import COOKIE
from mqttbridge.dashboard.security import Access, Security

HOST = "127.0.0.1:8080"


def request(query: str = "", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in ({"host": HOST} | headers).items()]
    return Request(
        {
            "type": "http", "method": "PUT", "scheme": "http", "path": "/", "raw_path": b"/",
            "query_string": query.encode(), "headers": raw, "path_params": {},
        }
    )  # fmt: skip


def status(security: Security, query: str = "", **headers: str) -> int:
    refusal = security.refusal(request(query, **headers), Access.EDIT)
    return 200 if refusal is None else refusal.status_code


@pytest.fixture
def keyed() -> Security:
    return Security(HttpConfig(write_keys=("w",), view_tokens=("v",)))


def session(security: Security, token: str) -> dict[str, str]:
    key = security.keys.find(token)
    assert key is not None
    return {"cookie": f"{COOKIE}={security.sessions.open(key.id)}"}


def test_a_program_changes_things_with_a_write_key(keyed):
    assert status(keyed, authorization="Bearer w") == 200
    assert status(keyed, **{"x-is-accesskey": "w"}) == 200


def test_a_view_token_changes_nothing(keyed):
    assert status(keyed, authorization="Bearer v") == 403
    assert status(keyed, **session(keyed, "v"), **{"sec-fetch-site": "same-origin"}) == 403


def test_nobody_changes_anything_without_a_key(keyed):
    assert status(keyed) == 401


@pytest.mark.parametrize("site", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
def test_a_cookie_counts_only_from_our_own_page(keyed, site):
    cookie = session(keyed, "w")

    assert status(keyed, **cookie, **{"sec-fetch-site": "same-origin"}) == 200
    assert status(keyed, **cookie, origin=f"http://{HOST}") == 200
    assert status(keyed, **cookie, **site) == 403
    assert status(keyed, **cookie, origin="http://evil.test") == 403


@pytest.mark.parametrize("query", ["", "accessKey=v", "accessKey=x"])
def test_a_cookie_from_another_site_does_not_count_for_a_key_that_stands_beside_it(keyed, query):
    assert status(keyed, query, **session(keyed, "w"), **{"sec-fetch-site": "same-site"}) == 403


def test_without_keys_this_machine_changes_things_and_other_sites_do_not():
    here = Security(HttpConfig())

    assert status(here) == 200
    assert status(here, **{"sec-fetch-site": "same-origin"}) == 200
    assert status(here, **{"sec-fetch-site": "cross-site"}) == 403
    assert status(here, origin="http://evil.test") == 403
    assert status(here, host="evil.test") == 403
