"""The dashboard's own time-series store.

`Store` is the whole seam: the destination appends, the HTTP side reads. Another engine offers the same methods and
the same values (model.py). `SqliteStore` is the one that comes with the bridge:

    sqlite.py     the store: which file, in which order, and what a crash may interrupt
    opening.py    what an earlier run left: looked over, and read back
    catalogue.py  buckets, streams, their newest values, the cursor; in catalogue_file.py
    spans.py      which spans of time there are, and which are open
    span.py       one span of time, one file: log, tail, sealing
    sealing.py    which chunks points become
    chunks.py     sealed points and their rollups on the disk; codec.py and rollup.py are the pure part of them
    reading.py    lines, statistics, rows: from looks (look.py) into spans, through lines (line.py) that thin
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
