"""The rate headers, on every answer of the Events API whoever gives it: some clients fail without them."""

from __future__ import annotations

import time
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mqttbridge.dashboard.access.caller import access_key_of
from mqttbridge.dashboard.limits import Limits
from mqttbridge.dashboard.security import Security

PATHS: Final = frozenset({"/api/buckets", "/api/events", "/api/versions"})


class RateHeaders:
    """Tells how the caller's key stands after the request: what is allowed in a window, what is left, when it ends."""

    def __init__(self, app: ASGIApp, limits: Limits, security: Security) -> None:
        self._app, self._limits, self._security = app, limits, security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in PATHS:
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers(Request(scope))]
            await send(message)

        return await self._app(scope, receive, with_headers)

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        key = access_key_of(request)
        account = self._limits.account(key) if self._security.may_write(key) else None
        standing = self._limits.standing(account, time.time())
        return [
            (b"x-ratelimit-limit", b"%d" % standing.limit),
            (b"x-ratelimit-remaining", b"%d" % standing.remaining),
            (b"x-ratelimit-reset", b"%d" % standing.reset),
        ]
