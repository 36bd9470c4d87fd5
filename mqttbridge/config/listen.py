"""Where a server listens, as `host:port`."""

from __future__ import annotations


def host_and_port(listen: str) -> str:
    """The same text; ValueError when it is no address to listen at."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected host:port, as in 127.0.0.1:8080 or [::]:8080")
    return listen


def address_in(listen: str) -> tuple[str, int]:
    """Host (without brackets) and port."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
