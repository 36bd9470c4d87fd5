"""The figures over HTTP: which there are, one as it stands, and its live feed."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.http import json_answer, problem
from mqttbridge.dashboard.live import EventStream
from mqttbridge.dashboard.plotly.feed import Feed

_FRESH: Final = {"Cache-Control": "no-store"}


class FiguresApi:
    """Handlers of `/api/v1/figures` and below. All of it is in memory, so nothing waits."""

    def __init__(self, backend: Backend, feed: Feed) -> None:
        self._feed, self._dashboard = feed, backend.dashboard
        self._max_viewers = backend.config.http.max_viewers

    async def figures(self, _: Request) -> Response:
        """Every figure that has a token, that with the newest point first."""
        figures = sorted(self._feed.figures, key=lambda figure: figure.last or 0.0, reverse=True)
        return json_answer(
            {
                "now": time.time(),
                "figures": [
                    {
                        "figure": figure.name,
                        "title": figure.layout.get("title", ""),
                        "traces": list(figure.traces),
                        "last": figure.last,
                    }
                    for figure in figures
                ],
            },
            headers=_FRESH,
        )

    async def figure(self, request: Request) -> Response:
        """One figure with the points on screen."""
        figure = self._feed.figures.get(_figure_of(request))
        if figure is None:
            return _unknown()
        return json_answer({"now": time.time(), **figure.shown()}, headers=_FRESH)

    async def live(self, request: Request) -> Response:
        """Server-sent events: the figure as it stands, then what changes."""
        name = _figure_of(request)
        if self._feed.figures.get(name) is None:
            return _unknown()
        others = 0 if self._dashboard is None else self._dashboard.hub.viewers
        if self._feed.viewers + others >= self._max_viewers:
            return problem(503, "too many viewers are connected: see http.max_viewers", Retry_After="30")
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return EventStream(self._feed, name, None)


def _figure_of(request: Request) -> str:
    return unquote(request.path_params["figure"])


def _unknown() -> Response:
    return problem(404, "there is no such figure: see `mqttbridge token add`")
