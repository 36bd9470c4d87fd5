"""Signing in and out, keys and share links over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.access import schemas
from mqttbridge.dashboard.access.keys import Key, LastAdmin, Role, TooMany
from mqttbridge.dashboard.access.links import Link
from mqttbridge.dashboard.access.origin import from_our_page
from mqttbridge.dashboard.bodies import model_in
from mqttbridge.dashboard.http import bucket_of, in_thread, json_answer, problem, unavailable
from mqttbridge.dashboard.security import Security, too_many_attempts
from mqttbridge.errors import StoreError
from mqttbridge.events import MAX_NAME_CHARS

_FRESH: Final = {"Cache-Control": "no-store"}
_DOTS: Final = frozenset({".", ".."})


class SessionApi:
    """Handlers of `/api/v1/session` and `/api/v1/first-key`: anybody may ask, so each looks for itself."""

    def __init__(self, security: Security, executor: Executor) -> None:
        self._security, self._executor = security, executor

    async def session(self, request: Request) -> Response:
        """Who asks, as far as is known here (GET); signing in (POST) and out (DELETE)."""
        if request.method == "POST":
            return await self._sign_in(request)
        return self._sign_out(request) if request.method == "DELETE" else self._standing(request, None)

    async def first_key(self, request: Request) -> Response:
        """Make the first admin's key, with the code that the log gave; who does it is signed in."""
        if refused := self._refused(request):
            return refused
        sent = await model_in(request, schemas.FirstKey)
        if isinstance(sent, Response):
            return sent
        first = self._security.first_start
        if first is None or not first.accepts(sent.code):
            self._security.tried(request, None)
            return problem(403, "this code is used up, or too old: after a restart the log has a new one")
        first.use_up()  # before the key is made: two requests at once make one key
        try:
            made, key = await in_thread(self._executor, partial(self._security.keys.add, Role.ADMIN, sent.label))
        except StoreError as error:
            first.restore()
            return unavailable(error)
        answer = json_answer({"secret": made, "key": self._shown(key)}, 201, _FRESH)
        self._security.sign_in(request, answer, key)
        return answer

    async def _sign_in(self, request: Request) -> Response:
        """Trade a key for a session; what comes back is a cookie."""
        if refused := self._refused(request):
            return refused
        sent = await model_in(request, schemas.SignIn)
        if isinstance(sent, Response):
            return sent
        key = self._security.keys.find(sent.token.strip())
        self._security.tried(request, key)
        if key is None:
            return problem(401, "this key is not known here, or not any more")
        if key.role is Role.SENDER:
            return problem(403, "this key sends events, and reads nothing: it is for devices")
        answer = self._standing(request, key)
        self._security.sign_in(request, answer, key)
        return answer

    def _sign_out(self, request: Request) -> Response:
        """End this browser's session."""
        if not from_our_page(request):
            return _elsewhere()
        answer = Response(status_code=204)
        self._security.sign_out(request, answer)
        return answer

    def _refused(self, request: Request) -> Response | None:
        if not from_our_page(request):
            return _elsewhere()
        wait = self._security.wait_before_trying(request)
        return too_many_attempts(wait) if wait else None

    def _standing(self, request: Request, key: Key | None) -> Response:
        security = self._security
        caller = security.caller(request)
        shown = key or caller.session or next(iter(caller.keys), None)
        return json_answer(
            {
                "guarded": security.guarded,
                "role": shown.role if shown is not None else None if security.guarded else Role.ADMIN,
                "label": shown.label if shown is not None else "",
                "by_cookie": key is not None or caller.session is not None,
                "first_start": security.first_start is not None and security.first_start.path is not None,
                "keeps": security.keys.can_add,
            },
            headers=_FRESH,
        )

    def _shown(self, key: Key) -> dict[str, Any]:
        return _key(key, self._security.used.of(key.id))


