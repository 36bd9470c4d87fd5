"""`msgpack`: one MessagePack object, by msgpack. Its timestamps become epoch seconds; other extensions are refused."""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.flatten import MAX_FIELDS
from mqttbridge.mapping.formats.base import DocumentFormat, load_library, not_empty, unique_object
from mqttbridge.mapping.formats.plain import plain
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.validation import message_of

# A thousand fields take some 30 KiB; the bound is on the work that empty containers make.
MAX_BYTES: Final = 128 * 1024
# Keys that are numbers can be chosen so that a dictionary becomes slow; in a frame this short they cannot do harm.
_MAX_BYTES_WITH_NUMBER_KEYS: Final = 4 * 1024


def msgpack_format(rule: RuleConfig) -> DocumentFormat:  # noqa: ARG001  # nothing to configure
    """The format of a rule."""
    msgpack = load_library("msgpack", "msgpack")

    def parse(payload: bytes) -> Any:
        if len(not_empty(payload)) > MAX_BYTES:
            raise Unusable(Reason.PAYLOAD_TOO_LARGE, f"more than {MAX_BYTES} bytes of MessagePack")
        try:
            document = msgpack.unpackb(
                payload,
                raw=False,
                timestamp=1,
                strict_map_key=len(payload) > _MAX_BYTES_WITH_NUMBER_KEYS,
                object_pairs_hook=unique_object,
                ext_hook=_refuse,
                # The library makes room for what a header claims before it has seen any of it, at each level.
                max_array_len=MAX_FIELDS,
                max_map_len=MAX_FIELDS,
            )
        except Unusable:
            raise
        except Exception as error:  # a library's hundred ways to say no
            raise Unusable(Reason.MALFORMED, f"not MessagePack: {message_of(error)}") from error
        return plain(document)

    return DocumentFormat(parse)


def _refuse(code: int, data: bytes) -> Any:
    raise Unusable(Reason.MALFORMED, f"an extension of type {code} ({len(data)} bytes), which no event can hold")
