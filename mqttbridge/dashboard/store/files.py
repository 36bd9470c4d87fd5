"""The store's files of SQLite: how they are opened, looked over, and set aside when they are damaged.

Each file has exactly one connection that writes and checkpoints, since two at the same instant can corrupt a
file of SQLite before 3.51.3 (its WAL-reset bug). Readers open a file read-only for one question: that takes a
fifth of a millisecond, and no reader is left behind on a file that was set aside. No mmap.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from mqttbridge.errors import StoreError

log = logging.getLogger(__name__)

# A gigabyte takes quick_check many seconds on a small board, and the bridge must be ready within two: what the
# check has not seen by then shows itself when it is read or written. For all files together.
CHECK_SECONDS: Final = 0.5

# Pages of the write-ahead log (4 KiB each) before it is folded back into the file.
CHECKPOINT_PAGES: Final = 1000

# KiB of pages a connection keeps: what is hot is a handful of pages, and readers are many.
CACHE_KIB: Final = 512

# SQLite allows 32,766 variables a statement since 3.32; past some hundred rows more of them gain little.
VARIABLES_PER_STATEMENT: Final = 1500

SUFFIXES: Final = ("", "-wal", "-shm")


def open_for_writing(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """The one connection that writes and checkpoints; the tables are made where they are missing.

    Raises:
        sqlite3.Error, OSError: it cannot be opened; `is_damage` tells whether the file is at fault.
        StoreError: a newer version wrote the file.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a point the spool has let go of must not be lost by a power cut. The destination paces its
        # commits by what they cost (destinations/embedded.py), so a slow card is not worn out by it.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > version:
            raise StoreError(  # noqa: TRY301  # closed below, as after any other failure
                f"the dashboard's store {path} was written by a newer mqttbridge (format {found}, this one "
                f"reads {version}): run that one, or move the file away"
            )
        if found == 0:
            connection.executescript(f"BEGIN; {schema} PRAGMA user_version = {version}; COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint, for one question of one thread."""
    # Paths are data: `?` and `#` in one would otherwise begin the URI's options.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    return connection


def check(connection: sqlite3.Connection, seconds: float = CHECK_SECONDS) -> None:
    """Look the file over for as long as there is time.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return
    finally:
        connection.set_progress_handler(None, 0)
    if verdict != "ok":
        damage = sqlite3.DatabaseError(verdict)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def is_damage(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_io_error(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR


def set_aside(path: Path, why: str, lost: str) -> Path:
    """Rename the file and its companions so that a new one can take its place. Nothing is deleted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in SUFFIXES:
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    log.error(
        "a file of the dashboard's store was damaged and has been set aside: %s. file=%s damage=%s", lost, aside, why
    )
    return aside


def unlink(path: Path) -> None:
    for suffix in SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def size(path: Path) -> int:
    """Bytes of the file with its companions; 0 when it is gone."""
    total = 0
    for suffix in SUFFIXES:
        with suppress(OSError):
            total += path.with_name(path.name + suffix).stat().st_size
    return total


@cache
def _insert(into: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT OR REPLACE INTO {into} VALUES {','.join([row] * rows)}"


def insert_many(db: sqlite3.Connection, into: str, rows: Iterable[Sequence[Any]], width: int) -> None:
    """Insert rows of `width` columns, replacing those of the same key, many a statement.

    Python's sqlite3 gives up the interpreter lock around every step of a statement, and beside a busy thread each
    return of it can take 5 ms: a row a step would make 500 rows take seconds. For the same reason a question is
    one statement that answers in one row.
    """
    step = VARIABLES_PER_STATEMENT // width * width
    flat: Iterator[Any] = chain.from_iterable(rows)
    while values := list(islice(flat, step)):
        db.execute(_insert(into, width, len(values) // width), values)
