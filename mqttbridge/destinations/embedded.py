"""The dashboard's own store as a destination: committed first, then shown to those who watch.

Its cursor lives in the store, moved by the transaction that stores the points: after a crash the bridge goes on
exactly where the store stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from mqttbridge.config.destinations import EmbeddedConfig
from mqttbridge.dashboard.activity import Activity
from mqttbridge.dashboard.classes import DeviceClasses
from mqttbridge.dashboard.hub import Hub
from mqttbridge.dashboard.store import Column, Store
from mqttbridge.dashboard.store.model import StreamKey
from mqttbridge.delivery.settlement import Accepted, Kept, Refused, Settlement
from mqttbridge.destinations.base import BatchLimits, Delivery, Rate
from mqttbridge.errors import StoreError
from mqttbridge.events import Position, Reason

MAX_EVENTS: Final = 5000

# Each commit is synced, which on a good disk takes a millisecond and on a tired card a hundred. Keeping quiet
# after one for four times its cost, at least 5 ms, leaves the disk and the interpreter to ingest; what comes in the
# meantime is the next batch. A full batch means a backlog: no pause then.
QUIET_FACTOR: Final = 4
MIN_QUIET: Final = 0.005
MAX_QUIET: Final = 0.25


class EmbeddedDestination:
    """Stores events for the dashboard and publishes them to the live hub.

    Args:
        name: the destination's name in the configuration.
        config: its section; retention is the store's own business.
        store: where the points go.
        hub: who is told of them.
        clock: monotonic seconds.
        observe: told of each commit, and back at once: alerts.
        activity: who counts them, by bucket.
        classes: what devices said of the streams meanwhile, to be kept.
    """

    one_bucket = False
    # Never waits for a batch to fill. A rate is named so that the uploader keeps quiet when it is asked to.
    limits = BatchLimits(MAX_EVENTS, max_bytes=2**24, max_wait=0.0, rate=Rate(1, 0.001, "embedded"))

    def __init__(
        self,
        name: str,
        config: EmbeddedConfig,
        store: Store,
        hub: Hub,
        clock: Callable[[], float] = time.monotonic,
        *,
        observe: Callable[[Mapping[StreamKey, Column]], None] | None = None,
        activity: Activity | None = None,
        classes: DeviceClasses | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self._store, self._hub, self._clock = store, hub, clock
        self._observe, self._activity, self._classes = observe, activity, classes

    def open(self) -> Position | None:
        """The cursor of the store; None when it is new."""
        return self._store.cursor

    def send(self, delivery: Delivery) -> Settlement:
        """Commit the batch, then show it."""
        began = self._clock()
        try:
            if delivery.rules:  # before the cursor passes them
                self._store.made_by(delivery.rules)
            columns = self._store.append(delivery.events, delivery.units, delivery.end)
        except StoreError as error:
            return Kept(str(error))
        except (ValueError, OverflowError) as error:
            return Refused(f"cannot be stored: {error}", Reason.VALIDATION)
        if self._observe is not None:  # first: the columns are the hub's from then on
            self._observe(columns)
        if self._activity is not None:
            self._activity.note(columns)
        self._hub.publish(columns)
        if self._classes is not None:
            with suppress(StoreError):  # it is tried again with the next batch
                self._classes.save()
        if len(delivery.events) >= MAX_EVENTS:
            return Accepted()
        cost = self._clock() - began
        return Accepted(quiet=min(max(QUIET_FACTOR * cost, MIN_QUIET), MAX_QUIET))

    def close(self) -> None:
        """Nothing: the store is closed by who opened it, after the last reader."""
