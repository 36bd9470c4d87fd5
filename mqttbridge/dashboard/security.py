"""Who may do what. docs/security.md tells it to operators.

Two situations. A **guarded** server asks everybody for a key: it listens where other machines reach it, or has write
keys. An **open** one listens on loopback alone, where programs need no key; but browsers run other people's pages
there too, so the Host must be this machine (a name rebound to 127.0.0.1 is not) and what another site's page sends is
refused.

On a guarded server a rebound name wins nothing: the cookie is bound to the name it was given under, and whoever has no
cookie has to show a key. What changes something by cookie must come from our own page.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Final, TypeAlias
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.access import links as share
from mqttbridge.dashboard.access.attempts import Attempts, network_of
from mqttbridge.dashboard.access.caller import COOKIE, Caller, address_of, cookie_of, secrets_in
from mqttbridge.dashboard.access.firststart import FirstStart
from mqttbridge.dashboard.access.keys import Key, Keys, Role
from mqttbridge.dashboard.access.lastused import LastUsed
from mqttbridge.dashboard.access.links import Link, Links
from mqttbridge.dashboard.access.origin import from_our_page, from_this_machine
from mqttbridge.dashboard.access.sessions import SECONDS as SESSION_SECONDS, Sessions
from mqttbridge.dashboard.headers import is_embedded
from mqttbridge.dashboard.http import bucket_of
from mqttbridge.dashboard.reach import is_loopback
from mqttbridge.dashboard.records import Records
from mqttbridge.errors import StoreError

log = logging.getLogger(__name__)

Later: TypeAlias = Callable[[Callable[[], None]], object]

# A browser forgets the cookie of a link then; opening the link again renews it.
LINK_COOKIE_SECONDS: Final = 30 * 86400
# How often a live stream asks whether who follows it still may.
RECHECK_SECONDS: Final = 5.0


class Access(Enum):
    """What a route asks of who calls it."""

    OPEN = auto()  # health, signing in, and the page's own files: nothing of anybody's data
    READ = auto()
    PAGE = auto()  # READ, and a token in the URL is traded for a cookie
    EDIT = auto()  # changes what is shown or what watches over it: an admin's key, shown by a program or our own page
    WRITE = auto()  # the Events API: the key is checked by its handlers, in the API's own words


def _now(work: Callable[[], None]) -> None:
    work()


class Security:
    """The rules of one server.

    Args:
        config: where it listens, and keys.
        records: keep what is made on the page; None where nothing can be kept.
        later: runs what may wait for a disk, beside the event loop.
    """

    def __init__(self, config: HttpConfig, records: Records | None = None, later: Later = _now) -> None:
        self._host = config.address[0].lower()
        self._later = later
        self._proxies = [ipaddress.ip_network(one, strict=False) for one in config.trusted_proxies]
        self.guarded = bool(config.write_keys) or not is_loopback(self._host)
        self._asks_readers = self.guarded or bool(config.view_tokens)
        self.keys, self.links = Keys(config, records), Links(records)
        self.sessions, self.used, self.attempts = Sessions(records), LastUsed(records), Attempts()
        unclaimed = self.guarded and not self.keys.has_admin and self.keys.can_add
        self._first_start = FirstStart() if unclaimed else None

    # --- questions ---------------------------------------------------------------------------------------------

    @property
    def first_start(self) -> FirstStart | None:
        """The way to the first admin's key; None when there is one, which may have been made on another bridge."""
        return None if self.keys.has_admin else self._first_start

    def may_write(self, key: str | None) -> bool:
        """Whether an access key (None: none was given) may send events."""
        if not self.guarded:
            return True
        known = None if key is None else self.keys.find(key)
        return known is not None and known.role in (Role.SENDER, Role.ADMIN)

    def may_edit(self, request: Request) -> bool:
        """Whether who asks could change things: what `editable` of an answer says."""
        return not self.guarded or self.caller(request).has(Role.ADMIN)

    def refusal(self, request: Request, access: Access) -> Response | None:
        """The answer to a request that may not be served; None when it may."""
        if not self.guarded and not from_this_machine(request, self._host, page=access is Access.PAGE):
            return PlainTextResponse(
                "This bridge serves this machine alone: the request came by another name or from another site. "
                "To serve others set http.write_keys.",
                403,
            )
        if access is Access.OPEN:
            return None
        caller = self.caller(request)
        if self._asks_readers and (wait := self._wait_of(request, caller)):
            return too_many_attempts(wait)
        if access is Access.EDIT:
            return self._refused_edit(request, caller)
        if access is Access.PAGE and "token" in request.query_params:
            return self._trade(request)
        if access is Access.WRITE or self._may_read(caller):
            return None
        if access is Access.PAGE and "text/html" in request.headers.get("accept", ""):
            return _to_login(request)
        return PlainTextResponse(
            "A view token is needed: open this page once with ?token=... or send Authorization: Bearer ...",
            401,
            {"WWW-Authenticate": "Bearer"},
        )

    def still_allowed(self, request: Request, access: Access) -> Callable[[], bool]:
        """Asks, now and then, whether a request that is being answered for long may be still: keys are revoked."""
        due = time.monotonic() + RECHECK_SECONDS
        allowed = True

        def ask() -> bool:
            nonlocal due, allowed
            if allowed and time.monotonic() >= due:
                due = time.monotonic() + RECHECK_SECONDS
                request.scope.pop(_CALLER, None)
                allowed = not self._asks_readers or access is Access.OPEN or self._may_read(self.caller(request))
            return allowed

        return ask

    def caller(self, request: Request) -> Caller:
        """Who sends a request."""
        known: Caller | None = request.scope.get(_CALLER)
        if known is None:
            known = request.scope[_CALLER] = self._look(request)
            for key in known.keys:
                self._note(key)
            if known.session is not None:
                self._note(known.session)
            if known.link is not None:
                self._note(known.link)
        return known

    # --- signing in and out ------------------------------------------------------------------------------------

    def sign_in(self, request: Request, answer: Response, key: Key) -> None:
        """Give the browser a session of this key, by a cookie that scripts cannot read."""
        if cookie := cookie_of(request):
            self.sessions.close(cookie)
        self._set_cookie(request, answer, COOKIE, self.sessions.open(key.id), SESSION_SECONDS)
        self._later(self._save_sessions)

    def sign_out(self, request: Request, answer: Response) -> None:
        """End the browser's session."""
        if cookie := cookie_of(request):
            self.sessions.close(cookie)
            self._later(self._save_sessions)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")

    def tried(self, request: Request, key: Key | None) -> None:
        """A key was shown on the form for signing in: the right one, or (None) a wrong one."""
        address = network_of(address_of(request, self._proxies))
        if key is None:
            self.attempts.failed(address)
        else:
            self.attempts.succeeded(address, key.id)

    def wait_before_trying(self, request: Request) -> int:
        """Seconds until the sender may try a key again; 0 for at once."""
        return self.attempts.wait(network_of(address_of(request, self._proxies)))

    # --- inside ------------------------------------------------------------------------------------------------

    def _look(self, request: Request) -> Caller:
        shown = list(secrets_in(request))
        bucket = bucket_of(request) if "bucket" in request.path_params else None
        by_link = None
        if bucket is not None:
            token = request.query_params.get("token", "")
            in_url = [token] if token.startswith(share.PREFIX) else []
            tokens = [*shown, *in_url, cookie_of(request, share.cookie_for(bucket)) or ""]
            found = (self.links.find(token) for token in tokens)
            by_link = next((link for link in found if link is not None and link.bucket == bucket), None)
        cookie = cookie_of(request)
        session = None if cookie is None else self.sessions.find(cookie)
        keys = tuple(key for secret in shown if (key := self.keys.find(secret)) is not None)
        return Caller(
            keys,
            None if session is None else self.keys.by_id(session.key),
            by_link,
            showed=bool(shown or cookie),
            wrong=any(self.keys.find(secret) is None and self.links.find(secret) is None for secret in shown),
        )

    def _may_read(self, caller: Caller) -> bool:
        return not self._asks_readers or caller.link is not None or caller.has(Role.VIEWER, Role.ADMIN)

    def _wait_of(self, request: Request, caller: Caller) -> int:
        """Counts a wrong key. Seconds that its sender, and whoever there has shown no right one before, must wait."""
        if not caller.wrong and not caller.keys:
            return 0  # cookies are no guesses: who has an old one is asked to sign in
        address = network_of(address_of(request, self._proxies))
        wait = self.attempts.wait(address)
        if caller.wrong:
            self.attempts.failed(address)
        elif not wait:
            for key in caller.keys:
                self.attempts.succeeded(address, key.id)
        elif any(self.attempts.is_used_from(address, key.id) for key in caller.keys):
            return 0
        return wait

    def _refused_edit(self, request: Request, caller: Caller) -> Response | None:
        if self.guarded and not caller.has(Role.ADMIN):
            return PlainTextResponse(
                "A write key is needed to change this: sign in at /login, or send Authorization: Bearer WRITE_KEY.",
                403 if caller.showed else 401,
                {"WWW-Authenticate": "Bearer"},
            )
        # Another site's page cannot send a key, but a browser would add our cookie to what it sends.
        if not (self.guarded and caller.has_key(Role.ADMIN)) and not from_our_page(request):
            return PlainTextResponse("This can be changed from this server's own pages only.", 403)
        return None

    def _trade(self, request: Request) -> Response | None:
        """Put the URL's token into a cookie and go on without it, so that it is not shared with the address."""
        token = request.query_params["token"]
        if token.startswith(share.PREFIX):
            return self._trade_link(request, token)
        if not self._asks_readers:
            return _go_on(request)
        if wait := self.wait_before_trying(request):
            return too_many_attempts(wait)
        key = self.keys.find(token)
        self.tried(request, key)
        if key is None or key.role is Role.SENDER:
            return _unknown_token(request, "key")
        answer = _go_on(request)
        self.sign_in(request, answer, key)
        return answer

    def _trade_link(self, request: Request, token: str) -> Response | None:
        link = self.links.find(token)
        if link is None or "bucket" not in request.path_params or link.bucket != bucket_of(request):
            return _unknown_token(request, "link") if self._asks_readers else _go_on(request)
        self._note(link)
        if is_embedded(request.scope):
            return None  # a frame in another site's page has no cookies: there the page shows the link each time
        answer = _go_on(request)
        if self._asks_readers:
            self._set_cookie(request, answer, share.cookie_for(link.bucket), token, LINK_COOKIE_SECONDS)
        return answer

    def _set_cookie(self, request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
        # Lax: a link in somebody's mail opens the page for who is signed in; what changes something asks for more.
        secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
        answer.set_cookie(name, quote(value, safe=""), seconds, httponly=True, samesite="lax", secure=secure)

    def _note(self, one: Key | Link) -> None:
        self.used.note(one.id)
        if self.used.due():
            self._later(self._save_used)

    def _save_used(self) -> None:
        with suppress(StoreError):  # the next time will do
            self.used.save(frozenset({key.id for key in self.keys.all()} | {link.id for link in self.links.all()}))

    def _save_sessions(self) -> None:
        try:
            self.sessions.save()
        except StoreError as error:
            log.warning("who is signed in could not be saved, and will have to sign in after a restart: %s", error)


_CALLER: Final = "mqttbridge.caller"


def too_many_attempts(wait: int) -> Response:
    """Who showed too many wrong keys has to wait."""
    text = f"Too many wrong keys came from this address: try again in {wait} s."
    return PlainTextResponse(text, 429, {"Retry-After": str(wait)})


def _go_on(request: Request) -> Response:
    return RedirectResponse(_without_token(request), 303, {"Cache-Control": "no-store"})


def _unknown_token(request: Request, what: str) -> Response:
    if "text/html" in request.headers.get("accept", "") and not is_embedded(request.scope):
        return _to_login(request, problem=what)
    return PlainTextResponse("This token is not known here, or not any more.", 403)


def _to_login(request: Request, **more: str) -> Response:
    query = urlencode({"next": _without_token(request)} | more)
    return RedirectResponse(f"/login?{query}", 303, {"Cache-Control": "no-store"})


def _without_token(request: Request) -> str:
    # `raw_path` keeps the percent-encoding of names; a leading `//` would be another host's address.
    target = "/" + request.scope["raw_path"].decode("ascii").lstrip("/")
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
    return f"{target}?{urlencode(rest)}" if rest else target
