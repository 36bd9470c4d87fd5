"""mqttbridge: from any MQTT broker to a live dashboard, in one command, losing nothing."""

__version__ = "0.1.0"

# What programs import from here, loaded on use: `import mqttbridge` and the command line stay light.
_ON_USE = {
    "Stream": "mqttbridge.client.plotly_stream",
    "StreamConfig": "mqttbridge.client.plotly_stream",
    "Streamer": "mqttbridge.client.streamer",
}

__all__ = ["Stream", "StreamConfig", "Streamer", "__version__"]  # see __getattr__

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from mqttbridge.client.plotly_stream import Stream, StreamConfig
    from mqttbridge.client.streamer import Streamer


def __getattr__(name: str) -> object:
    if name not in _ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # no public name of ours

    return getattr(import_module(_ON_USE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_USE})
