"""What the mapping core costs, in microseconds a message: `python benchmarks/mapping_micro.py`.

The best of several rounds is printed: on a shared machine everything else is the other programs' time.
"""

from __future__ import annotations

import sys
import tracemalloc
from timeit import repeat

from mqttbridge.config.model import Config
from mqttbridge.events import Rejected
from mqttbridge.mapping import Route, Rulebook

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


def bench_apply(name: str, payload: bytes, **changes: object) -> None:
    routes = rulebook(rule(**changes)).routes(b"fleet/lab/d1/climate")
    assert not isinstance(routes, Rejected)
    (route,) = routes
    assert isinstance(route.apply(payload, ARRIVAL), list), route.apply(payload, ARRIVAL)
    show(name, best("route.apply(payload, arrival)", route=route, payload=payload, arrival=ARRIVAL))


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


if __name__ == "__main__":
    main()
