"""What is too old goes: whole tables when their span is over, and rows, a few at a time, what is to go sooner."""

from __future__ import annotations

from typing import Final

from mqttbridge.dashboard.store.postgres.catalogue import forget
from mqttbridge.dashboard.store.postgres.connections import Db
from mqttbridge.dashboard.store.postgres.schema import Layout
from mqttbridge.dashboard.store.postgres.values import read
from mqttbridge.dashboard.store.retention import Retention
from mqttbridge.dashboard.store.rollup import HOUR
from mqttbridge.dashboard.store.series import NEVER

SECONDS_BETWEEN: Final = 10.0
# Rows that are deleted in one transaction: some 50 ms.
ROWS_PER_SWEEP: Final = 20_000


def sweep(db: Db, retention: Retention, layout: Layout, now: float) -> None:
    """Delete some of what is too old, or belongs to series that were deleted. Under the writers' lock."""
    if retention.longest:
        layout.drop(db, int((now - retention.longest) * 1_000_000))
    cutoffs = _cutoffs(db, retention, now)
    over = [id_ for id_, (newest, cutoff) in cutoffs.items() if newest < cutoff]
    if over:  # series go with their last point
        forget(db, over)
    left = ROWS_PER_SWEEP
    for (id_,) in db.execute("SELECT series FROM gone LIMIT 100").fetchall():
        deleted = _delete(db, layout, id_, None, left)
        left -= deleted
        if left <= 0:
            return
        db.execute("DELETE FROM gone WHERE series = %s", (id_,))
    whole = int((now - retention.longest) * 1_000_000) if retention.longest else None
    for id_, (_, cutoff) in cutoffs.items():
        # By whole hours, so that rollups go with their points; what all buckets share goes with its table.
        if id_ not in over and left > 0 and cutoff > (NEVER if whole is None else whole):
            left -= _delete(db, layout, id_, cutoff // HOUR * HOUR, left)


def _cutoffs(db: Db, retention: Retention, now: float) -> dict[int, tuple[int, int]]:
    """By series: its newest time, and that before which its points are past their retention."""
    rows = db.execute("SELECT id, bucket, rule, newest FROM series WHERE newest NOTNULL").fetchall()
    return {id_: (newest, retention.floor(read(bucket), now, read(rule))) for id_, bucket, rule, newest in rows}


def _delete(db: Db, layout: Layout, id_: int, before: int | None, most: int) -> int:
    """How many rows were deleted."""
    deleted = 0
    for table in layout.tables:
        deleted += db.execute(
            f"DELETE FROM {table} t USING (SELECT series, at FROM {table} WHERE series = %(id)s"
            " AND (%(before)s::bigint IS NULL OR at < %(before)s) ORDER BY at LIMIT %(most)s) AS old"
            " WHERE t.series = old.series AND t.at = old.at".encode(),
            {"id": id_, "before": before, "most": most},
        ).rowcount
    return deleted
