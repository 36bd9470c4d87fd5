"""What streams measure, in the words of Home Assistant's device classes: told by devices, kept beside the history.

They are met on the ingest thread, a word at a time and again after each start, so that noting one costs a look into a
dict, and what is new is written, a record a bucket, by who stores the streams: that thread may wait for a database.
What a crash takes with it is told again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from mqttbridge.dashboard.records import Records
from mqttbridge.dashboard.store.model import StreamKey

KIND: Final = "device_classes"
# As many as a page shows of one bucket.
MOST: Final = 5000


class DeviceClasses:
    """Device classes of streams, by bucket. From any thread.

    Args:
        records: where they are kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._told: dict[str, dict[str, str]] = {}

    def learn(self, classes: Mapping[StreamKey, str]) -> None:
        """Devices say what these streams measure."""
        with self._lock:
            for (bucket, stream), name in classes.items():
                of_bucket = self._told.setdefault(bucket, {})
                if len(of_bucket) < MOST:
                    of_bucket[stream] = name

    def of(self, bucket: str) -> Mapping[str, str]:
        """Device classes by stream; those that nobody told lack.

        Raises:
            StoreError: they cannot be read now.
        """
        kept = self._kept(bucket)
        with self._lock:
            return kept | self._told.get(bucket, {})

    def save(self) -> None:
        """Keep what was told since the last time.

        Raises:
            StoreError: it cannot be kept now, and is the next time.
        """
        with self._lock:
            told = {bucket: dict(of_bucket) for bucket, of_bucket in self._told.items()}
        if not told:
            return
        changed: dict[str, dict[str, str]] = {}
        for bucket, of_bucket in told.items():
            kept = self._kept(bucket)
            together = dict(list((kept | of_bucket).items())[-MOST:])
            if together != kept:
                changed[bucket] = together
        if changed:
            self._records.put_all(KIND, changed)
        with self._lock:
            # What came meanwhile waits for the next time.
            for bucket, of_bucket in told.items():
                if self._told[bucket] == of_bucket:
                    del self._told[bucket]

    def _kept(self, bucket: str) -> dict[str, str]:
        record = self._records.get(KIND, bucket)
        return {} if record is None else dict(record.body)
