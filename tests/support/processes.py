"""The bridge as a process of its own, watched from outside: HTTP, log, exit code. And how tests wait."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import requests

T = TypeVar("T")

# Longer than anything here takes on a busy machine; only a failing test waits it out.
PATIENCE = 20.0


# Below the ports that the system gives to connections, and each test worker has its own of them: what is free now
# is so until the server that it is for has started.
_LOWEST, _HIGHEST, _WORKERS = 10_000, 32_000, 16
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_own = range(_LOWEST + _worker, _HIGHEST, _WORKERS)
_ports = itertools.islice(itertools.cycle(_own), random.randrange(len(_own)), None)


def free_port() -> int:
    """A loopback port that nobody listens at, and that no other test will be given."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("the ports never end")


def eventually(probe: Callable[[], T], *, what: str, timeout: float = PATIENCE, pause: float = 0.02) -> T:
    """The first true result of `probe`, asked again and again until the deadline.

    Raises:
        AssertionError: it never was true; says what was awaited and what came last.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s; last: {result!r}")
        time.sleep(pause)


class BridgeProcess:
    """`mqttbridge run` with a configuration given as a mapping; the data directory outlives the process."""

    def __init__(self, directory: Path, config: Mapping[str, Any], *, data_dir: Path | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.data_dir = data_dir or directory / "data"
        self.log_path = directory / "bridge.log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._http = requests.Session()
        self._http.trust_env = False
        self.configure(config)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Write the configuration that the next start reads. JSON is YAML, too."""
        http = {"listen": f"127.0.0.1:{self.port}", **config.get("http", {})}
        whole = {"log": {"format": "text"}, **config, "http": http}
        (self.directory / "config.yaml").write_text(json.dumps(whole, indent=1))

    # -- its life

    def spawn(self) -> None:
        """Start it and wait for nothing."""
        assert self._process is None, "already running"
        command = [sys.executable, "-m", "mqttbridge", "run"]
        command += ["-c", str(self.directory / "config.yaml"), "--data-dir", str(self.data_dir)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_environment()
            )

    def start(self) -> None:
        """Start it and wait until it says it is ready."""
        self.spawn()
        self.wait_ready()

    def wait_ready(self) -> None:
        eventually(lambda: self.readiness()[0] == 200, what=f"bridge ready\n{self.log()}")

    @property
    def pid(self) -> int:
        assert self._process is not None, "not running"
        return self._process.pid

    def signal(self, sig: signal.Signals) -> None:
        assert self._process is not None, "not running"
        self._process.send_signal(sig)

    def wait(self, timeout: float = PATIENCE) -> int:
        """The exit code."""
        assert self._process is not None, "not running"
        code = self._process.wait(timeout)
        self._process = None
        return code

    def stop(self) -> int:
        """SIGTERM, and the exit code that follows."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """What a power cut does to a process."""
        self.signal(signal.SIGKILL)
        self.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        if self._process is not None:
            self.kill()

    # -- what it says

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **params: Any) -> requests.Response:
        return self._http.get(self.url + path, params=params, timeout=10)

    def readiness(self) -> tuple[int, str]:
        """Status and body of /readyz; status 0 while nothing answers."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise AssertionError(f"the bridge ended with exit code {code}:\n{self.log()}")
        try:
            answer = self.get("/readyz")
        except requests.ConnectionError as error:
            return 0, str(error)
        return answer.status_code, answer.text

    def unready(self, *words: str) -> bool:
        """Whether /readyz is red and its reason holds all these words, case aside."""
        status, reason = self.readiness()
        return status == 503 and all(word.lower() in reason.lower() for word in words)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum over all samples of a metric that carry these labels."""
        return metric(self.get("/metrics").text, name, **labels)

    def status(self) -> dict[str, Any]:
        return dict(self.get("/api/v1/status").json())

    def last_values(self, bucket: str) -> dict[str, Any]:
        """Stream -> its last value in the dashboard's store; empty while the bucket is not known."""
        return {row["stream"]: row["last"]["value"] for row in self._streams(bucket)}

    def units(self, bucket: str) -> dict[str, str]:
        """Stream -> its unit, likewise."""
        return {row["stream"]: row["unit"] for row in self._streams(bucket)}

    def device_classes(self, bucket: str) -> dict[str, str]:
        """Stream -> what its device says that it is, likewise."""
        return {row["stream"]: row["device_class"] for row in self._streams(bucket)}

    def _streams(self, bucket: str) -> list[dict[str, Any]]:
        answer = self.get(f"/api/v1/buckets/{quote(bucket, safe='')}/streams")
        if answer.status_code == 404:
            return []
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()["streams"]
        return rows


def metric(exposition: str, name: str, **labels: str) -> float:
    """The sum over all samples of `mqttbridge_<name>` that carry these labels, in Prometheus text."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    total = 0.0
    for line in exposition.splitlines():
        series, _, value = line.rpartition(" ")
        found, _, rest = series.partition("{")
        if found == f"mqttbridge_{name}" and all(label in rest for label in wanted):
            total += float(value)
    return total


def _environment() -> dict[str, str]:
    """Our own, less what would reach into the bridge's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MQTTBRIDGE_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "NO_PROXY": "*"}
