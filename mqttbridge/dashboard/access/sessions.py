"""Sessions: what a browser's cookie stands for, so that no key is in any cookie.

A session belongs to a key and ends with it, at its time, or when its browser signs out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mqttbridge.dashboard.access.secret import digest_of, new_secret
from mqttbridge.dashboard.records import Record, Records

KIND: Final = "session"

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


_SESSION: Final = TypeAdapter(Session)


class Sessions:
    """The sessions that are open, the oldest first. `open`, `find` and `close` never wait for a disk; `save` does.

    Each is a record of its own, so that bridges over the same records neither lose nor bring back one another's.
    """

    def __init__(self, records: Records | None, clock: Callable[[], float] = time.time) -> None:
        self._records, self._clock = records, clock
        self._known: Mapping[str, Session] = {}
        self._opened: dict[str, Session] = {}  # and not saved yet
        self._ended: set[str] = set()  # likewise
        self._lock, self._saving = threading.Lock(), threading.Lock()
        if records is not None:
            records.watch(KIND, self._load)
        self._load()

    def open(self, key_id: str) -> str:
        """A new session of a key; returns what goes into the cookie."""
        made, now = new_secret(), self._clock()
        session = Session(digest_of(made), key_id, now + SECONDS)
        with self._lock:
            others = [one for one in self._known.values() if one.expires > now]
            of_key = [one for one in others if one.key == key_id]
            crowd = {one.digest for one in of_key[: max(0, len(of_key) - MAX_OF_KEY + 1)]}
            left = [one for one in others if one.digest not in crowd][-(MAX_SESSIONS - 1) :]
            self._opened[session.digest] = session
            self._keep([*left, session])
        return made

    def find(self, cookie: str) -> Session | None:
        """The session that a cookie stands for, if it is open still. Whether its key is known is another question."""
        session = self._known.get(digest_of(cookie))
        return session if session is not None and session.expires > self._clock() else None

    def close(self, cookie: str) -> None:
        """End a session."""
        digest = digest_of(cookie)
        with self._lock:
            self._keep([one for one in self._known.values() if one.digest != digest])

    def save(self) -> None:
        """Keep what was opened, and that what ended has ended, across restarts and for others.

        Raises:
            StoreError: not now.
        """
        if self._records is None:
            return
        with self._saving:  # or what ended could be written after it was dropped
            with self._lock:
                opened, ended = dict(self._opened), set(self._ended)
            if ended:
                self._records.drop(KIND, ended)
            if opened:
                bodies = {digest: _SESSION.dump_python(one, mode="json") for digest, one in opened.items()}
                self._records.put_all(KIND, bodies)
            with self._lock:
                self._opened = {digest: one for digest, one in self._opened.items() if digest not in opened}
                self._ended -= ended

    def _keep(self, sessions: Iterable[Session]) -> None:
        """These alone; all others that were known have ended."""
        known = {one.digest: one for one in sessions}
        self._ended |= self._known.keys() - known.keys()
        self._opened = {digest: one for digest, one in self._opened.items() if digest in known}
        self._known = known

    def _load(self) -> None:
        with self._saving:  # or what is just being dropped could come back
            kept = [] if self._records is None else self._records.all(KIND)
            with self._lock:
                read = {one.digest: one for record in kept if (one := _session_in(record)) is not None} | self._opened
                oldest_first = sorted(read.values(), key=lambda one: one.expires)
                self._known = {one.digest: one for one in oldest_first if one.digest not in self._ended}


def _session_in(record: Record) -> Session | None:
    try:
        return _SESSION.validate_python(dict(record.body))
    except ValidationError:
        return None  # of another version: whoever had it signs in again
