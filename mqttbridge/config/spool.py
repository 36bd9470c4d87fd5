"""The durable queue."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from mqttbridge.config.quantities import DAY, GIB, MIB, Duration, Size
from mqttbridge.config.section import Section


class WhenFull(StrEnum):
    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"


class SpoolConfig(Section):
    """The durable queue between the broker's acknowledgement and delivery."""

    max_size: Size = Field(1 * GIB, ge=1 * MIB)
    """Upper bound of the spool on disk."""
    max_age: Duration = 7 * DAY
    """Older events are dropped and counted, though undelivered; 0 keeps them for ever."""
    when_full: WhenFull = WhenFull.BLOCK
    """`block` stops acknowledging, so the broker queues; the others drop and count."""
    linger: Duration = 0.0
    """How long to gather more messages before a commit; 1s spares an SD card, at the price of as much latency."""
    min_free_disk: Size = 64 * MIB
    """The spool counts as full when less than this is free on its disk."""
    rejected_max_rows: int = Field(10_000, ge=0)
    """How many rejected messages are kept for inspection; the oldest go first, counted."""
