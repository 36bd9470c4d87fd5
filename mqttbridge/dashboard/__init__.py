"""The embedded dashboard: its store, the live hub, the HTTP surface and the page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mqttbridge.config.model import EmbeddedConfig
from mqttbridge.config.stores import PostgresStoreConfig
from mqttbridge.dashboard.activity import Activity
from mqttbridge.dashboard.classes import DeviceClasses
from mqttbridge.dashboard.hub import Hub
from mqttbridge.dashboard.records import Records, SqliteRecords
from mqttbridge.dashboard.store import SqliteStore, Store
from mqttbridge.dashboard.store.legacy import read_old_file
from mqttbridge.errors import StoreError
from mqttbridge.metrics import Metrics

log = logging.getLogger(__name__)

__all__ = ["Dashboard"]

DIRECTORY = "dashboard"
OLD_FILE = "dashboard.db"
RECORDS_FILE = "records.db"


def open_store(
    data_dir: Path, config: EmbeddedConfig, hub: Hub, metrics: Metrics, by_rule: Mapping[str, float] | None = None
) -> tuple[Store, Records]:
    """History and records, in a data directory or in a database; what an earlier version kept in the former moves on.

    Args:
        data_dir: where files lie.
        config: the embedded destination's section.
        hub: shows what other bridges store in the same database.
        metrics: counts what comes too late to be kept.
        by_rule: seconds that streams are kept of rules that say so, by the rule's name; in a data directory.

    Raises:
        StoreError: they cannot be opened.
    """
    if isinstance(config.store, PostgresStoreConfig):
        from mqttbridge.dashboard.shared import open_shared  # noqa: PLC0415  # psycopg is an extra

        return open_shared(data_dir, config, config.store, hub)
    store = SqliteStore(
        data_dir / DIRECTORY,
        config.retention,
        retention_by=config.retention_by,
        retention_by_rule=by_rule,
        too_old=lambda points: metrics.dropped.add(points, reason="past_retention"),
    )
    read_old_file(data_dir / OLD_FILE, store)
    return store, SqliteRecords(data_dir / RECORDS_FILE)


class Dashboard:
    """What the dashboard keeps and shows, shared by its destination and its pages: history, live hub, what people made.

    Args:
        data_dir: where the store's directory is made.
        config: the embedded destination's section.
        metrics: shows how many watch.
        by_rule: seconds that streams are kept of rules that say so, by the rule's name.

    Raises:
        StoreError: the store cannot be opened.
    """

    def __init__(
        self, data_dir: Path, config: EmbeddedConfig, metrics: Metrics, by_rule: Mapping[str, float] | None = None
    ) -> None:
        self.hub = Hub()
        self.activity = Activity()
        self.store, self.records = open_store(data_dir, config, self.hub, metrics, by_rule)
        self.classes = DeviceClasses(self.records)
        metrics.viewers.set(lambda: self.hub.viewers)

    def maintain(self) -> None:
        """What the store does when nothing comes; called once a second."""
        try:
            self.store.maintain()
            self.classes.save()
        except StoreError as error:  # whoever stores or reads next says so
            log.debug("the store's housekeeping waits: %s", error)

    def close(self) -> None:
        """Close store and records; after their last reader and writer."""
        with suppress(StoreError):  # devices tell it again
            self.classes.save()
        self.store.close()
        self.records.close()
