import gzip
import struct
import zlib

import pytest
from hypothesis import given, strategies as st

from mqttbridge.config.model import Config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import InvalidRules, Rulebook
from mqttbridge.mapping.formats.base import MAX_VALUES, Gaps
from mqttbridge.mapping.formats.sparkplug import rebirth, sessions
from mqttbridge.mapping.formats.sparkplug.schema import load_schema
from mqttbridge.mapping.formats.sparkplug.sessions import Birth, Sessions
from mqttbridge.mapping.formats.sparkplug.values import DataType
from tests.support import sparkplug_b as b
from tests.support.sparkplug_b import payload

NOW = 1_760_000_000.0
MS = 1_760_000_000_000


def rulebook(**changes):
    rule = {"topic": "spBv1.0/#", "format": "sparkplug", "bucket": "{group}", "stream": "{origin}"}
    return Rulebook(Config.model_validate({"rules": [rule | changes]}))


def apply(book, topic, data):
    (route,) = book.routes(f"spBv1.0/{topic}".encode())
    result = route.apply(data, NOW)
    if isinstance(result, Rejected):
        return result.reason, result.detail
    return {(stream, epoch): value for _, stream, value, epoch in result}


def values(book, topic, data):
    result = apply(book, topic, data)
    assert isinstance(result, dict), result
    return {stream: value for (stream, _), value in result.items()}


BIRTH = payload(
    {"name": "bdSeq", "datatype": DataType.INT64, "long_value": 4},
    {"name": "Node Control/Rebirth", "datatype": DataType.BOOLEAN, "boolean_value": False},
    {"name": "Line/Speed", "alias": 0, "datatype": DataType.INT16, "int_value": 7},
    {"name": "Running", "alias": 1, "datatype": DataType.BOOLEAN, "boolean_value": True},
    timestamp=MS,
    seq=0,
)
DEVICE_BIRTH = payload({"name": "T", "alias": 7, "datatype": DataType.FLOAT, "float_value": 1.5}, timestamp=MS, seq=1)


@pytest.fixture
def born():
    book = rulebook()
    apply(book, "G/NBIRTH/N", BIRTH)
    apply(book, "G/DBIRTH/N/D", DEVICE_BIRTH)
    return book


def test_a_birth_gives_the_metrics_values_and_says_that_the_node_is_online():
    assert values(rulebook(), "G/NBIRTH/N", BIRTH) == {"N.online": True, "N.Line.Speed": 7, "N.Running": True}


def test_data_are_read_by_the_aliases_and_types_of_the_birth(born):
    data = payload({"alias": 0, "int_value": 0xFFFF_FFF9, "timestamp": MS + 500}, timestamp=MS + 900, seq=2)

    assert apply(born, "G/NDATA/N", data) == {("N.Line.Speed", NOW + 0.5): -7}


def test_a_metric_without_a_time_has_that_of_its_payload(born):
    data = payload({"alias": 7, "float_value": 2.5}, timestamp=MS + 900, seq=2)

    assert apply(born, "G/DDATA/N/D", data) == {("N.D.T", NOW + 0.9): 2.5}


def test_data_may_name_their_metrics_and_then_need_no_birth():
    data = payload({"name": "A/B", "datatype": DataType.STRING, "string_value": "x"}, timestamp=MS)

    assert values(rulebook(), "G/DDATA/N/D", data) == {"N.D.A.B": "x"}


@pytest.mark.parametrize(
    ("metric", "detail"),
    [
        ({"alias": 0, "int_value": 1}, "no birth seen that declares the metric with alias 0"),
        ({"name": "Line/Speed", "int_value": 1}, "no birth seen that says the type of Line/Speed"),
        ({"int_value": 1}, "no birth seen that declares the metric with alias None"),
    ],
)
def test_data_before_their_birth_are_rejected(metric, detail):
    assert apply(rulebook(), "G/NDATA/N", payload(metric, timestamp=MS, seq=3)) == (Reason.NO_BIRTH, detail)


