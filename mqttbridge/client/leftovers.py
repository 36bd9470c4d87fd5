"""The file that keeps what could not be delivered: for the next Streamer on it, or `mqttbridge spool replay`.

Rules it keeps:
1. What `add` took is on disk when it returns (SQLite, rollback journal, `synchronous=FULL`).
2. Any number of processes may use one file. SQLite keeps it whole; a parcel that one of them is sending is leased
   to it, and is nobody else's until it is settled or the lease has run out because its holder died.
3. A parcel belongs to an account (address and key, as a digest): nobody else's key ever sends it. Keys themselves
   are not in the file.
4. What a server refused for good stays, with its words, until somebody looks: it is never sent by itself again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mqttbridge.client.parcels import Bucket, Parcel
from mqttbridge.errors import SpoolError

DEFAULT_FILE: Final = "mqttbridge-unsent.db"

# Longer than a request can take; so long a parcel rests after its sender was killed.
LEASE: Final = 60.0
# How long to wait for another process that writes: its transactions take milliseconds.
_PATIENCE: Final = 10.0
_PAGE: Final = 4096

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS parcel(
    seq INTEGER PRIMARY KEY, created REAL NOT NULL, base TEXT NOT NULL, account TEXT NOT NULL,
    bucket_key TEXT NOT NULL, bucket_name TEXT NOT NULL, events INTEGER NOT NULL, body BLOB NOT NULL,
    leased REAL NOT NULL DEFAULT 0, refused TEXT) STRICT
"""
# A lease is of no worth once its end is past, nor when it lies so far ahead that the clock must have been set back.
_FREE: Final = f"refused IS NULL AND NOT (leased > :now AND leased <= :now + {2 * LEASE})"
_INSERT: Final = (
    "INSERT INTO parcel(seq, created, base, account, bucket_key, bucket_name, events, body, refused) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

_inherited: Final[list[sqlite3.Connection]] = []
"""Connections of the process we were forked from, kept so that nobody closes them."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose parcels: where they go, and the digest of address and key."""

    base: str
    account: str


@dataclass(frozen=True, slots=True)
class Row:
    """A parcel in the file, leased to whoever took it."""

    seq: int
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class Refusal:
    """A parcel no server will take, and its words. Most often a single event."""

    parcel: Parcel
    detail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What waits in a file, by address, account and bucket.

    Attributes:
        base: the address it is meant for.
        account: digest of address and key.
        bucket: its bucket.
        events: how many wait to be sent.
        refused: how many were refused for good.
        last_refusal: the server's words about the latest of them.
    """

    base: str
    account: str
    bucket: Bucket
    events: int
    refused: int
    last_refusal: str


class Leftovers:
    """See the module's text. Opened, and made, when it is first needed. One thread at a time.

    Args:
        path: the file.
        max_bytes: how large it may grow.

    Every method raises `SpoolError` when the file cannot be used, or is full; nothing was changed then.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = 2**30) -> None:
        self.path = Path(path).absolute()  # wherever the program goes afterwards
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        return self._connection is not None or self.path.exists()

    def add(
        self,
        sender: Sender,
        parcels: Sequence[Parcel],
        *,
        refusals: Sequence[Refusal] = (),
        first: bool = False,
    ) -> None:
        """Keep parcels in their order, behind everything there, or with `first` before it."""
        with self._transaction() as db:
            self._insert(db, sender, parcels, first=first)
            self._refuse(db, sender, refusals)

    def take(self, sender: Sender) -> Row | None:
        """Lease the sender's oldest parcel; None where there is none that is free."""
        if not self.exists:
            return None
        with self._transaction() as db:
            now = time.time()  # not before the lock: another may have waited for it less long
            row = db.execute(
                "SELECT seq, bucket_key, bucket_name, events, body FROM parcel "
                f"WHERE account = :account AND {_FREE} ORDER BY seq LIMIT 1",
                {"account": sender.account, "now": now},
            ).fetchone()
            if row is None:
                return None
            db.execute("UPDATE parcel SET leased = ? WHERE seq = ?", (now + LEASE, row[0]))
        seq, key, name, events, body = row
        return Row(seq, Parcel(Bucket(key, name), events, body))

    def settle(
        self, sender: Sender, row: Row, *, left: Sequence[Parcel] = (), refusals: Sequence[Refusal] = ()
    ) -> None:
        """Put an end to a lease: what is `left` of the parcel is free again, in its place; the rest is done."""
        with self._transaction() as db:
            self._refuse(db, sender, refusals)
            if list(left) == [row.parcel]:
                db.execute("UPDATE parcel SET leased = 0 WHERE seq = ?", (row.seq,))
                return
            db.execute("DELETE FROM parcel WHERE seq = ?", (row.seq,))
            if left:
                whole = Parcel.of(row.parcel.bucket, [event for parcel in left for event in parcel.opened()])
                db.execute(_INSERT, _values(row.seq, sender, whole))

    def waiting(self, sender: Sender) -> tuple[int, int]:
        """How many parcels, and events in them, the sender has to send; those leased to others count."""
        if not self.exists:
            return 0, 0
        with self._transaction() as db:
            parcels, events = db.execute(
                "SELECT count(*), coalesce(sum(events), 0) FROM parcel WHERE account = ? AND refused IS NULL",
                (sender.account,),
            ).fetchone()
        return parcels, events

    def summary(self) -> list[Kept]:
        """What is in the file, in the order of its arrival."""
        if not self.exists:
            return []
        with self._transaction() as db:
            rows = db.execute(
                "SELECT base, account, bucket_key, bucket_name, sum(iif(refused IS NULL, events, 0)), "
                "sum(iif(refused IS NULL, 0, events)), coalesce(max(refused), '') FROM parcel "
                "GROUP BY account, bucket_key ORDER BY min(seq)"
            ).fetchall()
        return [Kept(base, account, Bucket(key, name), *rest) for base, account, key, name, *rest in rows]

    def hand_over(self, sender: Sender) -> None:
        """Make everything that waits for other accounts the sender's own."""
        self._change("UPDATE parcel SET account = :account, base = :base WHERE refused IS NULL", sender)

    def retry_refused(self, sender: Sender) -> None:
        """Let what the sender was refused be sent once more."""
        self._change("UPDATE parcel SET refused = NULL WHERE account = :account AND refused IS NOT NULL", sender)

    def _change(self, statement: str, sender: Sender) -> None:
        with self._transaction() as db:
            db.execute(statement, {"account": sender.account, "base": sender.base})

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def after_fork(self) -> None:
        """In a forked child: open the file anew when it is needed. SQLite forbids to use, or close, the parent's."""
        if self._connection is not None:
            _inherited.append(self._connection)
            self._connection = None

    # --- the file ------------------------------------------------------------------------------------------

    def _insert(self, db: sqlite3.Connection, sender: Sender, parcels: Sequence[Parcel], *, first: bool) -> None:
        lowest, highest = db.execute("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM parcel").fetchone()
        start = lowest - len(parcels) if first else highest + 1
        db.executemany(_INSERT, [_values(seq, sender, parcel) for seq, parcel in enumerate(parcels, start)])

    def _refuse(self, db: sqlite3.Connection, sender: Sender, refusals: Sequence[Refusal]) -> None:
        db.executemany(_INSERT, [_values(None, sender, refusal.parcel, refusal.detail) for refusal in refusals])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._connection or self._open()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            raise SpoolError(f"{self.path} cannot be used: {error}") from error

    def _open(self) -> sqlite3.Connection:
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            aside = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}")
            self.path.replace(aside)
            self._connection = self._connect()
            self.set_aside = aside
        return self._connection

    set_aside: Path | None = None
    """Where a damaged file was moved to, if one was found: what is in it is not lost, but not sent either."""

    def _connect(self) -> sqlite3.Connection:
        # Events are the user's own: nobody else is to read them.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute(f"PRAGMA max_page_count = {max(16, self._max_bytes // _PAGE)}")
            db.execute(_SCHEMA)
        except BaseException:
            db.close()
            raise
        return db


def _values(seq: int | None, sender: Sender, parcel: Parcel, refused: str | None = None) -> tuple[object, ...]:
    key, name = parcel.bucket
    return (seq, time.time(), sender.base, sender.account, key, name, parcel.events, parcel.body, refused)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
