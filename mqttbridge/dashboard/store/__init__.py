"""The dashboard's own time-series store.

`Store` is the whole seam: the destination appends, the HTTP side reads. Another engine offers the same methods and
the same values (model.py). `SqliteStore` is the one that comes with the bridge:

    sqlite.py     the store: which file, in which order, and what a crash may interrupt
    catalogue.py  buckets, streams, their newest values, the cursor
    span.py       one span of time, one file: log, tail, sealing
    chunks.py     sealed points and their rollups; codec.py and rollup.py are the pure part of them
    reading.py    lines, statistics, rows
    retention.py  what goes, and when
"""

from mqttbridge.dashboard.store.model import BucketInfo, Column, Kind, Latest, Row, Statistics, StreamInfo
from mqttbridge.dashboard.store.protocol import Store
from mqttbridge.dashboard.store.sqlite import SqliteStore

__all__ = [
    "BucketInfo",
    "Column",
    "Kind",
    "Latest",
    "Row",
    "SqliteStore",
    "Statistics",
    "Store",
    "StreamInfo",
]
