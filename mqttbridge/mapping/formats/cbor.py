"""`cbor`: one CBOR data item (RFC 8949), by cbor2.

Tags for times, large and decimal numbers and UUIDs are understood, an unknown tag's value is taken as it is.
Tags that make a decoder share, repeat or compile parts of the message are refused: they are how a few bytes become
gigabytes or minutes.
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.config.rules import RuleConfig
from mqttbridge.events import Reason
from mqttbridge.mapping.formats.base import DocumentFormat, load_library, not_empty
from mqttbridge.mapping.formats.plain import MAX_DEPTH, plain
from mqttbridge.mapping.unusable import Unusable
from mqttbridge.mapping.validation import message_of

# A thousand fields take some 30 KiB; decoding 128 KiB of empty containers takes about 25 ms.
MAX_BYTES: Final = 128 * 1024
# Keys that are numbers can be chosen so that a dictionary becomes slow; in a frame this short they cannot do harm.
_MAX_BYTES_WITH_NUMBER_KEYS: Final = 4 * 1024

# Bigfloats and rationals (5, 30: an exponent may ask for gigabytes), references (25, 28, 29, 256), patterns and
# MIME (35, 36: the library would compile and parse them), sets and complex numbers.
_REFUSED_TAGS: Final = (5, 25, 28, 29, 30, 35, 36, 256, 258, 43000)

# A message is read as the first of two items, so that the second shows whether anything follows the first.
_TWO_ITEMS: Final = b"\x82"
_END: Final = "end of the message"
_ENCODED_END: Final = bytes([0x60 + len(_END)]) + _END.encode()


def cbor_format(rule: RuleConfig) -> DocumentFormat:  # noqa: ARG001  # nothing to configure
    """The format of a rule."""
    cbor2 = load_library("cbor2", "cbor")
    options: dict[str, Any] = {
        "max_depth": MAX_DEPTH + 1,
        "allow_duplicate_keys": False,
        "semantic_decoders": dict.fromkeys(_REFUSED_TAGS, _refuse),
        "tag_hook": _untagged,
    }

    def parse(payload: bytes) -> Any:
        if len(not_empty(payload)) > MAX_BYTES:
            raise Unusable(Reason.PAYLOAD_TOO_LARGE, f"more than {MAX_BYTES} bytes of CBOR")
        few = len(payload) <= _MAX_BYTES_WITH_NUMBER_KEYS
        try:
            document, end = cbor2.loads(_TWO_ITEMS + payload + _ENCODED_END, strict_hashable_types=not few, **options)
        except Exception as error:  # a library's hundred ways to say no
            raise _unusable(error) from error
        if end != _END:
            raise Unusable(Reason.MALFORMED, "not CBOR: bytes after the data item")
        return plain(document)

    return DocumentFormat(parse)


def _unusable(error: Exception) -> Unusable:
    text = message_of(error.__cause__ if isinstance(error.__cause__, Exception) else error).partition(": ")[2]
    reason = Reason.DUPLICATE_KEYS if "Duplicate map key" in f"{text} {error}" else Reason.MALFORMED
    return Unusable(reason, f"not CBOR: {text or error}")


def _refuse(*_: object) -> Any:
    raise ValueError("a tag that is not taken: references, rationals, bigfloats, patterns, MIME, sets")


def _untagged(*arguments: Any) -> Any:
    """A tag's value, wherever among the arguments this version of the library passes the tag."""
    return next(argument.value for argument in arguments if hasattr(argument, "tag"))
