"""The embedded dashboard: its store, the live hub, the HTTP surface and the page."""

from __future__ import annotations

from pathlib import Path

from mqttbridge.config.model import EmbeddedConfig
from mqttbridge.config.stores import PostgresStoreConfig
from mqttbridge.dashboard.activity import Activity
from mqttbridge.dashboard.hub import Hub
from mqttbridge.dashboard.records import Records, SqliteRecords
from mqttbridge.dashboard.store import SqliteStore, Store
from mqttbridge.dashboard.store.legacy import read_old_file
from mqttbridge.metrics import Metrics

__all__ = ["Dashboard"]

DIRECTORY = "dashboard"
OLD_FILE = "dashboard.db"
RECORDS_FILE = "records.db"


def open_store(data_dir: Path, config: EmbeddedConfig, hub: Hub) -> tuple[Store, Records]:
    """History and records, in a data directory or in a database; what an earlier version kept in the former moves on.

    Args:
        data_dir: where files lie.
        config: the embedded destination's section.
        hub: shows what other bridges store in the same database.

    Raises:
        StoreError: they cannot be opened.
    """
    if isinstance(config.store, PostgresStoreConfig):
        from mqttbridge.dashboard.shared import open_shared  # noqa: PLC0415  # psycopg is an extra

        return open_shared(data_dir, config, config.store, hub)
    store = SqliteStore(data_dir / DIRECTORY, config.retention, retention_by=config.retention_by)
    read_old_file(data_dir / OLD_FILE, store)
    return store, SqliteRecords(data_dir / RECORDS_FILE)


class Dashboard:
    """What the dashboard keeps and shows, shared by its destination and its pages: history, live hub, what people made.

    Args:
        data_dir: where the store's directory is made.
        config: the embedded destination's section.
        metrics: shows how many watch.

    Raises:
        StoreError: the store cannot be opened.
    """

    def __init__(self, data_dir: Path, config: EmbeddedConfig, metrics: Metrics) -> None:
        self.hub = Hub()
        self.activity = Activity()
        self.store, self.records = open_store(data_dir, config, self.hub)
        metrics.viewers.set(lambda: self.hub.viewers)

    def close(self) -> None:
        """Close store and records; after their last reader and writer."""
        self.store.close()
        self.records.close()
