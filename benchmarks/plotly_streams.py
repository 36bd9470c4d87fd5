"""The streaming listener at 1,000 connections: lines a second on one core, all synced, and what a silent one costs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.events_api import EMBEDDED
from benchmarks.report import Row, median, rate, show
from benchmarks.running import Helper, bridge, cpu_seconds, pin, resident_mib, workspace
from benchmarks.streamers import token_of
from mqttbridge.dashboard.plotly.tokens import FILE, Token, digest_of
from tests.support.processes import free_port

CONNECTIONS = 1000
LINES = 200


def once(connections: int, lines: int) -> tuple[float, float, float]:
    """Lines a second, the bridge's CPU seconds for them, and KiB a connection that says nothing."""
    port = free_port()
    config = {"mqtt": None, "destinations": EMBEDDED, "plotly": {"listen": f"127.0.0.1:{port}"}}
    with workspace() as directory:
        _write_tokens(directory / "data", connections)
        with bridge(directory, config) as process:
            pin(process.pid, first=True)
            before = resident_mib(process.pid)
            with Helper("streamers", port, "--connections", connections, "--lines", lines) as streamers:
                pin(streamers.pid, first=False)
                streamers.hear()
                idle = (resident_mib(process.pid) - before) * 1024 / connections
                cpu = cpu_seconds(process.pid)
                written = streamers.ask()
            return written["lines"] / written["seconds"], cpu_seconds(process.pid) - cpu, idle


def _write_tokens(data_dir: Path, count: int) -> None:
    """All at once: the command would write the file anew for each."""
    data_dir.mkdir()
    tokens = [Token(digest_of(token_of(n)), f"figure-{n // 10}", f"trace-{n}") for n in range(count)]
    (data_dir / FILE).write_text(json.dumps([asdict(token) for token in tokens]))


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    runs = [once(CONNECTIONS, int(LINES * share)) for _ in range(rounds)]
    return [
        Row(
            f"Plotly streams, {CONNECTIONS:,} connections, one core, synced before 200",
            rate(median(run[0] for run in runs), "lines/s"),
            cpu=median(run[1] for run in runs),
        ),
        Row("a Plotly stream that says nothing", f"{median(run[2] for run in runs):.1f} KiB"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    show(rows(rounds=options.rounds))
