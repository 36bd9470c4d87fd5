"""`Streamer` beside ISStreamer 2.0.0: what a call of `log` costs, and events a second from `log` to the server.

Both run the same loop in a process of their own, against the same server that only counts, and take turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.report import Row, median, show
from benchmarks.running import ROOT, Helper, workspace

EVENTS = 100_000
BUFFER_SIZES = (10, 200)
TARGET_RATIO = 5.0
TARGET_MICROSECONDS = 5.0

# Logs, and says when it began and how long the calls took. The end is when the server had the last event.
PROGRAM = """
import json, sys, time
which, base, events, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if which == "ours":
    from mqttbridge import Streamer
    streamer = Streamer(bucket_key="b", access_key="k", url=base, buffer_size=size)
else:
    open("is.ini", "w").write(
        "[isstreamer.client_config]\\naccess_key=k\\n[isstreamer.api_config]\\nstream_api_base=" + base)
    from ISStreamer.Streamer import Streamer
    streamer = Streamer(bucket_key="b", ini_file_location="is.ini", buffer_size=size)
time.sleep(0.2)
began, clock = time.time(), time.perf_counter()
for n in range(events):
    streamer.log("temperature", n * 0.5)
logged = time.perf_counter() - clock
streamer.close()
print(json.dumps({"began": began, "logged": logged}))
"""


def once(which: str, events: int, size: int) -> tuple[float, float]:
    """Microseconds a call of `log`, and events a second from the first call until the server has the last event."""
    with workspace() as directory, Helper("sink") as sink:
        base = f"http://127.0.0.1:{sink.hear()['port']}"
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, which, base, str(events), str(size)],
            cwd=directory,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(directory), "NO_PROXY": "*"},
            stdout=subprocess.PIPE,
            check=True,
            timeout=300,
        )
        told = json.loads(done.stdout.splitlines()[-1])
        count = _when_all_came(sink, events)
        return told["logged"] / events * 1e6, events / (count["last"] - told["began"])


def _when_all_came(sink: Helper, events: int) -> dict[str, Any]:
    """The original's threads may outlive its close; what it lost never comes."""
    deadline = time.monotonic() + 10
    while (count := sink.ask())["events"] < events and time.monotonic() < deadline:
        time.sleep(0.1)
    if count["events"] < events:
        print(f"only {count['events']} of {events} events came", file=sys.stderr)
    return count


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    found = []
    for size in BUFFER_SIZES:
        events = int(EVENTS * share)
        runs: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
        for _ in range(rounds):
            for which, of in runs.items():
                of.append(once(which, events, size))
        call, their_call = (median(run[0] for run in runs[which]) for which in runs)
        rate, their_rate = (median(run[1] for run in runs[which]) for which in runs)
        found += [
            Row(
                f"Streamer.log, buffer_size {size}",
                f"{call:.1f} µs",
                f"ISStreamer 2.0.0: {their_call:.1f} µs",
                ratio=call / their_call,
                target=f"{TARGET_MICROSECONDS:g} µs, never slower",
                met=call <= TARGET_MICROSECONDS and call <= their_call,
            ),
            Row(
                f"log to server, buffer_size {size}",
                f"{rate:,.0f} events/s",
                f"ISStreamer 2.0.0: {their_rate:,.0f} events/s",
                ratio=rate / their_rate,
                target=f"{TARGET_RATIO:g} times it",
                met=rate >= TARGET_RATIO * their_rate,
            ),
        ]
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    show(rows(rounds=options.rounds, share=options.share))
