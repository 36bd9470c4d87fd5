"""What the mapping core costs, in microseconds a message: `python benchmarks/mapping_micro.py`.

The best of several rounds is printed: on a shared machine everything else is the other programs' time.
"""

from __future__ import annotations

import sys
import tracemalloc
from gzip import compress
from time import perf_counter
from timeit import repeat

import cbor2
import msgpack
from pydantic_core import from_json, to_json

from mqttbridge.config.model import Config
from mqttbridge.events import Rejected
from mqttbridge.mapping import Route, Rulebook
from mqttbridge.mapping.formats.base import MAX_VALUES
from mqttbridge.mapping.payload import MAX_JSON_PARTS
from tests.support.sparkplug_b import payload

ARRIVAL = 1_760_000_000.0
CLIMATE = {
    "temperature": {"type": "float", "ge": -40, "le": 85, "unit": "°C"},
    "humidity": {"type": "float", "ge": 0, "le": 100, "unit": "%"},
    "battery": {"type": "int", "ge": 0},
}
OPTIONAL = CLIMATE | {"battery": {"type": "int", "optional": True}}
GATEWAY = {"sensors": {"type": "Climate", "path": "sensors[*]", "as": "{sensors[*].name|slug}"}}
REPORT = {"kind": {"type": "str", "variants": {"climate": "Climate"}}}
VIBRATION = {"g": {"type": "float", "path": "samples[*]", "interval": "10ms"}}
PAYLOAD = b'{"temperature": 21.53, "humidity": 48.2, "battery": 93}'
TIMED = b'{"temperature": 21.53, "humidity": 48.2, "battery": 93, "ts": 1760000000123}'
ISO = b'{"temperature": 21.53, "humidity": 48.2, "battery": 93, "ts": "2025-10-09T08:53:20.123Z"}'
DEW_POINT = "temperature - (100 - humidity) / 5"
CONVERTED = {
    "temperature": {"unit": "°C", "to": "°F", "round": 1},
    "humidity": {"unit": "%", "to": "1", "round": 3},
}
NAMED = b'{"temperature": 21.53, "humidity": 48.2, "battery": 93, "id": "D1"}'
FRAME = {
    "battery": {"type": "uint16", "bits": "0-13", "scale": 0.001},
    "temperature": {"type": "int16", "scale": 0.01},
    "humidity": {"type": "uint16", "scale": 0.1},
}
LINE = b"climate,site=lab,device=d1 temperature=21.53,humidity=48.2,battery=93i 1760000000000000000"
ROUNDS, CALLS = 7, 20_000


def rulebook(*rules: dict[str, object]) -> Rulebook:
    models = {
        "Climate": CLIMATE, "Optional": OPTIONAL, "Gateway": GATEWAY, "Report": REPORT, "Vibration": VIBRATION,
        "Nested": {"climate": {"type": "Climate"}},
    }  # fmt: skip
    return Rulebook(Config.model_validate({"models": models, "rules": rules}))


def rule(**changes: object) -> dict[str, object]:
    plain = {"topic": "fleet/{site}/{device}/climate", "bucket": "{site}", "stream": "{device}.{field}"}
    return plain | changes


def show(name: str, seconds: float) -> None:
    print(f"{name:44} {seconds * 1e6:8.2f} us")


def best(statement: str, **names: object) -> float:
    return min(repeat(statement, globals=names, number=CALLS, repeat=ROUNDS)) / CALLS


def bench_apply(name: str, data: bytes, **changes: object) -> None:
    routes = rulebook(rule(**changes)).routes(b"fleet/lab/d1/climate")
    assert not isinstance(routes, Rejected)
    (route,) = routes
    assert isinstance(route.apply(data, ARRIVAL), list), route.apply(data, ARRIVAL)
    show(name, best("route.apply(data, arrival)", route=route, data=data, arrival=ARRIVAL))


