"""Tasmota: `tele/<device>/SENSOR`, `STATE` and `LWT`, `stat/<device>/POWER`.

Facts: tasmota.github.io, "MQTT". A message's `Time` is the device's local time without its zone, so arrival counts.
Values of devices set to °F or to another unit of pressure are converted, so that a stream has one unit.

A device's discovery, `tasmota/discovery/<mac>/config`, says where its topics really are (`FullTopic` and the three
prefixes may be anything), and which words it has for on and off, online and offline (`StateText`). `.../sensors`
beside it repeats what each `SENSOR` message has, units of temperature and pressure among it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mqttbridge.config.rules import PayloadFormat
from mqttbridge.events import Value
from mqttbridge.mapping.families.family import (
    FamilyRule,
    an_object,
    availability,
    nothing,
    switch,
    with_booleans,
    without,
)
from mqttbridge.mapping.families.knowledge import Told
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten

_NOT_MEASURED: Final = frozenset({"Time", "TempUnit", "PressureUnit", "SpeedUnit", "Id", "Address", "TotalStartTime"})
_TEMPERATURES: Final = frozenset({"Temperature", "DewPoint"})
_PRESSURES: Final = frozenset({"Pressure", "SeaPressure"})
_HPA: Final = {"mmHg": 1.333224, "inHg": 33.86389}
# Of a STATE, what one draws; the rest is names, addresses and the work of the firmware.
_STATE: Final = frozenset(
    {"UptimeSec", "Vcc", "Heap", "LoadAvg", "MqttCount", "Dimmer", "CT", "Color", "Fade", "Speed"}
)
_WIFI: Final = frozenset({"RSSI", "Signal"})

_MAX_TOPIC_CHARS: Final = 1_000

UNITS: Final = {
    "Temperature": "°C", "DewPoint": "°C", "Humidity": "%", "Pressure": "hPa", "SeaPressure": "hPa",
    "Illuminance": "lx", "CarbonDioxide": "ppm", "eCO2": "ppm", "TVOC": "ppb", "PM1": "µg/m³", "PM2.5": "µg/m³",
    "PM10": "µg/m³", "Distance": "cm", "Total": "kWh", "Yesterday": "kWh", "Today": "kWh", "Period": "Wh",
    "Power": "W", "ApparentPower": "VA", "ReactivePower": "VAr", "Frequency": "Hz", "Voltage": "V", "Current": "A",
    "RSSI": "%", "Signal": "dBm", "UptimeSec": "s", "Vcc": "V", "Heap": "kB", "Dimmer": "%", "CT": "mired",
}  # fmt: skip


def _sensor(document: Any) -> Fields:
    document = an_object(document)
    fahrenheit = document.get("TempUnit") == "F"
    hectopascals = _HPA.get(str(document.get("PressureUnit")), 1.0)
    fields: Fields = {}
    for field, value in with_booleans(flatten(without(document, _NOT_MEASURED))).items():
        name = field.rpartition(".")[2]
        if name in _NOT_MEASURED:
            continue
        if isinstance(value, str):
            fields[field] = value
        elif fahrenheit and name in _TEMPERATURES:
            fields[field] = round((value - 32) / 1.8, 2)
        elif hectopascals != 1.0 and name in _PRESSURES:
            fields[field] = round(value * hectopascals, 1)
        else:
            fields[field] = value
    return fields


def _state(document: Any) -> Fields:
    document = an_object(document)
    kept = {key: value for key, value in document.items() if key in _STATE or key.startswith("POWER")}
    if isinstance(wifi := document.get("Wifi"), dict):
        kept["Wifi"] = {key: value for key, value in wifi.items() if key in _WIFI}
    return _sensor(kept)


_POWERS: Final = ("POWER", *(f"POWER{relay}" for relay in range(1, 9)))


def _device(_: str, document: Any) -> Mapping[str, Told]:
    """By topic, what a device's discovery says: `ft` is its FullTopic, `tp` its prefixes, `t` its topic."""
    config = an_object(document)
    prefixes, name = config.get("tp"), config.get("t")
    if not isinstance(name, str) or not name or not isinstance(prefixes, list) or len(prefixes) < 3:
        return {}
    stat, tele = (_topic(config, name, str(prefix)) for prefix in prefixes[1:3])
    if not stat or not tele:
        return {}
    off, on = _two_words(config.get("state"))
    presence: dict[str, Value] = {}
    for key, meant in (("ofln", "offline"), ("onln", "online")):
        if isinstance(word := config.get(key), str) and word:
            presence[word] = meant
    names = {"device": name}
    switches: dict[str, Value] = {on: True, off: False} if on != off else {}
    bare: dict[str, Value] = {on: "ON", off: "OFF"} if on != off else {}
    return {
        f"{tele}SENSOR": Told(like="sensor", names=names),
        f"{tele}STATE": Told(words=dict.fromkeys(_POWERS, switches), like="state", names=names),
        f"{tele}LWT": Told(words={SCALAR: presence}, like="availability", names=names),
        **{f"{stat}{power}": Told(words={SCALAR: bare}, like=power, names=names) for power in _POWERS},
    }


def _topic(config: Mapping[str, Any], name: str, prefix: str) -> str:
    """What stands before the kind of message; empty if it cannot be told."""
    full = config.get("ft")
    if not isinstance(full, str):
        return ""
    known = {"%prefix%": prefix, "%topic%": name, "%hostname%": config.get("hn"), "%id%": str(config.get("mac"))[-6:]}
    for token, text in known.items():
        if isinstance(text, str):
            full = full.replace(token, text)
    if "%" in full or not {"+", "#", "\0"}.isdisjoint(full) or len(full) > _MAX_TOPIC_CHARS:
        return ""
    return full if full.endswith("/") else f"{full}/"


def _two_words(state: Any) -> tuple[str, str]:
    words = [word for word in state[:2] if isinstance(word, str)] if isinstance(state, list) else []
    return (words[0], words[1]) if len(words) == 2 else ("", "")


RULES: Final = (
    FamilyRule("discovery", "tasmota/discovery/{device}/config", nothing, announces=_device, absolute=True),
    FamilyRule("sensor", "tele/{device}/SENSOR", _sensor, units=UNITS),
    FamilyRule("state", "tele/{device}/STATE", _state, units=UNITS),
    FamilyRule("availability", "tele/{device}/LWT", availability, "availability", format=PayloadFormat.TEXT),
    *(FamilyRule(name, f"stat/{{device}}/{name}", switch, name, format=PayloadFormat.TEXT) for name in _POWERS),
)
