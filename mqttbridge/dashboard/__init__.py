"""The embedded dashboard: its store, the live hub, the HTTP surface and the page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.config.stores import PostgresStoreConfig
from mqttbridge.dashboard.activity import Activity
from mqttbridge.dashboard.boards import documents
from mqttbridge.dashboard.classes import DeviceClasses
from mqttbridge.dashboard.hub import Hub
from mqttbridge.dashboard.records import Records, SqliteRecords
from mqttbridge.dashboard.store import SqliteStore, Store
from mqttbridge.dashboard.store.legacy import read_old_file
from mqttbridge.dashboard.store.model import Column, StreamKey
from mqttbridge.errors import StoreError
from mqttbridge.metrics import Metrics

log = logging.getLogger(__name__)

__all__ = ["Dashboard"]

Publish: TypeAlias = Callable[[Mapping[StreamKey, Column]], None]

DIRECTORY = "dashboard"
OLD_FILE = "dashboard.db"
RECORDS_FILE = "records.db"


class Dashboard:
    """What the dashboard keeps and shows, shared by its destination and its pages: history, live hub, what people made.

    What an earlier version kept in the data directory moves on into the store that it has now.

    Args:
        data_dir: where the store's directory is made.
        config: the embedded destination's section.
        metrics: shows how many watch, and counts what comes too late to be kept.
        by_rule: seconds that streams are kept of rules that say so, by the rule's name.
        age_clock: the time by which history is past its retention; the clock's where none is given.

    Attributes:
        observe: told of what other bridges store in the same database, before those who watch are.
        lost: told when some of that may have been missed.

    Raises:
        StoreError: the store cannot be opened.
    """

    def __init__(
        self,
        data_dir: Path,
        config: EmbeddedConfig,
        metrics: Metrics,
        by_rule: Mapping[str, float] | None = None,
        *,
        age_clock: Callable[[], float] | None = None,
    ) -> None:
        self.hub = Hub()
        self.activity = Activity()
        self.observe: Publish = lambda _: None
        self.lost: Callable[[], None] = lambda: None
        self.store, self.records = self._open(data_dir, config, metrics, by_rule, age_clock)
        self.classes = DeviceClasses(self.records)
        self.records.watch(documents.KIND, lambda: self.hub.doubt(documents.NOTE))
        metrics.viewers.set(lambda: self.hub.viewers)

    def _open(
        self,
        data_dir: Path,
        config: EmbeddedConfig,
        metrics: Metrics,
        by_rule: Mapping[str, float] | None,
        age_clock: Callable[[], float] | None,
    ) -> tuple[Store, Records]:
        def too_old(points: int) -> None:
            metrics.dropped.add(points, reason="past_retention")

        if isinstance(config.store, PostgresStoreConfig):
            from mqttbridge.dashboard.shared import open_shared  # noqa: PLC0415  # psycopg is an extra

            return open_shared(
                data_dir,
                config,
                config.store,
                self._show,
                self._lose,
                by_rule=by_rule,
                too_old=too_old,
                age_clock=age_clock,
            )
        store = SqliteStore(
            data_dir / DIRECTORY,
            config.retention,
            retention_by=config.retention_by,
            retention_by_rule=by_rule,
            too_old=too_old,
            age_clock=age_clock,
        )
        read_old_file(data_dir / OLD_FILE, store)
        return store, SqliteRecords(data_dir / RECORDS_FILE)

    def _show(self, columns: Mapping[StreamKey, Column]) -> None:
        """What another bridge stored, as if it had been stored here."""
        self.observe(columns)  # first: the columns are the hub's from then on
        self.activity.note(columns)
        self.hub.publish(columns)

    def _lose(self) -> None:
        self.lost()
        self.hub.lose()

    def maintain(self) -> None:
        """What the store does when nothing comes; called once a second."""
        try:
            self.store.maintain()
        except StoreError as error:  # whoever stores or reads next says so
            log.debug("the store's housekeeping waits: %s", error)

    def close(self) -> None:
        """Close store and records; after their last reader and writer."""
        with suppress(StoreError):  # devices tell it again
            self.classes.save()
        self.store.close()
        self.records.close()
