"""The writing half of the store: batches in, one transaction each, with the cursor inside.

Python's sqlite3 gives up the interpreter lock around every step of a statement, and beside a busy thread
each return of it can take 5 ms: a row a step would make 500 rows take seconds. So everything here is written
many rows a statement: the same 500 rows then take milliseconds, whatever the other threads do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice, repeat
from typing import Any, Final

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store.model import MICROSECONDS, Column, Kind, StreamKey, newest
from mqttbridge.events import Position

# SQLite allows 32,766 variables a statement since 3.32; past some hundred rows more of them gain little.
ROWS_PER_STATEMENT: Final = 500

NEVER: Final = -(2**63)

# A time further ahead of ours is a clock's mistake: it shows, and the stream's next reading takes its place as the
# latest, whatever time that has. Else one point of the year 2099 would be the latest until then.
AHEAD_SECONDS: Final = 60.0


@dataclass(slots=True)
class _Series:
    id: int
    unit: str
    kind: Kind
    newest: int  # microseconds


@cache
def _insert(into: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT OR REPLACE INTO {into} VALUES {','.join([row] * rows)}"


def insert_many(db: sqlite3.Connection, into: str, rows: Iterable[Sequence[Any]], width: int) -> None:
    """Insert rows of `width` columns, replacing those of the same key, many a statement."""
    flat: Iterator[Any] = chain.from_iterable(rows)
    while values := list(islice(flat, ROWS_PER_STATEMENT * width)):
        db.execute(_insert(into, width, len(values) // width), values)


class Writer:
    """Writes batches on the connection given to it. Its caller holds the transaction and the lock.

    What it knows of series and buckets is a copy of the file's, valid because nobody else writes; after a
    transaction that was rolled back the copy is made anew by making a new writer.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        # One step for all of them: see the module's opening.
        (series,) = db.execute(
            "SELECT json_group_array(json_array(bucket, stream, id, unit, kind, ts))"
            " FROM series JOIN latest ON latest.series = series.id"
        ).fetchone()
        self._series: dict[StreamKey, _Series] = {
            (bucket, stream): _Series(id_, unit, Kind(kind), ts)
            for bucket, stream, id_, unit, kind, ts in from_json(series)
        }
        (buckets,) = db.execute("SELECT json_group_array(key) FROM buckets").fetchone()
        self._buckets: set[str] = set(from_json(buckets))
        self._next_id = db.execute("SELECT coalesce(max(id), 0) + 1 FROM series").fetchone()[0]

    def append(
        self, columns: Mapping[StreamKey, Column], units: Mapping[StreamKey, str], end: Position | None, now: float
    ) -> None:
        """Store the columns and move the cursor; fills in the columns' units and their series' kinds."""
        self._meet(columns, units, now)
        series = self._series
        points = chain.from_iterable(
            zip(repeat(series[key].id), column.times, column.values, strict=False) for key, column in columns.items()
        )
        insert_many(self._db, "points (series, ts, value)", points, 3)
        latest = []
        future = int((now + AHEAD_SECONDS) * MICROSECONDS)
        for key, column in columns.items():
            known, at = series[key], newest(column.times)
            if column.times[at] > future:
                at = len(column.times) - 1
            if column.times[at] >= known.newest or known.newest > future:
                known.newest, known.kind = column.times[at], column.kind
                latest.append((known.id, column.times[at], column.kind, column.values[at]))
            column.kind, column.unit = known.kind, known.unit
        insert_many(self._db, "latest (series, ts, kind, value)", latest, 4)
        if end is not None:
            self._db.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", end)

    def create_bucket(self, key: str, name: str | None, tags: Sequence[str], now: float) -> bool:
        """Whether the bucket was new to whoever asks; the first name and the first tags win."""
        said = {"key": key, "name": name, "tags": to_json(tags).decode()}
        if key not in self._buckets:
            self._db.execute("INSERT INTO buckets VALUES (?, ?, ?)", (key, name, now))
            self._buckets.add(key)
            self._db.execute("INSERT OR REPLACE INTO tags VALUES (:key, :tags)", said)
            return True
        if name is None and not tags:
            return False
        # Perhaps made by events that came before this request, as the official client's often do: nobody has
        # created it yet, so it has neither name nor tags.
        created = self._db.execute(
            "INSERT OR IGNORE INTO tags SELECT key, :tags FROM buckets WHERE key = :key AND name IS NULL", said
        )
        named = self._db.execute("UPDATE buckets SET name = :name WHERE key = :key AND name IS NULL", said)
        return (created.rowcount > 0) or (name is not None and named.rowcount > 0)

    def forget(self, ids: Iterable[int]) -> None:
        """Series that retention has removed."""
        if gone := set(ids):
            self._series = {key: known for key, known in self._series.items() if known.id not in gone}

    def _meet(self, columns: Mapping[StreamKey, Column], units: Mapping[StreamKey, str], now: float) -> None:
        """Make the buckets and series that are new, and keep units that are said for the first time or changed."""
        met, buckets = [], {}
        for key in columns.keys() - self._series.keys():
            known = self._series[key] = _Series(self._next_id, units.get(key, ""), columns[key].kind, NEVER)
            self._next_id += 1
            met.append((known.id, *key, known.unit))
            if key[0] not in self._buckets:
                self._buckets.add(key[0])
                buckets[key[0]] = (key[0], None, now)
        insert_many(self._db, "buckets (key, name, created)", buckets.values(), 3)
        insert_many(self._db, "series (id, bucket, stream, unit)", met, 4)
        for key, unit in units.items():
            said = self._series.get(key)
            if said is not None and said.unit != unit:
                said.unit = unit
                self._db.execute("UPDATE series SET unit = ? WHERE id = ?", (unit, said.id))