def test_an_alias_of_one_device_says_nothing_of_another(born):
    data = payload({"alias": 7, "float_value": 2.5}, timestamp=MS)

    assert apply(born, "G/DDATA/N/E", data)[0] is Reason.NO_BIRTH
    assert apply(born, "G/DDATA/M/D", data)[0] is Reason.NO_BIRTH


def test_a_new_birth_ends_what_the_old_one_declared(born):
    apply(born, "G/NBIRTH/N", payload({"name": "Only", "alias": 9, "datatype": 1, "int_value": 1}, timestamp=MS, seq=0))

    assert apply(born, "G/NDATA/N", payload({"alias": 0, "int_value": 1}))[0] is Reason.NO_BIRTH
    assert apply(born, "G/DDATA/N/D", payload({"alias": 7, "float_value": 1}))[0] is Reason.NO_BIRTH
    assert values(born, "G/NDATA/N", payload({"alias": 9, "int_value": 0xFF})) == {"N.Only": -1}


def test_a_birth_is_remembered_though_its_values_cannot_be_stored():
    book = rulebook()
    birth = payload({"name": "T", "alias": 1, "datatype": DataType.DOUBLE, "double_value": float("nan")}, timestamp=MS)

    assert apply(book, "G/NBIRTH/N", birth)[0] is Reason.NOT_FINITE
    assert values(book, "G/NDATA/N", payload({"alias": 1, "double_value": 2})) == {"N.T": 2}


def test_a_birth_declares_what_it_can_though_one_of_its_metrics_cannot_be_read():
    book = rulebook()
    odd = {"name": "odd", "alias": 1, "datatype": 99, "int_value": 1}
    good = {"name": "T", "alias": 2, "datatype": DataType.INT32, "int_value": 1}

    assert apply(book, "G/NBIRTH/N", payload(odd, good, timestamp=MS, seq=0))[0] is Reason.MALFORMED
    assert values(book, "G/NDATA/N", payload({"alias": 2, "int_value": 2}, seq=1)) == {"N.T": 2}
    assert book.gaps.count == 0


def test_a_device_that_died_must_be_born_again(born):
    assert apply(born, "G/DDEATH/N/D", payload(timestamp=MS + 1, seq=2)) == {("N.D.online", NOW + 0.001): False}
    assert apply(born, "G/DDATA/N/D", payload({"alias": 7, "float_value": 1}))[0] is Reason.NO_BIRTH


def test_a_nodes_death_is_its_devices_too_and_its_time_is_the_arrival(born):
    death = payload({"name": "bdSeq", "datatype": DataType.INT64, "long_value": 4}, timestamp=MS - 10_000)

    assert apply(born, "G/NDEATH/N", death) == {("N.online", NOW): False, ("N.D.online", NOW): False}


def test_the_death_of_a_session_that_is_over_is_rejected(born):
    death = payload({"name": "bdSeq", "datatype": DataType.INT64, "long_value": 3})

    assert apply(born, "G/NDEATH/N", death) == (
        Reason.NO_BIRTH,
        "the death of session 3, but the node was born as 4",
    )
    assert values(born, "G/NDATA/N", payload({"alias": 0, "int_value": 1})) == {"N.Line.Speed": 1}


def test_null_makes_no_event_and_orders_make_none(born):
    data = payload({"alias": 0, "is_null": True}, {"alias": 1, "boolean_value": False}, timestamp=MS)

    assert values(born, "G/NDATA/N", data) == {"N.Running": False}
    assert apply(born, "G/NDATA/N", payload({"alias": 0, "is_null": True}, timestamp=MS)) == {}
    assert apply(born, "G/NCMD/N", b"anything") == {}


