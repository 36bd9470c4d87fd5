"""Every benchmark, one table: `python -m benchmarks`. Loopback only; ends by itself after some six minutes.

A missed target shows in the table; only a benchmark that fails ends the run with an error. `--quick` does each once
and briefly, to see that all of it runs; its figures mean little.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from benchmarks import (
    behind_mosquitto,
    delivery,
    events_api,
    footprint,
    ingest,
    latency,
    page,
    plotly_streams,
    rules,
    store,
    store_postgres,
    streamer,
    viewers,
)
from benchmarks.report import Row, machine, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rounds, share = (1, 0.1) if quick else (3, 1.0)
    parts = {
        "ingest": partial(ingest.rows, rounds=rounds, share=share),
        "behind Mosquitto": partial(behind_mosquitto.rows, rounds=rounds, share=share),
        "delivery": partial(delivery.rows, rounds=rounds, share=share),
        "Events API": partial(events_api.rows, rounds=rounds, share=share),
        "Plotly streams": partial(plotly_streams.rows, rounds=rounds, share=share),
        "rules": partial(rules.rows, rounds=rounds, share=share),
        "store": partial(store.rows, rounds=rounds, share=share),
        "store in PostgreSQL": partial(store_postgres.rows, rounds=rounds, share=share),
        "latency": partial(latency.rows, seconds=3 if quick else latency.SECONDS),
        "streamer": partial(streamer.rows, rounds=rounds, share=share),
        "viewers": partial(viewers.rows, rounds=rounds, share=share),
        "page": partial(page.rows, rounds=rounds, share=share),
        "footprint": partial(footprint.rows, seconds=6 if quick else 60),
    }
    heading = machine()
    rows: list[Row] = []
    for name, part in parts.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += part()
    print(f"\n{heading}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
