"""The dashboard's store in PostgreSQL, with a server of its own that waits for the disk: points in, and answers."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.report import Row, median, rate, show
from benchmarks.running import workspace
from benchmarks.store import BATCH, DAY, NOW, events, soonest, walk
from mqttbridge.dashboard.store.postgres import PostgresStore
from mqttbridge.events import EventTuple, Position
from tests.support.postgres import PostgresServer

POINTS = 200_000


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A server that syncs each commit."""
    with workspace() as directory:
        directory.chmod(0o755)
        server = PostgresServer(directory / "postgres", durable=True)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def opened(server: PostgresServer) -> PostgresStore:
    return PostgresStore(server.url, "bench", 0.0, lambda: NOW, schema=server.new_schema())


def insert(store: PostgresStore, pushed: list[EventTuple]) -> float:
    """Points a second, rollups, cursor and synced commits included."""
    began = time.perf_counter()
    for at in range(0, len(pushed), BATCH):
        store.append(pushed[at : at + BATCH], {}, Position(at, 0))
    return len(pushed) / (time.perf_counter() - began)


def answers(store: PostgresStore, days: int) -> list[Row]:
    luck = random.Random(1)
    second = [("b", "second", value, at / 1e6) for at, value in zip(*walk(luck, DAY, NOW - DAY), strict=True)]
    minute = [("b", "minute", luck.gauss(20, 1), NOW - 60.0 * n) for n in range(days * 1440)]
    insert(store, second + minute)
    store.append([("many", f"s{n}", n / 10, NOW - 2.0) for n in range(1000)])
    return [
        Row(f"store in PostgreSQL: {what}", f"{soonest(ask):.1f} ms")
        for what, ask in (
            ("24 h of a reading a second, 600 buckets", lambda: store.points("b", ["second"], NOW - DAY, NOW)),
            ("1 h of it", lambda: store.points("b", ["second"], NOW - 3600, NOW)),
            (f"{days} days of one a minute", lambda: store.points("b", ["minute"], NOW - days * DAY, NOW)),
            ("last values of 1,000 streams", lambda: store.streams("many")),
        )
    ]


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    with running() as server:
        made = []
        for streams in (20, 1000):
            pushed, paces = events(streams, int(POINTS * share)), []
            for _ in range(rounds):
                store = opened(server)
                paces.append(insert(store, pushed))
                store.close()
            what = f"store in PostgreSQL: insert into {streams:,} streams, {BATCH:,} a batch"
            made.append(Row(what, rate(median(paces), "points/s")))
        store = opened(server)
        made += answers(store, max(2, int(364 * share)))
        store.close()
        return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    show(rows(rounds=options.rounds, share=options.share))
