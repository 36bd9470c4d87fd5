import gzip
import zlib

import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.formats import Compression
from mqttbridge.config.model import Config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.formats.compression import MAX_UNPACKED_BYTES, unpack
from mqttbridge.mapping.unusable import Unusable

TEXT = b'{"temperature": 21.5}'


def deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {Compression.GZIP: gzip.compress, Compression.ZLIB: zlib.compress, Compression.DEFLATE: deflate}


def refusal(payload, compression):
    with pytest.raises(Unusable) as caught:
        unpack(payload, compression)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize("compression", PACKED)
@given(data=st.binary())
def test_what_was_packed_comes_out(compression, data):
    assert unpack(PACKED[compression](data), compression) == data


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZLIB])
def test_auto_knows_gzip_and_zlib_by_their_first_bytes(compression):
    assert unpack(PACKED[compression](TEXT), Compression.AUTO) == TEXT


@pytest.mark.parametrize("payload", [b"", b"x", b"x^2", b"x^2 + y", TEXT, b"\x1f\x8b", deflate(TEXT)])
def test_auto_takes_what_is_not_packed_as_it_is(payload):
    assert unpack(payload, Compression.AUTO) == payload


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize(
    "break_it", [lambda d: d[:-1], lambda d: d[: len(d) // 2], lambda d: d + b"more", lambda _: b""]
)
def test_broken_data_are_refused(compression, break_it):
    reason, _ = refusal(break_it(PACKED[compression](TEXT)), compression)

    assert reason in {Reason.MALFORMED, Reason.EMPTY_PAYLOAD}


@pytest.mark.parametrize("compression", PACKED)
def test_what_is_not_packed_is_refused_where_it_should_be(compression):
    reason, detail = refusal(b"\xff\xfe plain", compression)

    assert reason is Reason.MALFORMED
    assert detail.startswith(f"not {compression}")


@pytest.mark.parametrize("compression", [*PACKED, Compression.AUTO])
def test_a_bomb_does_not_go_off(compression):
    bomb = PACKED.get(compression, gzip.compress)(bytes(64 * 2**20))

    reason, detail = refusal(bomb, compression)

    assert reason is Reason.PAYLOAD_TOO_LARGE
    assert str(MAX_UNPACKED_BYTES) in detail


@pytest.mark.parametrize("compression", list(Compression)[1:])
@given(payload=st.binary(max_size=60) | st.binary(max_size=40).map(lambda data: gzip.compress(data)[:-3]))
def test_whatever_comes_is_unpacked_or_refused(compression, payload):
    try:
        unpack(payload, compression)
    except Unusable as unusable:
        assert unusable.detail  # noqa: PT017  # any other exception is the failure looked for


@pytest.mark.parametrize(
    ("changes", "payload", "event"),
    [
        ({"format": "json"}, TEXT, ("x.temperature", 21.5)),
        ({"format": "auto"}, TEXT, ("x.temperature", 21.5)),
        ({"format": "number"}, b"21.5", ("x", 21.5)),
        ({"format": "csv", "csv": {"columns": ["t"]}}, b"21.5", ("x.t", 21.5)),
        ({"format": "influx"}, b"m t=21.5", ("x.m.t", 21.5)),
    ],
)
def test_every_format_can_be_packed(changes, payload, event):
    rule = {"topic": "t", "bucket": "b", "stream": "x", "compression": "gzip", **changes}
    (route,) = Rulebook(Config.model_validate({"rules": [rule]})).routes(b"t")

    ((_, *found, _),) = route.apply(gzip.compress(payload), 1e9)

    assert tuple(found) == event
    assert isinstance(route.apply(payload, 1e9), Rejected)
