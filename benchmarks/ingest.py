"""How many messages a second the bridge maps, validates, commits and acknowledges, beside a client that only counts.

A stand-in broker sends as fast as it is read. The bridge does its whole work; plain paho's callback adds one
to a number. They take turns, so that a noisy machine is noisy to both.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks import fleet
from benchmarks.report import Row, median, rate, show
from benchmarks.running import Helper, bridge, cpu_seconds, workspace
from tests.support.processes import eventually, free_port

BRIDGE_MESSAGES = 400_000
PAHO_MESSAGES = 60_000
WINDOW_311 = 20_000
VALUES = 3  # events a message

TARGET_RATIO = 5.0  # at QoS 1, over plain paho
AIM = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """One flood: messages a second, the bridge's CPU seconds, and events a second up to the last one stored."""

    per_second: float
    cpu: float = 0.0
    stored_per_second: float = 0.0


def plain_paho(qos: int, protocol: str, messages: int) -> Run:
    with Helper("flood", "--qos", qos, "--messages", messages, "--window", WINDOW_311) as source:
        port = source.hear()["port"]
        with Helper("plain_paho", port, "--qos", qos, "--protocol", protocol):
            source.hear()
            source.say()
            result = source.hear()
    return Run(result["messages"] / result["seconds"])


def through_bridge(
    qos: int, protocol: str, messages: int, destinations: Mapping[str, Any], *, rules_before: int = 0
) -> Run:
    """Flood a bridge; where it has a store, wait until that has everything as well."""
    with (
        workspace() as directory,
        Helper("flood", "--qos", qos, "--messages", messages, "--window", WINDOW_311) as source,
    ):
        broker = f"mqtt://127.0.0.1:{source.hear()['port']}"
        config = fleet.config(broker, destinations, protocol=protocol, qos=qos, rules_before=rules_before)
        with bridge(directory, config) as process:
            source.hear()
            before = cpu_seconds(process.pid)
            source.say()
            result = source.hear()
            cpu = cpu_seconds(process.pid) - before
            received = process.metric("messages_received_total")
            # The stand-in's own last message at QoS 0 is one more.
            if received < messages or process.metric("rejected_total"):
                raise SystemExit(f"the bridge received {received:.0f} of {messages} messages\n{process.log()}")
            stored = 0.0
            if "dashboard" in destinations:
                stored = _store_rate(process, messages * VALUES, result["seconds"])
    return Run(result["messages"] / result["seconds"], cpu, stored)


def _store_rate(process: Any, events: int, seconds: float) -> float:
    """Events a second from the first byte to the last event in the store, to a tenth of a second."""
    waited = 0.0

    def done() -> bool:
        nonlocal waited
        waited += 0.1
        return bool(process.metric("events_delivered_total", destination="dashboard") >= events)

    eventually(done, what="the store has everything", timeout=120, pause=0.1)
    return events / (seconds + waited)


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    """Both protocols and both QoS with the uplink down; then QoS 1 with the store reading along."""
    out = []
    down = fleet.initialstate(f"http://127.0.0.1:{free_port()}")
    for qos in (1, 0):
        for protocol in ("5", "3.1.1"):
            ours, plain = [], []
            for _ in range(rounds):
                ours.append(through_bridge(qos, protocol, int(BRIDGE_MESSAGES * share), down))
                plain.append(plain_paho(qos, protocol, int(PAHO_MESSAGES * share)))
            figure, beside = median(r.per_second for r in ours), median(r.per_second for r in plain)
            out.append(
                Row(
                    f"ingest, QoS {qos}, MQTT {protocol}",
                    rate(figure),
                    f"plain paho {rate(beside)}",
                    figure / beside,
                    median(r.cpu for r in ours),
                    f"{TARGET_RATIO:g} x paho, aim {AIM:,}" if qos else "",
                    figure / beside >= TARGET_RATIO if qos else None,
                )
            )
    both = [through_bridge(1, "5", int(BRIDGE_MESSAGES * share), fleet.EMBEDDED) for _ in range(rounds)]
    out.append(
        Row(
            "the same (QoS 1, MQTT 5), embedded store reading along",
            rate(median(r.per_second for r in both)),
            f"into the store {rate(median(r.stored_per_second for r in both), 'events/s')}",
            cpu=median(r.cpu for r in both),
        )
    )
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="share of the messages to send")
    options = parser.parse_args()
    show(rows(rounds=options.rounds, share=options.share))
