"""Health for supervisors and numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.http import in_thread, json_answer

Asked: TypeAlias = Callable[[], dict[str, str]]


class Health:
    """Handlers of `/livez`, `/readyz` and `/metrics`."""

    def __init__(self, backend: Backend, executor: Executor) -> None:
        self._backend, self._executor = backend, executor

    async def livez(self, _: Request) -> Response:
        """200 while every thread lives; else a supervisor should start us anew."""
        return await self._verdict(self._backend.liveness)

    async def readyz(self, _: Request) -> Response:
        """200 while messages are taken from the broker and kept; else 503 and why. Destinations only make warnings."""
        return await self._verdict(self._backend.readiness, self._backend.warnings)

    async def metrics(self, _: Request) -> Response:
        """The Prometheus text format."""
        text = await in_thread(self._executor, self._backend.metrics.render)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _verdict(self, ask: Asked, warn: Asked | None = None) -> Response:
        problems = await in_thread(self._executor, ask)
        body: dict[str, Any] = {"ok": not problems, "problems": problems}
        if warn is not None:
            body["warnings"] = await in_thread(self._executor, warn)
        return json_answer(body, 503 if problems else 200, {"Cache-Control": "no-store"})