def test_historical_metrics_keep_their_times_and_two_values_of_a_time_stay_two(born):
    data = payload(
        {"alias": 0, "int_value": 1, "timestamp": MS - 60_000, "is_historical": True},
        {"alias": 0, "int_value": 2, "timestamp": MS - 30_000, "is_historical": True},
        {"alias": 0, "int_value": 3, "timestamp": MS},
        {"alias": 0, "int_value": 4, "timestamp": MS},
        timestamp=MS,
    )

    result = apply(born, "G/NDATA/N", data)

    assert list(result.values()) == [1, 2, 3, 4]
    assert [round(epoch - NOW, 6) for _, epoch in result] == [-60, -30, 0, 0.000001]


def test_units_come_from_the_births_properties():
    book = rulebook()
    unit = {
        "keys": ["engLow", "engUnit"],
        "values": [{"type": 9, "float_value": 0}, {"type": 12, "string_value": "°C"}],
    }
    birth = payload({"name": "T", "datatype": DataType.FLOAT, "float_value": 1, "properties": unit}, timestamp=MS)
    (route,) = book.routes(b"spBv1.0/G/DBIRTH/N/D")
    route.apply(birth, NOW)

    assert route.new_units == {("G", "N.D.T"): "°C"}


def test_templates_come_apart_and_definitions_are_passed_over(born):
    motor = {"name": "Motor", "alias": 3, "datatype": DataType.TEMPLATE}
    members = [
        {"name": "RPM", "datatype": DataType.INT32, "int_value": 900},
        {"name": "Fan", "datatype": DataType.TEMPLATE,
         "template_value": {"metrics": [{"name": "On", "datatype": DataType.BOOLEAN, "boolean_value": True}]}},
    ]  # fmt: skip
    definition = {"name": "_types_/Motor", "datatype": DataType.TEMPLATE,
                  "template_value": {"is_definition": True, "metrics": members}}  # fmt: skip
    birth = payload(definition, motor | {"template_value": {"template_ref": "Motor", "metrics": members}}, timestamp=MS)

    assert values(born, "G/NBIRTH/N", birth) == {"N.online": True, "N.Motor.RPM": 900, "N.Motor.Fan.On": True}
    data = payload({"alias": 3, "template_value": {"metrics": [{"name": "RPM", "int_value": 901}]}}, timestamp=MS)
    assert values(born, "G/NDATA/N", data) == {"N.Motor.RPM": 901}


def test_a_data_set_becomes_a_list_of_rows():
    rows = [{"elements": [{"int_value": n}, {"string_value": f"r{n}"}]} for n in range(2)]
    dataset = {"num_of_columns": 2, "columns": ["n", "s"], "types": [DataType.UINT8, DataType.STRING], "rows": rows}
    data = payload({"name": "DS", "datatype": DataType.DATASET, "dataset_value": dataset}, timestamp=MS)

    assert values(rulebook(), "G/NDATA/N", data) == {
        "N.DS.0.n": 0, "N.DS.0.s": "r0", "N.DS.1.n": 1, "N.DS.1.s": "r1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("datatype", "member", "value"),
    [
        (DataType.INT8, {"int_value": 0xFFFF_FF80}, -128),
        (DataType.INT8, {"int_value": 0x80}, -128),
        (DataType.INT16, {"int_value": 0x7FFF}, 32767),
        (DataType.INT32, {"int_value": 0xFFFF_FFFF}, -1),
        (DataType.INT64, {"long_value": 2**64 - 2**63}, -(2**63)),
        (DataType.UINT8, {"int_value": 255}, 255),
        (DataType.UINT16, {"int_value": 65535}, 65535),
        (DataType.UINT32, {"int_value": 2**32 - 1}, 2**32 - 1),
        (DataType.UINT32, {"long_value": 2**32 - 1}, 2**32 - 1),
        (DataType.UINT64, {"long_value": 2**63 - 1}, 2**63 - 1),
        (DataType.FLOAT, {"float_value": 0.5}, 0.5),
        (DataType.DOUBLE, {"double_value": 1e300}, 1e300),
        (DataType.BOOLEAN, {"boolean_value": False}, False),
        (DataType.STRING, {"string_value": "Ø"}, "Ø"),
        (DataType.TEXT, {"string_value": "t"}, "t"),
        (DataType.UUID, {"string_value": "u"}, "u"),
        (DataType.DATETIME, {"long_value": MS + 1}, "2025-10-09T08:53:20.001000+00:00"),
        (DataType.BYTES, {"bytes_value": b"\x01\xff"}, "01ff"),
        (DataType.FILE, {"bytes_value": b"ab"}, "6162"),
    ],
)
def test_each_data_type_is_read(datatype, member, value):
    data = payload({"name": "m", "datatype": datatype, **member}, timestamp=MS)

    found = values(rulebook(), "G/NDATA/N", data)

    assert found == {"N.m": value}
    assert type(found["N.m"]) is type(value)


