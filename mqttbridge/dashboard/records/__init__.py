"""What people make on the page and what must be known after a restart: dashboards, alerts, links, tokens.

`Records` is the whole seam, so that another database can stand behind it as behind the store.
"""

from mqttbridge.dashboard.records.model import LEASES, Conflict, Hold, NotHeld, Record, Records
from mqttbridge.dashboard.records.sqlite import SqliteRecords

__all__ = ["LEASES", "Conflict", "Hold", "NotHeld", "Record", "Records", "SqliteRecords"]
