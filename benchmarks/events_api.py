"""Posts and events a second that the Events API takes on one core, each answered 204 once synced."""

from __future__ import annotations

import argparse

from benchmarks.report import Row, median, rate, show
from benchmarks.running import Helper, bridge, cpu_seconds, pin, workspace

CONNECTIONS = 32
SECONDS = 5.0
WARM_UP_SECONDS = 1.0
TARGET = 1500
EMBEDDED = {"dashboard": {"type": "embedded"}}


def once(events: int, seconds: float) -> tuple[float, float]:
    """Posts a second, and the bridge's CPU seconds; the bridge has one core to itself where there are several."""
    with workspace() as directory, bridge(directory, {"mqtt": None, "destinations": EMBEDDED}) as process:
        pin(process.pid, first=True)
        for measured in (WARM_UP_SECONDS, seconds):
            before = cpu_seconds(process.pid)
            arguments = (f"127.0.0.1:{process.port}", "--connections", CONNECTIONS, "--events", events)
            with Helper("poster", *arguments, "--seconds", measured) as poster:
                pin(poster.pid, first=False)
                heard = poster.hear()
        return heard["posts"] / heard["seconds"], cpu_seconds(process.pid) - before


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    measured = []
    for events in (10, 1000):
        runs = [once(events, SECONDS * share) for _ in range(rounds)]
        posts = median(run[0] for run in runs)
        aimed = events == 10
        measured.append(
            Row(
                f"Events API, {events} events a post, {CONNECTIONS} connections, one core, synced before 204",
                f"{rate(posts, 'posts/s')}, {rate(posts * events, 'events/s')}",
                cpu=median(run[1] for run in runs),
                target=rate(TARGET, "posts/s") if aimed else "",
                met=posts >= TARGET if aimed else None,
            )
        )
    return measured


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    show(rows(rounds=options.rounds))