@pytest.mark.parametrize(
    ("datatype", "data", "items"),
    [
        (DataType.INT8_ARRAY, b"\xff\x01", [-1, 1]),
        (DataType.INT16_ARRAY, struct.pack("<2h", -2, 3), [-2, 3]),
        (DataType.INT32_ARRAY, struct.pack("<i", -4), [-4]),
        (DataType.INT64_ARRAY, struct.pack("<q", -5), [-5]),
        (DataType.UINT8_ARRAY, b"\xff", [255]),
        (DataType.UINT16_ARRAY, b"\x01\x02", [513]),
        (DataType.UINT32_ARRAY, struct.pack("<I", 9), [9]),
        (DataType.UINT64_ARRAY, struct.pack("<Q", 10), [10]),
        (DataType.FLOAT_ARRAY, struct.pack("<2f", 0.5, 1), [0.5, 1.0]),
        (DataType.DOUBLE_ARRAY, struct.pack("<d", 0.1), [0.1]),
        (DataType.BOOLEAN_ARRAY, b"\x03\x00\x00\x00\xa0", [True, False, True]),
        (DataType.STRING_ARRAY, b"ab\x00c\x00", ["ab", "c"]),
        (DataType.DATETIME_ARRAY, struct.pack("<q", MS), ["2025-10-09T08:53:20+00:00"]),
    ],
)
def test_each_array_type_is_read(datatype, data, items):
    message = payload({"name": "m", "datatype": datatype, "bytes_value": data}, timestamp=MS)

    assert values(rulebook(), "G/NDATA/N", message) == {f"N.m.{index}": item for index, item in enumerate(items)}


@pytest.mark.parametrize(
    ("metric", "detail"),
    [
        ({"datatype": DataType.INT8, "int_value": 300}, "m: 300 does not fit into 8 signed bits"),
        ({"datatype": DataType.UINT8, "int_value": 256}, "m: 256 does not fit into 8 bits"),
        ({"datatype": DataType.INT8, "string_value": "x"}, "m: declared int8, sent as string_value"),
        ({"datatype": 99, "int_value": 1}, "m: declared of the unknown type 99, sent as int_value"),
        ({"datatype": DataType.DATETIME, "long_value": 2**64 - 1}, "m: "),
        ({"datatype": DataType.INT16_ARRAY, "bytes_value": b"abc"}, "m: unpack requires a buffer of 2 bytes"),
        ({"datatype": DataType.BOOLEAN_ARRAY, "bytes_value": b"\xff\xff\xff\xff"}, "m: 4294967295 booleans in 0 bytes"),
        ({"datatype": DataType.BOOLEAN_ARRAY, "bytes_value": b""}, "m: unpack_from requires"),
        ({"datatype": DataType.STRING_ARRAY, "bytes_value": b"\xff\x00"}, "m: "),
    ],
)
def test_a_value_that_is_not_of_its_type_is_rejected(metric, detail):
    reason, found = apply(rulebook(), "G/NDATA/N", payload({"name": "m", **metric}, timestamp=MS))

    assert reason is Reason.MALFORMED
    assert found.startswith(detail)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_payload_is_unpacked(pack):
    packed = payload(uuid="SPBV1.0_COMPRESSED", body=pack(BIRTH))

    assert values(rulebook(), "G/NBIRTH/N", packed) == values(rulebook(), "G/NBIRTH/N", BIRTH)


