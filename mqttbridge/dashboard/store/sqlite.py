"""The store in SQLite: a catalogue, and one file for each span of time.

Two files cannot be committed at one instant, and a crash may come between any two commits. That it does no harm
rests on four things:

- A point is a (series, time) pair, so storing it again changes nothing; rollups are made of points when those are
  sealed, in the same transaction (chunks.py), so they cannot count one twice.
- The catalogue knows a series, durably, before any span has points under its number.
- The cursor is in the transaction of the points: in the one that is committed last, where a batch touches several
  spans. What was committed before it is delivered again after a crash, which changes nothing.
- A span's log is trimmed only after its points are in chunks and the catalogue has saved what else the log told: the
  newest values and the cursor. At the next start the cursor is the farthest of what catalogue and logs say.

A batch then costs one commit, of one row. Retention is an unlink: a span ends, its time passes, its file goes.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from mqttbridge.dashboard.store import chunks, files
from mqttbridge.dashboard.store.acceptable import check
from mqttbridge.dashboard.store.catalogue import Catalogue
from mqttbridge.dashboard.store.intervals import still_usual, usual_interval
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
    latest,
)
from mqttbridge.dashboard.store.opening import open_files
from mqttbridge.dashboard.store.ranges import length_for
from mqttbridge.dashboard.store.reading import Reader
from mqttbridge.dashboard.store.retention import Retention, bucket_and_rule
from mqttbridge.dashboard.store.series import NEVER, Series
from mqttbridge.dashboard.store.span import Part, Span
from mqttbridge.dashboard.store.spans import view_of
from mqttbridge.errors import StoreError
from mqttbridge.events import EventTuple, Position, Value

T = TypeVar("T")


class SqliteStore:
    """The embedded dashboard's history. Every method may be called from any thread; see `Store` for what they do.

    Args:
        directory: where the files are; it is made when missing, files in it are set aside when damaged.
        retention: how long points are kept, in seconds; 0 keeps them for ever.
        clock: seconds since 1970.
        retention_by: how long, for buckets that match a pattern (`*` and `?`); the first that matches counts.
        too_old: told how many points of a batch were past their retention when they came, and are not kept.
        retention_by_rule: how long, for streams that a rule of this name makes: before what their bucket says.
        age_clock: the time by which points are past their retention; `clock` where none is given.

    Raises:
        StoreError: the store cannot be opened or made.
    """

    def __init__(
        self,
        directory: Path,
        retention: float = 0.0,
        clock: Callable[[], float] = time.time,
        *,
        retention_by: Mapping[str, float] | None = None,
        retention_by_rule: Mapping[str, float] | None = None,
        too_old: Callable[[int], None] = lambda _: None,
        age_clock: Callable[[], float] | None = None,
    ) -> None:
        self.path = directory
        self._clock, self._too_old = clock, too_old
        self._age_clock = age_clock or clock
        self._retention = Retention(retention, retention_by or {}, retention_by_rule or {})
        self._lock = threading.Lock()
        self._closed = False
        self.cursor: Position | None
        try:
            directory.mkdir(exist_ok=True)
            length = length_for(self._retention.longest)
            self._catalogue, self._spans, self.cursor = open_files(directory, length, clock)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot open the dashboard's store {directory}: {error}") from error

    # --- writing -------------------------------------------------------------------------------------------

    def append(
        self,
        events: Sequence[EventTuple],
        units: Mapping[StreamKey, str] | None = None,
        end: Position | None = None,
    ) -> dict[StreamKey, Column]:
        """Store the events, then move the cursor to `end`; doing it twice changes nothing."""
        columns = columns_of(events)
        check(columns)
        with self._lock, _store_errors("written"):
            now = self._clock()
            known = self._catalogued(lambda: self._catalogue.meet(columns, units or {}, now))
            batch = self._by_span(columns, known, now)
            for n, (span, parts) in enumerate(batch, 1):
                self._spans.append(span, parts, end if n == len(batch) else None)
            self._saw(columns, known, now)
            if end is not None:
                self.cursor = end
            if self._spans.sealed or (end is not None and not batch):
                self._save()
            self._spans.close_surplus(self._save)
            self._retention.sweep(self, self._age_clock())
        kept = sum(len(times) for _, parts in batch for _, times, _ in parts)
        if too_old := sum(len(column.times) for column in columns.values()) - kept:
            self._too_old(too_old)
        return columns

    def made_by(self, rules: Mapping[StreamKey, str]) -> None:
        """Know which rules make streams: they may say how long those are kept."""
        with self._lock, _store_errors("written"):
            self._catalogued(lambda: self._catalogue.made_by(rules))

    def maintain(self) -> None:
        """Let go of what is past its retention, a little at a time."""
        with self._lock, _store_errors("written"):
            if not self._closed:
                self._retention.sweep(self, self._age_clock())

    def create_bucket(self, key: str, name: str | None = None, tags: Sequence[str] = ()) -> bool:
        """Make a bucket, or name and tag one that events made. False when it exists: the first name and tags win."""
        with self._lock, _store_errors("written"):
            return self._catalogued(lambda: self._catalogue.create_bucket(key, name, tags, self._clock()))

    def delete_stream(self, bucket: str, stream: str) -> bool:
        """Delete a stream with all of its points. False when there is none."""
        with self._lock, _store_errors("written"):
            series = self._catalogue.find((bucket, stream))
            if series is None:
                return False
            self.forget([series])
            return True

    def delete_bucket(self, bucket: str) -> bool:
        """Delete a bucket with its streams, name and tags. False when there is none."""
        with self._lock, _store_errors("written"):
            found = self._catalogue.buckets.get(bucket)
            if found is None:
                return False
            self.forget(list(found.streams.values()), bucket)
            return True

    def close(self) -> None:
        """Save what the catalogue lacks, and close. What is not sealed is in the logs."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with suppress(sqlite3.Error, OSError, StoreError):
                self._catalogue.save(self.cursor)
            self._spans.close()
            self._catalogue.close()

    # --- reading -------------------------------------------------------------------------------------------

    def buckets(self) -> list[BucketInfo]:
        """Every bucket, that with the newest point first."""
        return self._catalogue.bucket_infos()

    def bucket_name(self, bucket: str) -> str | None:
        """The name a bucket is shown by; None when there is no such bucket."""
        return self._catalogue.bucket_name(bucket)

    def streams(self, bucket: str) -> list[StreamInfo]:
        """The bucket's streams by name, each with its newest value; none when there is no such bucket."""
        return self._catalogue.stream_infos(bucket)

    def latest(self) -> dict[str, list[StreamInfo]]:
        """The streams of every bucket, as `streams` gives them; buckets without a stream lack."""
        found = {bucket.key: self._catalogue.stream_infos(bucket.key) for bucket in self._catalogue.bucket_infos()}
        return {bucket: streams for bucket, streams in found.items() if streams}

    def intervals(self, bucket: str) -> dict[str, float]:
        """The usual seconds between a stream's readings, by stream; those that said too little to tell lack."""
        series = self._catalogue.streams(bucket)
        unsure = [one for one in series if not still_usual(one.interval, one.newest - one.interval_at)]
        if unsure:
            with self._reading() as look:
                times = look(NEVER).newest_times(unsure)
            for one in unsure:
                one.interval = usual_interval(times[one.id])
                self._catalogue.speaks_every(one.id, one.interval, one.newest)
        return {one.key[1]: one.interval for one in series if one.interval is not None}

    def points(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Column]:
        """Points of streams (all when none is named) between two times in epoch seconds, to be drawn as lines."""
        series = self._wanted(bucket, streams)
        end = int((self._clock() if before is None else before) * MICROSECONDS)
        if before is None:
            end = max(end, *(one.newest + 1 for one in series)) if series else end
        found: dict[str, Column] = {}
        with self._reading() as look:
            for floor, some in self._by_floor(series):
                found |= look(floor).lines(some, int(after * MICROSECONDS), end, buckets)
        return found

    def statistics(
        self, bucket: str, streams: Collection[str], after: float, before: float | None = None, buckets: int = 600
    ) -> dict[str, Statistics]:
        """What each bucket of time holds of numbers and booleans."""
        series = self._wanted(bucket, streams)
        end = int((self._clock() if before is None else before) * MICROSECONDS)
        found: dict[str, Statistics] = {}
        with self._reading() as look:
            for floor, some in self._by_floor(series):
                found |= look(floor).statistics(some, int(after * MICROSECONDS), end, buckets)
        return found

    def rows(self, bucket: str, streams: Collection[str], after: float, before: float) -> Iterator[Sequence[Row]]:
        """Every point from `after` to before `before`, in order of time, then of stream; in batches."""
        at, end = int(after * MICROSECONDS), int(before * MICROSECONDS)
        while at < end:
            floors = self._by_floor(self._wanted(bucket, streams))
            with self._reading() as look:
                lowest = min((floor for floor, _ in floors), default=NEVER)
                found, at = look(lowest).rows([one for _, some in floors for one in some], at, end)
            if len(floors) > 1:
                shown = {one.key[1]: floor for floor, some in floors for one in some}
                found = [row for row in found if row[0] >= shown[row[1]]]
            if found:
                yield found

    def size(self, bucket: str | None = None) -> int:
        """Bytes on disk: of everything, or of the sealed points of one bucket."""
        if bucket is None:
            return sum(map(files.size, (self._catalogue.path, *(span.path for span in self._spans.all))))
        ids = [one.id for one in self._wanted(bucket, ())]
        total = 0
        with ExitStack() as stack, _store_errors("read"):
            for span in self._spans.all:
                view = view_of(stack, span, ids)
                total += 0 if view is None else chunks.size(view.db, ids)
        return total

    def take(self, columns: Mapping[StreamKey, Column], units: Mapping[StreamKey, str]) -> None:
        """Seal points in order of time at once, durably: history that comes in bulk, from an older store."""
        with self._lock, _store_errors("written"):
            now = self._clock()
            known = self._catalogued(lambda: self._catalogue.meet(columns, units, now))
            for span, parts in self._by_span(columns, known, now):
                span.take({id_: (times, values) for id_, times, values in parts})
                self._spans.used(span)
                self._spans.close_surplus(self._save)
            self._saw(columns, known, now)

    # --- what retention does (retention.py decides) ---------------------------------------------------------

    @property
    def spans(self) -> Sequence[Span]:
        """All spans, in order of time."""
        return self._spans.all

    @property
    def catalogue(self) -> Catalogue:
        """What is known of buckets and streams."""
        return self._catalogue

    def drop(self, span: Span) -> None:
        """Unlink a span's file; its time is over."""
        self._spans.drop(span)

    def forget(self, series: Sequence[Series], bucket: str | None = None) -> None:
        """Delete series, and a bucket, with all of their points."""
        self._catalogued(lambda: self._catalogue.forget(series, bucket))  # first: whatever is left is not shown
        ids = [one.id for one in series]
        for span in self._spans.all if ids else ():
            span.forget(ids)
            self._spans.used(span)
        self._spans.close_surplus(self._save)

    def sweep(self, span: Span, ids: Collection[int], cutoff: int, limit: int) -> int:
        """Delete up to `limit` chunks of series from a span that ended before the cutoff; returns how many."""
        deleted = span.sweep(ids, cutoff, limit)
        self._spans.used(span)
        self._spans.close_surplus(self._save)
        return deleted

    # --- how it is done ------------------------------------------------------------------------------------

    def _by_span(
        self, columns: Mapping[StreamKey, Column], known: Mapping[StreamKey, Series], now: float
    ) -> list[tuple[Span, list[Part]]]:
        """Which points go where, the newest span last; what is past its retention goes nowhere."""
        aged = self._age_clock()
        earliest = min((min(column.times) for column in columns.values()), default=NEVER)
        if columns and earliest >= self._retention.latest_floor(aged):
            span = self._spans.of(earliest, now)
            if max(max(column.times) for column in columns.values()) < span.end:  # as nearly always
                return [(span, [(known[key].id, column.times, column.values) for key, column in columns.items()])]
        batch: dict[Span, list[Part]] = {}
        for key, column in columns.items():
            id_, times, values = known[key].id, column.times, column.values
            low, high, floor = min(times), max(times), self._floor(known[key], aged)
            if low < floor:
                kept = [n for n, at in enumerate(times) if at >= floor]
                if not kept:
                    continue
                times, values = [times[n] for n in kept], [values[n] for n in kept]
                low = min(times)
            span = self._spans.of(low, now)
            if high < span.end:
                batch.setdefault(span, []).append((id_, times, values))
                continue
            split: dict[Span, tuple[list[int], list[Value]]] = {}
            for at, value in zip(times, values, strict=True):
                part = split.setdefault(self._spans.of(at, now), ([], []))
                part[0].append(at)
                part[1].append(value)
            for span, part in split.items():
                batch.setdefault(span, []).append((id_, *part))
        return sorted(batch.items(), key=lambda item: item[0].start)

    def _saw(self, columns: Mapping[StreamKey, Column], known: Mapping[StreamKey, Series], now: float) -> None:
        ahead, aged = ahead_of(now), self._age_clock()
        kept_from = self._retention.latest_floor(aged)
        with self._catalogue.lock:
            for key, column in columns.items():
                series, at = known[key], latest(column.times, ahead)
                time = column.times[at]
                if time >= kept_from or time >= self._floor(series, aged):
                    self._catalogue.saw(series, time, column.values[at], ahead)
                    column.kind = series.kind
                column.unit = series.unit

    def _save(self) -> None:
        """Let the catalogue save what the logs tell, so that they may be trimmed."""
        self._catalogued(lambda: self._catalogue.save(self.cursor))
        self._spans.release()

    def _catalogued(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreError("the dashboard's store is closed")
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if not files.is_damage(error):
                raise
            self._catalogue.set_aside(str(error))
            return work()

    def _wanted(self, bucket: str, streams: Collection[str]) -> list[Series]:
        return [one for one in self._catalogue.streams(bucket) if not streams or one.key[1] in streams]

    def _floor(self, series: Series, aged: float) -> int:
        return self._retention.floor(series.key[0], aged, series.rule)

    def _by_floor(self, series: Iterable[Series]) -> list[tuple[int, list[Series]]]:
        return self._retention.parted(series, bucket_and_rule, self._age_clock())

    @contextmanager
    def _reading(self) -> Iterator[Callable[[int], Reader]]:
        """Makes readers of one look at the store, by the time before which nothing is shown."""
        with _store_errors("read"):
            try:
                with ExitStack() as stack:
                    yield lambda floor: Reader(stack, self._spans.all, view_of, floor)
            except sqlite3.DatabaseError as error:
                if files.is_damage(error):  # which the writer may never come across
                    with self._lock:
                        self._spans.set_damaged_aside()
                raise


@contextmanager
def _store_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"the dashboard's store cannot be {what} now: {error}") from error
