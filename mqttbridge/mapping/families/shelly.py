"""Shelly: Gen1 with a bare value a topic below `shellies/`, Gen2 and later with RPC notifications and statuses.

Facts: shelly-api-docs.shelly.cloud, "Gen1 MQTT" and "Gen2 MQTT, RPC Protocol". A Gen2 device's topics begin with its
own prefix, the base being what it was configured to stand below. A notification carries what changed only.
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.config.rules import PayloadFormat
from mqttbridge.mapping.families.family import FamilyRule, an_object, availability, nothing, number, reading, switch
from mqttbridge.mapping.flatten import SCALAR, Fields, flatten

GEN1_BASE: Final = "shellies"

# Of a device's status, the parts that are about its own housekeeping.
_HOUSEKEEPING: Final = frozenset(
    {"ble", "cloud", "eth", "knx", "matter", "mqtt", "schedule", "script", "service", "sys", "ts", "ui", "ws"}
)
_NOT_MEASURED: Final = frozenset(
    {"id", "source", "minute_ts", "by_minute", "errors", "tF", "timer_started_at", "timer_duration"}
)
_NOTIFICATIONS: Final = frozenset({"NotifyStatus", "NotifyFullStatus"})

_PHASE_UNITS: Final = {
    "voltage": "V", "current": "A", "freq": "Hz", "act_power": "W", "aprt_power": "VA", "total_act_energy": "Wh",
    "total_act_ret_energy": "Wh",
}  # fmt: skip
UNITS: Final = {
    "apower": "W", "aenergy.total": "Wh", "ret_aenergy.total": "Wh", "tC": "°C", "rh": "%", "battery.V": "V",
    "battery.percent": "%", "lux": "lx", "current_pos": "%", "target_pos": "%", "brightness": "%", "rssi": "dBm",
    "total_act": "Wh", "total_act_ret": "Wh", "total_current": "A", "total_act_power": "W", "total_aprt_power": "VA",
    **_PHASE_UNITS,
    **{f"{phase}_{name}": unit for phase in "abcn" for name, unit in _PHASE_UNITS.items()},
}  # fmt: skip


def _notification(document: Any) -> Fields:
    document = an_object(document)
    params = document.get("params")
    if not isinstance(params, dict):
        return {}
    if document.get("method") in _NOTIFICATIONS:
        return _measured({name: status for name, status in params.items() if isinstance(status, dict)})
    if document.get("method") == "NotifyEvent":
        return _events(params.get("events"))
    return {}


def _events(events: Any) -> Fields:
    """What happened at which input: `input:0.event` is `single_push`."""
    if not isinstance(events, list):
        return {}
    happened = [event for event in events if isinstance(event, dict)]
    return flatten(
        {
            f"{event['component']}.event": event["event"]
            for event in happened
            if isinstance(event.get("component"), str)
            and isinstance(event.get("event"), str)
            and event["component"].partition(":")[0] not in _HOUSEKEEPING
        }
    )


def _measured(components: dict[str, Any]) -> Fields:
    kept = {name: status for name, status in components.items() if name.partition(":")[0] not in _HOUSEKEEPING}
    return {field: value for field, value in flatten(kept).items() if _is_measured(field)}


def _is_measured(field: str) -> bool:
    component, *parts = field.split(".")
    return (component != "wifi" and _NOT_MEASURED.isdisjoint(parts)) or field == "wifi.rssi"


def _component(document: Any) -> Fields:
    """One component's status, on a topic of its own."""
    return {
        field: value
        for field, value in flatten(an_object(document)).items()
        if _NOT_MEASURED.isdisjoint(field.split("."))
    }


def _wifi(document: Any) -> Fields:
    return flatten({"rssi": an_object(document).get("rssi")})


def _light(document: Any) -> Fields:
    fields = flatten(an_object(document))
    return {field: value for field, value in fields.items() if field in {"ison", "brightness", "temp", "power", "mode"}}


def _gen1(topic: str, stream: str, read: Any, unit: str = "") -> FamilyRule:
    return FamilyRule(
        f"gen1 {topic}",
        f"{GEN1_BASE}/{{device}}/{topic}",
        read,
        stream,
        format=PayloadFormat.TEXT,
        units={SCALAR: unit},
    )


_GEN1: Final = (
    _gen1("online", "availability", availability),
    _gen1("temperature", "temperature", number, "°C"),
    _gen1("overtemperature", "overtemperature", switch),
    _gen1("voltage", "voltage", number, "V"),
    *(_gen1(f"sensor/{name}", name, number, unit) for name, unit in (
        ("temperature", "°C"), ("humidity", "%"), ("battery", "%"), ("lux", "lx"), ("tilt", "°"),
    )),
    _gen1("sensor/{name}", "{name}", reading),
    *(_gen1(f"ext_{name}/{{channel}}", f"ext_{name}.{{channel}}", number, unit) for name, unit in (
        ("temperature", "°C"), ("humidity", "%"),
    )),
    *(_gen1(f"{kind}/{{channel}}", f"{kind}.{{channel}}", switch) for kind in (
        "relay", "light", "white", "color", "roller", "input", "longpush",
    )),
    *(
        _gen1(f"{kind}/{{channel}}/{name}", f"{kind}.{{channel}}.{name}", number, unit)
        for kind in ("relay", "light", "white", "color", "roller")
        for name, unit in (("power", "W"), ("energy", "W·min"))
    ),
    _gen1("roller/{channel}/pos", "roller.{channel}.position", number, "%"),
    *(_gen1(f"emeter/{{channel}}/{name}", f"emeter.{{channel}}.{name}", number, unit) for name, unit in (
        ("power", "W"), ("reactive_power", "VAr"), ("voltage", "V"), ("current", "A"), ("pf", ""), ("total", "Wh"),
        ("total_returned", "Wh"), ("energy", "W·min"), ("returned_energy", "W·min"),
    )),
    *(
        FamilyRule(
            f"gen1 {kind} status", f"{GEN1_BASE}/{{device}}/{kind}/{{channel}}/status", _light,
            f"{kind}.{{channel}}.{{field}}", units={"power": "W", "brightness": "%", "temp": "K"},
        )
        for kind in ("light", "white", "color")
    ),
)  # fmt: skip

RULES: Final = (
    *_GEN1,
    FamilyRule("notification", "{device}/events/rpc", _notification, units=UNITS, timestamp="params.ts"),
    *(
        FamilyRule(f"{kind} status", f"{{device}}/status/{kind}", nothing)
        for kind in sorted(_HOUSEKEEPING)
    ),
    FamilyRule("wifi status", "{device}/status/wifi", _wifi, "wifi.{field}", units=UNITS),
    FamilyRule("status", "{device}/status/{component}", _component, "{component}.{field}", units=UNITS),
    FamilyRule("availability", "{device}/online", availability, "availability", format=PayloadFormat.TEXT),
)  # fmt: skip
