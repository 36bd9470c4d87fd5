"""A dashboard over a database that others may share: opens its store and records."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.config.stores import PostgresStoreConfig
from mqttbridge.errors import StoreError

if TYPE_CHECKING:
    from mqttbridge.dashboard.records import Records
    from mqttbridge.dashboard.store.postgres import PostgresStore
    from mqttbridge.dashboard.store.postgres.changes import Publish

WRITER_FILE: Final = "dashboard-writer"


def open_shared(
    data_dir: Path,
    config: EmbeddedConfig,
    where: PostgresStoreConfig,
    publish: Publish,
    lost: Callable[[], None],
    *,
    by_rule: Mapping[str, float] | None = None,
    too_old: Callable[[int], None] = lambda _: None,
    age_clock: Callable[[], float] | None = None,
) -> tuple[PostgresStore, Records]:
    """Store and records in PostgreSQL; what others change there is told here.

    Args:
        data_dir: where the name of this bridge lies.
        config: the embedded destination's section.
        where: the database.
        publish: takes what others have just stored.
        lost: called when some of it may have been missed.
        by_rule: seconds that streams are kept of rules that say so, by the rule's name.
        too_old: told of points that came past their retention.
        age_clock: the time by which points are; the clock's where none is given.

    Raises:
        StoreError: the extra is not installed, the database cannot be reached, or the schema is not ours.
    """
    try:
        from mqttbridge.dashboard.records.postgres import PostgresRecords  # noqa: PLC0415  # an extra
        from mqttbridge.dashboard.store.postgres import PostgresStore  # noqa: PLC0415
        from mqttbridge.dashboard.store.postgres.changes import Listener  # noqa: PLC0415
    except ImportError as error:
        what = f"a store of type postgres needs an extra: pip install 'mqttbridge[postgres]' ({error})"
        raise StoreError(what) from error
    writer = writer_of(data_dir)
    store = PostgresStore(
        where.url.get_secret_value(),
        writer,
        config.retention,
        retention_by=config.retention_by,
        password=None if where.password is None else where.password.get_secret_value(),
        schema=where.schema_,
        timescale=where.timescale,
        too_old=too_old,
        retention_by_rule=by_rule,
        age_clock=age_clock,
    )
    records = PostgresRecords(store.connections, writer)

    def all_lost() -> None:
        lost()
        records.changed()

    try:
        store.follow(Listener(publish, records.changed, all_lost))
    except StoreError:
        store.close()
        raise
    return store, records


def writer_of(data_dir: Path) -> str:
    """The name of this bridge's cursor in the database. It lies beside the spool that the cursor counts in.

    Raises:
        StoreError: it cannot be read or written.
    """
    path = data_dir / WRITER_FILE
    try:
        if path.exists() and (known := path.read_text().strip()):
            return known
        made = secrets.token_hex(8)
        fresh = path.with_suffix(".new")
        with fresh.open("w") as file:
            file.write(made + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        raise StoreError(f"cannot keep the name of this bridge's cursor in {path}: {error}") from error
    return made
