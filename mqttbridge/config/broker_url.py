"""Where the broker is, as one URL; what others write instead is recognised."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_SCHEMES: Final = ("mqtt", "mqtts", "ws", "wss", "unix")
# How other clients call the same.
_OTHER_SCHEMES: Final = {
    **dict.fromkeys(("tcp", "mqtt+tcp", "mqtt5", "mqtt3", "mqtt-tcp"), "mqtt"),
    **dict.fromkeys(("ssl", "tls", "tcps", "mqtt+ssl", "mqtt+tls", "mqttssl"), "mqtts"),
    "mqtt+ws": "ws",
    "mqtt+wss": "wss",
}
# Ports where TLS is spoken by habit.
_TLS_PORTS: Final = frozenset({"8883", "8884", "8886"})
_ADDRESS: Final = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?")


def checked_broker_url(url: str) -> str:
    """The URL as it was given.

    Raises:
        ValueError: it is no broker's; says what to write instead where that can be guessed.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or "://" not in url:
        raise ValueError(f"expected mqtt://, mqtts://, ws://, wss:// or unix:// and a host{_guess(url, parts)}")
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("expected unix:///path/to/socket")
        return url
    if not parts.hostname:
        raise ValueError("the host is missing, as in mqtt://localhost:1883")
    _ = parts.port  # raises ValueError when it is not a port
    if parts.username or parts.password:
        raise ValueError("put the user name and password into mqtt.username and mqtt.password, not the URL")
    if parts.query or parts.fragment:
        raise ValueError("what stands after the address has no meaning here: leave '?' and '#' out")
    if parts.scheme in {"mqtt", "mqtts"} and parts.path not in {"", "/"}:
        raise ValueError(f"{parts.scheme}:// has no path: leave out what follows the host and port")
    return url


def _guess(url: str, parts: SplitResult) -> str:
    """What may have been meant. Never quotes a user name or password: only an address alone is repeated."""
    scheme, _, rest = url.partition("://") if "://" in url else ("", "", url)
    address = _ADDRESS.fullmatch(rest)
    if not scheme and address is not None:
        meant = "mqtts" if address["port"] in _TLS_PORTS else "mqtt"
    elif (meant := _OTHER_SCHEMES.get(parts.scheme, "")) == "":
        return ""
    return f"; did you mean {meant}://{rest.rstrip('/')}?" if address is not None else f"; did you mean {meant}://...?"