def per_second(
    name: str, data: bytes, events: int, *, topic: str = "t", before: bytes = b"", **changes: object
) -> None:
    """Messages a second of one format; `before` is a message that has to come first."""
    plain = {"topic": "#", "bucket": "b", "stream": "{field}"}
    book = rulebook(plain | changes)
    routes = book.routes(topic.encode())
    assert not isinstance(routes, Rejected)
    (route,) = routes
    if before:
        born = book.routes(topic.replace("DDATA", "DBIRTH").encode())
        assert not isinstance(born, Rejected)
        born[0].apply(before, ARRIVAL)
    made = route.apply(data, ARRIVAL)
    assert isinstance(made, list), made
    assert len(made) == events
    calls = max(20, CALLS // events)
    seconds = min(repeat(lambda: route.apply(data, ARRIVAL), number=calls, repeat=ROUNDS)) / calls
    print(f"{name:44} {1 / seconds:10,.0f} messages/s {events / seconds:12,.0f} events/s")


def sparkplug(metrics: int) -> tuple[bytes, bytes]:
    """A device's birth and a data message of all its metrics."""
    declared = [{"name": f"Line/Metric {n}", "alias": n, "datatype": 10, "double_value": 1.5} for n in range(metrics)]
    data = [{"alias": n, "timestamp": 1_760_000_000_000, "double_value": n + 0.5} for n in range(metrics)]
    return payload(*declared, timestamp=1_760_000_000_000), payload(*data, timestamp=1_760_000_000_000, seq=3)


def by_format() -> None:
    """What the formats cost beside each other: the same three fields in each, and what some of them are made for."""
    document = from_json(PAYLOAD)
    nested = b'{"a": {' + b", ".join(b'"f%d": {"v": %d.5}' % (n, n) for n in range(40)) + b"}}"
    backlog = b"".join(b"%d,21.53,48.2,93\n" % (1_760_000_000 - n) for n in range(100))
    birth, data = sparkplug(50)
    columns = {"columns": ["temperature", "humidity", "battery"]}
    timed = {"columns": ["at", *columns["columns"]]}
    per_second("json", PAYLOAD, 3, format="json")
    per_second("json, nested, 40 fields", nested, 40, format="json")
    per_second("json, gzip", compress(PAYLOAD), 3, format="json", compression="gzip")
    per_second("number", b"21.53", 1, format="number")
    per_second("text", b"running", 1, format="text")
    per_second("boolean", b"ON", 1, format="boolean")
    per_second("boolean, words of the rule's own", b"AUF", 1, format="boolean", boolean={"true_words": ["auf"]})
    per_second("cbor", cbor2.dumps(document), 3, format="cbor")
    per_second("msgpack", msgpack.packb(document), 3, format="msgpack")
    per_second("csv, a line", b"21.53,48.2,93", 3, format="csv", csv=columns)
    per_second("csv, 100 lines", backlog, 300, format="csv", csv=timed, timestamp="at")
    per_second("influx, a line", LINE, 3, format="influx")
    per_second("influx, 100 lines", b"\n".join([LINE] * 100), 300, format="influx")
    per_second("struct", bytes.fromhex("0bb8086901e2"), 3, format="struct", layout={"fields": FRAME})
    per_second("hex", b"0bb8086901e2", 3, format="hex", layout={"fields": FRAME})
    per_second("sparkplug, 50 metrics", data, 50, format="sparkplug", topic="spBv1.0/G/DDATA/N/D", before=birth)


def by_template() -> None:
    """Home Assistant's discovery, beside parsing: a plain look-up needs no jinja2."""
    for name, template in (
        ("homeassistant, a look-up", "{{ value_json.temperature }}"),
        ("homeassistant, a template", "{{ value_json.temperature | float | round(1) }}"),
        ("homeassistant, a regular expression", "{{ value | regex_findall_index('[0-9.]+') }}"),
    ):
        book = Rulebook(Config.model_validate({"use": ["homeassistant"]}))
        announced = book.routes(b"homeassistant/sensor/t/config")
        config = to_json({"name": "T", "state_topic": "t", "value_template": template})
        assert not isinstance(announced, Rejected)
        announced[0].apply(config, ARRIVAL)
        routes = book.routes(b"t")
        assert not isinstance(routes, Rejected)
        show(name, best("apply(data, arrival)", apply=routes[0].apply, data=PAYLOAD, arrival=ARRIVAL))


def longest() -> None:
    """The messages that take longest among those that are taken at all: a first one each, names included."""
    at = 1_760_000_000_000
    unit = {"keys": ["engUnit"], "values": [{"type": 12, "string_value": "kW"}]}
    metric: dict[str, object] = {"datatype": 10, "double_value": 1.5, "properties": unit}
    births = payload(*({"name": f"m{n}", "timestamp": at + n, **metric} for n in range(MAX_VALUES)), timestamp=at)
    lines = b"\n".join(b"m f=1,g=2 %d" % ((at + n) * 10**6) for n in range(MAX_VALUES // 2))
    lists = b"[" + b",".join([b"[]"] * (MAX_JSON_PARTS - 1)) + b"]"
    for name, topic, payload_format, data in (
        ("sparkplug birth, 3000 times and units", b"spBv1.0/G/NBIRTH/N", "sparkplug", births),
        ("influx, 3000 values at 1500 times", b"t", "influx", lines),
        ("json, 60,000 lists (rejected)", b"t", "json", lists),
    ):
        took = []
        for _ in range(ROUNDS):
            routes = rulebook({"topic": "#", "bucket": "b", "stream": "s", "format": payload_format}).routes(topic)
            assert not isinstance(routes, Rejected)
            began = perf_counter()
            routes[0].apply(data, ARRIVAL)
            took.append(perf_counter() - began)
        print(f"{name:44} {min(took) * 1e3:8.1f} ms")


def bench_thin(name: str, **entry: object) -> None:
    """Thinning beside what comes before it; few events pass, as it is meant."""
    routes = rulebook(rule(format="json", thin=[entry])).routes(b"fleet/lab/d1/climate")
    assert not isinstance(routes, Rejected)
    (route,) = routes
    thinner = route.thinner
    assert thinner is not None

    def message() -> None:
        mapped = route.apply(PAYLOAD, ARRIVAL)
        assert not isinstance(mapped, Rejected)
        for event in mapped:
            thinner.offer(event, ARRIVAL, None)

    show(name, best("message()", message=message))


def many(count: int) -> Rulebook:
    """One rule a site, none of which covers another."""
    return rulebook(
        *(rule(topic=f"fleet/site{n}/{{device}}/climate", bucket=f"site{n}") for n in range(count - 1)), rule()
    )


def bench_rules(count: int) -> None:
    book = many(count)
    topic = b"fleet/lab/d1/climate"
    show(f"lookup of a known topic, {count} rules", best("book.routes(topic)", book=book, topic=topic))
    show(f"lookup of a new topic, {count} rules", best("book._find(topic)", book=book, topic=topic))


def memory(topics: int = 20_000) -> None:
    book = rulebook(rule(model="Climate"))
    names = [f"fleet/site{n % 50}/device{n}/climate".encode() for n in range(topics)]
    tracemalloc.start()
    for name in names:
        routes = book.routes(name)
        assert not isinstance(routes, Rejected)
        for route in routes:
            assert isinstance(route, Route)
            route.apply(PAYLOAD, ARRIVAL)
            route.new_units.clear()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{'memory of a topic with three streams':44} {kept / topics:8.0f} bytes")


def main() -> None:
    print(f"Python {sys.version.split()[0]}")
    bench_apply("model, 3 fields", PAYLOAD, model="Climate")
    bench_apply("model, 3 fields of which 1 optional", PAYLOAD, model="Optional")
    bench_apply("model, 3 fields, timestamp in ms", TIMED, model="Climate", timestamp="ts")
    bench_apply("model, 3 fields, timestamp ISO 8601", ISO, model="Climate", timestamp="ts")
    bench_apply("no model, json, 3 fields", PAYLOAD, format="json")
    bench_apply("no model, auto, 3 fields", PAYLOAD)
    bench_apply("number", b"21.53", format="number")
    bench_apply("auto, a number", b"21.53")
    bench_apply("text", b"running", format="text")
    bench_apply("auto, a text", b"running")
    bench_apply("boolean", b"ON", format="boolean")
    bench_apply("json, 1 expression", PAYLOAD, format="json", derive={"dew_point": DEW_POINT})
    bench_apply("json, 2 units converted and rounded", PAYLOAD, format="json", values=CONVERTED)
    bench_apply("json, 1 counter", PAYLOAD, format="json", values={"battery": {"counter": "delta"}})
    bench_thin("json, 1 deadband on 3 streams", deadband=0.5)
    bench_thin("json, 1 sample on 3 streams", sample={"every": "1m"})
    bench_apply("model, 3 fields, others stored as streams", TIMED, model="Climate", extra="streams")
    bench_apply("model, 3 fields within a field", b'{"climate": ' + PAYLOAD + b"}", model="Nested")
    bench_apply("model, 3 fields of a variant", PAYLOAD[:-1] + b', "kind": "climate"}', model="Report")
    sensors = b", ".join(PAYLOAD[:-1] + b', "name": "Sensor %d"}' % n for n in range(10))
    bench_apply("model, 10 items of 3 fields, named", b'{"sensors": [' + sensors + b"]}", model="Gateway")
    bench_apply("model, 100 points over a period", b'{"samples": [' + b"0.5, " * 99 + b"0.5]}", model="Vibration")
    bench_apply("json, 4 fields, stream named by one of them", NAMED, stream="{payload.id|lower}.{field}")
    for count in (1, 10_000):
        bench_rules(count)
    memory()
    by_format()
    by_template()
    longest()


if __name__ == "__main__":
    main()