def test_a_hosts_state_is_read_as_3_0_and_as_2_2_have_it():
    book = rulebook(stream="{origin}")

    assert apply(book, "STATE/H", b'{"online": true, "timestamp": %d}' % MS) == {("H.online", NOW): True}
    assert apply(book, "STATE/H", b"OFFLINE") == {("H.online", NOW): False}
    assert apply(book, "STATE/H", b"{}")[0] is Reason.MALFORMED


@pytest.mark.parametrize("topic", ["G/NBIRTH", "G/NBIRTH/N/D", "G/DDATA/N", "G/OTHER/N", "G/DDATA/N/D/E"])
def test_a_topic_that_is_not_sparkplugs_is_rejected(topic):
    assert apply(rulebook(), topic, BIRTH)[0] is Reason.MALFORMED


def test_captures_and_a_prefix_before_the_namespace_are_fine():
    book = rulebook(topic="site/spBv1.0/{g}/+/{node}/#", bucket="{g}", stream="{node}.{field}")
    (route,) = book.routes(b"site/spBv1.0/G/NBIRTH/N")

    assert [event[:2] for event in route.apply(BIRTH, NOW)] == [
        ("G", "N.online"), ("G", "N.Line.Speed"), ("G", "N.Running"),
    ]  # fmt: skip


def test_templates_that_name_no_origin_get_it_before_the_field():
    assert set(values(rulebook(bucket="b", stream="sp.{field}"), "G/DBIRTH/N/D", DEVICE_BIRTH)) == {
        "sp.N.D.online", "sp.N.D.T",
    }  # fmt: skip


# --- sequence numbers ------------------------------------------------------------------------------------


def test_gaps_in_the_sequence_are_counted(born):
    for seq in (2, 3, 5, 5, 6, 0):
        apply(born, "G/NDATA/N", payload({"alias": 0, "int_value": 1}, seq=seq))

    assert (born.gaps.count, born.gaps.latest) == (2, "G/N: seq 0 came after 6")


def test_the_sequence_begins_again_after_255_and_at_a_birth(born):
    for seq in range(2, 600):
        apply(born, "G/NDATA/N", payload({"alias": 0, "int_value": 1}, seq=seq % 256))
    apply(born, "G/NBIRTH/N", BIRTH)

    assert born.gaps.count == 0


# --- bounds ----------------------------------------------------------------------------------------------


def test_a_payload_of_too_many_metrics_is_rejected():
    flood = b"\x12\x00" * 500_000

    assert apply(rulebook(), "G/NBIRTH/N", flood)[0] is Reason.TOO_MANY_FIELDS


def test_templates_within_templates_have_a_bound():
    metric = {"name": "t", "datatype": DataType.BOOLEAN, "boolean_value": True}
    for _ in range(30):
        metric = {"name": "t", "datatype": DataType.TEMPLATE, "template_value": {"metrics": [metric]}}

    assert apply(rulebook(), "G/NBIRTH/N", payload(metric, timestamp=MS))[0] is Reason.MALFORMED


def test_a_birth_of_thousands_of_metrics_is_taken():
    metrics = [{"name": f"m{n}", "alias": n, "datatype": DataType.INT32, "int_value": n} for n in range(3000)]

    assert len(values(rulebook(), "G/NBIRTH/N", payload(*metrics, timestamp=MS))) == 3001


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_KEPT_BYTES", 10_000)
    known = Sessions(Gaps())
    for number in range(100):
        birth = Birth()
        for metric in range(10):
            birth.declare(f"m{metric}", 1, metric)
        known.node_born(("G", f"N{number}"), birth, None)

    assert known.node(("G", "N99")) is not None
    assert sum(known.node(("G", f"N{number}")) is not None for number in range(100)) == 2


# --- anything --------------------------------------------------------------------------------------------

