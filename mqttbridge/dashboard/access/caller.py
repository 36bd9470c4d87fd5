"""What a request shows of who sends it: keys in headers and parameters, cookies, a share link."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request

from mqttbridge.dashboard.access.keys import Key, Role
from mqttbridge.dashboard.access.links import Link

COOKIE: Final = "mqttbridge_session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    Attributes:
        keys: those that stand in the request itself, which no other site's page can make a browser send.
        session: the key behind the page's cookie, which a browser adds by itself.
        link: the share link of the bucket that is asked for.
        showed: whether there was anything at all, known or not.
        wrong: whether a key stands in the request that is not known.
    """

    keys: tuple[Key, ...] = ()
    session: Key | None = None
    link: Link | None = None
    showed: bool = False
    wrong: bool = False

    def has(self, *roles: Role) -> bool:
        """Whether one of its keys, the session's included, has one of these roles."""
        return self.has_key(*roles) or (self.session is not None and self.session.role in roles)

    def has_key(self, *roles: Role) -> bool:
        """Whether a key that stands in the request has one of these roles."""
        return any(key.role in roles for key in self.keys)


def secrets_in(request: Request) -> Iterator[str]:
    """Keys that stand in the request: Bearer, or as the Events and Read APIs have it."""
    if bearer := bearer_of(request):
        yield bearer
    if key := access_key_of(request):
        yield key


def bearer_of(request: Request) -> str | None:
    """The token of `Authorization: Bearer`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def access_key_of(request: Request) -> str | None:
    """The access key of the Events and Read APIs: a header or a parameter."""
    return request.headers.get("x-is-accesskey") or request.query_params.get("accessKey")


def cookie_of(request: Request, name: str = COOKIE) -> str | None:
    """What a cookie holds."""
    return unquote(request.cookies.get(name, "")) or None


def address_of(request: Request, proxies: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> str:
    """Where a request comes from: the peer's address, or what trusted proxies say of who is behind them."""
    peer = request.client.host if request.client is not None else ""
    if not proxies:
        return peer
    named = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    # Each proxy adds at the end, so what stands before the first that is none of ours could be anybody's word.
    for address in (peer, *(one.strip() for one in reversed(named))):
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return peer
        if not any(parsed in network for network in proxies):
            return address
    return peer
