"""Looking into a spool's file from outside, while the bridge works or not: read-only, and never in its way.

The spool has one writer, the process that holds the data directory's lock. What is here opens the file read-only
and without mmap, as the uploaders' readers do, so any number of these may look at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic_core import from_json

from mqttbridge.errors import SpoolError
from mqttbridge.events import EventTuple, Position
from mqttbridge.mapping.topics import FilterTrie, parse_filter
from mqttbridge.spool.rejected import RejectedRow

_COLUMNS: Final = "id, at, reason, detail, topic, payload, rule, destination"
_FOR_DESTINATION: Final = "(destinations IS NULL OR instr(destinations, :destination))"


@dataclass(frozen=True, slots=True)
class RejectedQuery:
    """Which rejected messages are meant; what is not said does not matter.

    Attributes:
        topic: a topic filter, with `+` and `#`.
        since: not rejected before this, epoch seconds.
        after_id: only rows of a higher id.
        limit: how many at most.
        newest_first: the order; the oldest first otherwise.
    """

    ids: tuple[int, ...] = ()
    reason: str = ""
    rule: str = ""
    topic: str = ""
    since: float = 0.0
    after_id: int = 0
    limit: int = 100
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one destination has before it: `events` in the spool, from `position` on."""

    destination: str
    events: int
    position: Position


@dataclass(frozen=True, slots=True)
class SpoolView:
    """How a spool's file stands. Times are epoch seconds, None while it holds nothing."""

    rows: int
    events: int
    bytes: int
    oldest: float | None
    newest: float | None
    rejected: int
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class SpoolRow:
    """One commit's events for the same destinations (empty: for all)."""

    seq: int
    created: float
    destinations: tuple[str, ...]
    events: list[EventTuple]


class SpoolInspector:
    """One look into a spool's file; close it soon, since the file cannot shrink meanwhile.

    Raises:
        SpoolError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise SpoolError(f"there is no spool at {path}: set data_dir, or start the bridge first")
        self._connection = self._connect("mode=ro")
        try:
            self._connection.execute("SELECT 1 FROM rejected LIMIT 1").fetchall()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            if not isinstance(error, sqlite3.OperationalError) or Path(f"{path}-wal").exists():
                raise SpoolError(f"cannot read the spool {path}: {error}") from error
            # A directory that we may not write has no place for SQLite's shared memory; nobody writes there.
            self._connection = self._connect("mode=ro&immutable=1")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def rejected(self, query: RejectedQuery) -> Iterator[RejectedRow]:
        """The rejected messages that a query means.

        Raises:
            InvalidFilter: `query.topic` is no topic filter.
            SpoolError: the file cannot be read.
        """
        wanted = FilterTrie([parse_filter(query.topic).levels]) if query.topic else None
        conditions = ["id > ?", "at >= ?"]
        values: list[Any] = [query.after_id, query.since]
        for column, value in (("reason", query.reason), ("rule", query.rule)):
            if value:
                conditions.append(f"{column} = ?")
                values.append(value)
        if query.ids:
            conditions.append(f"id IN ({', '.join('?' * len(query.ids))})")
            values += query.ids
        order = "DESC" if query.newest_first else "ASC"
        found = self._query(
            f"SELECT {_COLUMNS} FROM rejected WHERE {' AND '.join(conditions)} ORDER BY id {order}", values
        )
        left = query.limit
        for columns in found:
            row = RejectedRow(*columns)
            if left <= 0:
                return
            if wanted is None or wanted.matching(row.topic.split("/")):
                left -= 1
                yield row

    def view(self) -> SpoolView:
        """How the spool stands."""
        ((rows, events, oldest, newest),) = self._query(
            "SELECT count(*), ifnull(sum(events), 0), min(created), max(created) FROM batch"
        )
        ((rejected,),) = self._query("SELECT count(*) FROM rejected")
        pages, free, size = (
            next(iter(self._query(f"PRAGMA {name}")))[0] for name in ("page_count", "freelist_count", "page_size")
        )
        waiting = tuple(self._waiting(name, Position(seq, offset)) for name, seq, offset in self._cursors())
        return SpoolView(rows, events, (pages - free) * size, oldest, newest, rejected, waiting)

    def destinations(self) -> tuple[str, ...]:
        """Names of the destinations that have a cursor in the file."""
        return tuple(name for name, _, _ in self._cursors())

    def rows(self, limit: int | None = None) -> Iterator[SpoolRow]:
        """What is in the spool, oldest first; not all of it need be unsettled."""
        found = self._query(
            "SELECT seq, created, destinations, body FROM batch ORDER BY seq LIMIT ?", [-1 if limit is None else limit]
        )
        for seq, created, destinations, body in found:
            yield SpoolRow(
                seq,
                created,
                tuple(from_json(destinations)) if destinations else (),
                [tuple(event) for event in from_json(body)],
            )

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file, and rows that do not hold what they say; empty when all is well."""
        try:
            found = [text for (text,) in self._query("PRAGMA quick_check") if text != "ok"]
            for seq, events, body in self._query("SELECT seq, events, body FROM batch ORDER BY seq"):
                try:
                    held = len(from_json(body))
                except (ValueError, TypeError) as error:
                    found.append(f"row {seq} cannot be read: {error}")
                else:
                    if held != events:
                        found.append(f"row {seq} says {events} events and holds {held}")
        except SpoolError as error:
            return [str(error)]
        return found

    def _cursors(self) -> list[tuple[str, int, int]]:
        return list(self._query("SELECT destination, seq, offset FROM cursor ORDER BY destination"))

    def _waiting(self, destination: str, position: Position) -> Waiting:
        ((events,),) = self._query(
            "SELECT ifnull(sum(events - (CASE seq WHEN :seq THEN :offset ELSE 0 END)), 0) FROM batch"
            f" WHERE seq >= :seq AND {_FOR_DESTINATION}",
            {"seq": position.seq, "offset": position.offset, "destination": f'"{destination}"'},
        )
        return Waiting(destination, events, position)

    def _query(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> Iterator[Any]:
        try:
            with closing(self._connection.execute(query, values)) as cursor:
                yield from cursor
        except sqlite3.DatabaseError as error:
            raise SpoolError(f"cannot read the spool {self.path}: {error}") from error

    def _connect(self, how: str) -> sqlite3.Connection:
        try:
            return sqlite3.connect(f"{self.path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=5)
        except sqlite3.DatabaseError as error:
            raise SpoolError(f"cannot read the spool {self.path}: {error}") from error