NAMES = st.none() | st.sampled_from(["a", "b/c", "bdSeq", ""])
NUMBERS = st.integers(0, 2**64 - 1)
MEMBERS = st.one_of(
    st.fixed_dictionaries({"int_value": st.integers(0, 2**32 - 1)}),
    st.fixed_dictionaries({"long_value": NUMBERS}),
    st.fixed_dictionaries({"double_value": st.floats()}),
    st.fixed_dictionaries({"string_value": st.text(max_size=5)}),
    st.fixed_dictionaries({"bytes_value": st.binary(max_size=20)}),
    st.just({}),
)
METRICS = st.builds(
    lambda fields, member: {k: v for k, v in fields.items() if v is not None} | member,
    st.fixed_dictionaries(
        {
            "name": NAMES,
            "alias": st.none() | st.integers(0, 3),
            "timestamp": st.none() | NUMBERS,
            "datatype": st.none() | st.integers(0, 36),
            "is_null": st.none() | st.booleans(),
        }
    ),
    MEMBERS,
)
TOPICS = st.sampled_from(["NBIRTH/N", "DBIRTH/N/D", "NDATA/N", "DDATA/N/D", "NDEATH/N", "DDEATH/N/D", "NCMD/N"])
BYTES = st.binary(max_size=60)
PAYLOADS = BYTES | st.builds(
    lambda metrics, timestamp, seq: payload(*metrics, timestamp=timestamp, seq=seq),
    st.lists(METRICS, max_size=4),
    st.just(MS) | NUMBERS,
    st.integers(0, 255),
)


@given(st.lists(st.tuples(TOPICS, PAYLOADS), max_size=8))
def test_whatever_nodes_send_is_taken_or_rejected(messages):
    book = rulebook()
    for topic, data in messages:
        apply(book, f"G/{topic}", data)


@given(st.lists(METRICS.filter(lambda metric: metric.get("name")), max_size=4), NUMBERS)
def test_what_protobufs_own_schema_writes_is_what_is_read(metrics, timestamp):
    data = payload(*metrics, timestamp=timestamp)
    schema = load_schema()
    read = schema.payload.FromString(data)

    assert read.timestamp == timestamp
    for ours, theirs in zip(
        map(schema.metric.FromString, read.metrics), b.Payload.FromString(data).metrics, strict=True
    ):
        assert ours.WhichOneof("value") == theirs.WhichOneof("value")
        for field in ("name", "alias", "timestamp", "datatype", "is_null"):
            assert getattr(ours, field) == getattr(theirs, field)
        if member := ours.WhichOneof("value"):
            assert repr(getattr(ours, member)) == repr(getattr(theirs, member))


def test_a_birth_with_too_many_values_still_says_what_its_metrics_are_called():
    book = rulebook()
    metrics = [{"name": f"m{n}", "alias": n, "datatype": 10, "double_value": n} for n in range(MAX_VALUES + 1)]
    assert apply(book, "G/NBIRTH/N", payload(*metrics, timestamp=MS, seq=0))[0] is Reason.TOO_MANY_FIELDS
    assert values(book, "G/NDATA/N", payload({"alias": MAX_VALUES, "double_value": 1.5})) == {f"N.m{MAX_VALUES}": 1.5}


def test_units_are_those_of_their_own_metrics_each_at_its_time(born):
    def metric(name, unit, at):
        properties = {"keys": ["engUnit"], "values": [{"type": 12, "string_value": unit}]}
        return {"name": name, "datatype": 9, "float_value": 1, "timestamp": MS + at, "properties": properties}

    apply(born, "G/NBIRTH/X", payload(metric("a", "kW", 0), metric("b", "bar", 1), timestamp=MS))
    (route,) = born.routes(b"spBv1.0/G/NBIRTH/X")
    assert {stream: unit for (_, stream), unit in route.new_units.items()} == {"X.a": "kW", "X.b": "bar"}


# --- across restarts, and asking -----------------------------------------------------------------------------------


def reborn(book, **changes):
    other = rulebook(**changes)
    other.recall(dict(sorted(book.announcements().items())))  # by topic, as they come out of the spool's file
    return other


