"""What the values are that templates give: fields of an entity, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from mqttbridge.events import Reason, Value
from mqttbridge.mapping.families.family import checked_text
from mqttbridge.mapping.families.owntracks import position
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten
from mqttbridge.mapping.payload import parse_number
from mqttbridge.mapping.unusable import Unusable, shown

Reading: TypeAlias = Callable[[Any], Fields]
"""From what a template gives to fields: of the entity itself under `SCALAR`."""

_NO_VALUE: Final = frozenset({"", "none", "null", "unknown", "unavailable", "nan"})


def has_value(raw: Any) -> bool:
    """Whether a template's result is one at all."""
    return raw is not None and not (isinstance(raw, str) and raw.strip().lower() in _NO_VALUE)


def number(raw: Any) -> Fields:
    """A number."""
    if not has_value(raw):
        return {}
    if isinstance(raw, str):
        return flatten(parse_number(raw.strip().encode()))
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Unusable(Reason.MALFORMED, f"expected a number (got {shown(raw)})")
    return flatten(raw)


def plain(raw: Any) -> Fields:
    """A number where it looks like one, else a text; of a structure, nothing."""
    if not has_value(raw) or isinstance(raw, dict | list):
        return {}
    if isinstance(raw, str):
        try:
            return flatten(parse_number(raw.strip().encode()))
        except Unusable:
            return {SCALAR: checked_text(raw.strip())}
    return flatten(raw)


def text_only(raw: Any) -> Fields:
    """A text."""
    if not has_value(raw) or isinstance(raw, dict | list):
        return {}
    return {SCALAR: checked_text(raw.strip() if isinstance(raw, str) else str(raw))}


def plain_state(raw: Any) -> Fields:
    """True and false for `on` and `off`, else as `plain`."""
    word = str(raw).strip().lower() if has_value(raw) else ""
    return {SCALAR: word == "on"} if word in {"on", "off"} else plain(raw)


def on_off(config: Mapping[str, Any], *keys: str) -> Reading:
    """True and false by the payloads that stand for them, those of the first keys before the others."""
    defaults = {"oscillate_on": "oscillate_on", "oscillate_off": "oscillate_off"}
    on = next((config[key] for key in keys[::2] if config.get(key) is not None), defaults.get(keys[0], "ON"))
    off = next((config[key] for key in keys[1::2] if config.get(key) is not None), defaults.get(keys[1], "OFF"))
    words: dict[str, Value] = {str(off): False, str(on): True}

    def read(raw: Any) -> Fields:
        if isinstance(raw, dict):  # a siren may tell more than its state
            raw = raw.get("state")
        word = str(raw)
        if word in words:
            return {SCALAR: words[word]}
        if not has_value(raw):
            return {}
        raise Unusable(Reason.VALIDATION, f"must be {shown(str(on))} or {shown(str(off))} (got {shown(raw)})")

    return read


def home(config: Mapping[str, Any]) -> Reading:
    """`home` and `not_home` by the payloads that stand for them."""
    words = {
        str(config.get("payload_home", "home")): "home",
        str(config.get("payload_not_home", "not_home")): "not_home",
    }
    return lambda raw: text_only(words.get(raw, raw) if isinstance(raw, str) else raw)


def picked(*keys: str) -> Callable[[Mapping[str, Any]], Fields]:
    """These keys of an object."""
    return lambda document: flatten({key: document[key] for key in keys if key in document})


def json_light(raw: Any) -> Fields:
    """A light's state and settings."""
    if not isinstance(raw, dict):
        return {}
    fields = picked("brightness", "color_temp", "color_mode", "effect", "color")(raw)
    return {**(plain_state(raw.get("state")) if "state" in raw else {}), **fields}


def vacuum(raw: Any) -> Fields:
    """A vacuum's state, battery and fan."""
    if not isinstance(raw, dict):
        return plain(raw)
    return {**plain(raw.get("state")), **picked("battery_level", "fan_speed")(raw)}


def event(raw: Any) -> Fields:
    """An event's type."""
    return text_only(raw.get("event_type")) if isinstance(raw, dict) else {}


def update(raw: Any) -> Fields:
    """The versions that are installed and to be had."""
    if not isinstance(raw, dict):
        return text_only(raw)
    return {**text_only(raw.get("installed_version")), **picked("latest_version", "update_percentage")(raw)}


def location(raw: Any) -> Fields:
    """A position."""
    if not isinstance(raw, dict) or "latitude" not in raw or "longitude" not in raw:
        return {}
    return {SCALAR: position(raw["latitude"], raw["longitude"])}


# These take a JSON object where there is one.
WHOLE: Final = frozenset({json_light, vacuum, event, update})
