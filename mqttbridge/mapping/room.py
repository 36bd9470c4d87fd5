"""How much of what the network names may be remembered."""

from __future__ import annotations


class Room:
    """How many more bytes may be kept; shared by all that count against one bound."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left
