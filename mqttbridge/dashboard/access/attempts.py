"""How often one may guess a key: so often an address, then a wait, in bounded memory.

A device that has used its key from an address goes on from there while another at the same address guesses: a
forgotten key in one sensor must not silence the house. Whoever guesses does not get on by it.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BURST: Final = 10
INTERVAL_SECONDS: Final = 6.0
MAX_ADDRESSES: Final = 4096
# One who has a /64, as every home with IPv6 does, has as many addresses as they like.
_IPV6_PREFIX: Final = 64


class Attempts:
    """Wrong keys by client address: BURST at once, then one each INTERVAL_SECONDS. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When the address will have waited for all that it guessed; the least recently wrong first.
        self._free_at: OrderedDict[str, float] = OrderedDict()
        self._good: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait(self, address: str) -> int:
        """Whole seconds until this address may try again; 0 when it may."""
        ahead = self._free_at.get(address, 0.0) - self._clock()
        return max(0, math.ceil(ahead - (BURST - 1) * INTERVAL_SECONDS))

    def failed(self, address: str) -> None:
        """A key from there was wrong."""
        now = self._clock()
        self._free_at[address] = max(self._free_at.pop(address, now), now) + INTERVAL_SECONDS
        if len(self._free_at) > MAX_ADDRESSES:
            self._free_at.popitem(last=False)

    def succeeded(self, address: str, name: str) -> None:
        """The key of this name was used from there."""
        self._good[address, name] = None
        self._good.move_to_end((address, name))
        if len(self._good) > MAX_ADDRESSES:
            self._good.popitem(last=False)

    def is_used_from(self, address: str, name: str) -> bool:
        """Whether the key of this name was used from there of late."""
        return (address, name) in self._good


def network_of(host: str) -> str:
    """What counts as one address: an IPv4 one, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
