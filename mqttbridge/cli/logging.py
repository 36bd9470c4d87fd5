"""Logging on stderr: text for people at a terminal, one JSON object a line for everything else.

What comes from the network (topics, names, reasons) gets into messages, so a line break or an escape sequence
in it must neither begin a line of its own nor reach the terminal.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from mqttbridge.config.logs import LogFormat
from mqttbridge.logtail import single_line

__all__ = ["JsonFormatter", "TextFormatter", "setup_logging", "single_line"]

if TYPE_CHECKING:
    from typing import TextIO

    from mqttbridge.config.logs import LogConfig


def setup_logging(config: LogConfig, stream: TextIO | None = None) -> None:
    """Sends all log records of this process to `stream` (stderr), as the configuration says. May be called again."""
    stream = stream or sys.stderr
    as_text = config.format is LogFormat.TEXT or (config.format is LogFormat.AUTO and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.level.upper())
    # Whatever our own level: below a warning, libraries speak of their workings, and urllib3 of whole URLs, in
    # which the parameter form of the Events API has its access key.
    for name in ("amqtt", "asyncio", "paho", "transitions", "urllib3", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class TextFormatter(logging.Formatter):
    """`12:30:01.250 WARNING uploader  cloud: ...`: the local time, since a person is looking at it now."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        name = _short(record.name)
        line = f"{clock}.{int(record.msecs):03} {record.levelname:<7} {name:<9} {single_line(record.getMessage())}"
        trace = _trace(self, record)
        # Lines of a trace are ours, what they quote may not be; indented, none can pass for a record.
        return "\n".join([line, *(f"    {single_line(part)}" for part in trace.splitlines())])


class JsonFormatter(logging.Formatter):
    """One object a line, with the keys that log collectors look for; times are UTC."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{stamp}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": single_line(record.getMessage()),
        }
        if trace := _trace(self, record):
            entry["trace"] = trace
        return json.dumps(entry)


def _short(name: str) -> str:
    return name.rpartition(".")[2] if name.startswith("mqttbridge.") else name.partition(".")[0]


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return "\n".join(parts)
