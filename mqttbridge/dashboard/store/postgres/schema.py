"""The tables, and how they come to be: made or brought up to date at start, by one bridge at a time.

Points and rollups are partitioned by time, in the spans that the SQLite store has files for (../ranges.py), so that
retention drops tables rather than rows. `readings` is for people: SQL, Grafana and whatever else speaks to PostgreSQL.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

import psycopg
from psycopg import sql

from mqttbridge.config.stores import Timescale
from mqttbridge.dashboard.store.postgres import timescale
from mqttbridge.dashboard.store.postgres.connections import Db, words
from mqttbridge.dashboard.store.ranges import DAY, EPOCH, FIRST, LAST, span_of
from mqttbridge.errors import StoreError

log = logging.getLogger(__name__)

VERSION: Final = 1
PARTITIONED: Final = ("points", "minutes", "hours")

# What no clock says that was ever set lies in one table on either side: a statement locks each table that it may need,
# and a sender of odd times could make more of them than a server has locks for, by which the store would stand still.
_FROM, _TO = 10_957 * DAY, 47_482 * DAY  # the years 2000 to 2099
_FAR: Final = ((FIRST, _FROM), (_TO, LAST))

# Times are microseconds since 1970. Names are compared by code point, whatever the database's language is. Rows of
# `series` are updated with every batch: room in their pages keeps that from touching an index. What `changes` holds
# is needed for half a minute, and not after a crash.
TABLES: Final = (
    "CREATE TABLE about (version integer NOT NULL, layout text NOT NULL)",
    'CREATE TABLE buckets (key text COLLATE "C" PRIMARY KEY, name text, tags text)',
    """CREATE TABLE series (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        bucket text COLLATE "C" NOT NULL REFERENCES buckets, stream text COLLATE "C" NOT NULL,
        unit text NOT NULL DEFAULT '', rule text NOT NULL DEFAULT '',
        newest bigint, kind smallint, number double precision, whole bigint, said text,
        UNIQUE (bucket, stream)) WITH (fillfactor = 50)""",
    "CREATE TABLE gone (series integer PRIMARY KEY)",
    "CREATE TABLE cursors (writer text PRIMARY KEY, seq bigint NOT NULL, place bigint NOT NULL)",
    """CREATE UNLOGGED TABLE changes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        writer text NOT NULL, written timestamptz NOT NULL DEFAULT now(), events bytea NOT NULL)""",
    """CREATE TABLE records (
        kind text NOT NULL, key text NOT NULL, version integer NOT NULL, at double precision NOT NULL, body text,
        PRIMARY KEY (kind, key, version))""",
)
POINTS: Final = """CREATE TABLE points (
    series integer NOT NULL, at bigint NOT NULL, kind smallint NOT NULL,
    number double precision, whole bigint, said text,
    PRIMARY KEY (series, at))"""
ROLLUP: Final = """CREATE TABLE {} (
    series integer NOT NULL, at bigint NOT NULL, points bigint NOT NULL,
    least double precision NOT NULL, greatest double precision NOT NULL, total double precision NOT NULL,
    first_at bigint NOT NULL, first double precision NOT NULL,
    last_at bigint NOT NULL, last double precision NOT NULL,
    PRIMARY KEY (series, at)) PARTITION BY RANGE (at)"""
READINGS: Final = """CREATE VIEW readings AS
    SELECT to_timestamp(p.at / 1e6) AS time, s.bucket, s.stream, s.unit, p.number AS value, p.said AS text
    FROM points p JOIN series s ON s.id = p.series"""


class Layout(Protocol):
    """How points and rollups lie. Used under the writers' lock.

    Attributes:
        name: as the schema remembers it.
        rollups: whether they are ours to keep.
        tables: those that rows are deleted from, by series and time.
    """

    @property
    def name(self) -> str: ...
    @property
    def rollups(self) -> bool: ...
    @property
    def tables(self) -> Sequence[str]: ...

    def cover(self, db: Db, times: list[int], now: int) -> None:
        """Make room for points of these times, in microseconds."""

    def drop(self, db: Db, before: int) -> None:
        """Drop, as a whole, what lies before a time."""

    def forget(self) -> None:
        """Know nothing any more: the transaction that made room may not have been committed."""


def lock(db: Db, schema: str) -> None:
    """Hold every other writer of the schema up until the transaction ends."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"mqttbridge {schema}",))


