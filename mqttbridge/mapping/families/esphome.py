"""ESPHome: `<node>/<component>/<entity>/state`, one bare value each, and `<node>/status`.

Facts: esphome.io, "MQTT Client Component". Its units stand in its Home Assistant discovery alone, which is read for
them: `homeassistant/<component>/<node>/<object>/config` names the topic of a state and its unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mqttbridge.config.rules import PayloadFormat
from mqttbridge.mapping.families.family import FamilyRule, an_object, availability, nothing, reading, with_booleans
from mqttbridge.mapping.families.ha_entities import InvalidAnnouncement, entities
from mqttbridge.mapping.families.knowledge import Told
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten

_COMPONENTS: Final = (
    "sensor", "binary_sensor", "switch", "fan", "cover", "valve", "lock", "number", "select", "text", "text_sensor",
    "alarm_control_panel", "date", "time", "datetime",
)  # fmt: skip
_WITH_PARTS: Final = ("climate", "cover", "fan", "valve")
_PARTS: Final = {
    "position": "%", "tilt": "%", "speed_level": "", "oscillation": "", "direction": "", "mode": "", "action": "",
    "current_temperature": "°C", "target_temperature": "°C", "target_temperature_low": "°C",
    "target_temperature_high": "°C", "current_humidity": "%", "target_humidity": "%", "fan_mode": "", "swing_mode": "",
    "preset": "",
}  # fmt: skip


def _light(document: Any) -> Fields:
    return with_booleans(flatten(an_object(document)))


def _units(base: str, document: Any) -> Mapping[str, Told]:
    """By topic, units and device classes that an announcement tells of states that these rules read."""
    try:
        # Its component says how a state reads, which is known here by the state's own topic.
        found = entities("sensor", "", "", document)
    except InvalidAnnouncement:
        return {}
    before = base.split("/") if base else []
    return {
        told.topic: Told(units=_under_scalar(told.unit), device_classes=_under_scalar(told.device_class))
        for entity in found
        for told in entity.told
        if (told.unit or told.device_class) and not told.template and _is_state(told.topic.split("/"), before)
    }


def _under_scalar(word: str) -> Mapping[str, str]:
    return {SCALAR: word} if word else {}


def _is_state(levels: list[str], before: list[str]) -> bool:
    """Whether a topic is `<base>/<node>/<component>/<entity>[/<part>]/state`."""
    own = levels[len(before) :]
    known = {4: _COMPONENTS, 5: _WITH_PARTS}.get(len(own), ())
    return levels[: len(before)] == before and own[-1] == "state" and own[1] in known


RULES: Final = (
    # Where the node's level is Home Assistant's own, it is its birth message.
    FamilyRule("home assistant", "homeassistant/status", nothing, device="homeassistant", format=PayloadFormat.TEXT,
               absolute=True),
    *(
        FamilyRule(name, topic, nothing, device="{object}", announces=_units, absolute=True)
        for name, topic in (
            ("discovery", "homeassistant/{component}/{object}/config"),
            ("discovery of nodes", "homeassistant/{component}/{node}/{object}/config"),
        )
    ),
    FamilyRule("availability", "{device}/status", availability, "availability", format=PayloadFormat.TEXT),
    FamilyRule("light", "{device}/light/{entity}/state", _light, "{entity}.{field}"),
    *(
        FamilyRule(
            component, f"{{device}}/{component}/{{entity}}/state", reading, "{entity}", format=PayloadFormat.TEXT
        )
        for component in _COMPONENTS
    ),
    *(
        FamilyRule(
            f"{component} {part}", f"{{device}}/{component}/{{entity}}/{part}/state", reading, f"{{entity}}.{part}",
            format=PayloadFormat.TEXT, units={SCALAR: unit},
        )
        for component in _WITH_PARTS
        for part, unit in _PARTS.items()
    ),
)  # fmt: skip
