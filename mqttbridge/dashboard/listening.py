"""Binding an address, with an error that says what to do when it cannot be had."""

from __future__ import annotations

import errno
import socket
from typing import Final

from mqttbridge.config.listen import address_in
from mqttbridge.errors import ListenError

_WHY: Final = {
    errno.EADDRINUSE: "another program (perhaps another mqttbridge) uses this port; stop it or set {key}",
    errno.EADDRNOTAVAIL: "this machine has no such address; set {key} to one it has, or to 0.0.0.0",
    errno.EACCES: "ports below 1024 need privileges; set {key} to a higher one",
}


def listening_socket(key: str, listen: str) -> socket.socket:
    """A bound socket; it listens once a server has it.

    Args:
        key: which setting the address is, for the error.
        listen: host and port; port 0 takes any free one.

    Raises:
        ListenError: the address cannot be had; the text says why and what to do.
    """
    host, port = address_in(listen)
    listener: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # [::] serves IPv4 as well
        listener.bind(address)
    except OSError as error:
        if listener is not None:
            listener.close()
        why = _WHY.get(error.errno or 0, f"{error.strerror or error}").format(key=key)
        raise ListenError(f"cannot listen on {listen}: {why}") from error
    return listener