def prepare(db: Db, schema: str, length: int, wanted: Timescale) -> Layout:
    """Make the tables, or check that they are ours. In a transaction, with the lock held.

    Args:
        db: a connection that writes.
        schema: where; made when it is missing.
        length: of the spans that points are parted into, in microseconds.
        wanted: whether to use TimescaleDB, when the tables are yet to be made.

    Raises:
        StoreError: the schema holds something else, or comes from a later version.
    """
    (encoding,) = _row(db, "SHOW server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"the dashboard's PostgreSQL database must be encoded in UTF8; this one is in {encoding}")
    if _row(db, "SELECT to_regnamespace(quote_ident(%s))", schema) == (None,):
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    (about,) = _row(db, "SELECT to_regclass(quote_ident(%s) || '.about')", schema)
    if about is None:
        return _make(db, schema, length, wanted)
    version, *layout = _row(db, "SELECT version, to_json(about) ->> 'layout' FROM about")
    if version != VERSION:
        raise StoreError(
            f"the schema {schema!r} is of version {version} of the dashboard's tables, and this bridge knows {VERSION}:"
            " run the bridge that made it, or a later one"
        )
    (has_rules,) = _row(
        db, "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'series'::regclass AND attname = 'rule')"
    )
    if not has_rules:  # made by an earlier bridge of this version, which minds no further column
        db.execute("ALTER TABLE series ADD COLUMN rule text NOT NULL DEFAULT ''")
    return timescale.Hypertables() if layout == [timescale.Hypertables.name] else Partitions(length)


def _make(db: Db, schema: str, length: int, wanted: Timescale) -> Layout:
    question = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s))"
    if _row(db, question, schema) != (0,):
        raise StoreError(f"the schema {schema!r} holds other tables: give the dashboard's store one of its own")
    for table in TABLES:
        db.execute(table.encode())
    layout: Layout = Partitions(length)
    if not _make_hypertables(db, length, wanted):
        db.execute(f"{POINTS} PARTITION BY RANGE (at)".encode())
        for table in ("minutes", "hours"):
            db.execute(ROLLUP.format(table).encode())
    else:
        layout = timescale.Hypertables()
    db.execute(READINGS.encode())
    db.execute("INSERT INTO about VALUES (%s, %s)", (VERSION, layout.name))
    return layout


def _make_hypertables(db: Db, length: int, wanted: Timescale) -> bool:
    """Whether TimescaleDB holds the points now. Whatever goes wrong with it, plain tables do as well."""
    use, create = timescale.decide(wanted, **timescale.present(db))
    if not use:
        if wanted is Timescale.CREATE:
            log.warning("TimescaleDB is not available to this PostgreSQL server: the store has plain tables")
        return False
    try:
        with db.transaction():
            if create:
                db.execute("CREATE EXTENSION timescaledb SCHEMA public")  # it is not ours alone
            for statement in (POINTS, *timescale.statements(length)):
                db.execute(statement.encode())
    except psycopg.Error as error:
        log.warning("TimescaleDB could not be used, so the store has plain tables: %s", words(error))
        return False
    return True


def size(db: Db) -> int:
    """Bytes on disk of everything in the schema."""
    (found,) = _row(
        db,
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
        " WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'points'::regclass) AND relkind = 'r'",
    )
    return found or 0


def size_of(db: Db, ids: list[int]) -> int:
    """Bytes of the points of some series, with what a row and its place in the index take."""
    (found,) = _row(db, "SELECT sum(pg_column_size(p) + 4 + 24)::bigint FROM points p WHERE series = ANY(%s)", ids)
    return found or 0


class Partitions:
    """The layout with PostgreSQL alone: tables for each span of time, and rollups of our own."""

    name: Final = "plain"
    rollups: Final = True
    tables: Final = PARTITIONED

    def __init__(self, length: int) -> None:
        self._length = length
        self._spans: list[tuple[int, int]] = []

    def load(self, db: Db) -> list[tuple[int, int]]:
        """The spans that there are, in order of time, as start and end in microseconds."""
        rows = db.execute(
            "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'points'::regclass"
        ).fetchall()
        self._spans = sorted(_bounds(bound) for (bound,) in rows)
        return self._spans

    def cover(self, db: Db, times: list[int], now: int) -> None:
        """Make tables for the spans of these times where there are none."""
        missing = self._uncovered(times)
        if missing:
            self.load(db)  # another bridge may have made them
            for at in self._uncovered(times):
                if not self._covers(at):
                    self._make(db, *self._span_of(at, now))

    def drop(self, db: Db, before: int) -> None:
        """Drop the tables of spans that ended before a time."""
        over = [span for span in self.load(db) if span[1] <= before]
        for span in over:
            for table in PARTITIONED:
                db.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(_name(table, *span))))
        self._spans = [span for span in self._spans if span not in over]

    def forget(self) -> None:
        """Know nothing any more: the transaction that made tables may not have been committed."""
        self._spans = []

    def _uncovered(self, times: list[int]) -> list[int]:
        low, high = min(times), max(times)
        if any(start <= low and high < end for start, end in self._spans):
            return []
        return sorted(at for at in set(times) if not self._covers(at))

    def _span_of(self, at: int, now: int) -> tuple[int, int]:
        far = next((span for span in _FAR if span[0] <= at < span[1]), None)
        if far is not None and not any(start < far[1] and far[0] < end for start, end in self._spans):
            return far
        return span_of(at, self._length, now, [*self._spans, *_FAR] if far is None else self._spans)

    def _covers(self, at: int) -> bool:
        return any(start <= at < end for start, end in self._spans)

    def _make(self, db: Db, start: int, end: int) -> None:
        for table in PARTITIONED:
            db.execute(
                sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(_name(table, start, end)), sql.Identifier(table), start, end
                )
            )
        self._spans = sorted([*self._spans, (start, end)])


def _name(table: str, start: int, end: int) -> str:
    """Such as points_2026_11_16_7d."""
    day = EPOCH + timedelta(microseconds=start)
    return f"{table}_{day:%Y_%m_%d}_{(end - start) // 86_400_000_000}d"


def _bounds(expression: str) -> tuple[int, int]:
    """Of `FOR VALUES FROM ('1') TO ('2')`."""
    start, end = (int(part.partition("')")[0]) for part in expression.split("('")[1:])
    return start, end


def _row(db: Db, question: str, *given: Any) -> tuple[Any, ...]:
    row = db.execute(question.encode(), given).fetchone()
    assert row is not None  # noqa: S101  # a question that always has an answer
    return tuple(row)
