"""From which page a browser sends a request, by the headers that no page can set."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from mqttbridge.dashboard.reach import is_loopback


def from_our_page(request: Request) -> bool:
    """Whether a browser sends this from our own page, or a program sends it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    # By host and port: behind a proxy that ends TLS the page's scheme is another than ours.
    return origin is None or origin.lower().partition("://")[2] == request.headers.get("host", "").lower()


def from_this_machine(request: Request, own_host: str, *, page: bool) -> bool:
    """Whether this came by a name of this machine, and not from another site's page.

    Args:
        request: what came.
        own_host: the one that the server listens at.
        page: whether a page is asked for: those may be linked to from anywhere.
    """
    host = request.headers.get("host")
    if host is not None and not _is_ours(host, own_host):
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none") or (page and request.headers.get("sec-fetch-mode") == "navigate")
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{host}"


def _is_ours(host: str, own_host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == own_host or is_loopback(name)
