"""Where events go. A new destination is one file that speaks `base.Destination`, and one line in `_FACTORIES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mqttbridge.destinations.base import BatchLimits, Delivery, Destination, Rate

__all__ = ["BatchLimits", "Delivery", "Destination", "DestinationContext", "Rate", "create"]


@dataclass(frozen=True, slots=True)
class DestinationContext:
    """What destinations may need of the bridge.

    Attributes:
        data_dir: where one that keeps files may do so.
        dashboard: the embedded dashboard, with its `store` and `hub`; None where there is none.
        observe: told of what the embedded dashboard has stored; None where nobody watches over it.
    """

    data_dir: Path
    dashboard: Any = None
    observe: Callable[[Any], None] | None = None


_Factory = Callable[[Any, str, Any, DestinationContext], Destination]

# type in the configuration -> module and class, loaded when the type is used, and how to call the class.
_FACTORIES: Final[dict[str, tuple[str, _Factory]]] = {
    "embedded": (
        "mqttbridge.destinations.embedded:EmbeddedDestination",
        lambda make, name, config, its: make(
            name,
            config,
            its.dashboard.store,
            its.dashboard.hub,
            observe=its.observe,
            activity=its.dashboard.activity,
            classes=its.dashboard.classes,
        ),
    ),
    "initialstate": (
        "mqttbridge.destinations.initialstate:InitialStateDestination",
        lambda make, name, config, _: make(name, config),
    ),
}


def create(name: str, config: Any, context: DestinationContext) -> Destination:
    """The destination of a configuration's section, not yet opened."""
    target, factory = _FACTORIES[config.type]
    module, _, attribute = target.partition(":")
    return factory(getattr(import_module(module), attribute), name, config, context)
