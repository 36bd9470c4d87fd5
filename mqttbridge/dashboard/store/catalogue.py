"""What is known of buckets and streams: in memory, and in a file of its own for the next start.

Names, units and tags are written as soon as they are met, before any point that bears their series' number. The
newest value of each stream and the cursor are written now and then only: until then the logs of the spans hold both,
and reading those back at the next start brings them up to date. So a batch costs one commit, not two.

All methods need the store's lock, but for the readers', which take their own for a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic_core import to_json

from mqttbridge.dashboard.store import files
from mqttbridge.dashboard.store.catalogue_file import CatalogueFile, Contents, read_all
from mqttbridge.dashboard.store.model import (
    MICROSECONDS,
    BucketInfo,
    Column,
    Latest,
    StreamInfo,
    StreamKey,
    kind_of,
)
from mqttbridge.dashboard.store.series import NEVER, Bucket, Series
from mqttbridge.events import Position, Value

NO_LIMIT: Final = 2**63

# Streams without a point whose rules are remembered, since they may get one.
MOST_EXPECTED: Final = 100_000


class Catalogue:
    """Buckets and series.

    Args:
        path: the file; made when it is missing.

    Raises:
        sqlite3.Error, OSError, StoreError: see files.open_for_writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()  # of what readers see
        self._file = CatalogueFile(path, self._contents)
        found = read_all(self._file.open())
        self.buckets = dict(found.buckets)
        self.cursor, self._next_id = found.cursor, found.next_id
        self._by_id: dict[int, Series] = {}
        self._unsaved: set[int] = set()
        self._expected: dict[StreamKey, str] = {}  # the rules of streams that have no point
        for series in found.series:
            self._add(series)

    # --- for writers ---------------------------------------------------------------------------------------

    def meet(
        self, columns: Mapping[StreamKey, Column], units: Mapping[StreamKey, str], now: float
    ) -> dict[StreamKey, Series]:
        """The series of the columns; those that are new are written, and so are units said for the first time."""
        known: dict[StreamKey, Series] = {}
        new: list[Series] = []
        changed: list[tuple[Series, str]] = []
        for key in columns:
            bucket = self.buckets.get(key[0])
            series = None if bucket is None else bucket.streams.get(key[1])
            if series is None:
                rule = self._expected.get(key, "")
                series = Series(self._next_id + len(new), key, units.get(key, ""), rule=rule)
                new.append(series)
            known[key] = series
        for key, unit in units.items():
            series = known.get(key) or self.find(key)
            if series is not None and series.unit != unit:
                changed.append((series, unit))
        if new or changed:
            buckets = {series.key[0] for series in new} - self.buckets.keys()
            with self._file.transaction() as db:
                files.insert_many(db, "buckets (key, name, created)", ((key, None, now) for key in buckets), 3)
                files.insert_many(
                    db,
                    "series (id, bucket, stream, unit)",
                    ((series.id, *series.key, series.unit) for series in new),
                    4,
                )
                files.insert_many(db, "rules", ((one.id, one.rule) for one in new if one.rule), 2)
                for series, unit in changed:
                    db.execute("UPDATE series SET unit = ? WHERE id = ?", (unit, series.id))
            self._next_id += len(new)
            with self.lock:
                for series in new:
                    self._add(series)
                    self._expected.pop(series.key, None)
                for series, unit in changed:
                    series.unit = unit
        return known

    def saw(self, series: Series, time: int, value: Value, ahead: int = NO_LIMIT) -> None:
        """A value was stored. It is the newest, unless a newer one is known that is not past `ahead`."""
        if time >= series.newest or series.newest > ahead:
            series.newest, series.value, series.kind = time, value, kind_of(value)
            self._unsaved.add(series.id)

    def made_by(self, rules: Mapping[StreamKey, str]) -> None:
        """Know which rules make streams; those that have no point yet are told again after a restart."""
        changed: list[tuple[Series, str]] = []
        for key, rule in rules.items():
            series = self.find(key)
            if series is None:
                self._expect(key, rule)
            elif series.rule != rule:
                changed.append((series, rule))
        if changed:
            with self._file.transaction() as db:
                files.insert_many(db, "rules", ((series.id, rule) for series, rule in changed), 2)
            with self.lock:
                for series, rule in changed:
                    series.rule = rule

    def _expect(self, key: StreamKey, rule: str) -> None:
        self._expected.pop(key, None)
        if len(self._expected) >= MOST_EXPECTED:
            del self._expected[next(iter(self._expected))]
        self._expected[key] = rule

    def find(self, key: StreamKey) -> Series | None:
        bucket = self.buckets.get(key[0])
        return None if bucket is None else bucket.streams.get(key[1])

    def create_bucket(self, key: str, name: str | None, tags: Sequence[str], now: float) -> bool:
        """Whether the bucket was new to whoever asks; the first name and the first tags win."""
        bucket = self.buckets.get(key)
        if bucket is not None and name is None and not tags:
            return False
        # A bucket that events made has neither name nor tags: they often come before the request that creates it.
        names = bucket is None or (name is not None and bucket.name is None)
        tagged = bucket is None or (bucket.tags is None and bucket.name is None)
        if not (names or tagged):
            return False
        with self._file.transaction() as db:
            db.execute("INSERT OR IGNORE INTO buckets VALUES (?, ?, ?)", (key, None, now))
            if names:
                db.execute("UPDATE buckets SET name = ? WHERE key = ?", (name, key))
            if tagged:
                db.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (key, to_json(tags).decode()))
        with self.lock:
            made = self.buckets.setdefault(key, Bucket())
            if names:
                made.name = name
            if tagged:
                made.tags = tuple(tags)
        return True

    def save(self, cursor: Position | None) -> None:
        """Write what the logs of the spans know better until now: the newest values, and the cursor."""
        by_id = [self._by_id[id_] for id_ in self._unsaved if id_ in self._by_id]
        with self._file.transaction() as db:
            rows = ((one.id, one.newest, one.kind, one.value) for one in by_id)
            files.insert_many(db, "latest (series, ts, kind, value)", rows, 4)
            if cursor is not None:
                db.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", cursor)
        self._unsaved.clear()
        self.cursor = cursor

    def forget(self, gone: Iterable[Series], bucket: str | None = None) -> None:
        """Delete series, and a bucket with all that is said of it."""
        series = list(gone)
        ids = to_json([one.id for one in series]).decode()
        with self._file.transaction() as db:
            for table, column in (("latest", "series"), ("rules", "series"), ("series", "id")):
                db.execute(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (ids,))
            if bucket is not None:
                db.execute("DELETE FROM tags WHERE bucket = ?", (bucket,))
                db.execute("DELETE FROM buckets WHERE key = ?", (bucket,))
        with self.lock:
            for one in series:
                self._by_id.pop(one.id, None)
                self.buckets[one.key[0]].streams.pop(one.key[1], None)
            if bucket is not None:
                self.buckets.pop(bucket, None)
        for one in series:
            self._unsaved.discard(one.id)
            if one.rule:  # its next point makes it anew, and nobody tells of it again
                self._expect(one.key, one.rule)

    def adopt(self, id_: int, key: StreamKey, now: float) -> Series:
        """A series that a span's file knows and this one does not, since it was lost: with its number."""
        known = self._by_id.get(id_)
        if known is None:
            known = Series(id_, key, "")
            with self._file.transaction() as db:
                db.execute("INSERT OR IGNORE INTO buckets VALUES (?, ?, ?)", (key[0], None, now))
                db.execute("INSERT INTO series (id, bucket, stream) VALUES (?, ?, ?)", (id_, *key))
            self._next_id = max(self._next_id, id_ + 1)
            with self.lock:
                self._add(known)
        return known

    def key_of(self, id_: int) -> StreamKey:
        """What a series is called."""
        return self._by_id[id_].key

    def series(self, id_: int) -> Series | None:
        """The series of a number; None when it was deleted."""
        return self._by_id.get(id_)

    def all(self) -> list[Series]:
        """Every series."""
        return list(self._by_id.values())

    def check(self, seconds: float) -> None:
        """Look the file over. Raises sqlite3.DatabaseError when it is damaged."""
        files.check(self._file.open(), seconds)

    def set_aside(self, why: str) -> None:
        """Set the damaged file aside and write what is in memory to a new one.

        Raises:
            sqlite3.Error, OSError: it cannot be written now; it is tried again with the next write.
        """
        self._file.set_aside(why)

    def close(self) -> None:
        self._file.close()

    # --- for readers ---------------------------------------------------------------------------------------

    def bucket_infos(self) -> list[BucketInfo]:
        """Every bucket, that with the newest point first."""
        with self.lock:
            infos = [
                (max((one.newest for one in bucket.streams.values()), default=NEVER), key, bucket)
                for key, bucket in self.buckets.items()
            ]
            infos.sort(key=lambda info: (-info[0], info[1]))
            return [
                BucketInfo(
                    key,
                    key if bucket.name is None else bucket.name,
                    sum(one.newest != NEVER for one in bucket.streams.values()),
                    None if newest == NEVER else newest / MICROSECONDS,
                    bucket.tags or (),
                )
                for newest, key, bucket in infos
            ]

    def bucket_name(self, key: str) -> str | None:
        """The name a bucket is shown by; None when there is no such bucket."""
        with self.lock:
            bucket = self.buckets.get(key)
            return None if bucket is None else key if bucket.name is None else bucket.name

    def stream_infos(self, key: str) -> list[StreamInfo]:
        """A bucket's streams by name."""
        return [
            StreamInfo(one.key[1], one.kind, one.unit, Latest(one.value, one.newest / MICROSECONDS))
            for one in self.streams(key)
        ]

    def streams(self, key: str) -> list[Series]:
        """Copies of a bucket's series that have a value, by name."""
        with self.lock:
            bucket = self.buckets.get(key)
            found = [] if bucket is None else [replace(one) for one in bucket.streams.values() if one.newest != NEVER]
        return sorted(found, key=lambda one: one.key[1])

    def speaks_every(self, id_: int, interval: float | None, at: int) -> None:
        """Remember how often a stream speaks, as found when its value of a time was the newest."""
        with self.lock:
            series = self._by_id.get(id_)
            if series is not None:
                series.interval, series.interval_at = interval, at

    def _add(self, series: Series) -> None:
        self._by_id[series.id] = series
        self.buckets.setdefault(series.key[0], Bucket()).streams[series.key[1]] = series

    def _contents(self) -> Contents:
        return Contents(self.buckets, self._by_id.values(), self.cursor, self._next_id)
