"""What devices announce, followed: subscriptions to the topics they name, and a memory of it across restarts.

The broker keeps our session while we are away, so at the next start a device's values may come before its
announcement does: what was announced is therefore kept in the spool's file, and known again before we connect.
"""

from __future__ import annotations

import logging
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Final

from pydantic_core import from_json, to_json

from mqttbridge.errors import SpoolError
from mqttbridge.mapping import Rulebook
from mqttbridge.spool import Spool

log = logging.getLogger(__name__)

_KEY: Final = "announcements"
# A broker sends all that is retained at once: one save for it. What a crash loses of it is sent again.
_SAVE_INTERVAL: Final = 5.0


def recall_announcements(rulebook: Rulebook, spool: Spool) -> None:
    """Let the rulebook know what an earlier run was told; before its filters are asked for."""
    if rulebook.announces:
        kept = from_json(spool.meta(_KEY) or "{}")
        rulebook.recall({topic: _from_json(payload) for topic, payload in kept.items()})


class Announced:
    """Used by the ingest thread alone.

    Args:
        rulebook: hears what is announced.
        spool: keeps it.
        subscribe: told the filters whenever they change.
    """

    def __init__(self, rulebook: Rulebook, spool: Spool, subscribe: Callable[[Sequence[str]], None]) -> None:
        self._rulebook, self._spool, self._subscribe = rulebook, spool, subscribe
        self._filters = rulebook.filters
        self._saved = rulebook.announced
        self._next_save = 0.0

    def follow(self) -> None:
        """Subscribe to what is announced by now; called each turn of the loop, after its messages were stored."""
        if self._rulebook.filters is not self._filters:
            self._filters = self._rulebook.filters
            self._subscribe(self._filters)
        if self._rulebook.announced != self._saved and time.monotonic() >= self._next_save:
            self._next_save = time.monotonic() + _SAVE_INTERVAL
            self.save()

    def save(self) -> None:
        """Keep what is announced now."""
        announced = self._rulebook.announced
        if announced == self._saved:
            return
        kept = {topic: _as_json(payload) for topic, payload in self._rulebook.announcements().items()}
        try:
            self._spool.set_meta(_KEY, to_json(kept).decode())
        except SpoolError as error:
            log.debug("announcements wait to be saved: %s", error)
        else:
            self._saved = announced


def _as_json(payload: bytes) -> str | list[str]:
    """Text as it is, and what is none (Sparkplug's births) in base64, in a list of one."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return [b64encode(payload).decode()]


def _from_json(kept: str | list[str]) -> bytes:
    return kept.encode() if isinstance(kept, str) else b64decode(kept[0])
