"""CBOR and MessagePack: what they share, and where they differ."""

import datetime as dt
import decimal
import subprocess
import sys
import uuid
from pathlib import Path

import cbor2
import msgpack
import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.events import Reason
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.formats import format_of
from mqttbridge.mapping.unusable import Unusable

PACK = {"cbor": cbor2.dumps, "msgpack": msgpack.packb}


def rule(payload_format, **changes):
    plain = {"topic": "t", "bucket": "b", "stream": "{field}", "format": payload_format}
    return Config.model_validate({"rules": [plain | changes]}).rules[0]


@pytest.fixture(params=PACK)
def both(request):
    return request.param


def parsed(payload_format, payload):
    return format_of(rule(payload_format)).parse(payload)


def refusal(payload_format, payload):
    with pytest.raises(Unusable) as caught:
        parsed(payload_format, payload)
    return caught.value.reason, caught.value.detail


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)


@given(document=DOCUMENTS)
def test_what_json_can_hold_comes_out_as_it_went_in(document):
    for payload_format, pack in PACK.items():
        assert parsed(payload_format, pack(document)) == document


def test_bytes_become_hex_and_number_keys_their_digits(both):
    assert parsed(both, PACK[both]({1: b"\x01\xff", "s": [b""], -2: 1.5})) == {"1": "01ff", "s": [""], "-2": 1.5}


def test_two_keys_that_come_out_the_same_are_refused(both):
    assert refusal(both, PACK[both]({1: 1, "1": 2}))[0] is Reason.DUPLICATE_KEYS


@pytest.mark.parametrize(
    ("payload_format", "payload"), [("cbor", b"\xa2\x61a\x01\x61a\x02"), ("msgpack", b"\x82\xa1a\x01\xa1a\x02")]
)
def test_a_key_that_stands_twice_is_refused(payload_format, payload):
    assert refusal(payload_format, payload)[0] is Reason.DUPLICATE_KEYS


def test_nothing_half_a_document_and_more_than_one_are_refused(both):
    whole = PACK[both]({"a": [1, 2]})

    assert refusal(both, b"")[0] is Reason.EMPTY_PAYLOAD
    assert refusal(both, whole[:-1])[0] is Reason.MALFORMED
    assert refusal(both, whole + b"\x01")[0] is Reason.MALFORMED


def test_deep_and_large_documents_are_refused(both):
    deep = 1
    for _ in range(101):
        deep = [deep]

    assert refusal(both, PACK[both](deep))[0] is Reason.MALFORMED
    assert refusal(both, PACK[both]("x" * 200_000))[0] is Reason.PAYLOAD_TOO_LARGE
    assert refusal(both, PACK[both]([[[] for _ in range(900)] for _ in range(20)]))[0] is Reason.TOO_MANY_FIELDS
    assert refusal(both, PACK[both](bytes(1001)))[0] is Reason.TEXT_TOO_LONG


def test_long_messages_take_text_keys_only(both):
    many = dict.fromkeys(range(100), "x" * 100)

    assert refusal(both, PACK[both](many))[0] is Reason.MALFORMED
    assert parsed(both, PACK[both]({str(k): v for k, v in many.items()})) == {str(k): v for k, v in many.items()}


NOON = dt.datetime(2025, 10, 9, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (NOON, "2025-10-09T12:00:00+00:00"),
        (dt.date(2025, 10, 9), "2025-10-09"),
        (decimal.Decimal("21.53"), 21.53),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (2**70, 2**70),
        (cbor2.CBORTag(4711, {"a": 1}), {"a": 1}),
        (cbor2.CBORTag(55799, [1]), [1]),
    ],
)
def test_cbor_tags_for_times_numbers_and_uuids_are_understood(value, document):
    assert parsed("cbor", cbor2.dumps(value, date_as_datetime=False)) == document


@pytest.mark.parametrize("tag", [5, 25, 28, 29, 30, 35, 36, 256, 258, 43000])
def test_cbor_tags_that_share_repeat_or_compile_are_refused(tag):
    payload = cbor2.dumps(cbor2.CBORTag(tag, [1, 2]))

    assert refusal("cbor", payload)[0] is Reason.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [b"\xf7", b"\xf8\x20", b"\xc2\x5a\x00\x00\x10\x00" + b"\xff" * 4096, cbor2.dumps(2**200),
     b"\xc1\xfb\x7f\xf0" + bytes(6),
     b"\xa1\x80\x01", b"\xa1\xf6\x01", b"\xd8\x34\x44\x01\x02\x03\x04", b"\xc4\x82\x1b" + b"\x7f" * 8 + b"\x02"],
)  # fmt: skip
def test_cbor_that_no_event_can_hold_is_refused(payload):
    refusal("cbor", payload)


