"""Zigbee2MQTT: a JSON object a device on `zigbee2mqtt/<friendly name>`, availability below it.

Facts: zigbee2mqtt.io, "MQTT topics and messages". A friendly name may hold one slash ("kitchen/lamp").
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.config.model import PayloadFormat
from mqttbridge.mapping.families.family import FamilyRule, an_object, availability, nothing, with_booleans, without
from mqttbridge.mapping.flatten import Fields, flatten

_BRIDGE: Final = "Zigbee2MQTT"

# What the bridge says of the device rather than the device of itself.
_NOT_MEASURED: Final = frozenset({"device", "elapsed", "last_seen", "update", "update_available"})

# The properties that converters share. Not `voltage`: V of a plug, mV of a battery.
UNITS: Final = {
    "temperature": "°C", "device_temperature": "°C", "local_temperature": "°C", "external_temperature": "°C",
    "occupied_heating_setpoint": "°C", "current_heating_setpoint": "°C", "soil_temperature": "°C", "humidity": "%",
    "soil_moisture": "%", "pressure": "hPa", "battery": "%", "power": "W", "energy": "kWh", "produced_energy": "kWh",
    "current": "A", "ac_frequency": "Hz", "illuminance": "lx", "illuminance_lux": "lx", "co2": "ppm", "pm25": "µg/m³",
    "pm10": "µg/m³", "noise": "dB", "linkquality": "lqi", "color_temp": "mired", "position": "%",
    "pi_heating_demand": "%",
}  # fmt: skip


def _state(document: Any) -> Fields:
    return with_booleans(flatten(without(an_object(document), _NOT_MEASURED)))


def _grouped_state(document: Any) -> Fields:
    """Below a group's level may stand a device, or one attribute of a device, which its state has already."""
    return _state(document) if isinstance(document, dict) else {}


RULES: Final = (
    FamilyRule("bridge", "bridge/state", availability, "availability", _BRIDGE, PayloadFormat.AUTO),
    FamilyRule("bridge messages", "bridge/+", nothing, device=_BRIDGE, format=PayloadFormat.TEXT),
    FamilyRule("commands", "+/set", nothing, device=_BRIDGE, format=PayloadFormat.TEXT),
    FamilyRule("requests", "+/get", nothing, device=_BRIDGE, format=PayloadFormat.TEXT),
    FamilyRule("availability", "{device}/availability", availability, "availability", format=PayloadFormat.AUTO),
    FamilyRule(
        "grouped availability", "{group}/{device}/availability", availability, "availability", "{group}/{device}",
        PayloadFormat.AUTO,
    ),
    FamilyRule("device", "{device}", _state, units=UNITS),
    FamilyRule(
        "grouped device", "{group}/{device}", _grouped_state, device="{group}/{device}", format=PayloadFormat.AUTO,
        units=UNITS,
    ),
)  # fmt: skip
