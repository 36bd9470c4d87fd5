"""Our own API, which the page uses: buckets, streams, points, status."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge import __version__
from mqttbridge.dashboard import Dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.boards.points import MAX_EXPRESSIONS, Window, expressions_of
from mqttbridge.dashboard.frames import series_of
from mqttbridge.dashboard.http import bucket_of, in_thread, json_answer, problem, unavailable
from mqttbridge.dashboard.sparks import Sparks
from mqttbridge.dashboard.store import Statistics
from mqttbridge.dashboard.store.model import MICROSECONDS
from mqttbridge.dashboard.zone import server_zone
from mqttbridge.errors import StoreError

DEFAULT_WINDOW: Final = 3600.0
DEFAULT_BUCKETS: Final = 600
MAX_BUCKETS: Final = 10_000
# Later than any time a browser can show.
_MAX_EPOCH: Final = 1e11
_FRESH: Final = {"Cache-Control": "no-store"}


class Api:
    """Handlers under `/api/v1`."""

    def __init__(self, backend: Backend, executor: Executor) -> None:
        self._status, self._dashboard, self._executor = backend.status, backend.dashboard, executor
        self._sparks = None if backend.dashboard is None else Sparks(backend.dashboard.store)

    async def status(self, _: Request) -> Response:
        """How the bridge is doing, part by part."""
        return await self._answer(
            lambda: {"version": __version__, "now": time.time(), "zone": server_zone()} | self._status()
        )

    async def buckets(self, request: Request) -> Response:
        """Every bucket, that with the newest point first; with `spark` the small lines made since then."""
        if self._dashboard is None or self._sparks is None:
            return no_dashboard()
        try:
            since = float(given) if (given := request.query_params.get("spark")) else None
        except ValueError:
            return problem(400, "spark must be a time in seconds; 0 for every line")
        store, activity, sparks = self._dashboard.store, self._dashboard.activity, self._sparks

        def answer() -> dict[str, Any]:
            buckets, rates = store.buckets(), activity.rates()
            lines = {} if since is None else sparks.of(buckets, since)
            shown = [
                {
                    "key": one.key,
                    "name": one.name,
                    "tags": one.tags,
                    "streams": one.streams,
                    "last": one.last,
                    "rate": rates.get(one.key, 0.0),
                }
                | ({"spark": lines[one.key]} if one.key in lines else {})
                for one in buckets
            ]
            return {"now": time.time(), "buckets": shown}

        return await self._answer(answer)

    async def streams(self, request: Request) -> Response:
        """One bucket's streams by name, each with its newest value."""
        if self._dashboard is None:
            return no_dashboard()
        dashboard, bucket = self._dashboard, bucket_of(request)
        return await self._answer(lambda: _streams(dashboard, bucket))

    async def points(self, request: Request) -> Response:
        """Points of a bucket's streams, downsampled, and where the live stream goes on from them."""
        if self._dashboard is None:
            return no_dashboard()
        store, hub, bucket = self._dashboard.store, self._dashboard.hub, bucket_of(request)
        now = time.time()
        window = _window(request, now)
        if isinstance(window, str):
            return problem(400, window)
        after, before, buckets = window
        names, texts = set(request.query_params.getlist("stream")), set(request.query_params.getlist("expression"))
        if len(texts) > MAX_EXPRESSIONS:
            return problem(400, f"at most {MAX_EXPRESSIONS} expressions at once")
        statistics = request.query_params.get("statistics") == "1"
        end = now if before is None else before

        def work() -> dict[str, Any] | None:
            # Only for a bucket that exists: a channel is opened for it, and names cost nothing to invent.
            if store.bucket_name(bucket) is None:
                return None
            live = hub.position(bucket)  # before the points are read: see hub.py
            columns = store.points(bucket, names, after, before, buckets) if names or not texts else {}
            answer: dict[str, Any] = {"now": now, "live": live, "after": after, "before": end}
            if texts:
                derived, answer["errors"] = expressions_of(
                    texts, store, hub.derived(bucket), bucket, Window(after, before, end, buckets)
                )
                answer["derived"] = {text: series_of(column) for text, column in derived.items()}
            if statistics:
                found = store.statistics(bucket, names, after, before, buckets)
                answer["statistics"] = {stream: _statistics_of(one) for stream, one in found.items()}
            return answer | {"series": {stream: series_of(column) for stream, column in columns.items()}}

        return await self._answer(work)

    async def _answer(self, content: Callable[[], dict[str, Any] | None]) -> Response:
        """The content, made and encoded beside the event loop; 404 for None."""

        def work() -> Response:
            made = content()
            if made is None:
                return problem(404, "there is no such bucket (yet)")
            return json_answer(made, headers=_FRESH)

        try:
            return await in_thread(self._executor, work)
        except StoreError as error:
            return unavailable(error)


def no_dashboard() -> Response:
    return problem(404, "this bridge keeps no history: its configuration has no destination of type embedded")


def _statistics_of(one: Statistics) -> dict[str, Any]:
    return {
        "width": one.width / MICROSECONDS,
        "epochs": [start / MICROSECONDS for start in one.starts],
        "counts": one.counts,
        "minima": one.minima,
        "maxima": one.maxima,
        "sums": one.sums,
        "firsts": one.firsts,
        "lasts": one.lasts,
    }


def _streams(dashboard: Dashboard, bucket: str) -> dict[str, Any] | None:
    store = dashboard.store
    name = store.bucket_name(bucket)
    if name is None:
        return None
    live = dashboard.hub.position(bucket)  # before the values are read: see hub.py
    intervals, classes = store.intervals(bucket), dashboard.classes.of(bucket)
    return {
        "now": time.time(),
        "live": live,
        "bucket": {"key": bucket, "name": name},
        "streams": [
            {
                "stream": one.stream,
                "kind": one.kind,
                "unit": one.unit,
                "device_class": classes.get(one.stream, ""),
                "last": {"value": one.last.value, "epoch": one.last.epoch},
                "interval": intervals.get(one.stream),
            }
            for one in store.streams(bucket)
        ],
    }


def _window(request: Request, now: float) -> tuple[float, float | None, int] | str:
    """`after`, `before` and `points` of the query, in Netdata's way; a text when they make no sense.

    A `before` that is not positive is relative to now; a negative `after` is relative to `before`.
    """
    try:
        given = {name: float(request.query_params.get(name) or "nan") for name in ("after", "before", "points")}
    except ValueError:
        return "after, before and points must be numbers"
    if any(abs(value) > _MAX_EPOCH for value in given.values()):
        return "after and before are in seconds"
    before = None if math.isnan(given["before"]) else given["before"]
    if before is not None and before <= 0:
        before += now
    end = now if before is None else before
    after = -DEFAULT_WINDOW if math.isnan(given["after"]) else given["after"]
    if after < 0:
        after += end
    if after >= end:
        return "after must be earlier than before"
    points = DEFAULT_BUCKETS if math.isnan(given["points"]) else int(given["points"])
    return after, before, min(max(points, 1), MAX_BUCKETS)
