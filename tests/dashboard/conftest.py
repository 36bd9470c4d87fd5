from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dashboards import Served, serve


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server on loopback without keys."""
    with serve(tmp_path) as running:
        yield running
