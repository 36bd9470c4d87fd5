"""The tools of a running bridge, behind its HTTP API: they have rules of their own, and share its spool."""

from __future__ import annotations

import threading
import time
from typing import Any

from mqttbridge.announced import recall_announcements
from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from mqttbridge.mapping.explaining import as_json, explain
from mqttbridge.spool import Spool
from mqttbridge.spool.inspection import RejectedQuery
from mqttbridge.tools.refused import Refused


class LiveTools:
    """See `dashboard.backend.Tools`. The ingest thread's rulebook is for that thread, so this compiles another.

    It does so when it is asked first: a bridge that nobody asks spares the memory.
    """

    def __init__(self, config: Config, spool: Spool) -> None:
        self._config, self._spool = config, spool
        self._lock = threading.Lock()
        self._book: Rulebook | None = None
        self._refused = Refused(spool, self._rules, config.destinations)

    def explain(self, topic: bytes, payload: bytes) -> dict[str, Any]:
        with self._lock:
            return as_json(explain(self._rules(), topic, payload, time.time()))

    def replay(self, query: RejectedQuery) -> dict[str, Any]:
        with self._lock:
            return self._refused.replay(query).as_json()

    def purge(self, query: RejectedQuery) -> dict[str, Any]:
        with self._lock:
            return self._refused.purge(query).as_json()

    def takes(self, topic: bytes) -> bool:
        """Whether any rule takes this topic."""
        with self._lock:
            return bool(self._rules().routes(topic))

    def _rules(self) -> Rulebook:
        if self._book is None:
            self._book = Rulebook(self._config)
        recall_announcements(self._book, self._spool)  # what devices announce changes while we run
        return self._book
