from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dashboards import Served, serve
from tests.support.postgres import PostgresServer, running_postgres


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server on loopback without keys."""
    with serve(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL; each test takes a schema of its own."""
    with running_postgres() as server:
        yield server
