"""The HTTP surface: which path is served by whom, and what it asks of who calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mqttbridge.dashboard.access.api import KeysApi, LinksApi, SessionApi
from mqttbridge.dashboard.alerts.api import AlertsApi
from mqttbridge.dashboard.api import Api, no_dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.boards.api import BoardsApi
from mqttbridge.dashboard.bridge.api import BridgeApi
from mqttbridge.dashboard.bridge.tools import ToolsApi
from mqttbridge.dashboard.controls_api import PUBLISHERS, ControlsApi
from mqttbridge.dashboard.deletion import Deletion
from mqttbridge.dashboard.events.api import EventsApi
from mqttbridge.dashboard.events.latest import ReadApi
from mqttbridge.dashboard.headers import HEADERS, SecurityHeaders
from mqttbridge.dashboard.health import Health
from mqttbridge.dashboard.http import json_answer, problem, refuse_body, unavailable
from mqttbridge.dashboard.limits import Limits
from mqttbridge.dashboard.live import EventStream, Live
from mqttbridge.dashboard.pages import Pages
from mqttbridge.dashboard.plotly.api import FiguresApi
from mqttbridge.dashboard.plotly.service import Plotly
from mqttbridge.dashboard.plotly.tokens_api import TokensApi
from mqttbridge.dashboard.rate_headers import RateHeaders
from mqttbridge.dashboard.raw.api import RawApi
from mqttbridge.dashboard.security import Access, Security
from mqttbridge.errors import StoreError

__all__ = ["Backend", "create_app"]

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

# Threads that read the store: few, since SQLite does the work and the interpreter lock is shared anyway.
READERS: Final = 3


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path: who serves it, and what it asks of who calls."""

    path: str
    handler: Handler
    access: Access
    methods: tuple[str, ...] = ("GET",)


@dataclass(frozen=True, slots=True)
class Workers:
    """The threads beside the event loop: one commits pushed events, some read, one tries alerts, some publish."""

    commits: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "http-commit"))
    reads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS, "http-read"))
    tests: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "http-test"))
    publishes: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PUBLISHERS, "http-publish"))

    def stop(self) -> None:
        for pool in (self.commits, self.reads, self.tests, self.publishes):
            pool.shutdown(wait=False, cancel_futures=True)

    def later(self, work: Callable[[], None]) -> None:
        """Do what nobody waits for. After `stop` nothing is done any more."""
        with suppress(RuntimeError):
            self.reads.submit(work)


def create_app(backend: Backend) -> Starlette:
    """The application over a bridge. `state.backend` and what stands beside it are for the server that runs it."""
    limits, workers = Limits(backend.config.http), Workers()
    records = None if backend.dashboard is None else backend.dashboard.records
    security = Security(backend.config.http, records, workers.later)
    plotly = Plotly(backend, workers.commits)
    app = Starlette(
        routes=_routes(endpoints(backend, security, limits, workers, plotly), security),
        middleware=[Middleware(SecurityHeaders, backend.config.http), Middleware(RateHeaders, limits, security)],
        exception_handlers={HTTPException: _http_error, StoreError: _unavailable, Exception: _failed},
    )
    app.router.redirect_slashes = False
    app.state.backend, app.state.workers, app.state.plotly = backend, workers, plotly
    app.state.security = security
    return app


