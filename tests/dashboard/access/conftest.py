from __future__ import annotations

import pytest


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers take their loopback address for one that other machines reach."""
    monkeypatch.setattr("mqttbridge.dashboard.security.is_loopback", lambda _: False)
