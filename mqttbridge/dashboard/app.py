"""The HTTP surface: which path is served by whom, and what it asks of who calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mqttbridge.dashboard.api import Api, no_dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.boards.api import BoardsApi
from mqttbridge.dashboard.deletion import Deletion
from mqttbridge.dashboard.events_api import EventsApi
from mqttbridge.dashboard.health import Health
from mqttbridge.dashboard.http import json_answer, problem, unavailable
from mqttbridge.dashboard.limits import Limits
from mqttbridge.dashboard.live import Live
from mqttbridge.dashboard.pages import Pages
from mqttbridge.dashboard.plotly.api import FiguresApi
from mqttbridge.dashboard.plotly.service import Plotly
from mqttbridge.dashboard.rate_headers import RateHeaders
from mqttbridge.dashboard.read_api import ReadApi
from mqttbridge.dashboard.security import HEADERS, Access, Security, SecurityHeaders
from mqttbridge.dashboard.share import Share
from mqttbridge.dashboard.tools_api import ToolsApi
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
    """The threads beside the event loop: one commits pushed events, some read."""

    commits: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "http-commit"))
    reads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS, "http-read"))

    def stop(self) -> None:
        for pool in (self.commits, self.reads):
            pool.shutdown(wait=False, cancel_futures=True)


def create_app(backend: Backend) -> Starlette:
    """The application over a bridge. `state.backend`, `.workers` and `.plotly` are for the server that runs it."""
    security, limits, workers = Security(backend.config.http), Limits(backend.config.http), Workers()
    plotly = Plotly(backend, workers.commits)
    app = Starlette(
        routes=[
            Route(one.path, _checked(one, security), methods=list(one.methods))
            for one in endpoints(backend, security, limits, workers, plotly)
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(RateHeaders, limits, security)],
        exception_handlers={HTTPException: _http_error, StoreError: _unavailable, Exception: _failed},
    )
    app.router.redirect_slashes = False
    app.state.backend, app.state.workers, app.state.plotly = backend, workers, plotly
    return app


def endpoints(
    backend: Backend, security: Security, limits: Limits, workers: Workers, plotly: Plotly | None = None
) -> list[Endpoint]:
    """Every path that is served."""
    figures = FiguresApi(backend, (plotly or Plotly(backend, workers.commits)).feed)
    events = EventsApi(backend, security, limits, workers.commits)
    api, live = Api(backend, workers.reads), Live(backend)
    boards = BoardsApi(backend, security, workers.reads)
    deletion = Deletion(backend, workers.reads)
    tools = ToolsApi(backend.tools, security, workers.reads)
    health, pages = Health(backend, workers.reads), Pages()
    latest = _no_latest if backend.dashboard is None else ReadApi(backend.dashboard.store, workers.reads).latest
    return [
        Endpoint("/", pages.page, Access.PAGE),
        Endpoint("/b/{bucket}", pages.page, Access.PAGE),
        Endpoint("/f/{figure}", pages.page, Access.PAGE),
        Endpoint("/static/{path:path}", pages.static, Access.OPEN),
        Endpoint("/api/buckets", events.buckets, Access.WRITE, ("GET", "POST")),
        Endpoint("/api/events", events.events, Access.WRITE, ("GET", "POST")),
        Endpoint("/api/versions", events.versions, Access.OPEN),
        Endpoint("/data/v1/events/latest", latest, Access.READ),
        Endpoint("/api/v1/buckets", api.buckets, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/streams", api.streams, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/points", api.points, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/live", live.stream, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}", deletion.bucket, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/buckets/{bucket}/streams", deletion.streams, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/buckets/{bucket}/share", Share(security).link, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard", boards.read, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard", boards.save, Access.EDIT, ("PUT",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard", boards.forget, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/versions", boards.versions, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/background", boards.picture, Access.READ),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/background", boards.put_picture, Access.EDIT, ("PUT",)),
        Endpoint("/api/v1/buckets/{bucket}/dashboard/background", boards.forget_picture, Access.EDIT, ("DELETE",)),
        Endpoint("/api/v1/status", api.status, Access.READ),
        Endpoint("/api/v1/explain", tools.explain, Access.READ, ("GET", "POST")),
        Endpoint("/api/v1/rejected/replay", tools.replay, Access.WRITE, ("POST",)),
        Endpoint("/api/v1/rejected/purge", tools.purge, Access.WRITE, ("POST",)),
        Endpoint("/metrics", health.metrics, Access.READ),
        Endpoint("/openapi.json", _openapi, Access.OPEN),
        Endpoint("/api/v1/figures", figures.figures, Access.READ),
        Endpoint("/api/v1/figures/{figure}", figures.figure, Access.READ),
        Endpoint("/api/v1/figures/{figure}/live", figures.live, Access.READ),
        Endpoint("/livez", health.livez, Access.OPEN),
        Endpoint("/readyz", health.readyz, Access.OPEN),
    ]


def _checked(endpoint: Endpoint, security: Security) -> Handler:
    async def handle(request: Request) -> Response:
        return security.refusal(request, endpoint.access) or await endpoint.handler(request)

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
