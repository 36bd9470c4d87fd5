"""What the bridge takes: time to start, memory idle and at work, CPU when nothing happens."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import fleet
from benchmarks.report import Row, median, show
from benchmarks.running import ROOT, Helper, bridge, cpu_seconds, resident_mib, workspace
from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, eventually, free_port

RATE = 5000
VERSION_S, READY_S = 0.3, 1.5
IDLE_MIB, BUSY_MIB, IDLE_CPU = 64, 96, 0.01
# Allowed growth while a destination is down: allocator noise, not a queue (RATE messages a second are megabytes).
DOWN_GROWTH_MIB = 4


def version_seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "mqttbridge", "--version"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def ready_seconds(directory: Path, broker: Mosquitto) -> float:
    process = BridgeProcess(directory, fleet.config(broker.url(), fleet.EMBEDDED))
    try:
        began = time.perf_counter()
        process.spawn()
        eventually(lambda: process.readiness()[0] == 200, what="bridge ready", pause=0.005)
        return time.perf_counter() - began
    finally:
        process.__exit__()


def idle(directory: Path, broker: Mosquitto, seconds: float) -> tuple[float, float]:
    """MiB resident and share of a core, while connected and with nothing to do."""
    with bridge(directory, fleet.config(broker.url(), fleet.EMBEDDED)) as process:
        process.get("/")  # whoever looks, opens the page
        before, began = cpu_seconds(process.pid), time.perf_counter()
        time.sleep(seconds)
        share = (cpu_seconds(process.pid) - before) / (time.perf_counter() - began)
        return resident_mib(process.pid), share


def busy(
    directory: Path, broker: Mosquitto, destinations: Mapping[str, Any], seconds: float
) -> tuple[float, float, float]:
    """MiB resident after a third of the time and at the end, and CPU seconds, at RATE messages a second."""
    config = fleet.config(broker.url(), destinations)
    config["rules"][0] |= {"topic": "fleet/{site}/{device}/latency", "model": None}
    with bridge(directory, config) as process:
        before = cpu_seconds(process.pid)
        with Helper("publisher", broker.port(), "--rate", RATE, "--seconds", seconds) as publisher:
            time.sleep(seconds / 3)
            early = resident_mib(process.pid)
            publisher.hear()
        return early, resident_mib(process.pid), cpu_seconds(process.pid) - before


def rows(*, seconds: float = 60) -> list[Row]:
    with workspace() as directory, Mosquitto(directory / "broker") as broker:
        version = median(version_seconds() for _ in range(5))
        ready = median(ready_seconds(directory / f"start{n}", broker) for n in range(3))
        idle_mib, idle_share = idle(directory / "idle", broker, seconds / 3)
        _, busy_mib, busy_cpu = busy(directory / "busy", broker, fleet.EMBEDDED, seconds)
        down = fleet.initialstate(f"http://127.0.0.1:{free_port()}")
        early, late, down_cpu = busy(directory / "down", broker, down, seconds)
    at_work = f"{RATE:,} msg/s for {seconds:g} s"
    return [
        Row("`mqttbridge --version`", f"{version:.2f} s", target=f"<= {VERSION_S} s", met=version <= VERSION_S),
        Row("`mqttbridge run` until ready", f"{ready:.2f} s", target=f"<= {READY_S} s", met=ready <= READY_S),
        Row(
            "memory, idle with dashboard",
            f"{idle_mib:.0f} MiB",
            target=f"<= {IDLE_MIB} MiB",
            met=idle_mib <= IDLE_MIB,
        ),
        Row("CPU, idle", f"{idle_share:.2%} of a core", target=f"< {IDLE_CPU:.0%}", met=idle_share < IDLE_CPU),
        Row(
            f"memory, {at_work}, {fleet.DEVICES:,} streams",
            f"{busy_mib:.0f} MiB",
            cpu=busy_cpu,
            target=f"<= {BUSY_MIB} MiB",
            met=busy_mib <= BUSY_MIB,
        ),
        Row(
            f"memory, destination down, {at_work}",
            f"{late:.0f} MiB",
            f"after a third of it {early:.0f} MiB",
            late / early,
            down_cpu,
            f"+ <= {DOWN_GROWTH_MIB} MiB",
            late - early <= DOWN_GROWTH_MIB,
        ),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    show(rows(seconds=options.seconds))
