"""Configurations the integration tests start bridges with, as mappings."""

from __future__ import annotations

from typing import Any

# A pause between attempts that no test has to wait for.
QUICK = {"min": "100ms", "max": "300ms"}


def mqtt(url: str, **settings: Any) -> dict[str, Any]:
    return {"url": url, "reconnect": QUICK, **settings}


def events_api(url: str, **settings: Any) -> dict[str, Any]:
    """An Initial State destination that nothing slows down."""
    return {
        "type": "initialstate",
        "url": url,
        "access_key": "test-key",
        "rate_limit": {"calls": 1000, "per": "1s"},
        "batch": {"max_events": 100, "max_wait": "50ms"},
        "timeout": "5s",
        **settings,
    }


EMBEDDED = {"type": "embedded"}
