"""Old points are deleted a little at a time, inside the transactions that bring new ones.

No sweep is ever long: a look at some hundred series and a bounded number of rows, at most once a second. The
freed pages take the new points, so the file stops growing where deletes keep up with inserts, and they do:
the bound grows with what was inserted since the last sweep.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pydantic_core import from_json

from mqttbridge.dashboard.store.model import MICROSECONDS

SERIES_PER_SWEEP: Final = 2000
ROWS_PER_SWEEP: Final = 5000
SECONDS_BETWEEN: Final = 1.0


class Retention:
    """Deletes points older than `keep` seconds; 0 keeps them for ever."""

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._after = 0  # the series up to which this round has come
        self._inserted = 0
        self._due = 0.0

    def sweep(self, db: sqlite3.Connection, inserted: int, now: float) -> list[int]:
        """Delete some of what is too old. Returns the ids of series that were removed with their last point."""
        self._inserted += inserted
        if not self._keep or self._due - SECONDS_BETWEEN <= now < self._due:  # earlier than that: a clock set back
            return []
        self._due = now + SECONDS_BETWEEN
        cutoff = int((now - self._keep) * MICROSECONDS)
        budget, self._inserted = max(ROWS_PER_SWEEP, 2 * self._inserted), 0
        window = {"after": self._after, "to": self._after + SERIES_PER_SWEEP, "cutoff": cutoff, "budget": budget}
        deleted = db.execute(
            "DELETE FROM points WHERE (series, ts) IN ("
            " SELECT p.series, p.ts FROM series AS s CROSS JOIN points AS p ON p.series = s.id AND p.ts < :cutoff"
            " WHERE s.id > :after AND s.id <= :to LIMIT :budget)",
            window,
        ).rowcount
        if deleted == budget:
            return []  # there is more in this window
        (gone,) = db.execute(
            "SELECT json_group_array(series) FROM latest WHERE series > :after AND series <= :to AND ts < :cutoff",
            window,
        ).fetchone()
        (last,) = db.execute("SELECT coalesce(max(id), 0) FROM series").fetchone()
        self._after = window["to"] if window["to"] < last else 0
        ids: list[int] = from_json(gone)
        if ids:
            for table, column in (("latest", "series"), ("series", "id")):
                db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (gone,))
        return ids
