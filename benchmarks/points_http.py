"""How soon a chart has its points over HTTP: from the request to the answer's last byte, on a connection kept open."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import median
from benchmarks.running import bridge, cpu_seconds, pin

ANSWERS = 25
CONFIG = {
    "mqtt": None,
    "destinations": {"dashboard": {"type": "embedded", "retention": "0s"}},
    "log": {"format": "text", "level": "warning"},
}


class Took(NamedTuple):
    """Milliseconds of an answer, of some: the quickest, the median, and the server's processor time for one."""

    best: float
    median: float
    cpu: float


def took(directory: Path, questions: dict[str, str]) -> dict[str, Took]:
    """How long each path takes, of a bridge that has its store below `directory`; it has a core to itself."""
    with bridge(directory, CONFIG) as process:
        pin(process.pid, first=True)
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=30)
        found = {}
        for what, path in questions.items():
            _ask(connection, path)  # the first one reads the files from the disk
            before = cpu_seconds(process.pid)
            each = [_ask(connection, path) for _ in range(ANSWERS)]
            cpu = 1000 * (cpu_seconds(process.pid) - before) / ANSWERS
            found[what] = Took(min(each), median(each), cpu)
        connection.close()
    return found


def _ask(connection: http.client.HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} was answered {answer.status}: {body[:200]!r}")
    return 1000 * (time.perf_counter() - began)
