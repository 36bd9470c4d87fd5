"""What is decided about TimescaleDB, and what is said to it: the extension itself is not here to answer."""

import logging

import psycopg
import pytest

from mqttbridge.config.stores import Timescale
from mqttbridge.dashboard.store.postgres import PostgresStore, timescale
from mqttbridge.dashboard.store.ranges import DAY
from mqttbridge.dashboard.store.rollup import HOUR, MINUTE, Cell


@pytest.mark.parametrize(
    ("wanted", "installed", "available", "decision"),
    [
        (Timescale.AUTO, True, True, (True, False)),
        (Timescale.AUTO, False, True, (False, False)),
        (Timescale.AUTO, False, False, (False, False)),
        (Timescale.CREATE, False, True, (True, True)),
        (Timescale.CREATE, True, True, (True, False)),
        (Timescale.CREATE, False, False, (False, False)),
        (Timescale.OFF, True, True, (False, False)),
    ],
)
def test_it_is_used_where_it_is_and_created_only_where_that_is_allowed(wanted, installed, available, decision):
    assert timescale.decide(wanted, installed=installed, available=available) == decision


def test_its_aggregates_have_the_columns_of_our_rollups():
    hypertable, _, now, minutes, _, hours, _ = timescale.statements(7 * DAY)

    assert f"chunk_time_interval => {7 * DAY}" in hypertable
    assert now == "SELECT set_integer_now_func('points', 'now_in_microseconds')"
    for view, width in ((minutes, MINUTE), (hours, HOUR)):
        assert f"time_bucket({width}::bigint, at) AS at" in view
        columns = ["points", "least", "greatest", "total", "first_at", "first", "last_at", "last"]
        assert [view.index(f" AS {column}") for column in columns] == sorted(view.index(f" AS {c}") for c in columns)
        assert len(columns) == len(Cell._fields) - 1


def test_a_server_without_it_says_so(postgres):
    with psycopg.connect(postgres.url) as db:
        assert timescale.present(db) == {"installed": False, "available": False}


def test_a_server_that_cannot_use_it_gets_plain_tables(postgres, monkeypatch, caplog):
    monkeypatch.setattr(timescale, "present", lambda db: {"installed": True, "available": True})
    schema = postgres.new_schema()

    with caplog.at_level(logging.WARNING):
        store = PostgresStore(postgres.url, "test", schema=schema, clock=lambda: 1_800_000_000.0)
    store.append([("b", "s", 1.5, 1_800_000_000.0)])

    assert "TimescaleDB could not be used" in caplog.text
    assert "create_hypertable" in caplog.text
    assert store.statistics("b", ["s"], 1_799_990_000.0, 1_800_000_001.0)["s"].counts == [1]
    assert postgres.execute(f"SELECT layout FROM {schema}.about") == [("plain",)]
    store.close()
