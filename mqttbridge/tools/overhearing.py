"""Listening to all that is published, for a moment and when somebody asks: the topics that no rule subscribes to.

The bridge's own session hears what the rules are about and no more, so what nobody takes is mostly not heard at all.
This is a session of its own, beside it, that stores nothing: only topics that are nobody's are noted. It ends by
itself, after a time and after a number of messages, since it costs the broker and us as much as the bridge does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.errors import BridgeError
from mqttbridge.mapping.topics import InvalidFilter
from mqttbridge.sources.frames import Publish
from mqttbridge.unmatched import Unmatched

log = logging.getLogger(__name__)

MAX_SECONDS: Final = 300.0
# As many as a large home says in ten minutes; what is published more often than that repeats itself.
MAX_MESSAGES: Final = 20_000
_STEP_SECONDS: Final = 0.25


class Ear(Protocol):
    """What hears: `sources.listener.Listener`."""

    def connect(self) -> None: ...
    def hear(self, timeout: float) -> list[Publish]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Overheard:
    """How it stands.

    Attributes:
        state: `idle`, `connecting`, `listening`, `done` or `failed`.
        detail: why it failed, or why it ended before its time.
        topic: the topic filter.
        until: when it ends, epoch seconds.
        heard: messages; `unmatched` of them are nobody's.
    """

    state: str = "idle"
    detail: str = ""
    topic: str = ""
    until: float = 0.0
    heard: int = 0
    unmatched: int = 0

    @property
    def busy(self) -> bool:
        return self.state in {"connecting", "listening"}


class Overhearing:
    """One at a time. `start`, `stop` and `status` are for any thread.

    Args:
        mqtt: the broker; None where there is none to listen to.
        takes: whether a rule takes a topic.
        strays: told what no rule takes.
        ear: makes what listens to a topic filter; default: a session at the broker.
    """

    def __init__(
        self,
        mqtt: MqttConfig | None,
        takes: Callable[[bytes], bool],
        strays: Unmatched,
        ear: Callable[[MqttConfig, str], Ear] | None = None,
    ) -> None:
        self._mqtt, self._takes, self._strays = mqtt, takes, strays
        self._ear = ear or _listener
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._status = Overheard()
        self._thread: threading.Thread | None = None

    def status(self) -> dict[str, Any]:
        """See Overheard."""
        return asdict(self._status) | {"possible": self._mqtt is not None}

    def start(self, topic: str, seconds: float) -> bool:
        """Begin, for up to MAX_SECONDS; False when it listens already, or there is no broker."""
        with self._lock:
            if self._mqtt is None or self._status.busy:
                return False
            seconds = min(seconds, MAX_SECONDS)
            self._stop.clear()
            self._status = Overheard("connecting", "", topic, time.time() + seconds)
            work = self._listen, (self._mqtt, topic, seconds)
            self._thread = threading.Thread(target=work[0], args=work[1], name="overhear", daemon=True)
            self._thread.start()
            return True

    def stop(self, timeout: float = 2.0) -> None:
        """End before the time; returns when it has, or after the timeout."""
        self._stop.set()
        if (thread := self._thread) is not None:
            thread.join(timeout)

    def _listen(self, mqtt: MqttConfig, topic: str, seconds: float) -> None:
        own = mqtt.own_topic
        ear: Ear | None = None
        try:
            ear = self._ear(mqtt, topic)
            ear.connect()
            self._hear(ear, time.monotonic() + seconds, own.encode() if own else b"")
        except (BridgeError, InvalidFilter, OSError, ValueError) as error:
            self._status = replace(self._status, state="failed", detail=str(error))
        except Exception:
            log.exception("listening to %r failed", topic)
            self._status = replace(self._status, state="failed", detail="a fault of the bridge, told in its log")
        finally:
            if ear is not None:
                ear.close()

    def _hear(self, ear: Ear, ends: float, own: bytes) -> None:
        self._status = replace(self._status, state="listening")
        heard = unmatched = 0
        detail = ""
        while not self._stop.is_set() and (left := ends - time.monotonic()) > 0:
            messages = ear.hear(min(_STEP_SECONDS, left))
            now = time.time()
            for topic, payload, _ in messages[: MAX_MESSAGES - heard]:
                if topic != own and not self._takes(topic):
                    unmatched += 1
                    self._strays.note(topic, payload, now)
            heard += len(messages)
            self._status = replace(self._status, heard=heard, unmatched=unmatched)
            if heard >= MAX_MESSAGES:
                detail = f"{MAX_MESSAGES:,} messages are enough"
                break
        self._status = replace(self._status, state="done", detail=detail)


def _listener(mqtt: MqttConfig, topic: str) -> Ear:
    from mqttbridge.sources.listener import Listener  # noqa: PLC0415  # paho: only for who really listens

    return Listener(mqtt, [topic], "overhear")
