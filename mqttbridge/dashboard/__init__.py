"""The embedded dashboard: its store, the live hub, the HTTP surface and the page."""

from __future__ import annotations

from pathlib import Path

from mqttbridge.config.model import EmbeddedConfig
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


def open_store(data_dir: Path, config: EmbeddedConfig) -> Store:
    """The store in a data directory; what an earlier version kept there moves into it."""
    store = SqliteStore(data_dir / DIRECTORY, config.retention, retention_by=config.retention_by)
    read_old_file(data_dir / OLD_FILE, store)
    return store


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
        self.store: Store = open_store(data_dir, config)
        self.records: Records = SqliteRecords(data_dir / RECORDS_FILE)
        self.hub = Hub()
        self.activity = Activity()
        metrics.viewers.set(lambda: self.hub.viewers)

    def close(self) -> None:
        """Close the files; after their last reader and writer."""
        self.store.close()
        self.records.close()
