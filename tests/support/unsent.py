"""Where events of a Streamer are: at the fake server, or in the file for what was not delivered."""

import json
import sqlite3


def in_file(path, *, refused=False):
    """(bucket, stream, value) of every event in a spool file, in order: those that wait, or those refused."""
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    condition = "IS NOT NULL" if refused else "IS NULL"
    rows = connection.execute(f"SELECT bucket_key, body FROM parcel WHERE refused {condition} ORDER BY seq").fetchall()
    connection.close()
    return [(bucket, event["key"], event["value"]) for bucket, body in rows for event in json.loads(body)]


def delivered(api):
    return [(event.bucket, event.stream, event.value) for event in api.events]
