"""OwnTracks: where somebody is, on `owntracks/<user>/<device>`.

Facts: owntracks.org/booklet, "JSON". A position is a text `lat,lon`, as Initial State's maps take it.
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.events import Reason
from mqttbridge.mapping.families.family import FamilyRule, an_object
from mqttbridge.mapping.flatten import Fields, flatten
from mqttbridge.mapping.unusable import Unusable, shown

_NAMES: Final = {
    "acc": "accuracy", "alt": "altitude", "batt": "battery", "cog": "course", "vel": "velocity", "p": "pressure",
}  # fmt: skip
UNITS: Final = {
    "accuracy": "m", "altitude": "m", "battery": "%", "course": "°", "velocity": "km/h", "pressure": "kPa",
}  # fmt: skip


def position(latitude: Any, longitude: Any) -> str:
    """`lat,lon` of a position.

    Raises:
        Unusable: it is none on Earth.
    """
    for name, value, most in (("lat", latitude, 90), ("lon", longitude, 180)):
        # Written so that a NaN fails.
        if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
            raise Unusable(Reason.VALIDATION, f"{name}: must be a number from -{most} to {most} (got {shown(value)})")
    return f"{latitude},{longitude}"


def _message(document: Any) -> Fields:
    match (document := an_object(document)).get("_type"):
        case "location":
            told = {name: document[key] for key, name in _NAMES.items() if key in document}
            return flatten({"location": position(document.get("lat"), document.get("lon")), **told})
        case "lwt":
            return {"availability": "offline"}
        case _:
            return {}


def _timed(document: Any) -> Any:
    """A last will was written when the device connected: its time is not that of what it says."""
    if isinstance(document, dict) and document.get("_type") == "lwt":
        return {key: value for key, value in document.items() if key != "tst"}
    return document


def _transition(document: Any) -> Fields:
    document = an_object(document)
    if document.get("_type") != "transition":
        return {}
    return flatten({"transition": f"{document.get('event', '')} {document.get('desc', '')}".strip()})


RULES: Final = (
    FamilyRule(
        "device", "{user}/{device}", _message, device="{user}/{device}", units=UNITS,
        timestamp="tst", prepare=_timed,
    ),
    FamilyRule("transition", "{user}/{device}/event", _transition, device="{user}/{device}", timestamp="tst"),
)  # fmt: skip
