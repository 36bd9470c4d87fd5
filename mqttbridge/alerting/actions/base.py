"""What every action speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from mqttbridge.alerting.firings import About

Publish: TypeAlias = Callable[[str, bytes, int, bool], None]
"""Publish a topic, payload, QoS and retain flag; returns when the broker has it, BrokerError when it has not."""


@dataclass(frozen=True, slots=True)
class Tidings:
    """What is to be told, ready to be written in any form.

    Attributes:
        key: the same at each attempt, and of no other tidings.
        subject: one line.
        text: one line, or a few.
        values: what templates may name.
        body: the JSON object that webhooks get.
    """

    key: str
    about: About
    subject: str
    text: str
    values: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken as it is."""

    detail: str


@dataclass(frozen=True, slots=True)
class Failed:
    """To be tried again; not before `retry_after` seconds where the receiver said so."""

    detail: str
    retry_after: float | None = None


Result: TypeAlias = Delivered | Refused | Failed


class Action(Protocol):
    """Tells somebody. Used by one thread at a time."""

    def send(self, tidings: Tidings) -> Result:
        """Try once, in bounded time. Does not raise for what a server or network does."""
        ...

    def close(self) -> None:
        """End what is under way; from any thread."""
        ...