def test_a_msgpack_timestamp_is_epoch_seconds_and_other_extensions_are_refused():
    assert parsed("msgpack", msgpack.packb({"at": msgpack.Timestamp(1_760_000_000, 500_000_000)})) == {
        "at": 1_760_000_000.5
    }
    assert refusal("msgpack", msgpack.packb(msgpack.ExtType(5, b"x")))[0] is Reason.MALFORMED


@pytest.mark.parametrize(
    "header", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdc\xff\xff", b"\xdb\xff\xff\xff\xff"]
)
def test_msgpack_does_not_make_room_for_what_is_only_claimed(header):
    assert refusal("msgpack", header * 1000)[0] is Reason.MALFORMED


@pytest.mark.parametrize("payload_format", PACK)
@given(payload=st.binary(max_size=50) | DOCUMENTS.map(cbor2.dumps) | DOCUMENTS.map(msgpack.packb))
def test_whatever_comes_is_read_or_refused(payload_format, payload):
    try:
        parsed(payload_format, payload)
    except Unusable as unusable:
        assert unusable.detail  # noqa: PT017  # any other exception is the failure looked for


@pytest.mark.parametrize("number_key", [2**61 - 1, 2**64 - 1])
def test_keys_chosen_to_be_slow_do_no_harm(both, number_key):
    many = dict.fromkeys(range(0, number_key, number_key // 400), 1)

    assert len(parsed(both, PACK[both](many))) >= 400


def test_models_and_timestamps_work_as_for_json(both):
    changes = {"model": "M", "timestamp": "at", "stream": "x.{field}"}
    model = {"t": {"type": "float", "le": 85, "path": "data.t"}}
    config = Config.model_validate(
        {"models": {"M": model}, "rules": [rule(both, **changes).model_dump(by_alias=True, exclude_unset=True)]}
    )
    (route,) = Rulebook(config).routes(b"t")

    assert route.apply(PACK[both]({"data": {"t": 21}, "at": 1_760_000_000}), 1_760_000_001.0) == [
        ("b", "x.t", 21.0, 1_760_000_000.0)
    ]
    assert (
        route.apply(PACK[both]({"data": {"t": 99}, "at": 1_760_000_000}), 1_760_000_001.0).reason is Reason.VALIDATION
    )


@pytest.mark.parametrize(
    ("payload_format", "module"),
    [("cbor", "cbor2"), ("msgpack", "msgpack"), ("sparkplug", "google.protobuf.descriptor_pb2")],
)
def test_a_missing_library_is_a_problem_of_the_configuration_that_says_what_to_do(monkeypatch, payload_format, module):
    monkeypatch.setitem(sys.modules, module, None)
    plain = {"topic": "t", "bucket": "b", "stream": "x", "format": payload_format}

    with pytest.raises(InvalidRules) as caught:
        Rulebook(Config.model_validate({"rules": [plain]}))

    ((loc, what),) = caught.value.problems
    assert loc == ("rules", 0, "format")
    assert f"pip install 'mqttbridge[{payload_format}]'" in what


@pytest.fixture
def _users_module(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    yield
    sys.modules.pop("user_models", None)


@pytest.mark.usefixtures("_users_module")
def test_a_model_of_the_users_own_reads_what_is_not_json(both):
    plain = {"topic": "t", "bucket": "b", "stream": "x", "format": both, "model": "user_models:Rich"}
    document = {
        "at": "2025-10-09T10:53:20+02:00",
        "mode": "heat",
        "level": 1,
        "price": "12.50",
        "lasted": "PT90S",
        "device": "12345678123456781234567812345678",
        "position": {"lat": 1, "lon": 2},
        "track": [],
        "counts": {},
    }
    (route,) = Rulebook(Config.model_validate({"rules": [plain]})).routes(b"t")

    events = {stream: value for _, stream, value, _ in route.apply(PACK[both](document), 1e9)}

    assert (events["x.lasted"], events["x.position.lat"]) == (90.0, 1.0)


def test_nobody_pays_for_a_library_that_no_rule_needs():
    code = (
        "import sys; from mqttbridge.config.model import Config; from mqttbridge.mapping import Rulebook; "
        "Rulebook(Config()); print(sorted({'cbor2', 'msgpack', 'google'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"
