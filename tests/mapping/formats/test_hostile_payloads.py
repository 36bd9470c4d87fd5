"""No payload, however it was made, takes more than a few tens of milliseconds or megabytes, and none raises.

Time is not asserted here, since machines differ: the bounds are on the work, counted in calls (a call with what is
done in it takes about 0.1 us; benchmarks/mapping_micro.py prints the times), and on memory.
"""

import gzip
import sys
import tracemalloc
import zlib

import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.formats.base import MAX_LINES, MAX_VALUES
from mqttbridge.mapping.payload import MAX_JSON_PARTS
from tests.support import sparkplug_b

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
    ("csv", {"csv": {"header": True}}, b",".join(b"c%d" % n for n in range(3_000)) + b"\n" + sized(b"1,", 8_000)),
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


# --- work ----------------------------------------------------------------------------------------------------------

MS = 1_760_000_000_000


def birth(metrics):
    """Each metric with a time and a unit of its own, which is the most that one can ask for."""
    unit = {"keys": ["engUnit"], "values": [{"type": 12, "string_value": "kW"}]}
    return sparkplug_b.payload(
        *(
            {"name": f"m{n}", "alias": n, "datatype": 10, "double_value": n, "timestamp": MS + n, "properties": unit}
            for n in range(metrics)
        ),
        timestamp=MS,
    )


def calls(payload_format, changes, payload):
    """How many calls, of Python's and of C's functions, a message takes; the same on every machine."""
    rule = {"topic": "#", "bucket": "b", "stream": "{field}", "format": payload_format, **changes}
    (route,) = Rulebook(Config.model_validate({"rules": [rule]})).routes(b"spBv1.0/G/NBIRTH/N")
    count = 0

    def counting(_frame, event, _argument):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counting)
    try:
        route.apply(payload, MS / 1000)
    finally:
        sys.setprofile(None)
    return count


MOST = 400_000


@pytest.mark.parametrize(
    ("payload_format", "make", "most"),
    [
        ("sparkplug", birth, MAX_VALUES),
        ("influx", lambda n: b"\n".join(b"m f=%d,g=1 %d" % (i, (MS + i) * 10**6) for i in range(n)), MAX_VALUES // 2),
        ("influx", lambda n: b"\n".join(b"m,t=%d f=1" % i for i in range(n)), 1_000),
        ("csv", lambda n: b"\n".join(b"%d,2" % (MS // 1000 + i) for i in range(n)), MAX_LINES - 1),
        ("json", lambda n: b"[" + b",".join([b"[]"] * n) + b"]", MAX_JSON_PARTS - 1),
        ("json", lambda n: b"[" + b",".join([b'{"a":1}'] * n) + b',{"a":1,"a":2}]', MAX_JSON_PARTS // 2 - 3),
        ("json", lambda n: b"{" + b",".join(b'"%d":1' % i for i in range(n)) + b"}", 1_000),
    ],
    ids=["births", "lines", "series", "csv", "lists", "objects", "fields"],
)
def test_the_work_for_the_longest_payload_is_bounded_and_in_proportion(payload_format, make, most):
    changes = {"csv": CSV, "timestamp": "a"} if payload_format == "csv" else {}
    half, whole, more = (calls(payload_format, changes, make(n)) for n in (most // 2, most, 2 * most + 10))

    assert whole < MOST
    assert whole < 2.3 * half
    assert more < 1.5 * whole, "beyond the bound it is not even begun"
