"""The time at which a device measured, read from its payload.

A number is epoch seconds, milli-, micro- or nanoseconds, told apart by magnitude: each unit covers the years
1973 to 5138, and none of their ranges overlap. A text is a number, or ISO 8601; without an offset it is UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from mqttbridge.events import Reason
from mqttbridge.mapping.paths import Path, find
from mqttbridge.mapping.unusable import Unusable, shown

# 1e11 seconds is the year 5138, 1e11 milliseconds is 1973; likewise from each unit to the next.
_SECONDS_BELOW: Final = 1e11
_MILLISECONDS_BELOW: Final = 1e14
_MICROSECONDS_BELOW: Final = 1e17

_NUMERIC: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?")
_MAX_ISO_CHARS: Final = 64


class Clock(Protocol):
    """Says what time a message is of: `Timestamp` by its payload."""

    @property
    def in_properties(self) -> bool:
        """Whether it reads one of the message's MQTT 5 properties, and not the payload."""

    def read(self, document: Any, arrival: float) -> float:
        """Epoch seconds of a message, which may be the arrival. Raises Unusable."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """How one rule reads the time of a message.

    Attributes:
        field: the name that flattening gives to the timestamp itself.
        path: where in the payload it stands.
        in_properties: whether it is one of the message's MQTT 5 properties, and not in the payload.
        max_past, max_future: how far it may lie before and after the arrival, in seconds.
        reject: whether a message without a usable time is rejected; else its arrival is its time.
    """

    field: str
    path: Path
    max_past: float
    max_future: float
    reject: bool
    in_properties: bool = False

    def read(self, document: Any, arrival: float) -> float:
        """Epoch seconds of a message.

        Raises:
            Unusable: no usable time, and the rule rejects those.
        """
        try:
            return self._read(document, arrival)
        except Unusable:
            if self.reject:
                raise
            return arrival

    def _read(self, document: Any, arrival: float) -> float:
        value = find(document, self.path)
        if value is None:
            raise self._unusable("is missing")
        epoch = parse_timestamp(value)
        if epoch is None:
            raise self._unusable(f"expected epoch s, ms, us or ns, or ISO 8601 (got {shown(value)})")
        self._check(epoch, value, arrival)
        return epoch

    def of_point(self, epoch: float | None, arrival: float) -> float:
        """Epoch seconds of a point whose format reads its time itself; its arrival when it has none.

        Raises:
            Unusable: it lies outside the window, and the rule rejects those.
        """
        if epoch is None:
            return arrival
        try:
            self._check(epoch, epoch, arrival)
        except Unusable:
            if self.reject:
                raise
            return arrival
        return epoch

    def _check(self, epoch: float, value: Any, arrival: float) -> None:
        # Written so that a NaN falls outside.
        if not arrival - self.max_past <= epoch:
            raise self._unusable(f"lies more than {self.max_past:g} s before the arrival (got {shown(value)})")
        if not epoch <= arrival + self.max_future:
            raise self._unusable(f"lies more than {self.max_future:g} s after the arrival (got {shown(value)})")

    def _unusable(self, what: str) -> Unusable:
        return Unusable(Reason.BAD_TIMESTAMP, f"{self.field}: {what}")


def parse_timestamp(value: Any) -> float | None:
    """Epoch seconds of a number or text; None when it is not a time."""
    kind = type(value)
    if kind is int or kind is float:
        return _by_magnitude(value)
    if kind is str:
        text = value.strip()
        if _NUMERIC.fullmatch(text):
            return _by_magnitude(float(text) if "." in text else int(text))
        return _iso8601(text)
    return None


def _by_magnitude(number: float) -> float | None:
    size = abs(number)
    if size < _SECONDS_BELOW:
        return float(number)
    # By an integer: Python divides integers exactly, where a float could not hold the nanoseconds.
    if size < _MILLISECONDS_BELOW:
        return number / 10**3
    if size < _MICROSECONDS_BELOW:
        return number / 10**6
    try:
        return number / 10**9
    except OverflowError:
        return None


def _iso8601(text: str) -> float | None:
    if len(text) > _MAX_ISO_CHARS:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    # A device that does not say its zone is not asked for the server's.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
