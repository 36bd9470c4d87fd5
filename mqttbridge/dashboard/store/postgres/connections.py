"""Connections to the database: one that writes, a few that read, and what it means when they break.

A broken connection is thrown away, and whoever needs one next makes a new one: so the store recovers by itself as
soon as the server does, and until then every call says in words what is wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mqttbridge.errors import StoreError

Db: TypeAlias = psycopg.Connection[Any]

CONNECT_SECONDS: Final = 10
# No question of a page takes so long: one that does would hold its connection while others wait.
READ_SECONDS: Final = 30
# How long a write waits for another bridge's; a batch is committed in a fraction of a second.
LOCK_SECONDS: Final = 30
READERS: Final = 4
# A peer that is gone without a word, as after a power cut, is noticed after about this many seconds.
_DEAD_AFTER: Final = 30


class Connections:
    """Connections to one schema of one database.

    Args:
        url: `postgresql://...` or any other connection string of libpq, with or without the password.
        password: used when the url has none; libpq's own ways (PGPASSWORD, a password file) hold beside.
        schema: where the tables are; first in the search path of every connection.
        prepare: run on each new connection that writes.

    Raises:
        StoreError: the url cannot be read.
    """

    def __init__(self, url: str, password: str | None, schema: str, prepare: Callable[[Db], None]) -> None:
        try:
            given: dict[str, Any] = dict(conninfo_to_dict(url))
            if password is not None:
                given.setdefault("password", password)
            given.setdefault("connect_timeout", CONNECT_SECONDS)
            given.setdefault("application_name", "mqttbridge")
            given |= {"keepalives_idle": _DEAD_AFTER // 2, "keepalives_interval": 5, "keepalives_count": 3}
            given.setdefault("tcp_user_timeout", 1000 * _DEAD_AFTER)
            self._conninfo = make_conninfo(**given)
        except psycopg.ProgrammingError:
            # Its text quotes the url, which may hold the password.
            raise StoreError("the url of the dashboard's PostgreSQL store is not a connection string") from None
        self.schema = schema
        self._prepare = prepare
        self._lock = threading.Lock()
        self._writer: Db | None = None
        self._slots = threading.BoundedSemaphore(READERS)
        self._idle: list[Db] = []
        self._closed = False

    @contextmanager
    def writing(self, what: str = "written") -> Iterator[Db]:
        """A transaction of the connection that writes. One at a time; synced when the block has ended.

        Args:
            what: cannot be done to the store now, as the error says.

        Raises:
            StoreError: nothing of it was stored, or, rarely, all of it was and the answer was lost.
        """
        with self._lock, store_errors(what):
            if self._closed:
                raise StoreError("the dashboard's store is closed")
            try:
                if self._writer is None or self._writer.closed:
                    self._writer = self.connect()
                    self._prepare(self._writer)
                with self._transaction(self._writer, "BEGIN"):
                    yield self._writer
            except psycopg.Error:
                # A connection that merely was refused something is as good as before; any other is not trusted.
                if (
                    self._writer is not None
                    and self._writer.info.transaction_status != psycopg.pq.TransactionStatus.IDLE
                ):
                    self._writer.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[Db]:
        """A read-only transaction that sees every batch whole, and the same ones from its first to its last question.

        Raises:
            StoreError: the database cannot be read now.
        """
        with self._slots, store_errors("read"):
            db = self._reader()
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(psycopg.Error):
                    db.execute("ROLLBACK")
                raise
            finally:
                if db.closed or db.info.transaction_status != psycopg.pq.TransactionStatus.IDLE or self._closed:
                    db.close()
                else:
                    self._idle.append(db)

    def connect(self) -> Db:
        """A connection without a transaction. psycopg.Error when there is none to be had."""
        db = psycopg.connect(self._conninfo, autocommit=True)
        try:
            # Not as start-up options, which poolers between us and the server may refuse.
            db.execute(sql.SQL("SET search_path TO {}, public").format(sql.Identifier(self.schema)))
            db.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'; SET synchronous_commit = on; SET timezone = 'UTC'")
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close what is open; those that read close theirs as they end."""
        with self._lock:
            self._closed = True
            if self._writer is not None:
                self._writer.close()
            while self._idle:
                self._idle.pop().close()

    def _reader(self) -> Db:
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        while self._idle:
            db = self._idle.pop()
            try:
                db.execute(begin)
            except psycopg.OperationalError:  # it broke while it was idle: the server has restarted, mostly
                db.close()
            else:
                return db
        db = self.connect()
        db.execute(f"SET statement_timeout = '{READ_SECONDS}s'")
        db.execute(begin)
        return db

    @staticmethod
    @contextmanager
    def _transaction(db: Db, begin: str) -> Iterator[None]:
        db.execute(begin)
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            with suppress(psycopg.Error):
                db.execute("ROLLBACK")
            raise


@contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Turns what psycopg raises into StoreError."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreError(f"the dashboard's store cannot be {what} now: {words(error)}") from error


def is_of_data(error: StoreError) -> bool:
    """Whether the data is at fault, so that trying again is of no use."""
    return isinstance(error.__cause__, psycopg.DataError | psycopg.errors.ProgramLimitExceeded)


def words(error: psycopg.Error) -> str:
    """What PostgreSQL says, in one line. It never says a password; hosts and users it does."""
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    return " ".join(said.split())
