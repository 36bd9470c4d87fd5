"""Families of devices that are known by their topics: how their topics read, and what of it is no measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Topics that a proposal leaves out, and why."""

    topic: str
    why: str


@dataclass(frozen=True, slots=True)
class Family:
    """A family. `topics` are filters with named captures; `left_out` is of no use as values over time."""

    name: str
    bucket: str
    topics: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


FAMILIES: Final = (
    Family(
        "Zigbee2MQTT",
        "zigbee2mqtt",
        ("zigbee2mqtt/{device}/availability", "zigbee2mqtt/{device}"),
        (
            LeftOut("zigbee2mqtt/bridge/#", "Zigbee2MQTT's own lists and log"),
            LeftOut("zigbee2mqtt/+/set", "commands to devices"),
            LeftOut("zigbee2mqtt/+/get", "commands to devices"),
        ),
    ),
    Family(
        "Tasmota",
        "tasmota",
        ("tele/{device}/SENSOR", "tele/{device}/STATE", "tele/{device}/LWT", "stat/{device}/POWER"),
        (
            LeftOut("cmnd/#", "commands to devices"),
            LeftOut("tasmota/discovery/#", "Tasmota's discovery: descriptions of devices"),
            LeftOut("tele/+/INFO1", "what a Tasmota device says of itself as it starts"),
            LeftOut("tele/+/INFO2", "what a Tasmota device says of itself as it starts"),
            LeftOut("tele/+/INFO3", "what a Tasmota device says of itself as it starts"),
            LeftOut("stat/+/RESULT", "answers to commands, which stat/+/POWER and tele/+/STATE repeat"),
        ),
    ),
    Family(
        "Shelly",
        "shelly",
        (
            "shellies/{device}/online",
            "shellies/{device}/relay/{channel}",
            "shellies/{device}/relay/{channel}/power",
            "shellies/{device}/relay/{channel}/energy",
        ),
        (
            LeftOut("shellies/announce", "what a Shelly says of itself as it starts"),
            LeftOut("shellies/+/announce", "what a Shelly says of itself as it starts"),
            LeftOut("shellies/+/info", "what a Shelly says of itself"),
            LeftOut("shellies/+/+/+/command", "commands to devices"),
        ),
    ),
    Family(
        "Home Assistant",
        "homeassistant",
        (),
        (
            LeftOut("homeassistant/+/+/config", "Home Assistant's discovery: descriptions of devices"),
            LeftOut("homeassistant/+/+/+/config", "Home Assistant's discovery: descriptions of devices"),
        ),
    ),
    Family("mqttbridge", "mqttbridge", (), (LeftOut("mqttbridge/+/availability", "whether a bridge is there"),)),
)
