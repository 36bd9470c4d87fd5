"""What the bridge itself notes between events: texts by a name, and what devices announce by topic."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS announcement(topic TEXT PRIMARY KEY, said TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


class Notes:
    """Writes inside the spool's transactions; the caller holds the spool's lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        """The text of this name."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, key: str, value: str) -> None:
        """Write a text."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    def announcements(self) -> dict[str, str]:
        """What is announced, by topic."""
        return dict(self._connection.execute("SELECT topic, said FROM announcement"))

    def put_announcements(self, changed: Mapping[str, str], gone: Iterable[str]) -> None:
        """Write what changed, and remove what is gone."""
        self._connection.executemany("DELETE FROM announcement WHERE topic = ?", ((topic,) for topic in gone))
        self._connection.executemany("INSERT OR REPLACE INTO announcement VALUES (?,?)", changed.items())
