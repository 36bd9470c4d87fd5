"""How much of what the network names may be remembered."""

from __future__ import annotations

from mqttbridge.mapping.memory import Memory


class Room:
    """How many more bytes may be kept; shared by all that count against one bound.

    Attributes:
        memory: what of it outlives the process.
    """

    __slots__ = ("left", "memory")

    def __init__(self, left: int, memory: Memory | None = None) -> None:
        self.left = left
        self.memory = memory or Memory()
