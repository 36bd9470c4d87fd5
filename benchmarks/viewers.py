"""What 500 viewers of one board cost the bridge: processor, memory, and whether ingest slows for them.

The bridge is held to one core; who floods it and who watches have the others. Else the viewers' own work would
count: 500 readers and a broker at full speed are more than the bridge on two cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import requests

from benchmarks import fleet
from benchmarks.report import Row, median, rate, show
from benchmarks.running import Helper, bridge, cpu_seconds, pin, resident_mib, workspace
from tests.support.processes import BridgeProcess

VIEWERS = 500
STREAMS = 20
FRAMES_PER_SECOND = 4
SECONDS = 15.0
MESSAGES = 400_000

CPU, KIB, SLOWER = 0.20, 64, 0.90
BOARD = fleet.TOPICS[
    0 : 10 * 7 : 10
]  # devices of three streams each that have the board: 21 streams of the flood's 3,000
LIVE = "/api/v1/buckets/{bucket}/live"
EMBEDDED = {"destinations": fleet.EMBEDDED, "log": {"format": "text", "level": "warning"}}


@contextmanager
def watched(process: BridgeProcess, bucket: str, viewers: int) -> Iterator[Helper]:
    """The viewers, connected."""
    with Helper("watchers", process.port, LIVE.format(bucket=bucket), "--viewers", viewers) as watchers:
        pin(watchers.pid, first=False)
        watchers.hear()
        yield watchers


def push(session: requests.Session, process: BridgeProcess, number: int) -> None:
    now = time.time()
    events = [
        {"key": f"room-{n}.temperature", "value": 20 + (number + n) % 50 / 10, "epoch": now} for n in range(STREAMS)
    ]
    answer = session.post(f"{process.url}/api/events", params={"bucketKey": "board"}, json=events, timeout=10)
    answer.raise_for_status()


def steady(viewers: int, seconds: float) -> tuple[float, float, float]:
    """Share of a core, KiB a viewer, frames a viewer got a second."""
    with workspace() as directory, requests.Session() as session:
        session.trust_env = False
        config = {"mqtt": None, "http": {"max_viewers": viewers + 10}, **EMBEDDED}
        with bridge(directory / "bridge", config) as process:
            pin(process.pid, first=True)
            push(session, process, 0)
            alone = resident_mib(process.pid)
            before_viewers = _share(process, session, seconds / 3)
            with watched(process, "board", viewers) as watchers:
                push(session, process, 0)
                watchers.ask()
                busy = _share(process, session, seconds)
                heard = watchers.ask()
                if heard["lost"]:
                    raise SystemExit(f"{heard['lost']} viewers were lost")
                kib = (resident_mib(process.pid) - alone) * 1024 / viewers
                return busy - before_viewers, kib, heard["frames"] / viewers / seconds


def _share(process: BridgeProcess, session: requests.Session, seconds: float) -> float:
    """Share of a core while the board changes FRAMES_PER_SECOND times a second."""
    before, began, number = cpu_seconds(process.pid), time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        push(session, process, number)
        number += 1
        time.sleep(max(0.0, number / FRAMES_PER_SECOND - now))
    return (cpu_seconds(process.pid) - before) / (time.perf_counter() - began)


class Flood(NamedTuple):
    """Messages a second, and what each viewer got of its bucket meanwhile."""

    per_second: float
    frames: float
    kib: float


def ingest(bucket: str, viewers: int, messages: int) -> Flood:
    """A flood, with so many viewers of one of its buckets."""
    with workspace() as directory, Helper("flood", "--qos", 1, "--messages", messages, "--window", 20_000) as source:
        pin(source.pid, first=False)
        config = fleet.config(f"mqtt://127.0.0.1:{source.hear()['port']}", fleet.EMBEDDED)
        config["rules"] = [
            config["rules"][0] | {"name": topic, "topic": topic, "bucket": "board", "stream": f"{n}.{{field}}"}
            for n, topic in enumerate(BOARD)
        ] + config["rules"]
        config["http"] = {"max_viewers": VIEWERS + 10}
        with bridge(directory, config) as process:
            pin(process.pid, first=True)
            source.hear()
            with watched(process, bucket, viewers) as watchers:
                source.say()
                result = source.hear()
                heard = watchers.ask()
    seconds = result["seconds"]
    each = max(1, viewers) * seconds
    return Flood(result["messages"] / seconds, heard["frames"] / each, heard["bytes"] / each / 1024)


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    viewers = max(20, int(VIEWERS * share))
    cpu, kib, frames = steady(viewers, max(3.0, SECONDS * share))
    what = f"{viewers} viewers"
    made = [
        Row(
            f"{what} of one board, {STREAMS} streams, {frames:.1f} frames/s each",
            f"{cpu:.1%} of a core",
            target=f"<= {CPU:.0%}",
            met=cpu <= CPU,
        ),
        Row(f"memory a viewer, {what}", f"{kib:.0f} KiB", target=f"<= {KIB} KiB", met=kib <= KIB),
    ]
    runs: dict[str, list[Flood]] = {"": [], "board": [], "site0": []}
    for _ in range(rounds):
        for bucket, some in runs.items():
            some.append(ingest(bucket or "board", viewers if bucket else 0, int(MESSAGES * share)))
    alone = [run.per_second for run in runs.pop("")]
    for (bucket, some), streams in zip(runs.items(), (3 * len(BOARD), 3 * (100 - len(BOARD))), strict=True):
        middle = Flood(*map(median, zip(*some, strict=True)))
        ratio = median(run.per_second / other for run, other in zip(some, alone, strict=True))
        aimed = bucket == "board"
        made.append(
            Row(
                f"ingest, one core, embedded store, {what} of {streams} of its streams ({middle.frames:.1f} frames/s,"
                f" {middle.kib:.0f} KiB/s each)",
                rate(middle.per_second),
                f"without viewers {rate(median(alone))}",
                ratio,
                target=f">= {SLOWER:g} of it" if aimed else "",
                met=ratio >= SLOWER if aimed else None,
            )
        )
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    show(rows(rounds=options.rounds, share=options.share))
