"""A house with everything a board can show: what the checks of every view and the pictures of the manual look at."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import requests

from tests.browser.conftest import Dashboard, Event
from tests.support.processes import eventually

BUCKET = "harbour-house"
_STEP_S = 120
_HOURS = 24


def _day(now: float) -> Iterator[tuple[int, float]]:
    """Times of a day until now, each with its place in it, 0 to 1."""
    count = _HOURS * 3600 // _STEP_S
    for i in range(count + 1):
        yield i, now - (count - i) * _STEP_S


def events(now: float) -> list[Event]:
    """A day of a house: smooth, and the same whenever it is made."""
    found: list[Event] = []
    was: dict[str, Any] = {}

    def says(stream: str, value: Any, at: float) -> None:
        if not isinstance(value, float) and was.get(stream) == value:
            return
        was[stream] = value
        found.append((stream, value, at))

    for i, at in _day(now):
        turn = 2 * math.pi * (i * _STEP_S / 86_400)
        ripple = math.sin(i / 3.1) * math.sin(i / 7.7)
        says("outside.temperature", round(9 - 5 * math.cos(turn) + ripple / 2, 1), at)
        says("outside.humidity", round(74 + 14 * math.cos(turn) + 2 * ripple, 1), at)
        says("living.temperature", round(20.4 + 1.1 * math.sin(turn + 1) + ripple / 4, 1), at)
        says("living.target", 21.0 if 200 < i < 640 else 18.5, at)
        says("living.heating", math.sin(i / 23) + math.cos(turn) > 0.2, at)
        says("door.open", i % 97 in {5, 6, 7, 60}, at)
        says("window.open", i % 211 in range(30, 70), at)
        says("tank.level", round(82 - 38 * (i % 500) / 500, 1), at)
        says("meter.energy", round(4312 + 0.021 * i + 0.9 * math.sin(turn - 2), 2), at)
        says("meter.power", round(420 + 260 * math.sin(turn - 1.7) ** 2 + 90 * abs(ripple), 0) * 1.0, at)
        says("sky", ("clear", "fog", "rain", "clear", "cloudy")[i // 145], at)
        if i % 6 == 0:
            place = 53.54 + 0.16 * math.sin(turn), 9.97 + 0.42 * math.cos(2 * turn) + 0.2 * turn
            says("boat.position", f"{place[0]:.4f},{place[1]:.4f}", at)
    found.append(("pump.on", True, now - 500))
    found.append(("message", "Back at six", now - 900))
    return found


def document(picture: str) -> dict[str, Any]:
    """A board with each type of tile, in the order in which a person would put them on a wall."""

    def tile(
        kind: str, streams: list[str], place: tuple[int, int, int, int], title: str, **more: Any
    ) -> dict[str, Any]:
        x, y, w, h = place
        return {
            "id": f"t{x}-{y}",
            "type": kind,
            "streams": streams,
            "x": x,
            "y": y,
            "w": w,
            "h": h,
            "title": title,
            **more,
        }

    warm = [{"at": 12, "level": "warning"}]
    level = {"min": 0, "max": 100, "unit": "%"}
    note = "**Caretaker**\n\n- Ann, flat 2\n- Tuesdays and Fridays"
    living = ["living.temperature", "living.target"]
    return {
        "title": "Harbour house",
        "auto": False,
        "tiles": [
            tile("line", living, (0, 0, 6, 4), "Living room", unit="°C"),
            tile("number", ["meter.power"], (6, 0, 3, 2), "Power", unit="W"),
            tile("log", ["sky"], (6, 2, 3, 2), "The sky"),
            tile("gauge", ["outside.humidity"], (9, 0, 3, 4), "Humidity outside", **level),
            tile("line", ["outside.temperature"], (0, 4, 6, 3), "Outside", unit="°C", thresholds=warm),
            tile("thermostat", living, (6, 4, 3, 4), "Warmth", min=10, max=30),
            tile("liquid", ["tank.level"], (9, 4, 3, 4), "Rain tank", color="hue-0", **level),
            tile("timeline", ["living.heating", "door.open", "window.open"], (0, 7, 6, 3), "What was on"),
            tile("map", ["boat.position"], (6, 8, 6, 5), "The boat"),
            tile("bar", ["meter.power"], (0, 10, 3, 3), "Power by the hour", unit="W", options={"of": "mean"}),
            tile("histogram", ["outside.temperature"], (3, 10, 3, 3), "How cold it was", unit="°C"),
            tile("table", ["meter.energy", "meter.power", "sky", "door.open"], (0, 13, 4, 3), "Last values"),
            tile("note", [], (4, 13, 2, 3), "Note", options={"text": note}),
            tile("state", ["living.heating"], (6, 13, 3, 3), "Heating"),
            tile("slider", ["living.target"], (9, 13, 3, 2), "Wanted warmth", min=15, max=25, unit="°C"),
            tile("image", [], (9, 15, 3, 3), "Picture", options={"url": picture}),
            tile("switch", ["pump.on"], (0, 16, 3, 2), "Pump"),
            tile("button", ["door.open"], (3, 16, 3, 2), "Door", options={"label": "Open the door"}),
            tile("field", ["message"], (6, 16, 3, 2), "Message to the hall"),
        ],
    }


RULES: list[dict[str, Any]] = [
    {
        "name": "Living room too warm",
        "bucket": BUCKET,
        "stream": "living.temperature",
        "when": {"is": ">", "value": 30},
    },
    {
        "name": "Tank nearly empty",
        "bucket": BUCKET,
        "stream": "tank.level",
        "when": {"is": "<", "value": 95, "clear": 97},
        "level": "critical",
    },
]


# What a broker's messages become.
MAPPING: dict[str, Any] = {
    "models": {"Climate": {"temperature": {"type": "float", "le": 60, "unit": "°C"}, "humidity": {"type": "float"}}},
    "rules": [
        {
            "name": name,
            "topic": f"works/{{site:hall-[0-9]}}/{{device}}/{name}",
            "bucket": "workshop-1",
            "stream": "{site}.{device}.{field}",
        }
        | ({"model": "Climate"} if name == "climate" else {})
        for name in ("climate", "meter", "state")
    ],
}


def traffic(second: int) -> Iterator[tuple[str, str]]:
    """What a broker has to hand on in this second, as (topic, payload): some of it is nobody's, some is wrong."""
    wave = math.sin(second / 7)
    for n in range(8 + round(4 * wave)):
        climate = {"temperature": round(20 + n + wave, 1), "humidity": 50 + n}
        yield f"works/hall-{n % 3}/sensor-{n}/climate", json.dumps(climate)
    for n in range(3):
        yield f"works/hall-{n}/mains/meter", json.dumps({"power": round(420 + 90 * wave + n), "voltage": 230})
    if second % 4 == 0:
        yield "works/hall-1/press/state", json.dumps({"running": second % 8 == 0})
        yield "works/yard/gate/state", json.dumps({"open": second % 8 == 0})
        yield "weather/roof/wind", json.dumps({"speed": round(4 + 2 * wave, 1), "gust": 7.5})
    if second % 6 == 0:
        yield "cellar/oven/power", json.dumps({"power": 1450, "voltage": 229})
    if second % 9 == 0:
        yield "works/hall-2/oven/climate", json.dumps({"temperature": 98.5, "humidity": 12})


def furnish(dashboard: Dashboard, now: float) -> None:
    """Send a day of values, arrange the board, and wait until all of it is stored."""
    said = events(now)
    for begin in range(0, len(said), 2000):
        dashboard.push(BUCKET, said[begin : begin + 2000])
    eventually(lambda: "message" in dashboard.process.last_values(BUCKET), what="a day of the house")
    answer = requests.put(
        f"{dashboard.url}/api/v1/buckets/{BUCKET}/dashboard",
        json=document(f"{dashboard.url}/static/favicon.svg"),
        headers={"If-Match": '"0"'},
        timeout=10,
    )
    assert answer.status_code in {200, 201}, answer.text


def neighbours(dashboard: Dashboard, now: float) -> None:
    """Other buckets on the shelf, some of them silent for a while."""
    for bucket, streams, age in (("greenhouse", 6, 3), ("workshop-1", 11, 2), ("van-3", 5, 900), ("weather", 9, 40)):
        told = [
            (f"sensor{i}.value", round(20 + i + math.sin(i + ago / 480), 1), now - age - ago)
            for i in range(streams)
            for ago in range(3600, -1, -60)
        ]
        dashboard.push(bucket, told)
