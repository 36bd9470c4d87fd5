"""Sparkplug B: everything below `spBv1.0`, which the format of that name reads. A device is a node, or node.device.

Facts: the Eclipse Sparkplug specification 3.0. Births name the metrics, their types and units.
"""

from __future__ import annotations

from typing import Final

from mqttbridge.config.rules import PayloadFormat
from mqttbridge.mapping.families.family import FamilyRule, nothing

RULES: Final = (FamilyRule("messages", "{address#}", nothing, device="{origin}", format=PayloadFormat.SPARKPLUG),)
