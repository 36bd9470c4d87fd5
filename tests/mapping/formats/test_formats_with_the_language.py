"""The formats beside the rest of the mapping language: names from the message, values, thinning, explanations."""

import json

import msgpack
import pytest

from mqttbridge.config.model import Config
from mqttbridge.events import PayloadWithProperties, Reason, Rejected
from mqttbridge.mapping import InvalidRules, Route, Rulebook
from mqttbridge.mapping.explaining import explain
from tests.support.sparkplug_b import payload as sparkplug_payload

ARRIVAL = 1_760_000_000.0
CSV = {"format": "csv", "csv": {"columns": ["at", "id", "n"]}, "timestamp": "at"}
SITE = b"\x26\x00\x04site\x00\x03lab"


def rulebook(models=(), **rule):
    plain = {"topic": "#", "bucket": "b", "stream": "{field}"}
    return Rulebook(Config.model_validate({"rules": [plain | rule], "models": dict(models)}))


def route_of(book: Rulebook, topic: bytes = b"t") -> Route:
    routes = book.routes(topic)
    assert not isinstance(routes, Rejected)
    (route,) = routes
    return route


def made(route: Route, payload: bytes):
    result = route.apply(payload, ARRIVAL)
    assert not isinstance(result, Rejected), result
    return [(bucket, stream, value, epoch - ARRIVAL) for bucket, stream, value, epoch in result]


def lines(*rows: tuple[float, str, object]) -> bytes:
    return "\n".join(f"{ARRIVAL + at},{name},{n}" for at, name, n in rows).encode()


def test_each_line_may_name_its_bucket_and_stream():
    route = route_of(rulebook(**CSV, bucket="{payload.id}", stream="{payload.id|upper}.{field}"))
    assert made(route, lines((-2, "x", 1), (-1, "y", 2))) == [("x", "X.n", 1, -2), ("y", "Y.n", 2, -1)]


def test_a_default_stands_in_for_a_tag_that_a_line_has_not_got():
    route = route_of(rulebook(format="influx", bucket="{tag.host|default:none}", stream="{measurement|upper}"))
    assert [event[:2] for event in made(route, b"m,host=a f=1\nm f=2")] == [("a", "M.f"), ("none", "M.f")]


def test_tags_and_parts_of_the_line_make_names_together():
    route = route_of(rulebook(format="influx", bucket="{tag.host}", stream="{payload.id}.{field}"))
    assert [event[:3] for event in made(route, b'm,host=a f=1,id="d1"\nm,host=a f=2,id="d2"')] == [
        ("a", "d1.f", 1.0),
        ("a", "d2.f", 2.0),
    ]


def test_properties_of_the_message_name_its_points_and_tell_their_time():
    columns = {"format": "csv", "csv": {"columns": ["n"]}, "timestamp": "property.at"}
    route = route_of(rulebook(**columns, bucket="{property.site}"))
    at = str(int(ARRIVAL) - 5).encode()
    properties = SITE + b"\x26\x00\x02at" + len(at).to_bytes(2, "big") + at
    assert made(route, PayloadWithProperties.of(b"7", properties)) == [("lab", "n", 7, -5)]
    several = route.apply(PayloadWithProperties.of(b"7\n8", properties), ARRIVAL)
    assert isinstance(several, Rejected)
    assert several.reason is Reason.MALFORMED


def test_what_a_rejected_message_said_of_counters_is_forgotten():
    route = route_of(rulebook(**CSV, stream="{payload.id}.{field}", values={"n": {"counter": "delta"}}))
    assert made(route, lines((-9, "x", 10))) == []
    rejected = route.apply(lines((-8, "x", 50), (-7, "x", "many")), ARRIVAL)
    assert isinstance(rejected, Rejected)
    assert made(route, lines((-6, "x", 12), (-5, "x", 15))) == [("b", "x.n", 2, -6), ("b", "x.n", 3, -5)]


