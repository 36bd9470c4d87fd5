"""Zigbee2MQTT: a JSON object a device on `zigbee2mqtt/<friendly name>`, availability below it.

Facts: zigbee2mqtt.io, "MQTT topics and messages" and "Exposes". A friendly name may hold one slash ("kitchen/lamp"),
and more once `bridge/devices` has told of it. That list also says what each device exposes: units (a plug's volts, a
battery's millivolts), the words for true and false, and what is only to be set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from mqttbridge.config.rules import PayloadFormat
from mqttbridge.events import Value
from mqttbridge.mapping.families.family import FamilyRule, an_object, availability, nothing, with_booleans, without
from mqttbridge.mapping.families.knowledge import Told, unit_in_words
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


# --- what `bridge/devices` tells ----------------------------------------------------------------------------------

# A device exposes a few dozen; more in one list of devices than these is no list of devices.
_MAX_EXPOSED: Final = 40_000
_MAX_DEPTH: Final = 4
# Bit 1 of `access`: the property is found in what the device publishes.
_PUBLISHED: Final = 1


class _Exposed(NamedTuple):
    """One property of a device: `name` as its state's fields have it."""

    name: str
    unit: str
    words: Mapping[str, Value]
    is_published: bool


def _devices(base: str, document: Any) -> Mapping[str, Told]:
    """By topic, what the list of devices says. Parts of it that read otherwise than documented say nothing."""
    told: dict[str, Told] = {}
    left = _MAX_EXPOSED
    for device in document if isinstance(document, list) else ():
        if not isinstance(device, dict):
            continue
        name, definition = device.get("friendly_name"), device.get("definition")
        if not isinstance(name, str) or not name or not isinstance(definition, dict):
            continue  # the coordinator, and devices that are not known, have no definition
        exposed: dict[str, _Exposed] = {}
        for one in _exposed(definition.get("exposes"), ""):
            left -= 1
            exposed[one.name] = one
            if left < 0:
                return told
        before = f"{base}/" if base else ""
        names = {"device": name}
        told[f"{before}{name}"] = Told(
            units={one.name: one.unit for one in exposed.values() if one.unit},
            words={one.name: one.words for one in exposed.values() if one.words},
            hidden=frozenset(one.name for one in exposed.values() if not one.is_published),
            like="device",
            names=names,
        )
        told[f"{before}{name}/availability"] = Told(like="availability", names=names)
    return told


def _exposed(features: Any, before: str, depth: int = 0) -> Iterator[_Exposed]:
    if not isinstance(features, list) or depth > _MAX_DEPTH:
        return
    for feature in features:
        if not isinstance(feature, dict):
            continue
        name = feature.get("property")
        if "features" in feature:  # a composite is an object of its own; a light or a lock is none
            inside = f"{before}{name}." if isinstance(name, str) and name else before
            yield from _exposed(feature["features"], inside, depth + 1)
        elif isinstance(name, str) and name:
            access = feature.get("access")
            yield _Exposed(
                f"{before}{name}",
                unit_in_words(feature.get("unit")),
                _words(feature) if feature.get("type") == "binary" else {},
                is_published=type(access) is not int or bool(access & _PUBLISHED),
            )


def _words(feature: Mapping[str, Any]) -> Mapping[str, Value]:
    """What stands for true and false, where that is texts."""
    pairs = ((feature.get("value_on"), True), (feature.get("value_off"), False))
    return {word: value for word, value in pairs if isinstance(word, str)}


RULES: Final = (
    FamilyRule("devices", "bridge/devices", nothing, device=_BRIDGE, announces=_devices),
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
