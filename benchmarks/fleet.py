"""What every benchmark measures with: 1,000 devices, one JSON of three fields each, one rule and one model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support import mqtt_wire as wire

DEVICES = 1000
TOPICS = [f"fleet/site{device % 10}/dev{device:04}/climate" for device in range(DEVICES)]

# Packet identifiers are reused once a block is through; a block is far longer than any window.
BLOCK = 65_000


def payload(number: int) -> bytes:
    temperature, humidity = -10 + number % 9000 / 200, 20 + number % 7000 / 100
    return f'{{"temperature":{temperature:.2f},"humidity":{humidity:.1f},"battery":{number % 101}}}'.encode()


def frames(*, qos: int, level: int, first: int = 0, count: int = BLOCK) -> list[bytes]:
    """PUBLISH packets over all devices in turn; at QoS 1 their identifiers are 1, 2, 3, ..."""
    return [
        wire.publish(TOPICS[n % DEVICES], payload(n), mid=(n - first + 1) if qos else 0, level=level)
        for n in range(first, first + count)
    ]


CLIMATE = {
    "temperature": {"type": "float", "ge": -40, "le": 85, "unit": "°C"},
    "humidity": {"type": "float", "ge": 0, "le": 100, "unit": "%"},
    "battery": {"type": "int", "ge": 0, "le": 100, "optional": True},
}

EMBEDDED = {"dashboard": {"type": "embedded"}}


def initialstate(url: str, **settings: Any) -> dict[str, Any]:
    return {"cloud": {"type": "initialstate", "url": url, "access_key": "benchmark", **settings}}


def config(
    broker: str | None,
    destinations: Mapping[str, Any],
    *,
    protocol: str = "5",
    qos: int = 1,
    rules_before: int = 0,
) -> dict[str, Any]:
    """A bridge as a fleet engineer would set it up, after `rules_before` rules that match other topics."""
    others = [
        {
            "name": f"line {n}",
            "topic": f"plant/line{n}/{{device}}/climate",
            "bucket": f"line {n}",
            "stream": "{device}.{field}",
        }
        for n in range(rules_before)
    ]
    rule = {
        "name": "climate",
        "topic": "fleet/{site}/{device}/climate",
        "format": "json",
        "model": "Climate",
        "bucket": "{site}",
        "stream": "{device}.{field}",
    }
    mqtt = None if broker is None else {"url": broker, "protocol": protocol, "qos": qos}
    return {
        "mqtt": mqtt,
        "destinations": dict(destinations),
        "models": {"Climate": CLIMATE},
        "rules": [*others, rule],
        "spool": {"max_size": "8GiB"},
        "log": {"format": "text", "level": "warning"},
    }
