"""The headers that every answer carries, whoever gives it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mqttbridge.config.http import HttpConfig


def policy(*, frames: Iterable[str] = (), images: Iterable[str] = ()) -> str:
    """The content security policy: which origins may frame the page, and of which it may show images besides ours."""
    pictures = " ".join(("'self' data:", *images))
    ancestors = " ".join(frames) or "'none'"
    return (
        f"default-src 'self'; style-src 'self'; img-src {pictures}; object-src 'none'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )


HEADERS: Final = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""As they are without any other origin in the configuration."""

OF_FILES: Final = {"X-Content-Type-Options": "nosniff"}
"""What the page's scripts and style sheets carry: they hold no secret, and the rest is the page's own say."""


class SecurityHeaders:
    """Puts the headers on every answer, and lets routes see names with their percent-encoding.

    ASGI's `path` is decoded, so a bucket named `a/b` would be two levels of it; `raw_path` still has `a%2Fb`.
    """

    def __init__(self, app: ASGIApp, config: HttpConfig) -> None:
        self._app, self._may_embed = app, bool(config.embed_origins)
        self._headers = HEADERS | {"Content-Security-Policy": policy(images=config.image_origins)}
        embedded = policy(frames=config.embed_origins, images=config.image_origins)
        self._embedded = HEADERS | {"Content-Security-Policy": embedded}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        fixed = self._embedded if self._may_embed and is_embedded(scope) else self._headers
        if scope["raw_path"].startswith(b"/static/") and scope["raw_path"].endswith((b".js", b".css")):
            fixed = OF_FILES

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in fixed.items():
                    headers[name] = value
            await send(message)

        scope = {**scope, "path": scope["raw_path"].decode("ascii", "replace")}
        return await self._app(scope, receive, with_headers)


def is_embedded(scope: Scope) -> bool:
    """Whether a board's page is asked for as it stands in another site's frame: bare, and by its link alone."""
    if not scope["raw_path"].startswith(b"/b/"):
        return False
    return parse_qs(scope["query_string"].decode("latin-1")).get("embed") == ["1"]
