"""The store in PostgreSQL, which several bridges and dashboards may share.

Every write is one transaction: points, newest values, rollups and the cursor are there together or not at all, and a
replay of what was stored changes nothing. Writers of one schema take turns, by an advisory lock, so that no two of
them work on one cell of a rollup; readers wait for nobody.

Each bridge has a cursor of its own, under a name that lies beside its spool: what one has delivered says nothing
about another's spool.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from mqttbridge.config.stores import Timescale
from mqttbridge.dashboard.store.acceptable import check
from mqttbridge.dashboard.store.catalogue import MOST_EXPECTED
from mqttbridge.dashboard.store.intervals import usual_interval
from mqttbridge.dashboard.store.model import (
    MICROSECONDS,
    BucketInfo,
    Column,
    Row,
    Statistics,
    StreamInfo,
    StreamKey,
    ahead_of,
    columns_of,
)
from mqttbridge.dashboard.store.postgres import (
    catalogue,
    changes,
    reading,
    retention as sweeping,
    schema as tables,
    writing,
)
from mqttbridge.dashboard.store.postgres.catalogue import Known, Series
from mqttbridge.dashboard.store.postgres.changes import Listener
from mqttbridge.dashboard.store.postgres.connections import Connections, Db, is_of_data
from mqttbridge.dashboard.store.postgres.reading import Window
from mqttbridge.dashboard.store.ranges import length_for
from mqttbridge.dashboard.store.retention import Retention
from mqttbridge.dashboard.store.rollup import HOUR
from mqttbridge.errors import StoreError
from mqttbridge.events import EventTuple, Position

log = logging.getLogger(__name__)

# A download begins by looking so far ahead, and finds its step from there.
_FIRST_STEP: Final = HOUR


class PostgresStore:
    """The dashboard's history in PostgreSQL. Every method may be called from any thread; see `Store`.

    Args:
        url: where the database is, as libpq takes it.
        writer: the name of this bridge's cursor.
        retention: how long points are kept, in seconds; 0 keeps them for ever.
        clock: seconds since 1970.
        retention_by: how long, for buckets that match a pattern (`*` and `?`); the first that matches counts.
        password: when it is not in the url.
        schema: where the tables are; made when it is missing.
        timescale: whether to use TimescaleDB, when the tables are yet to be made.
        too_old: told how many points of a batch were past their retention when they came, and are not kept.
        retention_by_rule: how long, for streams that a rule of this name makes: before what their bucket says.
        age_clock: the time by which points are past their retention; `clock` where none is given.

    Raises:
        StoreError: the database cannot be reached, or its schema is not ours.
    """

    def __init__(
        self,
        url: str,
        writer: str,
        retention: float = 0.0,
        clock: Callable[[], float] = time.time,
        retention_by: Mapping[str, float] | None = None,
        *,
        password: str | None = None,
        schema: str = "mqttbridge",
        timescale: Timescale = Timescale.AUTO,
        too_old: Callable[[int], None] = lambda _: None,
        retention_by_rule: Mapping[str, float] | None = None,
        age_clock: Callable[[], float] | None = None,
    ) -> None:
        self._writer, self._clock, self._too_old = writer, clock, too_old
        self._age_clock = age_clock or clock
        self._retention = Retention(retention, retention_by or {}, retention_by_rule or {})
        self._rules: dict[StreamKey, str] = {}  # as they were told, for streams that are yet to come, or to come again
        self._sweep_due = 0.0
        self._follower: changes.Follower | None = None
        self.connections = Connections(url, password, schema, self._prepare)
        try:
            with self.connections.writing("opened") as db:
                tables.lock(db, schema)
                self._layout = tables.prepare(db, schema, length_for(self._retention.longest), timescale)
                row = db.execute("SELECT seq, place FROM cursors WHERE writer = %s", (writer,)).fetchone()
        except BaseException:
            self.connections.close()
            raise
        self.cursor: Position | None = None if row is None else Position(*row)

    # --- writing -------------------------------------------------------------------------------------------

    def append(
        self,
        events: Sequence[EventTuple],
        units: Mapping[StreamKey, str] | None = None,
        end: Position | None = None,
    ) -> dict[StreamKey, Column]:
        """Store the events and move the cursor to `end`; doing it twice changes nothing."""
        columns = columns_of(events)
        check(columns)
        now = self._clock()
        try:
            too_old = self._store(columns, units or {}, end, now)
        except StoreError as error:
            if is_of_data(error):
                raise ValueError(str(error)) from error
            raise
        if end is not None:
            self.cursor = end
        if too_old:
            self._too_old(too_old)
        self._sweep(self._age_clock())
        return columns

    def made_by(self, rules: Mapping[StreamKey, str]) -> None:
        """Know which rules make streams: they may say how long those are kept."""
        with self._writing() as db:
            catalogue.made_by(db, rules)
        for key, rule in rules.items():
            self._rules.pop(key, None)
            if len(self._rules) >= MOST_EXPECTED:
                del self._rules[next(iter(self._rules))]
            self._rules[key] = rule

    def maintain(self) -> None:
        """Nothing: what is too old goes with the batches, since this is not the thread to wait for a database."""

    def create_bucket(self, key: str, name: str | None = None, tags: Sequence[str] = ()) -> bool:
        """Make a bucket, or name and tag one that events made. False when it exists: the first name and tags win."""
        with self._writing() as db:
            return catalogue.create_bucket(db, key, name, tags)

    def delete_stream(self, bucket: str, stream: str) -> bool:
        """Delete a stream with all of its points. False when there is none."""
        with self._writing() as db:
            ids = catalogue.ids_of(db, bucket, stream)
            catalogue.forget(db, ids)
        return bool(ids)

    def delete_bucket(self, bucket: str) -> bool:
        """Delete a bucket with its streams, name and tags. False when there is none."""
        with self._writing() as db:
            known = catalogue.bucket_name(db, bucket) is not None
            catalogue.forget(db, catalogue.ids_of(db, bucket), bucket)
        return known

    def follow(self, listener: Listener) -> None:
        """Tell somebody what other bridges change from now on, until `close`.

        Raises:
            StoreError: the database does not answer.
        """
        self._follower = changes.Follower(self.connections, self._writer, listener)
        self._follower.start()

    def close(self) -> None:
        """Close the connections. Nothing waits to be written."""
        if self._follower is not None:
            self._follower.close()
        self.connections.close()

    # --- reading -------------------------------------------------------------------------------------------

    def buckets(self) -> list[BucketInfo]:
        """Every bucket, that with the newest point first."""
        with self.connections.reading() as db:
            return catalogue.buckets(db)

    def bucket_name(self, bucket: str) -> str | None:
        """The name a bucket is shown by; None when there is no such bucket."""
        with self.connections.reading() as db:
            return catalogue.bucket_name(db, bucket)

    def streams(self, bucket: str) -> list[StreamInfo]:
        """The bucket's streams by name, each with its newest value; none when there is no such bucket."""
        with self.connections.reading() as db:
            return [one.info for one in catalogue.streams(db, bucket)]

    def latest(self) -> dict[str, list[StreamInfo]]:
        """The streams of every bucket, as `streams` gives them; buckets without a stream lack."""
        with self.connections.reading() as db:
            return catalogue.latest(db)

    def intervals(self, bucket: str) -> dict[str, float]:
        """The usual seconds between a stream's readings, by stream; those that said too little to tell lack."""
        with self.connections.reading() as db:
            series = catalogue.streams(db, bucket)
            names, ended = {one.id: one.stream for one in series}, dict[int, list[int]]()
            for floor, some in self._by_floor(bucket, series):
                ended |= reading.bursts(db, [one.id for one in some], floor)
        usual = {names[id_]: usual_interval(times) for id_, times in ended.items()}
        return {stream: seconds for stream, seconds in usual.items() if seconds is not None}

    def points(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Column]:
        """Points of streams (all when none is named) between two times in epoch seconds, to be drawn as lines."""
        end = int((self._clock() if before is None else before) * MICROSECONDS)
        with self.connections.reading() as db:
            series = catalogue.streams(db, bucket, streams)
            if before is None:
                end = max([end, *(one.newest + 1 for one in series)])
            found: dict[str, Column] = {}
            for floor, some in self._by_floor(bucket, series):
                found |= reading.lines(db, some, Window(int(after * MICROSECONDS), end, buckets, floor))
        return found

    def statistics(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Statistics]:
        """What each bucket of time holds of numbers and booleans."""
        end = int((self._clock() if before is None else before) * MICROSECONDS)
        with self.connections.reading() as db:
            series = catalogue.streams(db, bucket, streams)
            found: dict[str, Statistics] = {}
            for floor, some in self._by_floor(bucket, series):
                found |= reading.statistics(db, some, Window(int(after * MICROSECONDS), end, buckets, floor))
        return found

    def rows(self, bucket: str, streams: Collection[str], after: float, before: float) -> Iterator[Sequence[Row]]:
        """Every point from `after` to before `before`, in order of time, then of stream; in batches."""
        at, end, step = int(after * MICROSECONDS), int(before * MICROSECONDS), _FIRST_STEP
        while at < end:
            with self.connections.reading() as db:
                floors = self._by_floor(bucket, catalogue.streams(db, bucket, streams))
                at = max(at, min((floor for floor, _ in floors), default=at))
                found, at, step = reading.rows(db, [one for _, some in floors for one in some], at, end, step)
            if len(floors) > 1:
                shown = {one.stream: floor for floor, some in floors for one in some}
                found = [row for row in found if row[0] >= shown[row[1]]]
            if found:
                yield found

    def size(self, bucket: str | None = None) -> int:
        """Bytes on disk: of the whole schema, or of the points of one bucket, about."""
        with self.connections.reading() as db:
            if bucket is None:
                return tables.size(db)
            return tables.size_of(db, catalogue.ids_of(db, bucket))

    # --- how it is done ------------------------------------------------------------------------------------

    def _store(
        self, columns: Mapping[StreamKey, Column], units: Mapping[StreamKey, str], end: Position | None, now: float
    ) -> int:
        """How many points were too old to be kept."""
        with self._writing() as db:
            known = catalogue.meet(db, list(columns), units, self._rules)
            kept = {known[key].id: column for key, column in self._kept(columns, known, self._age_clock())}
            if kept:
                times = [at for column in kept.values() for at in column.times]
                self._layout.cover(db, times, int(now * MICROSECONDS))
                writing.store(db, kept, rollups=self._layout.rollups, ahead=ahead_of(now))
            kinds = catalogue.kinds(db, [one.id for one in known.values()])
            for key, column in columns.items():
                column.unit = known[key].unit
                column.kind = kinds.get(known[key].id, column.kind)
            if end is not None:
                db.execute(
                    "INSERT INTO cursors VALUES (%s, %s, %s)"
                    " ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, place = excluded.place",
                    (self._writer, *end),
                )
            if columns:
                changes.tell(db, self.connections.schema, self._writer, columns)
        return sum(len(one.times) for one in columns.values()) - sum(len(one.times) for one in kept.values())

    @contextmanager
    def _writing(self) -> Iterator[Db]:
        try:
            with self.connections.writing() as db:
                tables.lock(db, self.connections.schema)
                yield db
        except BaseException:
            self._layout.forget()  # those of the transaction are not there
            raise

    @staticmethod
    def _prepare(db: Db) -> None:
        db.execute(writing.BATCH)

    def _kept(
        self, columns: Mapping[StreamKey, Column], known: Mapping[StreamKey, Known], now: float
    ) -> Iterator[tuple[StreamKey, Column]]:
        """What is within its retention."""
        for key, column in columns.items():
            floor = self._retention.floor(key[0], now, known[key].rule)
            if min(column.times) >= floor:
                yield key, column
            elif kept := [n for n, at in enumerate(column.times) if at >= floor]:
                yield key, Column([column.times[n] for n in kept], [column.values[n] for n in kept], column.kind)

    def _by_floor(self, bucket: str, series: Iterable[Series]) -> list[tuple[int, list[Series]]]:
        return self._retention.parted(series, lambda one: (bucket, one.rule), self._age_clock())

    def _sweep(self, now: float) -> None:
        if self._sweep_due - sweeping.SECONDS_BETWEEN <= now < self._sweep_due:
            return  # a time before that is of a clock that was set back
        self._sweep_due = now + sweeping.SECONDS_BETWEEN
        try:
            with self._writing() as db:
                sweeping.sweep(db, self._retention, self._layout, now)
                changes.trim(db)
        except StoreError as error:
            log.warning("what is past its retention could not be deleted: %s", error)
