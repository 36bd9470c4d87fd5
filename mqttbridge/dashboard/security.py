"""Who may do what, and the headers every answer carries.

Two situations. With write keys, whoever has one may write, and whoever has a view token (or, when there are
none, a write key) may read. Without write keys the server listens on loopback alone, where programs need no
key; but browsers run other people's pages there too, so the Host must be this machine (a name rebound to
127.0.0.1 is not) and what another site's page sends is refused.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from enum import Enum, auto
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mqttbridge.config.model import HttpConfig
from mqttbridge.dashboard import share
from mqttbridge.dashboard.http import bucket_of

COOKIE: Final = "mqttbridge_token"
COOKIE_SECONDS: Final = 30 * 86400

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Access(Enum):
    """What a route asks of who calls it."""

    OPEN = auto()  # health, and the page's own files: nothing of anybody's data
    READ = auto()
    PAGE = auto()  # READ, and a token in the URL is traded for a cookie
    EDIT = auto()  # changes what is shown or what watches over it: a write key, shown by a program or by our own page
    WRITE = auto()  # the Events API: the key is checked by its handlers, in the API's own words


def refuse_to_start(config: HttpConfig) -> str | None:
    """Why the server must not listen at this address, and what to set; None when it may."""
    host, _ = config.address
    if not config.enabled or config.write_keys or is_loopback(host):
        return None
    return (
        f"http.listen is {config.listen}, which other machines can reach, and there is no key: set http.write_keys "
        "(MQTTBRIDGE_HTTP__WRITE_KEYS), or listen on 127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Security:
    """The rules of one server."""

    def __init__(self, config: HttpConfig) -> None:
        self._host = config.address[0].lower()
        self._write = _bytes(config.write_keys)
        self._read = _bytes(config.view_tokens) or self._write

    def may_write(self, key: str | None) -> bool:
        """Whether an access key (None: none was given) may write."""
        return not self._write or _among(key, self._write)

    def may_read(self, token: str | None, bucket: str | None = None) -> bool:
        """Whether a view token or write key may read; or a share link's token, where it is one bucket's data."""
        if not self._read:
            return True
        keys = (*self._read, *self._write)
        if token is not None and token.startswith(share.PREFIX) and bucket is not None:
            return _among(token, [share.token_for(key, bucket).encode() for key in keys])
        return _among(token, keys)

    def share_token(self, bucket: str) -> str | None:
        """The token of a bucket's share link; None where no key is needed to read."""
        return share.token_for(self._read[0], bucket) if self._read else None

    def refusal(self, request: Request, access: Access) -> Response | None:
        """The answer to a request that may not be served; None when it may."""
        if not self._write and not self._from_here(request, access):
            return PlainTextResponse(
                "This bridge serves this machine alone: the request came by another name or from another site. "
                "To serve others set http.write_keys.",
                403,
            )
        if access is Access.EDIT:
            return self._refused_edit(request)
        if access not in (Access.READ, Access.PAGE):
            return None
        bucket = bucket_of(request) if "bucket" in request.path_params else None
        if access is Access.PAGE and "token" in request.query_params:
            return self._trade(request, bucket)
        if not any(self.may_read(token, bucket) for token in tokens_of(request, bucket)):
            return PlainTextResponse(
                "A view token is needed: open this page once with ?token=... or send Authorization: Bearer ...",
                401,
                {"WWW-Authenticate": "Bearer"},
            )
        return None

    def _refused_edit(self, request: Request) -> Response | None:
        shown = tokens_of(request)
        if not any(self.may_write(token) for token in shown):
            return PlainTextResponse(
                "A write key is needed to change this: open the page once with ?token=WRITE_KEY, or send "
                "Authorization: Bearer WRITE_KEY.",
                401 if shown == [None] else 403,
                {"WWW-Authenticate": "Bearer"},
            )
        # Another site's page cannot send a header of ours, but a browser would add our cookie to what it sends.
        by_program = "authorization" in request.headers or access_key_of(request) is not None
        if not by_program and not self._same_origin(request):
            return PlainTextResponse("This can be changed from this server's own pages only.", 403)
        return None

    def _same_origin(self, request: Request) -> bool:
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host')}"

    def _trade(self, request: Request, bucket: str | None) -> Response:
        """Put the URL's token into a cookie and go on without it, so that it is not shared with the link."""
        token = request.query_params["token"]
        if not self.may_read(token, bucket):
            return PlainTextResponse("This view token is not known here, or not any more.", 403)
        # `raw_path` keeps the percent-encoding of names; a leading `//` would be another host's address.
        target = "/" + request.scope["raw_path"].decode("ascii").lstrip("/")
        if rest := [(name, value) for name, value in request.query_params.multi_items() if name != "token"]:
            target += f"?{urlencode(rest)}"
        answer: Response = RedirectResponse(target, 303)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # After a link from another site browsers hold a Strict cookie back along the whole redirect; from
            # a page of ours they send it.
            answer = Response(status_code=200, headers={"Refresh": f"0;url={target}"}, media_type="text/html")
        answer.headers["Cache-Control"] = "no-store"
        shared = bucket if token.startswith(share.PREFIX) else None
        cookie = COOKIE if shared is None else share.cookie_for(shared)
        answer.set_cookie(cookie, quote(token, safe=""), COOKIE_SECONDS, httponly=True, samesite="strict")
        return answer

    def _from_here(self, request: Request, access: Access) -> bool:
        host = request.headers.get("host")
        if host is not None and not self._is_ours(host):
            return False
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            navigates = access is Access.PAGE and request.headers.get("sec-fetch-mode") == "navigate"
            return site in ("same-origin", "none") or navigates
        origin = request.headers.get("origin")
        return origin is None or origin == f"{request.url.scheme}://{host}"

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == self._host or is_loopback(name)


class SecurityHeaders:
    """Puts the fixed headers on every answer, and lets routes see names with their percent-encoding.

    ASGI's `path` is decoded, so a bucket named `a/b` would be two levels of it; `raw_path` still has `a%2Fb`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        scope = {**scope, "path": scope["raw_path"].decode("ascii", "replace")}
        return await self._app(scope, receive, with_headers)


def tokens_of(request: Request, bucket: str | None = None) -> list[str | None]:
    """What a reader shows: Bearer, a key as the Read API has it, the page's cookies; [None] for nothing."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    cookies = (COOKIE, *([] if bucket is None else [share.cookie_for(bucket)]))
    shown = [
        bearer.strip() if scheme.lower() == "bearer" else None,
        access_key_of(request),
        *(unquote(request.cookies.get(cookie, "")) for cookie in cookies),
    ]
    return [token for token in shown if token] or [None]


def access_key_of(request: Request) -> str | None:
    """The access key of the Events and Read APIs: a header or a parameter."""
    return request.headers.get("x-is-accesskey") or request.query_params.get("accessKey")


def _bytes(secrets: Iterable[SecretStr]) -> tuple[bytes, ...]:
    return tuple(secret.get_secret_value().encode() for secret in secrets)


def _among(given: str | None, known: Iterable[bytes]) -> bool:
    """Compared with every one, in constant time, so that the time taken tells nothing."""
    if given is None:
        return False
    found = False
    for one in known:
        found |= hmac.compare_digest(given.encode("utf-8", "surrogateescape"), one)
    return found
