"""Sessions: what a browser's cookie stands for, so that no key is in any cookie.

A session belongs to a key and ends with it, at its time, or when its browser signs out. All are one record, since
they come and go: a record of its own for each would leave its history behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mqttbridge.dashboard.access.secret import digest_of, new_secret
from mqttbridge.dashboard.records import Records

KIND: Final = "sessions"
_RECORD: Final = "all"

SECONDS: Final = 90 * 86400
# Beyond it the oldest ends: of one key, since whoever has a view token could open sessions without end, and of all.
MAX_OF_KEY: Final = 50
MAX_SESSIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that showed a key. `key` is its id; `expires` in epoch seconds."""

    digest: str
    key: str
    expires: float


_SESSIONS: Final = TypeAdapter(list[Session])


class Sessions:
    """The sessions that are open, the oldest first. `open`, `find` and `close` never wait for a disk; `save` does."""

    def __init__(self, records: Records | None, clock: Callable[[], float] = time.time) -> None:
        self._records, self._clock = records, clock
        self._known: Mapping[str, Session] = {}
        self._saving = threading.Lock()
        self._load()

    def open(self, key_id: str) -> str:
        """A new session of a key; returns what goes into the cookie."""
        made, now = new_secret(), self._clock()
        session = Session(digest_of(made), key_id, now + SECONDS)
        others = [one for one in self._known.values() if one.expires > now]
        of_key = [one for one in others if one.key == key_id]
        crowd = {one.digest for one in of_key[: max(0, len(of_key) - MAX_OF_KEY + 1)]}
        left = [one for one in others if one.digest not in crowd][-(MAX_SESSIONS - 1) :]
        self._known = {one.digest: one for one in (*left, session)}
        return made

    def find(self, cookie: str) -> Session | None:
        """The session that a cookie stands for, if it is open still. Whether its key is known is another question."""
        session = self._known.get(digest_of(cookie))
        return session if session is not None and session.expires > self._clock() else None

    def close(self, cookie: str) -> None:
        """End a session."""
        digest = digest_of(cookie)
        self._known = {one.digest: one for one in self._known.values() if one.digest != digest}

    def save(self) -> None:
        """Keep them across restarts.

        Raises:
            StoreError: not now.
        """
        if self._records is None:
            return
        with self._saving:  # or an older state could be written after a newer one
            sessions = _SESSIONS.dump_python(list(self._known.values()), mode="json")
            self._records.put_all(KIND, {_RECORD: {"sessions": sessions}})

    def _load(self) -> None:
        record = None if self._records is None else self._records.get(KIND, _RECORD)
        if record is None:
            return
        try:
            sessions = _SESSIONS.validate_python(record.body.get("sessions"))
        except ValidationError:
            return  # of another version: whoever had one signs in again
        self._known = {one.digest: one for one in sessions}
