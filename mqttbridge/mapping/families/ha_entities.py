"""What a Home Assistant discovery payload says: entities, each with the topics that tell its values, and how.

Facts: home-assistant.io, "MQTT" and its integrations. Nothing here knows topics of announcements or rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mqttbridge.mapping.families import ha_readings as readings
from mqttbridge.mapping.families.ha_abbreviations import DEVICE_KEYS, KEYS
from mqttbridge.mapping.families.ha_readings import Reading
from mqttbridge.mapping.flatten import SCALAR
from mqttbridge.mapping.topics import MAX_FILTER_BYTES
from mqttbridge.mapping.unusable import shown

MAX_COMPONENTS: Final = 500
_MAX_UNIT: Final = 16
_MAX_CLASS: Final = 40


class InvalidAnnouncement(ValueError):  # noqa: N818  # names what it is about, as InvalidRules does
    """A discovery payload that cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Told:
    """One value that an entity's device tells.

    Attributes:
        topic: where.
        field: its name below the entity's; `SCALAR` is the entity's own.
        template: text of its value template; empty for the payload as it is.
        read: what to make of the template's result.
        unit: of the value.
        device_class: what it is, such as `temperature` or `door`; empty where nothing says it.
        whole: whether `read` takes a JSON object, where there is one.
    """

    topic: str
    field: str
    template: str
    read: Reading
    unit: str = ""
    whole: bool = False
    device_class: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """One topic on which a device says whether it is there."""

    topic: str
    template: str
    online: str
    offline: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a device.

    Attributes:
        id: component and object, unique within its announcement.
        device: the device's name.
        name: the stream's.
        told: its values.
        availabilities: where its availability is told; `mode` says how they count together.
    """

    id: str
    device: str
    name: str
    told: tuple[Told, ...]
    availabilities: tuple[Availability, ...]
    mode: str


def entities(component: str, node: str, object_id: str, document: Any) -> tuple[Entity, ...]:
    """The entities that a discovery payload announces.

    Raises:
        InvalidAnnouncement: what it says cannot be used.
    """
    if not isinstance(document, dict):
        raise InvalidAnnouncement(f"expected an object (got {shown(document)})")
    config = _expanded(document)
    if component != "device":
        return (_entity(component, node, object_id, config),)
    components = config.pop("components", None)
    if not isinstance(components, dict) or len(components) > MAX_COMPONENTS:
        raise InvalidAnnouncement(
            f"components: expected an object of at most {MAX_COMPONENTS} (got {shown(components)})"
        )
    found: list[Entity] = []
    for key, announced in components.items():
        if not isinstance(announced, dict):
            raise InvalidAnnouncement(f"components.{key[:60]}: expected an object (got {shown(announced)})")
        own = _expanded(announced, config.get("~"))
        platform = own.get("platform")
        if not isinstance(platform, str):
            raise InvalidAnnouncement(f"components.{key[:60]}: platform is missing")
        if len(own) > 1:  # a platform alone says that the component is gone
            found.append(_entity(platform, object_id, key, {**config, **own}))
    return tuple(found)


def _expanded(document: Mapping[str, Any], base: Any = None) -> dict[str, Any]:
    """The payload with long keys, and `~` at an end of a topic replaced by the base."""
    config = _long(document)
    base = config.get("~", base)
    availability = config.get("availability")
    if isinstance(availability, list | dict):
        listed = availability if isinstance(availability, list) else [availability]
        config["availability"] = [
            _based_all(_long(each), base) for each in listed[:MAX_COMPONENTS] if isinstance(each, dict)
        ]
    return _based_all(config, base)


def _long(document: Mapping[str, Any]) -> dict[str, Any]:
    return {KEYS.get(key, key): value for key, value in document.items()}


def _based_all(config: dict[str, Any], base: Any) -> dict[str, Any]:
    return {key: _based(key, value, base) for key, value in config.items()}


def _based(key: str, value: Any, base: Any) -> Any:
    if not isinstance(value, str) or not isinstance(base, str) or not key.endswith("topic") or "~" not in value:
        return value
    if value.startswith("~"):
        return base + value[1:]
    return value[:-1] + base if value.endswith("~") else value


def _entity(component: str, node: str, object_id: str, config: Mapping[str, Any]) -> Entity:
    device = config.get("device")
    device = {DEVICE_KEYS.get(key, key): value for key, value in device.items()} if isinstance(device, dict) else {}
    device_name = _text(device.get("name")) or _identifier(device) or node or "Home Assistant"
    return Entity(
        id=f"{component} {node}/{object_id}" if node else f"{component} {object_id}",
        device=device_name,
        name=_entity_name(component, object_id, device_name, config),
        told=tuple(_told(component, config)),
        availabilities=tuple(_availabilities(config)),
        mode=str(config.get("availability_mode", "latest")),
    )


def _entity_name(component: str, object_id: str, device: str, config: Mapping[str, Any]) -> str:
    if "name" in config and config["name"] is None:
        return _text(config.get("device_class")) or component  # the device's main one
    name = _text(config.get("name"))
    if name.lower().startswith(device.lower() + " "):
        name = name[len(device) + 1 :]
    return name.strip() or _text(config.get("device_class")) or object_id


def _identifier(device: Mapping[str, Any]) -> str:
    identifiers = device.get("identifiers")
    return _text(identifiers[0] if isinstance(identifiers, list) and identifiers else identifiers)


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


# --- where values are told ---------------------------------------------------------------------------------------


def _told(component: str, config: Mapping[str, Any]) -> Iterator[Told]:
    """Every value of an entity whose topic is named; components without a state have none."""
    main = _main(component, config)
    if main is not None and (topic := _topic(config, "state_topic")):
        template = _template(config, *_STATE_TEMPLATES)
        whole = component == "siren" or main in readings.WHOLE
        yield Told(topic, SCALAR, template, main, _unit(config), whole, _device_class(config))
        if component == "light" and config.get("schema") == "template":
            for field in ("brightness", "color_temp", "effect"):
                if template := _template(config, f"{field}_template"):
                    yield Told(topic, field, template, readings.plain)
    degrees = "°F" if config.get("temperature_unit") == "F" else "°C"
    for field, topic_key, template_keys, unit in _PARTS:
        if topic := _topic(config, topic_key):
            scaled = field == "percentage" and "speed_range_max" in config
            read = (
                readings.on_off(config, "oscillate_on", "oscillate_off") if field == "oscillation" else readings.plain
            )
            its_unit = "" if scaled else degrees if unit == "degrees" else unit
            yield Told(topic, field, _template(config, *template_keys), read, its_unit)
    if component == "device_tracker" and (topic := _topic(config, "json_attributes_topic")):
        yield Told(topic, "location", _template(config, "json_attributes_template"), readings.location, whole=True)


_STATE_TEMPLATES: Final = ("value_template", "state_value_template", "state_template")
_PARTS: Final[tuple[tuple[str, str, tuple[str, ...], str], ...]] = (
    ("current_temperature", "current_temperature_topic", ("current_temperature_template",), "degrees"),
    ("temperature", "temperature_state_topic", ("temperature_state_template",), "degrees"),
    ("temperature_high", "temperature_high_state_topic", ("temperature_high_state_template",), "degrees"),
    ("temperature_low", "temperature_low_state_topic", ("temperature_low_state_template",), "degrees"),
    ("current_humidity", "current_humidity_topic", ("current_humidity_template",), "%"),
    ("humidity", "target_humidity_state_topic", ("target_humidity_state_template",), "%"),
    ("mode", "mode_state_topic", ("mode_state_template",), ""),
    ("action", "action_topic", ("action_template",), ""),
    ("fan_mode", "fan_mode_state_topic", ("fan_mode_state_template",), ""),
    ("swing_mode", "swing_mode_state_topic", ("swing_mode_state_template",), ""),
    ("preset_mode", "preset_mode_state_topic", ("preset_mode_value_template",), ""),
    ("percentage", "percentage_state_topic", ("percentage_value_template",), "%"),
    ("oscillation", "oscillation_state_topic", ("oscillation_value_template",), ""),
    ("direction", "direction_state_topic", ("direction_value_template",), ""),
    ("brightness", "brightness_state_topic", ("brightness_value_template",), ""),
    ("color_temp", "color_temp_state_topic", ("color_temp_value_template",), ""),
    ("color_mode", "color_mode_state_topic", ("color_mode_value_template",), ""),
    ("effect", "effect_state_topic", ("effect_value_template",), ""),
    ("rgb", "rgb_state_topic", ("rgb_value_template",), ""),
    ("hs", "hs_state_topic", ("hs_value_template",), ""),
    ("xy", "xy_state_topic", ("xy_value_template",), ""),
    ("position", "position_topic", ("position_template",), "%"),
    ("tilt", "tilt_status_topic", ("tilt_status_template",), "%"),
    ("battery", "battery_level_topic", ("battery_level_template",), "%"),
    ("latest_version", "latest_version_topic", ("latest_version_template",), ""),
    ("activity", "activity_state_topic", ("activity_value_template",), ""),
)


def _main(component: str, config: Mapping[str, Any]) -> Reading | None:
    """What to make of the state itself; None for components that have none."""
    match component:
        case "sensor" | "number":
            if component == "number" or any(config.get(key) for key in ("unit_of_measurement", "state_class")):
                return readings.number
            return readings.text_only if config.get("device_class") in {"date", "enum", "timestamp"} else readings.plain
        case "light" if config.get("schema") == "json":
            return readings.json_light
        case "switch":
            return readings.on_off(config, "state_on", "state_off", "payload_on", "payload_off")
        case "light" if config.get("schema") == "template":
            return readings.plain_state
        case "binary_sensor" | "fan" | "humidifier" | "light" | "siren":
            return readings.on_off(config, "payload_on", "payload_off")
        case "device_tracker":
            return readings.home(config)
        case "event":
            return readings.event
        case "update":
            return readings.update
        case "vacuum":
            return readings.vacuum
        case "alarm_control_panel" | "cover" | "lock" | "select" | "text" | "valve":
            return readings.text_only if component in {"select", "text"} else readings.plain
        case _:
            return None


def _topic(config: Mapping[str, Any], key: str) -> str:
    topic = config.get(key)
    if topic is None or topic == "":
        return ""
    if not isinstance(topic, str) or len(topic.encode("utf-8", "replace")) > MAX_FILTER_BYTES or "\0" in topic:
        raise InvalidAnnouncement(f"{key}: expected a topic (got {shown(topic)})")
    if "+" in topic or "#" in topic:
        raise InvalidAnnouncement(f"{key}: a topic with wildcards is not offered (got {shown(topic)})")
    if topic.startswith("$share/"):  # to a broker, another topic's subscription
        raise InvalidAnnouncement(f"{key}: a shared subscription is no topic (got {shown(topic)})")
    return topic


def _template(config: Mapping[str, Any], *keys: str) -> str:
    for key in keys:
        if isinstance(template := config.get(key), str):
            return template
    return ""


def _device_class(config: Mapping[str, Any]) -> str:
    """A word as Home Assistant has them, and nothing else."""
    word = _text(config.get("device_class"))
    return word if len(word) <= _MAX_CLASS and word.isascii() and word.replace("_", "").isalnum() else ""


def _unit(config: Mapping[str, Any]) -> str:
    unit = _text(config.get("unit_of_measurement"))[:_MAX_UNIT]
    return unit if unit.isprintable() else ""


def _availabilities(config: Mapping[str, Any]) -> Iterator[Availability]:
    if isinstance(listed := config.get("availability"), list):
        for each in listed:
            if topic := _topic(each, "topic"):
                yield _availability(topic, _template(each, "value_template"), each)
    elif topic := _topic(config, "availability_topic"):
        yield _availability(topic, _template(config, "availability_template"), config)


def _availability(topic: str, template: str, config: Mapping[str, Any]) -> Availability:
    online, offline = config.get("payload_available", "online"), config.get("payload_not_available", "offline")
    return Availability(topic, template, str(online), str(offline))
