"""Asking a running bridge about its rules, and sending what was rejected through them again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.dashboard.backend import Tools
from mqttbridge.dashboard.bridge.schemas import RejectedSelection
from mqttbridge.dashboard.http import BodyTooLarge, in_thread, json_answer, problem, read_body, unavailable
from mqttbridge.errors import BridgeError
from mqttbridge.mapping.topics import InvalidFilter
from mqttbridge.spool.inspection import RejectedQuery

_FRESH: Final = {"Cache-Control": "no-store"}


class ToolsApi:
    """Handlers of `/api/v1/explain` and `/api/v1/rejected/...`.

    Args:
        tools: the bridge's; None where it has none.
        executor: where the work is done, beside the event loop.
    """

    def __init__(self, tools: Tools | None, executor: Executor) -> None:
        self._tools, self._executor = tools, executor

    async def explain(self, request: Request) -> Response:
        """What the rules make of a message: the query's `topic`, and its `payload` or the body."""
        tools = self._tools
        if tools is None:
            return _no_tools()
        topic = request.query_params.get("topic")
        if not topic:
            return problem(400, "topic is missing")
        if request.method == "POST":
            body = await body_or_refusal(request)
            if isinstance(body, Response):
                return body
        else:
            body = request.query_params.get("payload", "").encode("utf-8", "surrogateescape")
        encoded = topic.encode("utf-8", "surrogateescape")
        return await self._answer(lambda: tools.explain(encoded, body))

    async def replay(self, request: Request) -> Response:
        """Send rejected messages through the rules again."""
        return await self._change(request, self._tools.replay if self._tools is not None else None)

    async def purge(self, request: Request) -> Response:
        """Forget rejected messages."""
        return await self._change(request, self._tools.purge if self._tools is not None else None)

    async def _change(self, request: Request, change: Callable[[RejectedQuery], dict[str, Any]] | None) -> Response:
        if change is None:
            return _no_tools()
        body = await body_or_refusal(request)
        if isinstance(body, Response):
            return body
        try:
            selection = RejectedSelection.model_validate_json(body or b"{}")
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            return problem(400, f"{where}: {first['msg']}" if where else first["msg"])
        query = RejectedQuery(**selection.model_dump(), newest_first=False)
        return await self._answer(lambda: change(query))

    async def _answer(self, content: Callable[[], dict[str, Any]]) -> Response:
        def work() -> Response:
            try:
                return json_answer(content(), headers=_FRESH)
            except InvalidFilter as error:
                return problem(400, f"topic: {error}")

        try:
            return await in_thread(self._executor, work)
        except BridgeError as error:
            return unavailable(error)


async def body_or_refusal(request: Request) -> bytes | Response:
    """The request's body, or the answer to one that is too long or does not come."""
    try:
        return await read_body(request)
    except BodyTooLarge:
        return problem(413, "a request's body may be 1 MB at most", Connection="close")
    except (TimeoutError, ClientDisconnect):
        return problem(408, "the request's body did not come in time", Connection="close")


def _no_tools() -> Response:
    return problem(404, "this server has no rules to ask")
