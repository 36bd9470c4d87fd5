"""The durable queue between the broker's acknowledgement and delivery."""

from mqttbridge.spool.reader import Row, SpoolReader
from mqttbridge.spool.rejected import RejectedRow
from mqttbridge.spool.spool import Spool, SpoolStats

__all__ = ["RejectedRow", "Row", "Spool", "SpoolReader", "SpoolStats"]
