"""TimescaleDB, where it is there: points as a hypertable, rollups as continuous aggregates that it keeps itself.

What is decided and what is said to the database stand apart from the saying, so that both can be checked without the
extension. The rollups have the columns of our own tables, so that everything that reads them is the same. They are up
to date but for late and corrected points of cells that were materialized already: those show after the next refresh.
"""

from __future__ import annotations

from typing import Final

from mqttbridge.config.stores import Timescale
from mqttbridge.dashboard.store.postgres.connections import Db
from mqttbridge.dashboard.store.postgres.writing import total
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE

# Cells younger than this are not materialized: they still change with each point, and are computed when they are read.
_LIVE: Final = {"minutes": 2 * MINUTE, "hours": 2 * HOUR}
_WIDTHS: Final = {"minutes": MINUTE, "hours": HOUR}
_REFRESHED: Final = {"minutes": "1 minute", "hours": "10 minutes"}

_AGGREGATE: Final = """
    CREATE MATERIALIZED VIEW {view} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
    SELECT series, time_bucket({width}::bigint, at) AS at, count(*) AS points,
        min(number) AS least, max(number) AS greatest, {total} AS total,
        min(at) AS first_at, first(number, at) AS first, max(at) AS last_at, last(number, at) AS last
    FROM points WHERE kind < 3 GROUP BY 1, 2 WITH NO DATA"""
# From the beginning of time: only what was changed is computed anew, and late points may be late by years.
_POLICY: Final = """
    SELECT add_continuous_aggregate_policy('{}', start_offset => NULL, end_offset => {}::bigint,
        schedule_interval => INTERVAL '{}')"""


def decide(wanted: Timescale, *, installed: bool, available: bool) -> tuple[bool, bool]:
    """Whether to use the extension, and whether it must be created for that.

    Args:
        wanted: the configuration's word.
        installed: it is in this database.
        available: it could be created there.
    """
    if wanted is Timescale.OFF:
        return False, False
    if installed:
        return True, False
    creates = wanted is Timescale.CREATE and available
    return creates, creates


def present(db: Db) -> dict[str, bool]:
    """Whether the extension is installed in this database, and available to it; either only where it is preloaded.

    Where it is not, whatever touches it ends the connection instead of failing.
    """
    row = db.execute(
        "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.max_background_workers'),"
        " EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb'),"
        " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
    ).fetchone()
    preloaded, installed, available = row or (False, False, False)
    return {"installed": preloaded and installed, "available": preloaded and available}


def statements(length: int) -> list[str]:
    """SQL that makes a hypertable of the table `points`, with chunks of `length` microseconds, and its rollups."""
    spans = f"chunk_time_interval => {length}::bigint"
    now = "CREATE FUNCTION now_in_microseconds() RETURNS bigint LANGUAGE sql STABLE AS"
    made = [
        f"SELECT create_hypertable('points', 'at', {spans}, create_default_indexes => false)",  # the primary key does
        f"{now} $$ SELECT (extract(epoch FROM now()) * 1000000)::bigint $$",
        "SELECT set_integer_now_func('points', 'now_in_microseconds')",
    ]
    for view in _WIDTHS:
        made += [
            _AGGREGATE.format(view=view, width=_WIDTHS[view], total=total("number")),
            _POLICY.format(view, _LIVE[view], _REFRESHED[view]),
        ]
    return made


class Hypertables:
    """The layout with TimescaleDB: it makes and finds chunks by itself."""

    name: Final = "timescale"
    rollups: Final = False
    tables: Final = ("points",)

    def cover(self, db: Db, times: list[int], now: int) -> None:
        """Nothing: chunks come by themselves."""

    def drop(self, db: Db, before: int) -> None:
        """Drop chunks that ended before a time."""
        for table in ("points", *_WIDTHS):
            db.execute(f"SELECT drop_chunks('{table}', older_than => %s::bigint)".encode(), (before,))

    def forget(self) -> None:
        """Nothing is known."""