def test_each_origin_counts_for_itself():
    route = route_of(rulebook(format="influx", stream="{series}.{field}", values={"n": {"counter": "delta"}}))
    at = int(ARRIVAL) * 10**9
    assert made(route, f"a n=1i {at - 2000}\nb n=5i {at - 2000}".encode()) == []
    grown = route.apply(f"a n=4i {at}\nb n=7i {at}".encode(), ARRIVAL)
    assert not isinstance(grown, Rejected)
    assert [event[:3] for event in grown] == [("b", "a.n", 3), ("b", "b.n", 2)]


def test_lines_are_thinned_in_the_order_of_time():
    route = route_of(rulebook(**CSV, thin=[{"deadband": 0.5}]))
    assert route.thinner is not None
    assert [at for *_, at in made(route, lines((-1, "x", 3), (-3, "x", 1), (-2, "x", 2)))] == [-3, -3, -2, -2, -1, -1]


def test_a_unit_that_the_message_tells_is_not_that_of_a_converted_value():
    rule = {"format": "sparkplug", "topic": "spBv1.0/#", "stream": "{origin}.{field}"}
    birth = sparkplug_payload(
        {
            "name": "T",
            "datatype": 10,
            "double_value": 20.0,
            "properties": {"keys": ["engUnit"], "values": [{"type": 12, "string_value": "°C"}]},
        },
        timestamp=int(ARRIVAL * 1000),
        seq=0,
    )
    told, converted = (
        route_of(rulebook(**rule, values=values), b"spBv1.0/G/NBIRTH/N")
        for values in ({}, {"T": {"unit": "°C", "to": "°F"}})
    )
    assert ("b", "N.T", 20.0, 0.0) in made(told, birth)
    assert told.new_units == {("b", "N.T"): "°C"}
    assert ("b", "N.T", pytest.approx(68.0), 0.0) in made(converted, birth)
    assert converted.new_units == {("b", "N.T"): "°F"}


@pytest.mark.parametrize("changes", [{"format": "msgpack"}, {"compression": "auto", "format": "json"}])
def test_a_model_checks_what_its_format_makes_of_the_bytes(changes):
    route = route_of(rulebook({"M": {"a": {"type": "int"}}}, model="M", stream="{field}", **changes))
    document = {"a": 7}
    packed = msgpack.packb(document) if changes["format"] == "msgpack" else json.dumps(document).encode()
    assert made(route, packed) == [("b", "a", 7, 0)]
    assert made(route, packed) == [("b", "a", 7, 0)]
    if changes["format"] == "msgpack":
        assert isinstance(route.apply(json.dumps(document).encode(), ARRIVAL), Rejected)


def test_points_over_a_period_are_not_for_formats_of_points():
    model = {"p": {"type": "float", "path": "p[*]", "interval": "1s"}}
    with pytest.raises(InvalidRules, match="points over a period"):
        rulebook({"M": model}, **CSV, model="M")


def test_an_explanation_shows_the_fields_of_all_points_and_all_their_buckets():
    book = rulebook(format="influx", bucket="{tag.host}", stream="{field}")
    (outcome,) = explain(book, b"t", b"m,host=a f=1\nm,host=b g=2", ARRIVAL).outcomes
    assert outcome.fields == {"f": 1.0, "g": 2.0}
    assert outcome.bucket == "a, b"
    assert len(outcome.events) == 2


def test_explaining_a_sparkplug_message_reads_it_once():
    book = rulebook(format="sparkplug", topic="spBv1.0/#", stream="{origin}.{field}")
    metric = {"name": "T", "datatype": 10, "double_value": 20.0}
    for seq, kind in enumerate(("NBIRTH", "NDATA")):
        message = sparkplug_payload(metric, timestamp=int(ARRIVAL * 1000), seq=seq)
        (outcome,) = explain(book, f"spBv1.0/G/{kind}/N".encode(), message, ARRIVAL).outcomes
        assert outcome.rejected is None
        assert outcome.fields["T"] == 20.0
    assert book.gaps.count == 0
