"""What is logged, and how."""

from __future__ import annotations

from enum import StrEnum

from mqttbridge.config.section import Section


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogConfig(Section):
    """What is logged, and how."""

    level: LogLevel = LogLevel.INFO
    """Records below this level are not written."""
    format: LogFormat = LogFormat.AUTO
    """`auto` writes text on a terminal and JSON elsewhere."""
