r"""Recorded messages as JSON lines: written by `mqttbridge record`, read by every `--replay FILE`.

    {"time": 1760000000.25, "topic": "fleet/a/d1/climate", "payload": "{\"temperature\": 21.5}", "qos": 1, "retained": false}

What is not UTF-8 has `payload_base64` or `topic_base64` instead. Only the topic is needed to read a line, so one
that was written by hand (or by `mosquitto_sub -F`) is as good.
"""  # noqa: E501  # one line of a recording is one line

from __future__ import annotations

import binascii
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from mqttbridge.errors import FileError
from mqttbridge.sources.frames import OVERSIZED, RETAINED, Publish

# A payload of 1 MiB that is all control characters, escaped; more is no line of ours.
MAX_LINE_BYTES: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message as it came. `time` is its arrival in epoch seconds; `cut` says the payload is only its beginning."""

    topic: bytes
    payload: bytes
    qos: int = 0
    retained: bool = False
    time: float = 0.0
    cut: bool = False


def recorded(message: Publish, at: float) -> Recorded:
    """A message of the reader, which came at `at` (epoch seconds)."""
    topic, payload, first = message
    return Recorded(topic, payload, (first & 0x06) >> 1, bool(first & RETAINED), at, bool(first & OVERSIZED))


def to_line(message: Recorded) -> str:
    """One line of a recording, without its end."""
    line: dict[str, Any] = {"time": message.time}
    for key, content in (("topic", message.topic), ("payload", message.payload)):
        try:
            line[key] = content.decode()
        except UnicodeDecodeError:
            line[f"{key}_base64"] = b64encode(content).decode()
    line |= {"qos": message.qos, "retained": message.retained}
    if message.cut:
        line["cut"] = True
    return json.dumps(line, ensure_ascii=False)


def read_recording(path: Path) -> Iterator[Recorded]:
    """The messages of a file, in its order; a message without a time gets the present.

    Raises:
        FileError: it cannot be read, or a line is no message.
    """
    now = time.time()
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise FileError(f"{path}:{number}: the line is longer than {MAX_LINE_BYTES} bytes")
                if line.strip():
                    try:
                        yield _message(from_json(line), now)
                    except (ValueError, TypeError) as error:
                        raise FileError(f"{path}:{number}: not a recorded message: {error}") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error


def bytes_of(line: Mapping[str, Any], key: str, default: bytes | None = None) -> bytes:
    """What stands in a line under `key` (a text), `key_base64` or `key_hex`.

    Raises:
        ValueError: nothing, or not such a text.
    """
    for name, decode in ((key, str.encode), (f"{key}_base64", _from_base64), (f"{key}_hex", bytes.fromhex)):
        if name in line:
            text = line[name]
            if not isinstance(text, str):
                raise ValueError(f"{name} must be a text")
            return decode(text)
    if default is None:
        raise ValueError(f"{key} is missing")
    return default


def _message(line: Any, now: float) -> Recorded:
    if not isinstance(line, dict):
        raise ValueError("expected an object")  # noqa: TRY004  # the line's fault, told as such
    at, qos = line.get("time", now), line.get("qos", 0)
    if isinstance(at, bool) or not isinstance(at, int | float) or not isfinite(at):
        raise ValueError("time must be a number of seconds")
    if qos not in (0, 1, 2):
        raise ValueError("qos must be 0, 1 or 2")
    return Recorded(
        topic=bytes_of(line, "topic"),
        payload=bytes_of(line, "payload", b""),
        qos=int(qos),
        retained=line.get("retained") is True,
        time=float(at),
        cut=line.get("cut") is True,
    )


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None
