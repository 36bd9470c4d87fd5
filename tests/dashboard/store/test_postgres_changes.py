"""What other bridges store in one database is shown here: each batch once, after it was stored."""

import queue

import pytest

from mqttbridge.dashboard.store import Column, Kind
from mqttbridge.dashboard.store.postgres import PostgresStore, changes
from mqttbridge.errors import StoreError
from tests.support.processes import PATIENCE, eventually

NOW = 1_800_000_000.0
LOST = "lost"


@pytest.fixture
def schema(postgres):
    return postgres.new_schema()


@pytest.fixture
def open_store(postgres, schema):
    opened = []

    def open_(writer):
        opened.append(PostgresStore(postgres.url, writer, clock=lambda: NOW, schema=schema))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def writer(open_store):
    return open_store("writer")


@pytest.fixture
def followed(open_store, monkeypatch):
    """A queue of what a replica is told."""
    monkeypatch.setattr(changes, "_RETRY_SECONDS", 0.0)
    told = queue.Queue()
    replica = open_store("replica")
    replica.follow(changes.Listener(told.put, told.put, lambda: told.put(LOST)))
    told.store = replica
    return told


def values(columns):
    return {key: column.values for key, column in columns.items()}


def cut_off(postgres, schema):
    """End the connection that listens; which one it was."""
    (pid,) = listener(postgres, schema)
    postgres.execute(f"SELECT pg_terminate_backend({pid})")
    return pid


def listener(postgres, schema):
    """The server's process for each follower."""
    return [
        row[0]
        for row in postgres.execute(
            f"SELECT pid FROM pg_stat_activity WHERE application_name = 'mqttbridge changes of {schema}'"
        )
    ]


def test_batches_come_once_in_order_with_kind_and_unit_and_without_ones_own(writer, followed):
    writer.append([("b", "s", 1.5, NOW), ("b", "on", True, NOW)], {("b", "s"): "°C"})
    followed.store.append([("b", "own", 1, NOW)])
    writer.append([("\0", "text", "\0\x1a", NOW + 1)])

    first, second = followed.get(timeout=PATIENCE), followed.get(timeout=PATIENCE)

    at = int(NOW * 1e6)
    assert first == {
        ("b", "s"): Column([at], [1.5], Kind.NUMBER, "°C"),
        ("b", "on"): Column([at], [True], Kind.BOOLEAN),
    }
    assert second == {("\0", "text"): Column([at + 10**6], ["\0\x1a"], Kind.TEXT)}
    assert followed.empty()


def test_what_is_told_can_be_read(writer, followed):
    for n in range(20):
        writer.append([("b", "s", n, NOW + n)])
        followed.get(timeout=PATIENCE)
        assert followed.store.points("b", ["s"], 0)["s"].values[-1] == n


def test_after_a_connection_broke_it_goes_on_with_the_next_batch(writer, followed, postgres, schema):
    writer.append([("b", "s", 1, NOW)])
    assert values(followed.get(timeout=PATIENCE)) == {("b", "s"): [1]}

    pid = cut_off(postgres, schema)
    writer.append([("b", "s", 2, NOW + 1)])

    assert values(followed.get(timeout=PATIENCE)) == {("b", "s"): [2]}
    assert pid not in listener(postgres, schema)


def test_what_may_have_been_missed_is_said(writer, followed, postgres, schema):
    writer.append([("b", "s", 1, NOW)])
    followed.get(timeout=PATIENCE)

    postgres.execute(f"TRUNCATE {schema}.changes")  # as after the server's crash
    cut_off(postgres, schema)

    assert followed.get(timeout=PATIENCE) == LOST
    writer.append([("b", "s", 2, NOW + 1)])
    assert values(followed.get(timeout=PATIENCE)) == {("b", "s"): [2]}


def test_batches_are_not_kept_for_long(writer, followed, postgres, schema):
    writer.append([("b", "s", 1, NOW)])
    followed.get(timeout=PATIENCE)
    postgres.execute(f"UPDATE {schema}.changes SET written = written - interval '1 hour'")

    with writer.connections.writing() as db:
        changes.trim(db)

    assert postgres.execute(f"SELECT count(*) FROM {schema}.changes") == [(0,)]


def test_closing_does_not_wait_for_the_next_batch(followed, postgres, schema):
    followed.store.close()

    eventually(lambda: not listener(postgres, schema), what="nobody listens any more")
    with pytest.raises(StoreError, match="closed"):
        followed.store.append([])
