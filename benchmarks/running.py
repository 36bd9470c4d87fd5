"""Running the parts of a benchmark, each as a process of its own, and reading what they print."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil

from tests.support.processes import BridgeProcess

ROOT = Path(__file__).parents[1]


class Helper:
    """`python -m benchmarks.<module>`, spoken to by lines and heard in lines of JSON."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended with exit code {self._process.wait()}")
        return dict(json.loads(line))

    def say(self, word: str = "go") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def ask(self) -> dict[str, Any]:
        self.say("?")
        return self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def resident_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss / 2**20)


def pin(pid: int, *, first: bool) -> None:
    """Hold a process to the first core (the bridge), or to the others (its clients), where there are several."""
    cores = psutil.Process().cpu_affinity()
    if len(cores) > 1:
        for thread in psutil.Process(pid).threads():
            psutil.Process(thread.id).cpu_affinity(cores[:1] if first else cores[1:])


@contextmanager
def workspace() -> Iterator[Path]:
    """A temporary directory on the disk that holds the others; the spool is synced there."""
    with tempfile.TemporaryDirectory(prefix="mqttbridge-benchmark-") as directory:
        yield Path(directory)


@contextmanager
def bridge(directory: Path, config: Mapping[str, Any]) -> Iterator[BridgeProcess]:
    """A bridge that is ready, stopped at the end whatever state it is in."""
    with BridgeProcess(directory, config) as process:
        yield process
