"""The bridge's threads: each runs one loop, and the end of one that nobody asked to end is known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Loops:
    """Threads by name."""

    def __init__(self) -> None:
        self._loops: dict[str, _Loop] = {}
        self._failed = threading.Event()

    @property
    def failed(self) -> bool:
        """Whether one of them ended by an exception."""
        return self._failed.is_set()

    def start(self, name: str, target: Callable[[], None]) -> None:
        """Run this on a thread of its own."""
        loop = self._loops[name] = _Loop(name, target, self._failed)
        loop.start()

    def join(self, name: str, timeout: float) -> None:
        """Wait this many seconds at most until one ends; not at all where it was never started."""
        if name in self._loops:
            self._loops[name].join(timeout)

    def ended(self) -> dict[str, str]:
        """Those that ended though nobody asked them to, by name; empty when all is well."""
        return {name: "ended unexpectedly" for name, loop in list(self._loops.items()) if not loop.is_alive()}


class _Loop(threading.Thread):
    """A daemon: a hanging request ends with the process."""

    def __init__(self, name: str, target: Callable[[], None], failed: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._loop, self._failed = target, failed

    def run(self) -> None:
        try:
            self._loop()
        except Exception:
            log.critical("the %s loop failed; the bridge ends, nothing acknowledged is lost", self.name, exc_info=True)
            self._failed.set()
