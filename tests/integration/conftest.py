"""Fixtures of the integration tests: real brokers, real bridge processes, each test with a directory of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.tls import Certificates, issue

NewBridge = Callable[..., BridgeProcess]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """One that keeps its sessions and queues whatever comes."""
    settings = {"max_queued_messages": 0, "max_inflight_messages": 1000}
    with Mosquitto(tmp_path / "broker", persistence=True, settings=settings) as running:
        yield running


@pytest.fixture
def new_bridge(tmp_path: Path) -> Iterator[NewBridge]:
    """Makes bridges that are not started yet; whatever still runs at the end is killed.

    Their logs are printed, so that pytest shows them with a failure.
    """
    with ExitStack() as stack:

        def make(config: Mapping[str, Any], *, name: str = "bridge", data_dir: Path | None = None) -> BridgeProcess:
            bridge = BridgeProcess(tmp_path / name, config, data_dir=data_dir)
            stack.callback(lambda: print(f"--- log of {name}:\n{bridge.log()}"))  # noqa: T201
            stack.callback(bridge.__exit__)
            return bridge

        yield make
