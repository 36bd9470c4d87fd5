"""mqttbridge: from any MQTT broker to a live dashboard, in one command, losing nothing."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

if _TYPE_CHECKING:
    from mqttbridge.client.plotly_stream import Stream as Stream, StreamConfig as StreamConfig

__version__ = "0.1.0"

# What programs import from here, and where it is: loaded when it is asked for, since the bridge needs none of it.
_LAZY = {
    "Stream": "mqttbridge.client.plotly_stream",
    "StreamConfig": "mqttbridge.client.plotly_stream",
}


def __getattr__(name: str) -> _Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(_LAZY[name]), name)
