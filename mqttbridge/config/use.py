"""Families of devices, which need no rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from mqttbridge.config.section import Section
from mqttbridge.config.thinning import ThinConfig
from mqttbridge.config.values import DerivedConfig, ValueConfig


class Family(StrEnum):
    """Kinds of devices whose topics and payloads are known without a rule."""

    ESPHOME = "esphome"
    HOMEASSISTANT = "homeassistant"
    OWNTRACKS = "owntracks"
    SHELLY = "shelly"
    SPARKPLUG = "sparkplug"
    TASMOTA = "tasmota"
    TTN = "ttn"
    ZIGBEE2MQTT = "zigbee2mqtt"


class UseConfig(Section):
    """A family of devices to take; its bare name stands for it with its defaults."""

    family: Family
    """Which devices."""
    base: str | None = Field(None, max_length=1000)
    """Topic before the family's own levels, as its devices are configured; default: the family's usual one."""
    bucket: str = "{device}"
    """Template of the bucket's name. Without `{device}`, the streams' names begin with the device."""
    to: tuple[str, ...] = ()
    """Names of destinations; default: every one."""
    values: dict[str, ValueConfig] = Field(default_factory=dict)
    """What is made of fields' values, as of a rule."""
    derive: dict[str, DerivedConfig] = Field(default_factory=dict)
    """Fields made of others by expressions, as of a rule."""
    thin: tuple[ThinConfig, ...] = ()
    """Which events are enough, as of a rule."""
    rebirth: bool = False
    """Of sparkplug: whether nodes are asked for their births where data cannot be read without, or were missed."""

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, data: Any) -> Any:
        return {"family": data} if isinstance(data, str) else data
