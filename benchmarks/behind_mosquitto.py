"""The bridge behind a real Mosquitto, beside `mosquitto_sub` writing the same messages to a file.

A publisher outruns both, so Mosquitto queues; each consumer in turn takes everything from it.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path

from benchmarks import fleet
from benchmarks.report import Row, median, rate, show
from benchmarks.running import Helper, bridge, cpu_seconds, workspace
from tests.support.mosquitto import Mosquitto
from tests.support.processes import eventually, free_port

MESSAGES = 150_000
RECEIVE_MAXIMUM = 8192  # the bridge's default; mosquitto_sub is given the same
SETTINGS: dict[str, str | int] = {
    "max_inflight_messages": RECEIVE_MAXIMUM,
    "max_queued_messages": 0,
    "log_type": "subscribe",
}
TARGET = 0.9


def mosquitto_sub(broker: Mosquitto, directory: Path, messages: int) -> float:
    """Messages a second into a file."""
    output = directory / "received.txt"
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port()), "-t", "fleet/#", "-q", "1", "-V", "5"]
    command += ["-D", "connect", "receive-maximum", str(RECEIVE_MAXIMUM), "-C", str(messages)]
    before = _subscriptions(broker)
    with output.open("wb") as file, subprocess.Popen(command, stdout=file) as consumer:
        try:
            eventually(lambda: _subscriptions(broker) > before, what="mosquitto_sub subscribed")
            began = time.perf_counter()
            with Helper("publisher", broker.port(), "--messages", messages):
                consumer.wait(120)
                return messages / (time.perf_counter() - began)
        finally:
            consumer.kill()


def _subscriptions(broker: Mosquitto) -> int:
    """By the broker's log, which is asked to name them."""
    return broker.log().count("fleet/#")


def through_bridge(broker: Mosquitto, directory: Path, messages: int) -> tuple[float, float]:
    """Messages a second into the spool, and the bridge's CPU seconds."""
    config = fleet.config(broker.url(), fleet.initialstate(f"http://127.0.0.1:{free_port()}"))
    with bridge(directory, config) as process:
        before, began = cpu_seconds(process.pid), time.perf_counter()
        with Helper("publisher", broker.port(), "--messages", messages):
            eventually(
                lambda: process.metric("messages_received_total") >= messages,
                what="the bridge has everything",
                timeout=120,
                pause=0.05,
            )
            seconds = time.perf_counter() - began
        return messages / seconds, cpu_seconds(process.pid) - before


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    ours, cpu, beside = [], [], []
    messages = int(MESSAGES * share)
    with workspace() as directory, Mosquitto(directory / "broker", settings=SETTINGS) as broker:
        for turn in range(rounds):
            per_second, seconds = through_bridge(broker, directory / f"bridge{turn}", messages)
            ours.append(per_second)
            cpu.append(seconds)
            beside.append(mosquitto_sub(broker, directory, messages))
    ratio = median(ours) / median(beside)
    return [
        Row(
            "behind Mosquitto, QoS 1, MQTT 5",
            rate(median(ours)),
            f"mosquitto_sub {rate(median(beside))}",
            ratio,
            median(cpu),
            f"{TARGET:g} x mosquitto_sub",
            ratio >= TARGET,
        )
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    show(rows(rounds=options.rounds))
