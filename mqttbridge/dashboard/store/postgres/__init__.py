"""The dashboard's store in PostgreSQL, for those who have one, or several dashboards over one history.

    connections.py  one that writes, a few that read; what it means when they break
    schema.py       the tables, their partitions by time, how they come to be
    writing.py      one batch: points, newest values, rollups
    catalogue.py    buckets and streams
    reading.py      lines, statistics, rows
    retention.py    what goes, and when
    changes.py      what other bridges change
    store.py        the store

Needs the extra `postgres`, so nothing outside imports this package before a configuration asks for it.
"""

from mqttbridge.dashboard.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
