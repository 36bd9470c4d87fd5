"""How many events a second go from a full spool to an HTTP server that takes everything at once."""

from __future__ import annotations

import argparse

from benchmarks import fleet
from benchmarks.ingest import VALUES
from benchmarks.report import Row, median, rate, show
from benchmarks.running import Helper, bridge, cpu_seconds, workspace
from tests.support.processes import eventually, free_port

MESSAGES = 200_000
TARGET = 50_000
# Big batches and no pacing: this measures the path, not the Events API's limits.
UPLINK = {
    "rate_limit": {"calls": 1_000_000, "per": "1s"},
    "batch": {"max_events": 1000, "max_wait": "100ms"},
}


def once(messages: int) -> tuple[float, float, int]:
    """Events a second, the bridge's CPU seconds, and requests. Fills the spool while the uplink is down first."""
    port = free_port()
    uplink = fleet.initialstate(f"http://127.0.0.1:{port}/api", **UPLINK)
    events = messages * VALUES
    with workspace() as directory:
        with Helper("flood", "--messages", messages) as source:
            broker = f"mqtt://127.0.0.1:{source.hear()['port']}"
            with bridge(directory, fleet.config(broker, uplink) | {"shutdown_timeout": "1s"}) as process:
                source.hear()
                source.say()
                source.hear()
                process.stop()
        with (
            Helper("sink", "--port", port) as sink,
            bridge(directory, fleet.config(None, uplink)) as process,
        ):
            sink.hear()
            eventually(lambda: sink.ask()["events"] >= events, what="all delivered", timeout=120, pause=0.2)
            count = sink.ask()
            return events / (count["last"] - count["first"]), cpu_seconds(process.pid), count["requests"]


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    runs = [once(int(MESSAGES * share)) for _ in range(rounds)]
    figure = median(run[0] for run in runs)
    return [
        Row(
            f"delivery to a local HTTP sink, {UPLINK['batch']['max_events']} events a request",
            rate(figure, "events/s"),
            cpu=median(run[1] for run in runs),
            target=rate(TARGET, "events/s"),
            met=figure >= TARGET,
        )
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    show(rows(rounds=options.rounds))