def endpoints(
    backend: Backend, security: Security, limits: Limits, workers: Workers, plotly: Plotly | None = None
) -> list[Endpoint]:
    """Every path that is served."""
    figures = FiguresApi(backend, (plotly or Plotly(backend, workers.commits)).feed)
    events = EventsApi(backend, security, limits, workers.commits)
    api, live = Api(backend, workers.reads), Live(backend)
    tools = ToolsApi(backend.tools, workers.reads)
    raw = RawApi(backend, workers.reads)
    boards = BoardsApi(backend, security, workers.reads)
    deletion = Deletion(backend, security.links, workers.reads)
    alerts = AlertsApi(backend.alerts, security, workers.reads, workers.tests)
    bridge = BridgeApi(backend.insight, workers.reads)
    health, pages = Health(backend, workers.reads), Pages()
    session, keys = SessionApi(security, workers.reads), KeysApi(security, workers.reads)
    links = LinksApi(security, workers.reads, backend.config.http.embed_origins)
    stream_tokens = TokensApi(backend.config, workers.reads)
    latest = (
        _no_latest
        if backend.dashboard is None
        else ReadApi(backend.dashboard.store, workers.reads, security, limits).latest
    )
    return [
        Endpoint("/", pages.view("js/views/shelf.js"), Access.PAGE),
        Endpoint("/b/{bucket}", pages.view("js/board/page.js", "js/tiles/line.js", "js/board/hints.js"), Access.PAGE),
        Endpoint("/b/{bucket}/waves", pages.view("js/waves/page.js"), Access.PAGE),
        Endpoint("/b/{bucket}/source", pages.view("js/source/page.js"), Access.PAGE),
        Endpoint("/f/{figure}", pages.view("js/figure/page.js"), Access.PAGE),
        Endpoint("/alerts", pages.view("js/alerts/page.js"), Access.PAGE),
        Endpoint("/settings", pages.view("js/settings/page.js"), Access.PAGE),
        Endpoint("/login", pages.view("js/login/page.js"), Access.OPEN),
        Endpoint("/static/{path:path}", pages.static, Access.OPEN),
        Endpoint("/api/buckets", events.buckets, Access.WRITE, ("GET", "POST")),
        Endpoint("/api/events", events.events, Access.WRITE, ("GET", "POST")),
        Endpoint("/api/versions", events.versions, Access.OPEN),
        Endpoint("/data/v1/events/latest", latest, Access.READ),
        Endpoint("/api/v1/buckets", api.buckets, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/streams", api.streams, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/points", api.points, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/events", raw.events, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/summary", raw.summary, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/export", raw.export, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/live", live.stream, Access.READ),
        Endpoint("/api/v1/live", live.everywhere, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}", deletion.bucket, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/buckets/{bucket}/streams", deletion.streams, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard", boards.read, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard", boards.save, Access.EDIT, ("PUT",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard", boards.forget, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/versions", boards.versions, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/background", boards.picture, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/background", boards.put_picture, Access.EDIT, ("PUT",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/background", boards.forget_picture, Access.EDIT, ("DELETE",)),
        Endpoint(
            "/api/v1/buckets/{bucket}/value",
            ControlsApi(backend, workers.commits, workers.publishes).say,
            Access.EDIT,
            ("POST",),
        ),
        Endpoint("/api/v1/status", api.status, Access.READ),
        Endpoint("/api/v1/explain", tools.explain, Access.READ, ("GET", "POST")),
        Endpoint("/api/v1/rejected", bridge.rejected, Access.READ),
        Endpoint("/api/v1/rejected/replay", tools.replay, Access.EDIT, ("POST",)),
        Endpoint("/api/v1/rejected/purge", tools.purge, Access.EDIT, ("POST",)),
        Endpoint("/bridge", pages.view("js/bridge/page.js"), Access.PAGE),
        Endpoint("/api/v1/bridge", bridge.snapshot, Access.READ),
        Endpoint("/api/v1/bridge/unmatched", bridge.unmatched, Access.READ),
        Endpoint("/api/v1/bridge/propose", bridge.propose, Access.READ, ("POST",)),
        Endpoint("/api/v1/bridge/listen", bridge.listen, Access.EDIT, ("POST",)),
        Endpoint("/api/v1/bridge/log", bridge.log, Access.EDIT),
        Endpoint("/metrics", health.metrics, Access.READ),
        Endpoint("/openapi.json", _openapi, Access.OPEN),
        Endpoint("/api/v1/figures", figures.figures, Access.READ),
        Endpoint("/api/v1/figures/{figure}", figures.figure, Access.READ),
        Endpoint("/api/v1/figures/{figure}/live", figures.live, Access.READ),
        Endpoint("/api/v1/alerts", alerts.overview, Access.READ),
        Endpoint("/api/v1/alerts/history", alerts.history, Access.READ),
        Endpoint("/api/v1/alerts/rules", alerts.create, Access.EDIT, ("POST",)),
        Endpoint("/api/v1/alerts/rules/{rule}", alerts.rule, Access.EDIT, ("PUT", "DELETE")),
        Endpoint("/api/v1/alerts/silences", alerts.silence, Access.EDIT, ("POST",)),
        Endpoint("/api/v1/alerts/silences/{silence}", alerts.unsilence, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/alerts/test", alerts.test, Access.EDIT, ("POST",)),
        Endpoint("/api/v1/alerts/preview", alerts.preview, Access.EDIT, ("POST",)),
        Endpoint("/api/v1/buckets/{bucket}/alerts", alerts.of_bucket, Access.READ),
        Endpoint("/api/v1/session", session.session, Access.OPEN, ("GET", "POST", "DELETE")),
        Endpoint("/api/v1/first-key", session.first_key, Access.OPEN, ("POST",)),
        Endpoint("/api/v1/keys", keys.keys, Access.EDIT, ("GET", "POST")),
        Endpoint("/api/v1/keys/{key}", keys.revoke, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/links", links.links, Access.EDIT),
        Endpoint("/api/v1/buckets/{bucket}/links", links.of_bucket, Access.EDIT, ("GET", "POST")),
        Endpoint("/api/v1/links/{link}", links.revoke, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/plotly/tokens", stream_tokens.tokens, Access.EDIT, ("GET", "POST")),
        Endpoint("/api/v1/plotly/tokens/{token}", stream_tokens.remove, Access.EDIT, ("DELETE",)),
        Endpoint("/livez", health.livez, Access.OPEN),
        Endpoint("/readyz", health.readyz, Access.OPEN),
    ]


def _routes(served: Iterable[Endpoint], security: Security) -> list[Route]:
    """One route a path, or `Allow` would name the methods of the first of several alone."""
    by_path: dict[str, dict[str, Handler]] = {}
    storing: set[str] = set()
    for one in served:
        by_path.setdefault(one.path, {}).update(dict.fromkeys(one.methods, _checked(one, security)))
        if one.access is Access.WRITE:
            storing.add(one.path)
    routes = [Route(path, _by_method(handlers), methods=list(handlers)) for path, handlers in by_path.items()]
    for route in routes:
        if route.path in storing and route.methods is not None:
            route.methods.discard("HEAD")  # a GET stores there, as Initial State's does; HEAD promises that it does not
    return routes


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle


def _checked(endpoint: Endpoint, security: Security) -> Handler:
    async def handle(request: Request) -> Response:
        if refused := security.refusal(request, endpoint.access):
            refused.headers.update(await refuse_body(request))
            return refused
        answer = await endpoint.handler(request)
        if isinstance(answer, EventStream):
            answer.allowed = security.still_allowed(request, endpoint.access)
        return answer

    return handle


async def _no_latest(_: Request) -> Response:
    return no_dashboard()


async def _openapi(_: Request) -> Response:
    from mqttbridge.dashboard.openapi import document  # noqa: PLC0415  # models nobody needs at start

    return json_answer(document())


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return await _failed(_, error)
    if error.status_code == 404:
        return problem(404, "there is nothing at this address")
    return json_answer({"error": error.detail}, error.status_code, error.headers)


async def _unavailable(_: Request, error: Exception) -> Response:
    return unavailable(error) if isinstance(error, StoreError) else await _failed(_, error)


async def _failed(_: Request, __: Exception) -> Response:
    # The traceback goes to the log, by uvicorn; whoever called learns nothing of our inside.
    answer = problem(500, "the bridge failed to answer; its log says why")
    answer.headers.update(HEADERS)  # faults are answered outside of the middleware
    return answer
