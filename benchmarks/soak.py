"""Hours in minutes: the bridge under a steady load, ended and killed on the way, and a board that is never closed.

`make soak`, or `python -m benchmarks.soak --minutes 5`. In the first half of the time the bridge is ended every few
seconds, in order and by `kill -9` in turn, while messages come at QoS 1 and viewers look on; in the second half it is
left alone, and its memory and open files are watched. At the end the store must hold each message that the broker took,
once. Then the page is given eight hours of points. A missed target shows in the table, and as exit code 1.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import requests

from benchmarks import page
from benchmarks.report import Row, show
from benchmarks.running import Helper, bridge, resident_mib, workspace
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, eventually
from tests.support.publishing import Publisher

MINUTES = 5.0
RATE, STREAMS, VIEWERS, ENDINGS = 1000, 20, 20, 6
TURN_SECONDS = 0.1
WATCH_SECONDS = 0.5
BUCKET = "soak"
MEMORY_MIB, FILES = 10, 0
# All that the broker would otherwise drop while the bridge is away.
BROKER = {"max_queued_messages": 0, "max_inflight_messages": 1000}
# What the page is given its eight hours in.
PAGE_SHARE = 0.2


class Load:
    """Numbers, counted up, that the broker has taken; each with a time of its own, so that a repeat is known as one."""

    def __init__(self, port: int) -> None:
        self.taken = 0
        self._began = time.time()
        self._publisher = Publisher(port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._publisher:
            self._thread.start()
            try:
                yield
            finally:
                self.stop()

    def stop(self) -> None:
        """Send no more; what was sent, the broker has."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for turn in itertools.count(1):
            due = int(turn * RATE * TURN_SECONDS)
            numbers = range(self.taken, due)
            self._publisher.publish((f"soak/s{n % STREAMS}", self._payload(n)) for n in numbers)
            self.taken = due
            if self._stop.wait(max(0.0, self._began + turn * TURN_SECONDS - time.time())):
                return

    def _payload(self, number: int) -> str:
        return f'{{"value":{number},"time":{self._began + number / RATE:.4f}}}'


@dataclass
class Watched:
    """What the process took, sample by sample."""

    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def look(self, process: BridgeProcess) -> None:
        self.memory.append(resident_mib(process.pid))
        self.files.append(psutil.Process(process.pid).num_fds())

    def growth(self) -> tuple[float, int]:
        """By how much the greatest of the second half is above that of the first."""
        middle = len(self.memory) // 2
        return (
            max(self.memory[middle:]) - max(self.memory[:middle]),
            max(self.files[middle:]) - max(self.files[:middle]),
        )


def viewers(process: BridgeProcess) -> Helper:
    return Helper("watchers", process.port, f"/api/v1/buckets/{BUCKET}/live", "--viewers", VIEWERS)


def stored(process: BridgeProcess) -> tuple[int, int]:
    """How many points the store holds, and the sum of their values."""
    answer = process.get(f"/api/v1/buckets/{BUCKET}/summary", after=0)
    if answer.status_code != requests.codes.ok:
        return 0, 0
    streams = [one for one in answer.json()["streams"].values() if one["count"]]
    return sum(one["count"] for one in streams), round(math.fsum(one["mean"] * one["count"] for one in streams))


def bridge_rows(seconds: float) -> list[Row]:
    with workspace() as directory, Mosquitto(directory / "broker", settings=BROKER) as broker:
        config = {
            "mqtt": {"url": broker.url()},
            "rules": [{"topic": "soak/{stream}", "bucket": BUCKET, "stream": "{stream}.{field}", "timestamp": "time"}],
            "log": {"format": "text", "level": "warning"},
        }
        load = Load(broker.port())
        with bridge(directory / "bridge", config) as process, load.running():
            for ending in range(ENDINGS):
                with viewers(process) as looking:
                    looking.hear()
                    time.sleep(seconds / 2 / ENDINGS)
                if ending % 2:
                    process.kill()
                else:
                    process.stop()
                process.start()
            watched = Watched()
            with viewers(process) as looking:
                looking.hear()
                until = time.monotonic() + seconds / 2
                while time.monotonic() < until:
                    watched.look(process)
                    time.sleep(WATCH_SECONDS)
                seen = looking.ask()
            load.stop()
            wanted = load.taken, load.taken * (load.taken - 1) // 2
            try:
                eventually(lambda: stored(process) == wanted, what="all stored", timeout=60, pause=0.5)
            except AssertionError as error:
                print(error, file=sys.stderr)
            points, total = stored(process)
            dropped = int(process.metric("dropped_total"))
            data_files = sum(1 for path in process.data_dir.rglob("*") if path.is_file())
    memory, files = watched.growth()
    return [
        Row(
            f"soak: {RATE} messages/s, {ENDINGS} endings, half of them by kill -9, then {seconds / 2:.0f} s on end",
            f"{points:,} points",
            f"the broker took {load.taken:,}; dropped {dropped}",
            target="each, once",
            met=(points, total) == wanted and dropped == 0,
        ),
        Row(
            "soak: memory of the bridge in the second half",
            f"{max(watched.memory):.0f} MiB at most",
            f"{memory:+.1f} MiB against the first half of that",
            target=f"+ <= {MEMORY_MIB} MiB",
            met=memory <= MEMORY_MIB,
        ),
        Row(
            "soak: open files meanwhile",
            f"{max(watched.files)} at most",
            f"{files:+d}; in the data directory {data_files}",
            target=f"+ {FILES}",
            met=files <= FILES,
        ),
        Row(
            f"soak: {VIEWERS} viewers meanwhile",
            f"{seen['frames']:,} frames",
            f"connections lost {seen['lost']}",
            target="0 lost",
            met=seen["lost"] == 0,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=MINUTES)
    seconds = 60 * parser.parse_args().minutes
    rows = bridge_rows(seconds * (1 - PAGE_SHARE)) + page.soak_rows(seconds * PAGE_SHARE)
    show(rows)
    sys.exit(any(row.met is False for row in rows))


if __name__ == "__main__":
    main()
