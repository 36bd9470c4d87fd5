"""Origins of other sites, such as `https://home.example.org`, as the configuration names them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

# What may stand in a content security policy: nothing here can end it or add a source to it.
_ORIGIN: Final = re.compile(r"https?://(\*\.)?([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def checked_origin(text: str) -> str:
    """The origin in small letters; ValueError when it is none."""
    origin = text.lower().removesuffix("/")
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("expected an origin, as in https://home.example.org or http://192.168.1.5:8123")
    return origin


def checked_network(text: str) -> str:
    """The same text; ValueError when it is no address or network."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("expected an address or a network, as in 127.0.0.1 or 10.0.0.0/8") from None
    return text
