"""The Things Stack (TTN v3): uplinks on `v3/<application>@<tenant>/devices/<device>/up`.

Facts: thethingsindustries.com/docs, "MQTT Server" and "Data Formats". What the application's payload formatter decoded
makes the streams; without one, the payload itself is kept, in base64.
"""

from __future__ import annotations

from typing import Any, Final

from mqttbridge.mapping.families.family import FamilyRule, an_object
from mqttbridge.mapping.flatten import Fields, flatten

UNITS: Final = {"rssi": "dBm", "snr": "dB"}


def _uplink(document: Any) -> Fields:
    uplink = an_object(an_object(document).get("uplink_message"))
    decoded = uplink.get("decoded_payload")
    if isinstance(decoded, dict) and decoded:
        told = {key: value for key, value in decoded.items() if key not in {"f_cnt", "f_port", "rssi", "snr"}}
    else:
        told = {"payload": uplink.get("frm_payload") or None}
    return flatten(
        {**told, **_reception(uplink.get("rx_metadata")), "f_cnt": uplink.get("f_cnt"), "f_port": uplink.get("f_port")}
    )


def _reception(gateways: Any) -> dict[str, Any]:
    """Signal at the gateway that heard the device best."""
    heard = [
        gateway
        for gateway in (gateways if isinstance(gateways, list) else ())
        if isinstance(gateway, dict) and type(gateway.get("rssi")) in {int, float}
    ]
    if not heard:
        return {}
    best = max(heard, key=lambda gateway: gateway["rssi"])
    return {"rssi": best["rssi"], "snr": best.get("snr")}


RULES: Final = (
    FamilyRule("uplink", "{application}/devices/{device}/up", _uplink, units=UNITS, timestamp="received_at"),
)