class KeysApi:
    """Handlers of `/api/v1/keys`."""

    def __init__(self, security: Security, executor: Executor) -> None:
        self._security, self._executor = security, executor

    async def keys(self, request: Request) -> Response:
        """Every key (GET); a new one (POST)."""
        if request.method == "POST":
            return await self._make(request)
        shown = [_key(key, self._security.used.of(key.id)) for key in self._security.keys.all()]
        return json_answer({"keys": shown}, headers=_FRESH)

    async def revoke(self, request: Request) -> Response:
        """Revoke a key, and end every session that was opened with it."""
        known = self._security.keys.by_id(request.path_params["key"])
        if known is None:
            return problem(404, "there is no such key")
        if known.configured:
            return problem(409, "this key stands in the configuration: take it out there")
        remove = partial(self._security.keys.remove, known.id, keep_admin=self._security.guarded)
        try:
            return await _done(self._executor, remove)
        except LastAdmin:
            return problem(409, "this is the last key that may change things: make another one first")

    async def _make(self, request: Request) -> Response:
        sent = await model_in(request, schemas.NewKey)
        if isinstance(sent, Response):
            return sent
        if not self._security.keys.can_add:
            return _no_place()

        def make() -> Response:
            made, key = self._security.keys.add(sent.role, sent.label)
            return json_answer({"secret": made, "key": _key(key, None)}, 201, _FRESH)

        return await _made(self._executor, make)


class LinksApi:
    """Handlers of `/api/v1/links` and `/api/v1/buckets/{bucket}/links`."""

    def __init__(self, security: Security, executor: Executor, embed_origins: tuple[str, ...]) -> None:
        self._security, self._executor, self._origins = security, executor, embed_origins

    async def links(self, _: Request) -> Response:
        """Every link."""
        return self._list(self._security.links.all())

    async def of_bucket(self, request: Request) -> Response:
        """The links of one bucket (GET); a new one (POST)."""
        bucket = bucket_of(request)
        if request.method != "POST":
            return self._list(self._security.links.all(bucket))
        sent = await model_in(request, schemas.NewLink)
        if isinstance(sent, Response):
            return sent
        if not bucket or len(bucket) > MAX_NAME_CHARS:
            return problem(400, f"a bucket's name has 1 to {MAX_NAME_CHARS} characters")
        if not self._security.links.can_add:
            return _no_place()
        expires = None if sent.seconds is None else time.time() + sent.seconds

        def make() -> Response:
            token, link = self._security.links.add(bucket, sent.label, expires)
            url = page_url(bucket, token)
            return json_answer({"url": url, "embed": f"{url}&embed=1", "link": self._shown(link)}, 201, _FRESH)

        return await _made(self._executor, make)

    async def revoke(self, request: Request) -> Response:
        """Revoke one link: who follows by it is cut within seconds."""
        return await _done(self._executor, partial(self._security.links.remove, request.path_params["link"]))

    def _list(self, links: list[Link]) -> Response:
        shown = [self._shown(link) for link in links]
        return json_answer({"links": shown, "embed_origins": self._origins}, headers=_FRESH)

    def _shown(self, link: Link) -> dict[str, Any]:
        return {
            "id": link.id,
            "bucket": link.bucket,
            "label": link.label,
            "created": link.created,
            "expires": link.expires,
            "expired": link.expires is not None and link.expires <= time.time(),
            "used": self._security.used.of(link.id),
        }


def page_url(bucket: str, token: str) -> str:
    """The address, on this server, of a bucket's page for who has the token."""
    if bucket in _DOTS:  # which no path can name
        return f"/b/-?{urlencode({'bucket': bucket, 'token': token})}"
    return f"/b/{quote(bucket, safe='', errors='replace')}?{urlencode({'token': token})}"


def _key(key: Key, used: float | None) -> dict[str, Any]:
    return {
        "id": key.id,
        "role": key.role,
        "label": key.label,
        "configured": key.configured,
        "created": key.created,
        "used": used,
    }


async def _made(executor: Executor, make: Callable[[], Response]) -> Response:
    try:
        return await in_thread(executor, make)
    except TooMany as many:
        return problem(409, str(many))
    except StoreError as error:
        return unavailable(error)


async def _done(executor: Executor, remove: Callable[[], bool]) -> Response:
    try:
        removed = await in_thread(executor, remove)
    except StoreError as error:
        return unavailable(error)
    return Response(status_code=204) if removed else problem(404, "there is no such thing here, or not any more")


def _no_place() -> Response:
    return problem(404, "this bridge has no place for what is made on the page: it has no destination of type embedded")


def _elsewhere() -> Response:
    return problem(403, "this can be done from this server's own pages only")
