"""Finding a loopback port to listen at."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

_TRIES: Final = 100


def free_port() -> int:
    """A loopback port nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def next_free_port(wanted: int, is_free: Callable[[int], bool] | None = None) -> int:
    """The first port from `wanted` on that is free; any free one for 0, or when all tried are taken."""
    is_free = is_free or _is_free
    ports = range(wanted, min(wanted + _TRIES, 65_536)) if wanted else ()
    return next((port for port in ports if is_free(port)), None) or free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that a port whose last connections linger counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
