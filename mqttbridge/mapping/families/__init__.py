"""Families of devices: `use: [zigbee2mqtt]` instead of rules. One file each, and one line below."""

from __future__ import annotations

from mqttbridge.mapping.families.announcing import Announcer, Changed
from mqttbridge.mapping.families.expanding import compile_families, discoveries, name_of_use

__all__ = ["Announcer", "Changed", "compile_families", "discoveries", "name_of_use"]
