"""The dashboard's own time-series store.

`Store` is the whole seam: the destination appends, the HTTP side reads. Another engine would offer the same
methods and the same values (model.py).
"""

from mqttbridge.dashboard.store.model import BucketInfo, Column, Kind, Latest, Row, StreamInfo
from mqttbridge.dashboard.store.store import Store

__all__ = ["BucketInfo", "Column", "Kind", "Latest", "Row", "Store", "StreamInfo"]
