"""ESPHome: `<node>/<component>/<entity>/state`, one bare value each, and `<node>/status`.

Facts: esphome.io, "MQTT Client Component". Its units stand in its Home Assistant discovery alone: with
`use: homeassistant` beside or instead of it, the streams have them.
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.config.model import PayloadFormat
from mqttbridge.mapping.families.family import FamilyRule, an_object, availability, reading, with_booleans
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


RULES: Final = (
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
