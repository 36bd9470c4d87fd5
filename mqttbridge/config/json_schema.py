"""The JSON Schema of the configuration, for editors: made of the same models that read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mqttbridge.config.model import Config

# A key of any type may be read from the environment; editors see the reference.
_REFERENCE: Final = {"type": "string", "pattern": r"\$\{[A-Za-z_]"}
_NOT_TEXT: Final = frozenset({"integer", "number", "boolean"})

_DURATIONS: Final = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SIZES: Final = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}
_ABOUT: Final = ("description", "default", "examples", "title")
_BOUNDS: Final = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}

# By the models' names; what the type itself says (a number, one of some words) needs none.
_EXAMPLES: Final[Mapping[str, Mapping[str, list[Any]]]] = {
    "MqttConfig": {
        "url": ["mqtt://localhost:1883", "mqtts://broker.example.org", "wss://broker.example.org/mqtt"],
        "username": ["bridge"],
        "password": ["${MQTT_PASSWORD}"],
    },
    "HttpConfig": {"listen": ["127.0.0.1:8080", "0.0.0.0:8080"], "write_keys": [["${WRITE_KEY}"]]},
    "InitialStateConfig": {"access_key": ["${INITIALSTATE_ACCESS_KEY}"]},
    "SpoolConfig": {"max_size": ["1GiB"], "min_free_disk": ["64MiB"]},
    "FieldConfig": {
        "unit": ["°C", "%", "W"],
        "path": ["sensors.0.value"],
        "pattern": ["[a-z]+"],
        "choices": [["heat", "cool", "off"]],
    },
    "RuleConfig": {
        "name": ["climate"],
        "topic": ["fleet/{site}/{device}/climate", "zigbee2mqtt/{device}", "home/{rest#}"],
        "model": ["Climate", "package.module:Model"],
        "bucket": ["{site}", "home"],
        "stream": ["{device}.{field}", "{room}.power"],
        "timestamp": ["ts", "meta.time"],
        "to": [["dashboard"], ["dashboard", "cloud"]],
    },
    "AlertRuleConfig": {
        "name": ["Greenhouse too warm"],
        "bucket": ["greenhouse"],
        "stream": ["*.temperature"],
        "actions": [["chat"]],
        "when": [{"is": ">", "value": 30, "clear": 28}],
    },
    "UseConfig": {"base": ["home/zigbee2mqtt"], "bucket": ["{device}", "home"], "to": [["dashboard"]]},
    "Config": {
        "use": [["zigbee2mqtt", "tasmota"]],
        "models": [{"Climate": {"temperature": {"type": "float", "ge": -40, "le": 85, "unit": "°C"}}}],
        "destinations": [{"dashboard": {"type": "embedded"}}],
        "rules": [[{"topic": "fleet/{site}/{device}/climate", "bucket": "{site}", "stream": "{device}.{field}"}]],
    },
}


def json_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of the file as it is written, before variables and files are read in."""
    schema = Config.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs")
    family: dict[str, Any] = schema["properties"]["use"]
    family["items"] = {"anyOf": [family["items"], definitions["UseConfig"]["properties"]["family"] | {}]}  # a bare name
    for name, definition in (*definitions.items(), ("Config", schema)):
        fields = definition.get("properties", {})
        for key, field in fields.items():
            _write_quantities_with_units(field)
            if examples := _EXAMPLES.get(name, {}).get(key):
                field["examples"] = examples
            fields[key] = _or_nothing(_or_reference(field), definitions)
        _drop_what_says_nothing(definition)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mqttbridge configuration",
        **schema,
        "$defs": definitions,
    }


def _write_quantities_with_units(field: dict[str, Any]) -> None:
    """Durations and sizes as they are written: `60s`, where the program holds 60.0."""
    default = field.get("default")
    if isinstance(default, bool) or not isinstance(default, int | float):
        return
    if field.get("type") == "string":
        field["default"] = _quantity(default, _DURATIONS)
        for bound in _BOUNDS & field.keys():
            del field[bound]
        field["anyOf"] = [{"type": field.pop("type")}, {"const": 0}]  # nothing needs no unit
    elif "string" in [choice.get("type") for choice in field.get("anyOf", ())]:
        field["default"] = _quantity(default, _SIZES)


def _quantity(amount: float, units: Mapping[str, float]) -> str:
    if amount == 0:
        return "0"
    return next(f"{amount / size:g}{unit}" for unit, size in units.items() if amount % size == 0)


def _or_reference(field: dict[str, Any]) -> dict[str, Any]:
    """A field that also takes `${NAME}` where it is no text anyway."""
    if field.get("type") not in _NOT_TEXT:
        return field
    about: dict[str, Any] = {key: field.pop(key) for key in _ABOUT if key in field}
    return {"anyOf": [field, dict(_REFERENCE)], **about}


def _or_nothing(field: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A section of which every key is left out is null to YAML, and has its defaults."""
    reference = field.get("$ref", "").rpartition("/")[2]
    if definitions.get(reference, {}).get("type") != "object" or "default" not in field:
        return field
    about = {"description": definitions[reference].get("description", ""), **field}
    del about["$ref"]
    return {"anyOf": [{"$ref": field["$ref"]}, {"type": "null"}], **about}


def _drop_what_says_nothing(definition: dict[str, Any]) -> None:
    """Titles that pydantic makes of names; defaults of whole sections, which are those of their keys."""
    definition.pop("title", None)
    for field in definition.get("properties", {}).values():
        field.pop("title", None)
        if isinstance(field.get("default"), dict):
            del field["default"]
