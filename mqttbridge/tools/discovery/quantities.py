"""What the name of a field says of its values: unit, and what is possible at all.

Bounds are those of physics and of the instruments, not of the few minutes that were listened to: a range that is too
narrow rejects a good message on the first cold night. A bound that a value heard already breaks is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Quantity:
    """A unit and bounds (None: none). `whole` for what is counted and never measured."""

    unit: str = ""
    least: float | None = None
    most: float | None = None
    whole: bool = False


_PERCENT: Final = Quantity("%", 0, 100)
_CELSIUS: Final = Quantity("°C", -60, 150)

# The last word of a name, when it is a unit: `power_w`, `outdoor_temp_f`.
_SUFFIXES: Final = {
    "c": _CELSIUS, "f": Quantity("°F", -80, 300), "w": Quantity("W"), "kw": Quantity("kW"), "wh": Quantity("Wh"),
    "kwh": Quantity("kWh"), "mwh": Quantity("MWh"), "v": Quantity("V"), "mv": Quantity("mV"), "a": Quantity("A"),
    "ma": Quantity("mA"), "hpa": Quantity("hPa", 0), "kpa": Quantity("kPa"), "pa": Quantity("Pa"),
    "bar": Quantity("bar"), "pct": Quantity("%"), "percent": Quantity("%"), "ppm": Quantity("ppm", 0),
    "ppb": Quantity("ppb", 0),
    "lux": Quantity("lx", 0), "lx": Quantity("lx", 0), "hz": Quantity("Hz", 0), "rpm": Quantity("rpm"),
    "ms": Quantity("ms"), "mm": Quantity("mm"), "cm": Quantity("cm"), "kmh": Quantity("km/h"), "dbm": Quantity("dBm"),
    "db": Quantity("dB"), "m3": Quantity("m³"), "seconds": Quantity("s"),
}  # fmt: skip

_WORDS: Final = {
    "temperature": _CELSIUS, "temp": _CELSIUS, "humidity": _PERCENT, "moisture": _PERCENT, "battery": _PERCENT,
    "soc": _PERCENT, "co2": Quantity("ppm", 0, 40_000, whole=True), "voc": Quantity("ppb", 0),
    "pm1": Quantity("µg/m³", 0), "pm25": Quantity("µg/m³", 0), "pm10": Quantity("µg/m³", 0),
    "illuminance": Quantity("lx", 0, whole=True), "linkquality": Quantity("lqi", 0, 255, whole=True),
    "rssi": Quantity("dBm", -200, 0), "brightness": Quantity("", 0, whole=True), "uptime": Quantity("s", 0, whole=True),
    "voltage": Quantity("V"), "current": Quantity("A"), "power": Quantity("W"), "energy": Quantity("kWh"),
    "frequency": Quantity("Hz", 0), "pressure": Quantity(), "latitude": Quantity("°", -90, 90),
    "longitude": Quantity("°", -180, 180), "count": Quantity("", 0, whole=True),
}  # fmt: skip

# Two words that mean something else than the last of them.
_PAIRS: Final = {"color_temp": Quantity("mired"), "color_temperature": Quantity("mired"), "power_factor": Quantity()}

# Levels of a topic that name a measurement or a part of a device, and so are none of the names to capture.
CHANNELS: Final = frozenset(_WORDS) | {
    "state", "status", "availability", "online", "climate", "sensor", "event", "telemetry", "tele", "data", "meter",
    "position", "motion", "contact", "door", "relay", "lwt", "set", "config", "uptime", "value",
}  # fmt: skip

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MILLIVOLTS_FROM: Final = 1_000.0


def quantity_of(field: str, least: float, most: float) -> Quantity:
    """What a field of this name measures, given the values that were heard."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", _CAMEL.sub("_", field)) if word and not word.isdecimal()]
    words = [word.lower() for word in words]
    found = _known(words, least, most)
    return Quantity(
        found.unit,
        found.least if found.least is not None and least >= found.least else None,
        found.most if found.most is not None and most <= found.most else None,
        found.whole,
    )


def _known(words: list[str], least: float, most: float) -> Quantity:
    if not words:
        return Quantity()
    if "_".join(words[-2:]) in _PAIRS:
        return _PAIRS["_".join(words[-2:])]
    if len(words) > 1 and words[-1] in _SUFFIXES:
        return _SUFFIXES[words[-1]]
    word = words[-1] if words[-1] in _WORDS else words[0] if words[0] in _WORDS and len(words) == 1 else ""
    if word == "battery" and most > 100:
        return Quantity()
    if word == "voltage" and most >= _MILLIVOLTS_FROM:
        # A Zigbee battery's is in millivolts. Where a plug's 230 V comes under the same name, neither unit is true.
        return Quantity("mV" if least >= _MILLIVOLTS_FROM else "")
    if word == "pressure" and least >= 300 and most <= 1_200:
        return Quantity("hPa", 300, 1_200)
    return _WORDS.get(word, Quantity())
