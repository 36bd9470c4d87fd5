"""Tasmota: `tele/<device>/SENSOR`, `STATE` and `LWT`, `stat/<device>/POWER`.

Facts: tasmota.github.io, "MQTT". A message's `Time` is the device's local time without its zone, so arrival counts.
Values of devices set to °F or to another unit of pressure are converted, so that a stream has one unit.
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.config.model import PayloadFormat
from mqttbridge.mapping.families.family import FamilyRule, an_object, availability, switch, with_booleans, without
from mqttbridge.mapping.flatten import Fields, flatten

_NOT_MEASURED: Final = frozenset({"Time", "TempUnit", "PressureUnit", "SpeedUnit", "Id", "Address", "TotalStartTime"})
_TEMPERATURES: Final = frozenset({"Temperature", "DewPoint"})
_PRESSURES: Final = frozenset({"Pressure", "SeaPressure"})
_HPA: Final = {"mmHg": 1.333224, "inHg": 33.86389}
# Of a STATE, what one draws; the rest is names, addresses and the work of the firmware.
_STATE: Final = frozenset(
    {"UptimeSec", "Vcc", "Heap", "LoadAvg", "MqttCount", "Dimmer", "CT", "Color", "Fade", "Speed"}
)
_WIFI: Final = frozenset({"RSSI", "Signal"})

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


RULES: Final = (
    FamilyRule("sensor", "tele/{device}/SENSOR", _sensor, units=UNITS),
    FamilyRule("state", "tele/{device}/STATE", _state, units=UNITS),
    FamilyRule("availability", "tele/{device}/LWT", availability, "availability", format=PayloadFormat.TEXT),
    *(
        FamilyRule(name, f"stat/{{device}}/{name}", switch, name, format=PayloadFormat.TEXT)
        for name in ("POWER", *(f"POWER{relay}" for relay in range(1, 9)))
    ),
)
