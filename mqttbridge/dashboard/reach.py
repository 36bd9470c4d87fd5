"""Who can reach the server at all: this machine alone, or others."""

from __future__ import annotations

import ipaddress

from mqttbridge.config.http import HttpConfig


def refuse_to_start(config: HttpConfig, *, keeps_keys: bool = False) -> str | None:
    """Why the server must not listen at this address, and what to set; None when it may.

    Args:
        config: where it is to listen, and the keys.
        keeps_keys: whether keys can be made on the page: then the first start offers that, and shows nothing before.
    """
    host, _ = config.address
    if not config.enabled or config.write_keys or keeps_keys or is_loopback(host):
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
