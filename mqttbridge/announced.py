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

from mqttbridge.errors import SpoolError
from mqttbridge.mapping import Rulebook
from mqttbridge.spool import Spool

log = logging.getLogger(__name__)

# A broker sends all that is retained at once: one save for it. What a crash loses of it is sent again. Saved is what
# changed alone, so that a node that comes and goes does not have the births of all others written each time.
_SAVE_INTERVAL: Final = 5.0


def recall_announcements(rulebook: Rulebook, spool: Spool) -> None:
    """Let the rulebook know what an earlier run was told; before its filters are asked for."""
    if rulebook.announces:
        rulebook.recall({topic: _from_text(said) for topic, said in spool.announcements().items()})


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
        self._kept = {topic: _from_text(said) for topic, said in spool.announcements().items()}
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
        now = self._rulebook.announcements()
        changed = {topic: _as_text(payload) for topic, payload in now.items() if self._kept.get(topic) != payload}
        gone = self._kept.keys() - now.keys()
        try:
            if changed or gone:
                self._spool.keep_announcements(changed, gone)
        except SpoolError as error:
            log.debug("announcements wait to be saved: %s", error)
        else:
            self._saved, self._kept = announced, now


def _as_text(payload: bytes) -> str:
    """What is text as it is, and what is none (Sparkplug's births) in base64, by its first letter."""
    try:
        return f"t{payload.decode()}"
    except UnicodeDecodeError:
        return f"b{b64encode(payload).decode()}"


def _from_text(said: str) -> bytes:
    return said[1:].encode() if said.startswith("t") else b64decode(said[1:])
