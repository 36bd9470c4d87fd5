"""The dashboard's store: points in, bytes a point, and how soon a chart has its points, by itself and over HTTP."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import points_http
from benchmarks.report import Row, median, rate, show
from benchmarks.running import workspace
from mqttbridge.cli.run import collect_rarely
from mqttbridge.dashboard.store import Column, SqliteStore
from mqttbridge.dashboard.store.tail import Points
from mqttbridge.events import EventTuple, Position

NOW = 1_800_000_000
DAY = 86_400
BATCH = 5000  # as the destination appends under a backlog
POINTS = 1_000_000
INSERTED = 200_000  # a second
MOST_BYTES, MOST_MS = 5.0, 20.0


def walk(luck: random.Random, count: int, start: int) -> Points:
    """A random walk at a resolution of 0.1, one reading a second with a jitter of some 10 ms, in whole milliseconds."""
    level, values = 200, []
    for _ in range(count):
        level += luck.choice((-1, 0, 1))
        values.append(level / 10)
    times = sorted((start + n) * 1_000_000 + round(luck.gauss(0, 10)) * 1000 for n in range(count))
    return times, list(values)


def events(streams: int, count: int) -> list[EventTuple]:
    """Walks of several streams, as they would come: every stream's reading of one second, then of the next."""
    luck, each = random.Random(1), count // streams
    walks = [walk(luck, each, NOW - each) for _ in range(streams)]
    return [
        ("b", f"s{stream}", values[n], times[n] / 1e6)
        for n in range(each)
        for stream, (times, values) in enumerate(walks)
    ]


def insert(streams: int, count: int) -> tuple[float, float]:
    """Points a second, cursor and synced commits included, and bytes of all files a point once they are sealed."""
    pushed = events(streams, count)
    with workspace() as directory:
        store = SqliteStore(directory / "store", 0.0, lambda: NOW)
        began = time.perf_counter()
        for at in range(0, len(pushed), BATCH):
            store.append(pushed[at : at + BATCH], {}, Position(at, 0))
        took = time.perf_counter() - began
        for span in store.spans:
            span.seal_all()
        store.append([], {}, Position(len(pushed), 0))
        for span in store.spans:
            span.trim()
        store.close()  # folds the write-ahead logs back
        size = sum(file.stat().st_size for file in (directory / "store").iterdir())
    return len(pushed) / took, size / len(pushed)


def filled(path: Path, days: int) -> SqliteStore:
    """A store with one stream of a reading a second."""
    path.parent.mkdir(parents=True)
    store, luck = SqliteStore(path, 0.0, lambda: NOW), random.Random(1)
    for day in range(days, 0, -1):
        store.take({("b", "s"): Column(*walk(luck, DAY, NOW - day * DAY))}, {})
    store.append([("b", "s", 1.0, NOW - 1.0)])
    return store


def soonest(ask: Callable[[], object]) -> float:
    """Milliseconds of an answer: the median of some."""
    took = []
    for _ in range(9):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


def answers(days: int) -> list[Row]:
    with workspace() as directory:
        store = filled(directory / "data" / "dashboard", days)
        rows = [
            _within(f"store: {what}", soonest(ask))
            for what, ask in (
                ("24 h of a reading a second, 600 buckets", lambda: store.points("b", ["s"], NOW - DAY, NOW)),
                (f"{days} days of it", lambda: store.points("b", ["s"], NOW - days * DAY, NOW)),
                (f"{days} days of it, statistics", lambda: store.statistics("b", ["s"], NOW - days * DAY, NOW)),
            )
        ]
        store.append([("many", f"s{n}", n / 10, NOW - 2.0) for n in range(1000)])
        rows.append(_within("store: last values of 1,000 streams", soonest(lambda: store.streams("many"))))
        store.close()
        return rows + over_http(directory, days)


def over_http(directory: Path, days: int) -> list[Row]:
    """What the store that was filled answers through the bridge: lines, and lines with statistics."""
    windows = {"24 h of a reading a second": DAY, f"{days} days of it": days * DAY}
    line = "/api/v1/buckets/b/points?stream=s&points=600&before={now}&after={after}"
    lines = {what: line.format(now=NOW, after=NOW - span) for what, span in windows.items()}
    both = {f"{what}, line and statistics": f"{path}&statistics=1" for what, path in lines.items()}
    return [
        Row(
            f"over HTTP, median of {points_http.ANSWERS}: {what}",
            f"{took.median:.1f} ms",
            f"best {took.best:.1f} ms, processor {took.cpu:.1f} ms",
            target=f"{MOST_MS:.0f} ms" if what in lines else "",
            met=took.median <= MOST_MS if what in lines else None,
        )
        for what, took in points_http.took(directory, lines | both).items()
    ]


def _within(what: str, ms: float) -> Row:
    return Row(what, f"{ms:.1f} ms", target=f"{MOST_MS:.0f} ms", met=ms <= MOST_MS)


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    collect_rarely()  # as the bridge does
    made = []
    for streams in (20, 1000, 5000):
        runs = [insert(streams, int(POINTS * share)) for _ in range(rounds)]
        pace = median(run[0] for run in runs)
        what = f"store: insert into {streams:,} streams, {BATCH:,} a batch"
        made.append(Row(what, rate(pace, "points/s"), target=rate(INSERTED, "points/s"), met=pace >= INSERTED))
        if streams == 20:
            size = runs[0][1]
            target = f"{MOST_BYTES:.0f} (aim 2)"
            made.append(Row("store: bytes a point, sealed", f"{size:.2f}", target=target, met=size <= MOST_BYTES))
    return made + answers(max(2, int(364 * share)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    show(rows(rounds=options.rounds, share=options.share))
