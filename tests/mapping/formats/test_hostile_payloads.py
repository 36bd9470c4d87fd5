"""No payload, however it was made, takes more than a few tens of milliseconds or megabytes, and none raises.

Time is not asserted here, since machines differ: the bounds are on the work, and a quadratic one would take hours.
Memory is asserted, since it does not.
"""

import gzip
import tracemalloc
import zlib

import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import Rejected
from mqttbridge.mapping import Rulebook

MIB = 2**20
MAX_MEMORY = 64 * MIB

LAYOUT = {"fields": {"x": {"type": "uint8"}}, "exact": False}
CSV = {"columns": ["a", "b"]}


def sized(piece, size=MIB):
    return (piece * (size // len(piece) + 1))[:size]


PAYLOADS = [
    ("csv", {"csv": CSV}, sized(b"1,2\n")),
    ("csv", {"csv": CSV, "timestamp": "a"}, b"1760000000,1\n" * 5_000),
    ("csv", {"csv": CSV}, sized(b"\n")),
    ("csv", {"csv": CSV}, sized(b'"')),
    ("csv", {"csv": {"header": True}}, sized(b"a,")),
    ("csv", {"csv": {"header": True}}, b",".join(b"c%d" % n for n in range(4_000)) + b"\n" + sized(b"1,", 8_000)),
    ("influx", {}, b"m " + b",".join(b"f%d=1" % n for n in range(9_000))),
    ("influx", {}, b"\n".join(b"m,t=%d f=1" % n for n in range(10_000))),
    ("influx", {}, b"m f=1 1760000000000000000\n" * 10_000),
    ("influx", {}, sized(b"a=b,\\ ")),
    ("influx", {}, b"m," + b",".join(b"t%d=v" % n for n in range(100_000)) + b" f=1"),
    ("cbor", {}, sized(b"\x9f", 128 * 1024)),
    ("cbor", {}, b"\x9a\x00\x01\xff\x00" + b"\x80" * (128 * 1024 - 5)),
    ("cbor", {}, b"\xd9\x01\x00" + b"\x82\xd8\x1c\x80\xd8\x1d\x00" * 10_000),
    ("cbor", {}, b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ("cbor", {}, b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"),
    ("cbor", {}, b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"),
    ("msgpack", {}, b"\xdc\x03\xe8" * 40_000),
    ("msgpack", {}, sized(b"\x91", 128 * 1024)),
    ("msgpack", {}, b"\xdc\x03\xe8" + (b"\xdc\x00\x80" + b"\x90" * 128) * 1000),
    ("hex", {"layout": LAYOUT}, sized(b"0f")),
    ("hex", {"layout": LAYOUT}, sized(b" ")),
    ("struct", {"layout": LAYOUT}, sized(b"\0")),
    ("sparkplug", {}, sized(b"\x12\x00")),
    ("sparkplug", {}, b"\x12\x04\x0a\x00\x50\x01" * 10_000),
    ("sparkplug", {}, b"".join(b"\x12\x08\x0a\x02%2d\x20\x03\x50\x01" % (n % 100) for n in range(10_000))),
    ("sparkplug", {}, b"\x12\xff\xff\xff\x7f"),
    ("sparkplug", {}, sized(b"\x0b")),
    ("boolean", {"boolean": {"true_words": ["x"]}}, sized(b"x")),
]


def apply(payload_format, changes, payload):
    rule = {"topic": "#", "bucket": "b", "stream": "{field}", "format": payload_format, **changes}
    (route,) = Rulebook(Config.model_validate({"rules": [rule]})).routes(b"spBv1.0/G/NBIRTH/N")
    tracemalloc.start()
    result = route.apply(payload, 1_760_000_000.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return result, peak


@pytest.mark.parametrize(("payload_format", "changes", "payload"), PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_payload_asks_for_much(payload_format, changes, payload):
    result, peak = apply(payload_format, changes, payload)

    assert isinstance(result, list | Rejected)
    assert peak < MAX_MEMORY


@pytest.mark.parametrize("payload_format", ["json", "auto", "text", "csv", "influx", "cbor", "msgpack", "sparkplug"])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_no_packed_payload_asks_for_much(payload_format, pack):
    changes = {"compression": "auto"} | ({"csv": CSV} if payload_format == "csv" else {})

    for inner in (bytes(32 * MIB), b"[" * (4 * MIB - 1), b"[{}," * MIB, b"1," * MIB, b"m f=1\n" * 500_000):
        result, peak = apply(payload_format, changes, pack(inner))

        assert isinstance(result, list | Rejected)
        assert peak < MAX_MEMORY
