"""Addresses on the web that somebody may send to: as a whole, and their origins."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address as one text; None for anything that is not plainly one."""
    if any(character.isspace() or character == "\\" or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in (None, 443 if scheme == "https" else 80) else f"{scheme}://{shown}:{port}"


def checked_web_address(url: str) -> str:
    """The same text; ValueError when it is no plain http or https address."""
    if origin_of(url) is None:
        raise ValueError("expected http:// or https:// and a host, without user and password")
    return url


def _origin(url: str) -> str:
    if url == "*":
        return url
    found = origin_of(url)
    if found is None or urlsplit(url).path not in ("", "/"):
        raise ValueError("expected an origin such as https://ntfy.sh, or '*' for any")
    return found


WebAddress = Annotated[str, Field(max_length=2000), AfterValidator(checked_web_address)]
Origin = Annotated[str, AfterValidator(_origin)]
