"""What no section can see by itself: keys that contradict one another, and files that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mqttbridge.config.alert_actions import MqttAction
from mqttbridge.config.destinations import EmbeddedConfig, InitialStateConfig
from mqttbridge.config.http import HttpConfig
from mqttbridge.config.model import Config
from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.config.stores import PostgresStoreConfig

if TYPE_CHECKING:
    from mqttbridge.config.schema import Loc

_WITH_TLS: Final = ("mqtts://", "wss://")
_FILES: Final = ("ca_file", "cert_file", "key_file")
_PORTS: Final = {"http": 80, "https": 443}


def contradictions(config: Config) -> Iterator[tuple[Loc, str]]:
    """Everything of the kind, by its place in the configuration. Looks for files, and opens none."""
    if config.mqtt is not None:
        yield from _tls_problems(config.mqtt)
    for bucket, dashboard in config.dashboards.items():
        if dashboard.file is not None and (what := _no_file(dashboard.file)):
            yield ("dashboards", bucket, "file"), what
    yield from _alert_problems(config)
    yield from _retention_problems(config)
    for name, destination in config.destinations.items():
        if isinstance(destination, InitialStateConfig) and _is_ourselves(destination.url, config.http):
            yield (
                ("destinations", name, "url"),
                "is our own address (http.listen): each event would come back and be sent again, without end",
            )


def _retention_problems(config: Config) -> Iterator[tuple[Loc, str]]:
    for index, rule in enumerate(config.rules):
        if rule.retention is not None and not rule.name:
            yield ("rules", index, "retention"), "needs a name: by it the store remembers whose the streams are"


def _alert_problems(config: Config) -> Iterator[tuple[Loc, str]]:
    if config.alerts.rules and not any(isinstance(one, EmbeddedConfig) for one in config.destinations.values()):
        yield ("alerts", "rules"), "have nothing to watch: there is no destination of type embedded"
    stores = [one.store for one in config.destinations.values() if isinstance(one, EmbeddedConfig)]
    if not config.alerts.evaluate and not any(isinstance(store, PostgresStoreConfig) for store in stores):
        yield ("alerts", "evaluate"), "nobody else could: no other bridge has a part in a store that is not postgres"
    for name, action in config.alerts.actions.items():
        if isinstance(action, MqttAction) and config.mqtt is None:
            yield ("alerts", "actions", name, "type"), "cannot publish: mqtt is null"


def _tls_problems(mqtt: MqttConfig) -> Iterator[tuple[Loc, str]]:
    scheme = mqtt.url.partition("://")[0]
    if not mqtt.url.startswith(_WITH_TLS):
        for key in sorted(mqtt.tls.model_fields_set):
            if getattr(mqtt.tls, key) != type(mqtt.tls).model_fields[key].default:
                yield ("mqtt", "tls", key), f"has no effect: {scheme}:// is without TLS; use mqtts:// or wss://"
        return
    for key in _FILES:
        path = getattr(mqtt.tls, key)
        if path is not None and (what := _no_file(path)):
            yield ("mqtt", "tls", key), what


def _no_file(path: str) -> str:
    """What to say of a path that is not a file's; "" when it is."""
    if Path(path).is_file():
        return ""
    what = "is no file" if Path(path).exists() else "there is no such file"
    where = "" if Path(path).is_absolute() else " in the working directory"
    return f"{what}{where} (got {path!r})"


def _is_ourselves(url: str, http: HttpConfig) -> bool:
    """Whether what is sent to `url` arrives at our own Events API, as far as the names alone tell."""
    if not http.enabled:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return False
    host, own_port = http.address
    there, here = _plain(parts.hostname or ""), _plain(host)
    if port != own_port or own_port == 0:
        return False
    return there == here or _is_any(there) or (_is_any(here) and _is_loopback(there))


def _plain(host: str) -> str:
    """`localhost` and the loopback address of either IP are one."""
    host = host.lower().rstrip(".")
    return "127.0.0.1" if host in {"localhost", "::1"} or host.endswith(".localhost") else host


def _is_any(host: str) -> bool:
    """Whether this is the address that stands for all of this machine's."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