def test_births_that_were_heard_hold_for_another_rulebook_names_aliases_and_types(born):
    other = reborn(born)
    assert values(other, "G/NDATA/N", payload({"alias": 0, "int_value": 0xFFFF_FFF9}, seq=9)) == {"N.Line.Speed": -7}
    assert values(other, "G/DDATA/N/D", payload({"alias": 7, "float_value": 2.5}, seq=10)) == {"N.D.T": 2.5}
    assert other.announcements() == born.announcements()


def test_how_a_node_counted_meanwhile_is_no_gap(born):
    other = reborn(born)
    values(other, "G/NDATA/N", payload({"alias": 1, "boolean_value": True}, seq=99))
    assert other.gaps.count == 0
    values(other, "G/NDATA/N", payload({"alias": 1, "boolean_value": True}, seq=102))
    assert other.gaps.count == 1


def test_a_death_of_the_session_that_was_kept_is_taken_and_one_before_it_is_not(born):
    assert apply(reborn(born), "G/NDEATH/N", death(3))[0] is Reason.NO_BIRTH
    assert values(reborn(born), "G/NDEATH/N", death(4)) == {"N.online": False, "N.D.online": False}


def death(session):
    return payload({"name": "bdSeq", "datatype": DataType.INT64, "long_value": session})


def test_what_died_is_not_kept(born):
    before = born.announced
    apply(born, "G/DDEATH/N/D", payload(seq=2))
    assert list(born.announcements()) == ["spBv1.0/G/NBIRTH/N"]
    apply(born, "G/NDEATH/N", death(4))
    assert born.announcements() == {}
    assert born.announced > before


def test_of_births_beyond_the_bound_none_are_kept_and_all_are_known(born, monkeypatch):
    monkeypatch.setattr(rebirth, "_MAX_BYTES", 85)
    assert list(born.announcements()) == ["spBv1.0/G/NBIRTH/N"]
    assert values(born, "G/DDATA/N/D", payload({"alias": 7, "float_value": 2.5})) == {"N.D.T": 2.5}


UNKNOWN = payload({"alias": 99, "float_value": 2.5}, timestamp=MS, seq=2)


def test_nobody_is_asked_for_births_unless_the_rule_says_so(born):
    assert apply(born, "G/DDATA/N/D", UNKNOWN)[0] is Reason.NO_BIRTH
    assert born.gaps.rebirths == set()


def test_a_node_is_asked_for_its_births_where_an_alias_is_unknown_or_a_message_never_came():
    book = rulebook(topic="site/spBv1.0/#", rebirth=True)

    def hear(topic, data):
        (route,) = book.routes(f"site/spBv1.0/{topic}".encode())
        route.apply(data, NOW)
        asked = set(book.gaps.rebirths)
        book.gaps.rebirths.clear()
        return asked

    assert hear("G/DDATA/N/D", UNKNOWN) == {"site/spBv1.0/G/NCMD/N"}
    assert hear("G/NBIRTH/N", BIRTH) == set()
    assert hear("G/NDATA/N", payload({"alias": 1, "boolean_value": True}, seq=1)) == set()
    assert hear("G/NDATA/N", payload({"alias": 1, "boolean_value": True}, seq=3)) == {"site/spBv1.0/G/NCMD/N"}


def test_the_order_is_what_the_specification_says():
    order = b.Payload.FromString(rebirth.rebirth_order(MS))
    assert order.timestamp == MS
    (metric,) = order.metrics
    assert (metric.name, metric.datatype, metric.boolean_value) == ("Node Control/Rebirth", DataType.BOOLEAN, True)


def test_a_rule_of_another_format_asks_for_no_births():
    with pytest.raises(InvalidRules, match="rebirth: is for format sparkplug"):
        rulebook(format="json", rebirth=True)
    with pytest.raises(InvalidRules, match=r"use\.0\.rebirth: is for sparkplug"):
        Rulebook(Config.model_validate({"use": [{"family": "ttn", "rebirth": True}]}))
