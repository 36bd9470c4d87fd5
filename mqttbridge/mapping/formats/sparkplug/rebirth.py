"""What the bridge itself writes of Sparkplug: births to hear again after a restart, and the order to be born.

A birth that is kept declares what the real one did, and has no values, times or sequence number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mqttbridge.mapping.formats.sparkplug.schema import Schema
from mqttbridge.mapping.formats.sparkplug.sessions import Birth, Node
from mqttbridge.mapping.formats.sparkplug.values import DataType

BD_SEQ: Final = "bdSeq"
# 100,000 metrics. Births beyond it are heard again when they are born again.
_MAX_BYTES: Final = 4 * 2**20

_VARINT, _BYTES = 0, 2


def kept_births(schema: Schema, nodes: Iterable[Node]) -> dict[str, bytes]:
    """Births by topic, a node's before its devices'."""
    births: dict[str, bytes] = {}
    left = _MAX_BYTES
    for node in nodes:
        for device, birth in node.births.items():
            bd_seq = node.bd_seq if not device else None
            births[birth.topic] = kept = _kept_birth(schema, birth, bd_seq)
            left -= len(kept)
            if left < 0:
                del births[birth.topic]
                return births
    return births


def _kept_birth(schema: Schema, birth: Birth, bd_seq: int | None) -> bytes:
    aliases = {declared.name: alias for alias, declared in birth.by_alias.items()}
    payload = schema.payload()
    for name, declared in birth.by_name.items():
        metric: Any = schema.metric(name=name, datatype=declared.datatype, is_null=True)
        if (alias := aliases.get(name)) is not None:
            metric.alias = alias
        if name == BD_SEQ and bd_seq is not None:
            metric.is_null, metric.long_value = False, bd_seq
        payload.metrics.append(metric.SerializeToString())
    encoded: bytes = payload.SerializeToString()
    return encoded


def rebirth_order(milliseconds: int) -> bytes:
    """The payload of an NCMD that has a node send its births again, and its devices' (section 6.4.26).

    Written out by hand, since protobuf is an extra and this is all there is to write.
    """
    metric = (
        _field(1, b"Node Control/Rebirth") + _field(3, milliseconds) + _field(4, int(DataType.BOOLEAN)) + _field(14, 1)
    )
    return _field(1, milliseconds) + _field(2, metric)


def _field(number: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3 | _VARINT) + _varint(content)
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
