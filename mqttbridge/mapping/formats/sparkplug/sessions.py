"""What edge nodes have said of themselves: the births that give aliases their names and metrics their types.

This is all that the format remembers. It comes from births alone, is kept across restarts as births that declare the
same and hold no values, and is bounded: past the bound, the node born longest ago is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mqttbridge.mapping.formats.base import Gaps

# A hundred nodes of a thousand metrics each take some 30 MiB.
MAX_KEPT_BYTES: Final = 64 * 2**20
_METRIC_BYTES: Final = 250
_NODE_BYTES: Final = 1_000

# `seq` counts from 0 to 255 and begins again.
_SEQUENCE: Final = 256

NodeKey = tuple[str, str]


class Declared(NamedTuple):
    """What a birth says of a metric."""

    name: str
    datatype: int


@dataclass(slots=True)
class Birth:
    """The metrics of one node or device. `topic` is where it was heard."""

    topic: str = ""
    by_alias: dict[int, Declared] = field(default_factory=dict)
    by_name: dict[str, Declared] = field(default_factory=dict)

    def declare(self, name: str, datatype: int, alias: int | None) -> None:
        """Note a metric."""
        self.by_name[name] = declared = Declared(name, datatype)
        if alias is not None:
            self.by_alias[alias] = declared

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(_METRIC_BYTES + len(name) for name in self.by_name)


@dataclass(slots=True)
class Node:
    """An edge node since its last birth.

    Attributes:
        births: by device; the node's own under "".
        bd_seq: number of its session, which its death certificate repeats; None when it gave none.
        seq: of its last message; None before the first.
        size: about how many bytes it takes.
    """

    births: dict[str, Birth] = field(default_factory=dict)
    bd_seq: int | None = None
    seq: int | None = None
    size: int = _NODE_BYTES


class Sessions:
    """The edge nodes of one rule."""

    def __init__(self, gaps: Gaps) -> None:
        self._gaps = gaps
        self._nodes: dict[NodeKey, Node] = {}
        self._left = MAX_KEPT_BYTES
        self.changes = 0
        """How often what is known has changed."""

    def __iter__(self) -> Iterator[Node]:
        """The nodes, those born longest ago first."""
        return iter(self._nodes.values())

    def node(self, key: NodeKey) -> Node | None:
        """An edge node that was born."""
        return self._nodes.get(key)

    def node_born(self, key: NodeKey, birth: Birth, bd_seq: int | None) -> None:
        """A node's birth ends what was before, its devices' births too."""
        self.forget(key)
        self._nodes[key] = Node(bd_seq=bd_seq)
        self._left -= _NODE_BYTES
        self.device_born(key, "", birth)

    def device_born(self, key: NodeKey, device: str, birth: Birth) -> None:
        """A device's birth. Its node's may have come before the bridge did."""
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node()
            self._left -= _NODE_BYTES
        self.device_died(key, device)
        self.changes += 1
        node.births[device] = birth
        node.size += birth.size
        self._left -= birth.size
        while self._left < 0 and len(self._nodes) > 1:
            self.forget(next(other for other in self._nodes if other != key))

    def device_died(self, key: NodeKey, device: str) -> None:
        """Nothing more is known of the device until it is born again."""
        node = self._nodes.get(key)
        if node is not None and (birth := node.births.pop(device, None)) is not None:
            self.changes += 1
            node.size -= birth.size
            self._left += birth.size

    def forget(self, key: NodeKey) -> None:
        """Nothing more is known of the node and its devices until they are born again."""
        if (node := self._nodes.pop(key, None)) is not None:
            self.changes += 1
            self._left += node.size

    def follow(self, key: NodeKey, seq: int) -> bool:
        """Note a message's sequence number; count a gap, and say so, when it is not the one after the last."""
        node = self._nodes.get(key)
        if node is None:
            return True
        last, node.seq = node.seq, seq
        # The last number again is the last message again: delivery at QoS 1 may repeat.
        if last is None or seq in {last, (last + 1) % _SEQUENCE}:
            return True
        self._gaps.found(f"{'/'.join(key)}: seq {seq} came after {last}")
        return False
