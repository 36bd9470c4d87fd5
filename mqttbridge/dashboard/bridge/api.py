"""What the bridge is doing, over HTTP: the flow, topics that nobody takes, rejected messages, the end of the log.

Topics and payloads are of every bucket, so a share link reads nothing of it; the log, and listening to the broker, are
for whoever may change things.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.backend import Insight
from mqttbridge.dashboard.bridge.schemas import ListenTo, ProposeFor
from mqttbridge.dashboard.bridge.tools import body_or_refusal
from mqttbridge.dashboard.http import in_thread, json_answer, problem, unavailable
from mqttbridge.errors import BridgeError
from mqttbridge.mapping.topics import InvalidFilter
from mqttbridge.spool.inspection import RejectedQuery

MAX_ROWS: Final = 500
_DEFAULT_ROWS: Final = 100
_FRESH: Final = {"Cache-Control": "no-store"}

Asked = TypeVar("Asked", bound=BaseModel)


class BridgeApi:
    """Handlers of `/api/v1/bridge...` and `/api/v1/rejected`.

    Args:
        insight: the bridge's; None where there is none to look into.
        executor: where the work is done, beside the event loop.
    """

    def __init__(self, insight: Insight | None, executor: Executor) -> None:
        self._insight, self._executor = insight, executor

    async def snapshot(self, request: Request) -> Response:
        """How it goes now; with `charts=1` the last minutes' rates as well."""
        charts = request.query_params.get("charts") == "1"
        return await self._answer(lambda insight: insight.snapshot(charts=charts))

    async def unmatched(self, _: Request) -> Response:
        """Topics that no rule takes."""
        return await self._answer(lambda insight: insight.unmatched())

    async def propose(self, request: Request) -> Response:
        """A rule for one of them, as YAML."""
        asked = await _read(request, ProposeFor)
        if isinstance(asked, Response):
            return asked
        return await self._answer(lambda insight: insight.propose(asked.topic))

    async def listen(self, request: Request) -> Response:
        """Listen to everything for a while, for topics that nobody takes."""
        asked = await _read(request, ListenTo)
        if isinstance(asked, Response):
            return asked
        return await self._answer(
            lambda insight: insight.listen(asked.topic, asked.seconds),
            none="it listens already, or there is no broker to listen to",
        )

    async def log(self, request: Request) -> Response:
        """The end of the log."""
        after = request.query_params.get("after", "0")
        level = request.query_params.get("level", "")
        if not (after.isascii() and after.isdigit() and len(after) < 16):
            return problem(400, "after must be the number of a line")
        return await self._answer(lambda insight: insight.log(int(after), level))

    async def rejected(self, request: Request) -> Response:
        """Rejected messages, the newest first."""
        asked = request.query_params
        try:
            query = RejectedQuery(
                reason=asked.get("reason", ""),
                rule=asked.get("rule", ""),
                topic=asked.get("topic", ""),
                since=float(asked.get("since") or 0),
                limit=min(max(int(asked.get("limit") or _DEFAULT_ROWS), 1), MAX_ROWS),
            )
        except ValueError:
            return problem(400, "since and limit must be numbers")
        return await self._answer(lambda insight: insight.rejected(query))

    async def _answer(self, ask: Callable[[Insight], dict[str, Any] | None], none: str = "") -> Response:
        insight = self._insight
        if insight is None:
            return problem(404, "this server has no bridge to look into")

        def work() -> Response:
            try:
                answer = ask(insight)
            except InvalidFilter as error:
                return problem(400, f"topic: {error}")
            return problem(409, none) if answer is None else json_answer(answer, headers=_FRESH)

        try:
            return await in_thread(self._executor, work)
        except BridgeError as error:
            return unavailable(error)


async def _read(request: Request, model: type[Asked]) -> Asked | Response:
    """The request's body as that model, or the answer that refuses it."""
    body = await body_or_refusal(request)
    if isinstance(body, Response):
        return body
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return problem(400, f"{where}: {first['msg']}" if where else first["msg"])
