"""Every route with every role, and every method: who is served, and who is not. A route without a line here fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mqttbridge.dashboard.app import Endpoint, Workers, endpoints
from mqttbridge.dashboard.limits import Limits
from mqttbridge.dashboard.security import Security
from tests.support.browsing import OWN_PAGE
from tests.support.dashboards import Served, serve

OPEN, BUCKET, READER, SENDER, ADMIN = "open", "bucket", "reader", "sender", "admin"

# Whom a kind of route serves. `link` is a share link of the bucket that is asked for, `stranger` one of another.
SERVED = {
    OPEN: {"nobody", "link", "stranger", "sender", "viewer", "admin"},
    BUCKET: {"link", "viewer", "admin"},
    READER: {"viewer", "admin"},
    SENDER: {"sender", "admin"},
    ADMIN: {"admin"},
}

# What is another thing for some methods has a line for each.
ROUTES: dict[str, str | dict[str, str]] = {
    "/": READER,
    "/b/{bucket}": BUCKET,
    "/f/{figure}": READER,
    "/settings": READER,
    "/login": OPEN,
    "/static/{path:path}": OPEN,
    "/livez": OPEN,
    "/readyz": OPEN,
    "/openapi.json": OPEN,
    "/metrics": READER,
    "/api/versions": OPEN,
    "/api/buckets": SENDER,
    "/api/events": SENDER,
    "/data/v1/events/latest": READER,
    "/api/v1/buckets": READER,
    "/api/v1/buckets/{bucket}": {"DELETE": ADMIN},
    "/api/v1/buckets/{bucket}/streams": {"GET": BUCKET, "DELETE": ADMIN},
    "/api/v1/buckets/{bucket}/alerts": BUCKET,
    "/api/v1/buckets/{bucket}/events": BUCKET,
    "/api/v1/buckets/{bucket}/summary": BUCKET,
    "/api/v1/buckets/{bucket}/export": BUCKET,
    "/b/{bucket}/waves": BUCKET,
    "/b/{bucket}/source": BUCKET,
    "/alerts": READER,
    "/api/v1/alerts": READER,
    "/api/v1/alerts/history": READER,
    "/api/v1/alerts/rules": ADMIN,
    "/api/v1/alerts/rules/{rule}": ADMIN,
    "/api/v1/alerts/silences": ADMIN,
    "/api/v1/alerts/silences/{silence}": ADMIN,
    "/api/v1/alerts/test": ADMIN,
    "/api/v1/alerts/preview": ADMIN,
    "/api/v1/buckets/{bucket}/points": BUCKET,
    "/api/v1/buckets/{bucket}/live": BUCKET,
    "/api/v1/live": READER,
    "/api/v1/buckets/{bucket}/dashboard": {"GET": BUCKET, "PUT": ADMIN, "DELETE": ADMIN},
    "/api/v1/buckets/{bucket}/dashboard/versions": BUCKET,
    "/api/v1/buckets/{bucket}/dashboard/background": {"GET": BUCKET, "PUT": ADMIN, "DELETE": ADMIN},
    "/api/v1/buckets/{bucket}/value": ADMIN,
    "/api/v1/buckets/{bucket}/links": ADMIN,
    "/api/v1/links": ADMIN,
    "/api/v1/links/{link}": ADMIN,
    "/api/v1/keys": ADMIN,
    "/api/v1/keys/{key}": ADMIN,
    "/api/v1/session": OPEN,
    "/api/v1/first-key": OPEN,
    "/api/v1/status": READER,
    "/api/v1/explain": READER,
    "/api/v1/rejected": READER,
    "/api/v1/rejected/replay": ADMIN,
    "/bridge": READER,
    "/api/v1/bridge": READER,
    "/api/v1/bridge/unmatched": READER,
    "/api/v1/bridge/propose": READER,
    "/api/v1/bridge/listen": ADMIN,
    "/api/v1/bridge/log": ADMIN,
    "/api/v1/rejected/purge": ADMIN,
    "/api/v1/figures": READER,
    "/api/v1/figures/{figure}": READER,
    "/api/v1/figures/{figure}/live": READER,
    "/api/v1/plotly/tokens": ADMIN,
    "/api/v1/plotly/tokens/{token}": ADMIN,
}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
REFUSED = {401, 403}

# Who may, asks it for a bucket to spare: whoever is shown by a link of the other would be nobody afterwards.
GOES_WITH_ITS_LINKS = ("/api/v1/buckets/{bucket}", "DELETE")

# These look for themselves, so what they answer to a request that shows nothing useful is no word on who may ask;
# and signing out would end the walk of whoever signed in.
LOOK_FOR_THEMSELVES = {("/api/v1/session", "POST"), ("/api/v1/session", "DELETE"), ("/api/v1/first-key", "POST")}


def table(served: Served) -> list[Endpoint]:
    http = served.config.http
    return endpoints(served.backend, Security(http), Limits(http), Workers())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("routes"), {"write_keys": ["w"], "view_tokens": ["v"]}) as running:
        for bucket in ("b", "other", "spare"):
            running.get(f"/api/events?bucketKey={bucket}&t=1&accessKey=w")
        yield running


@pytest.fixture(scope="module")
def shown(guarded: Served) -> list[tuple[str, dict[str, str]]]:
    """Every role with each way of showing it."""
    admin = {"Authorization": "Bearer w"}

    def link(bucket: str) -> str:
        return guarded.post(f"/api/v1/buckets/{bucket}/links", json={}, headers=admin).json()["url"].split("token=")[1]

    def cookies(path: str) -> dict[str, str]:
        answer = guarded.get(path, allow_redirects=False)
        guarded.session.cookies.clear()
        return {"Cookie": answer.headers["set-cookie"].partition(";")[0]} | OWN_PAGE

    ours, others = link("b"), link("other")
    sender = guarded.post("/api/v1/keys", json={"role": "sender"}, headers=admin).json()["secret"]
    return [
        ("nobody", {}),
        ("nobody", {"Cookie": "mqttbridge_session=w"} | OWN_PAGE),
        ("link", {"Authorization": f"Bearer {ours}"}),
        ("link", cookies(f"/b/b?token={ours}")),
        ("stranger", {"Authorization": f"Bearer {others}"}),
        ("stranger", cookies(f"/b/other?token={others}")),
        ("sender", {"X-IS-AccessKey": sender}),
        ("viewer", {"X-IS-AccessKey": "v"}),
        ("viewer", cookies("/?token=v")),
        ("admin", {"X-IS-AccessKey": "w"}),
        ("admin", cookies("/?token=w")),
    ]


def address(path: str, *, bucket: str = "b") -> str:
    for name, value in {"{bucket}": bucket, "{path:path}": "js/main.js"}.items():
        path = path.replace(name, value)
    return "/".join("none" if part.startswith("{") else part for part in path.split("/"))


def status(served: Served, method: str, path: str, headers: dict[str, str]) -> int:
    with served.session.request(
        method, served.url + path, headers=headers, timeout=10, stream=True, allow_redirects=False
    ) as answer:
        return answer.status_code


def test_every_route_has_a_line_here(guarded):
    assert {one.path for one in table(guarded)} == ROUTES.keys()


def test_every_route_serves_whom_it_is_for_and_nobody_else(guarded, shown):
    wrong = []
    for path, method in [(one.path, method) for one in table(guarded) for method in one.methods]:
        kind = ROUTES[path]
        kind = kind if isinstance(kind, str) else kind[method]
        if (path, method) in LOOK_FOR_THEMSELVES:
            continue
        for role, headers in shown:
            if kind is SENDER and "Cookie" in headers:
                continue  # the Events API is for programs: it knows no cookies
            goes = (path, method) == GOES_WITH_ITS_LINKS and role in SERVED[kind]
            got = status(guarded, method, address(path, bucket="spare" if goes else "b"), headers)
            if (got not in REFUSED) != (role in SERVED[kind]) or got >= 500:
                wrong.append(f"{method} {path} as {role} ({', '.join(headers) or 'nothing'}): {got}")

    assert not wrong, "\n".join(wrong)


def test_the_events_api_takes_no_cookie(guarded, shown):
    for role, headers in shown:
        if "Cookie" in headers:
            assert status(guarded, "POST", "/api/events?bucketKey=b&t=1", headers) == 401, role


def test_every_other_method_is_refused(guarded):
    admin = {"X-IS-AccessKey": "w"}
    wrong = []
    served: dict[str, set[str]] = {}
    for one in table(guarded):
        served.setdefault(one.path, set()).update(one.methods)
    for path, methods in served.items():
        # Initial State's GET stores, so HEAD, which must be safe, is not answered like it.
        with_get = {"HEAD"} if "GET" in methods and path not in {"/api/buckets", "/api/events"} else set()
        for method in set(METHODS) - methods - with_get:
            got = status(guarded, method, address(path), admin)
            if got != 405:
                wrong.append(f"{method} {path}: {got}")

    assert not wrong, "\n".join(wrong)


def test_no_way_of_writing_its_name_lets_a_link_reach_another_bucket(guarded, shown):
    ours = next(headers for role, headers in shown if role == "link")
    for path in (
        "/api/v1/buckets/b/streams?bucket=other",
        "/api/v1/buckets/other/streams?bucket=other&bucket=b",
        "/api/v1/buckets/b%2F..%2Fother/streams",
        "/api/v1/buckets/b/../other/streams",
        "/api/v1/buckets/b%00/streams",
        "/api/v1/buckets/B/streams",
    ):
        got = guarded.session.request("GET", guarded.url + path, headers=ours, timeout=10)
        assert got.status_code in {401, 404} or "other" not in got.text, path


def test_no_answer_tells_another_sites_page_that_it_may_read_it(guarded):
    for path in ("/api/v1/buckets", "/api/v1/session", "/livez", "/api/events"):
        for method in ("GET", "OPTIONS"):
            answer = guarded.session.request(
                method,
                guarded.url + path,
                headers={"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"},
                timeout=10,
            )
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
