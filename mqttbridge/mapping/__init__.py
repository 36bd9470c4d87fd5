"""The pure core: a message's topic and payload become events, or a Rejected that says why not.

No clock, socket, file, thread or chance is in here: the same message always makes the same events.
"""

from mqttbridge.mapping.compiling import InvalidRules, Loc
from mqttbridge.mapping.routes import Route
from mqttbridge.mapping.rules import Rulebook

__all__ = ["InvalidRules", "Loc", "Route", "Rulebook"]
