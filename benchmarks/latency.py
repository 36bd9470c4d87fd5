"""How long a value is under way from its publisher to a viewer's live stream, at a steady rate through Mosquitto.

The value is the time it was sent; publisher, bridge and viewer are three processes on one clock.
"""

from __future__ import annotations

import argparse
import http.client
import json
import time
from collections.abc import Iterator

from benchmarks.report import Row, show
from benchmarks.running import Helper, bridge, cpu_seconds, workspace
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess

RATE = 1000
SECONDS = 20
BUCKET = "latency"
P50_MS, P99_MS = 20, 300


def live_values(process: BridgeProcess) -> Iterator[tuple[float, float]]:
    """(arrived, sent) of every value the live stream carries; ends with the connection."""
    viewer = http.client.HTTPConnection("127.0.0.1", process.port, timeout=5)
    viewer.request("GET", f"/api/v1/buckets/{BUCKET}/live", headers={"Accept": "text/event-stream"})
    answer = viewer.getresponse()
    if answer.status != 200:
        raise SystemExit(f"the live stream answered {answer.status}: {answer.read()!r}")
    event = ""
    try:
        while line := answer.readline():
            if line.startswith(b"event:"):
                event = line[6:].strip().decode()
            elif line.startswith(b"data:") and event == "points":
                arrived = time.time()
                for series in json.loads(line[5:])["series"].values():
                    yield from ((arrived, sent) for sent in series["values"])
            elif line.startswith(b"data:") and event == "hello":
                yield 0.0, 0.0
    except TimeoutError:
        return
    finally:
        viewer.close()


def rows(*, seconds: float = SECONDS) -> list[Row]:
    with workspace() as directory, Mosquitto(directory / "broker") as broker:
        config = {
            "mqtt": {"url": broker.url()},
            "rules": [{"topic": "fleet/{site}/{device}/latency", "bucket": BUCKET, "stream": "{device}.{field}"}],
            "log": {"format": "text", "level": "warning"},
        }
        with bridge(directory / "bridge", config) as process:
            before = cpu_seconds(process.pid)
            values = live_values(process)
            next(values)  # hello: the viewer is connected
            with Helper("publisher", broker.port(), "--rate", RATE, "--seconds", seconds):
                under_way = []
                for arrived, sent in values:
                    under_way.append((arrived - sent) * 1000)
                    if len(under_way) >= RATE * seconds:
                        break
            cpu = cpu_seconds(process.pid) - before
    if len(under_way) < RATE * seconds * 0.99:
        raise SystemExit(f"the viewer got {len(under_way)} of {RATE * seconds:.0f} values")
    under_way.sort()
    p50, p99 = (under_way[int(len(under_way) * share)] for share in (0.5, 0.99))
    what = f"publish to viewer, {RATE:,} msg/s for {seconds:g} s"
    return [
        Row(f"{what}, p50", f"{p50:.1f} ms", cpu=cpu, target=f"<= {P50_MS} ms", met=p50 <= P50_MS),
        Row(f"{what}, p99", f"{p99:.1f} ms", cpu=cpu, target=f"<= {P99_MS} ms", met=p99 <= P99_MS),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    show(rows(seconds=options.seconds))
