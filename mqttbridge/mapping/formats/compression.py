"""Packed payloads: gzip, zlib, deflate; what comes out is bounded, so no bomb goes off.

`auto` goes by the first bytes. gzip's are never those of a text; zlib's may be (`x^2`), so what begins like zlib
and is none is taken as it is.
"""

from __future__ import annotations

import zlib
from typing import Final

from mqttbridge.config.formats import Compression
from mqttbridge.events import Reason
from mqttbridge.mapping.formats.base import not_empty
from mqttbridge.mapping.payload import Parser
from mqttbridge.mapping.unusable import Unusable

# Twice mqtt.max_payload's default: the worst JSON of this size is parsed in 50 ms.
MAX_UNPACKED_BYTES: Final = 2 * 2**20

_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_WINDOW_BITS: Final = {
    Compression.GZIP: zlib.MAX_WBITS | 16,
    Compression.ZLIB: zlib.MAX_WBITS,
    Compression.DEFLATE: -zlib.MAX_WBITS,
}


def unpack(payload: bytes, compression: Compression) -> bytes:
    """The payload as it was before it was packed.

    Raises:
        Unusable: not packed that way, cut off, or too large unpacked.
    """
    if compression is Compression.AUTO:
        return _unpack_by_magic(payload)
    unpacker = zlib.decompressobj(_WINDOW_BITS[compression])
    try:
        unpacked = unpacker.decompress(not_empty(payload), MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise Unusable(Reason.MALFORMED, f"not {compression}: {error}") from None
    if unpacker.eof:
        if unpacker.unused_data:
            raise Unusable(Reason.MALFORMED, f"{len(unpacker.unused_data)} bytes after the {compression} data")
        return unpacked
    if len(unpacked) >= MAX_UNPACKED_BYTES:
        raise Unusable(Reason.PAYLOAD_TOO_LARGE, f"more than {MAX_UNPACKED_BYTES} bytes when unpacked")
    raise Unusable(Reason.MALFORMED, f"the {compression} data is cut off")


def _unpack_by_magic(payload: bytes) -> bytes:
    if payload.startswith(_GZIP_MAGIC):
        return unpack(payload, Compression.GZIP)
    # RFC 1950: deflate with the largest window, and a check that makes the first two bytes a multiple of 31.
    if len(payload) > 2 and payload[0] == 0x78 and int.from_bytes(payload[:2]) % 31 == 0:
        try:
            return unpack(payload, Compression.ZLIB)
        except Unusable as unusable:
            if unusable.reason is Reason.PAYLOAD_TOO_LARGE:
                raise
    return payload


def unpacking(parse: Parser, compression: Compression) -> Parser:
    """A parser of packed payloads; the parser itself where nothing is packed."""
    if compression is Compression.NONE:
        return parse
    return lambda payload: parse(unpack(payload, compression))
