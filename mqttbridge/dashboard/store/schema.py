"""The store's file: its tables, how it is opened, and what happens when it is damaged."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path
from typing import Final

from mqttbridge.errors import StoreError

log = logging.getLogger(__name__)

VERSION: Final = 1

# `points` is keyed by (series, time) without a rowid: one B-tree, read in the order it is drawn, 24 bytes a point.
# Its value column has no type, so integers, reals and texts come back exactly as they went in (booleans as 0
# and 1: the series' kind tells). `latest` is apart from `series` so that a batch rewrites only what changed.
SCHEMA: Final = """
CREATE TABLE buckets (key TEXT PRIMARY KEY, name TEXT, created REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, stream TEXT NOT NULL, unit TEXT NOT NULL DEFAULT '',
    UNIQUE (bucket, stream)
);
CREATE TABLE latest (series INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, value);
CREATE TABLE points (series INTEGER NOT NULL, ts INTEGER NOT NULL, value, PRIMARY KEY (series, ts)) WITHOUT ROWID;
CREATE TABLE cursor (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, offset INTEGER NOT NULL);
"""

# Apart from `buckets`, and made where it is missing, so that a file of any age is readable by any version. Its row
# says that somebody created the bucket, tags or none: the first to do so sets them.
TAGS: Final = "CREATE TABLE IF NOT EXISTS tags (bucket TEXT PRIMARY KEY, tags TEXT NOT NULL) WITHOUT ROWID"

# A gigabyte takes quick_check many seconds on a small board, and the bridge must be ready within two: what
# it has not seen by then shows itself when it is read or written.
CHECK_SECONDS: Final = 0.5

# Pages of the write-ahead log (4 KiB each) before it is folded back into the file.
CHECKPOINT_PAGES: Final = 1000


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The one connection that writes and checkpoints; a damaged file is set aside and a new one made.

    Raises:
        StoreError: the file cannot be opened or created.
    """
    try:
        try:
            return _open(path)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            set_aside(path, str(error))
            return _open(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open the dashboard's store {path}: {error}") from error


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint, for one query of one thread."""
    # Paths are data: `?` and `#` in one would otherwise begin the URI's options.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_io_error(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR


def set_aside(path: Path, why: str) -> Path:
    """Rename the file and its companions so that a new one can take its place. Nothing is deleted."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    log.error(
        "the dashboard's store was damaged and has been set aside: its history is not shown any more; "
        "a new store is in use. file=%s damage=%s",
        aside,
        why,
    )
    return aside


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a point the spool has let go of must not be lost by a power cut. The destination paces its
        # commits by what they cost (destinations/embedded.py), so a slow card is not worn out by it.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        _make_or_check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_or_check(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"the dashboard's store {path} was written by a newer mqttbridge (format {version}, this one "
            f"reads {VERSION}): run that one, or move the file away"
        )
    if version == 0:
        connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    else:
        _quick_check(connection)
    connection.execute(TAGS)


def _quick_check(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + CHECK_SECONDS
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
