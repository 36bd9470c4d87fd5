"""Publishes what the simulated fleet reports: first its history, then the present, second by second.

It is the world outside the bridge, and meets it at the broker alone, as real devices would.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from mqttbridge.demo.fleet import Device, Message, availability, history, live

_PROTOCOLS: Final = {"5": mqtt.MQTTv5, "3.1.1": mqtt.MQTTv311}

# Enough unacknowledged messages for the broker's round trip not to set the pace, few enough that a slow broker
# is not buried.
_WINDOW: Final = 500

# After a suspended laptop wakes up, the seconds it slept through are not made up for.
_CATCH_UP_SECONDS: Final = 10


class Publisher:
    """Plays the fleet to a broker in a thread of its own.

    Attributes:
        caught_up: set once the broker has acknowledged the whole history.
    """

    def __init__(
        self,
        port: int,
        protocol: Literal["5", "3.1.1"],
        fleet: Sequence[Device],
        since: int,
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.caught_up = threading.Event()
        self._on_failure = on_failure
        self._port, self._fleet, self._since = port, fleet, since
        self._stop = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=_PROTOCOLS[protocol])
        self._client.max_inflight_messages_set(_WINDOW)
        self._thread = threading.Thread(target=self._run, name="demo-fleet", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is still unacknowledged is let go."""
        self._stop.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            self._client.connect("127.0.0.1", self._port)
            self._client.loop_start()
            now = int(time.time())
            self._publish(availability(device, now) for device in self._fleet if device.flaky)
            self._publish(history(self._fleet, self._since, now))
            self.caught_up.set()
            while not self._stop.wait(1 - time.time() % 1):
                before, now = max(now, int(time.time()) - _CATCH_UP_SECONDS), int(time.time())
                for epoch in range(before + 1, now + 1):
                    self._publish(live(self._fleet, epoch))
        except Exception as error:  # noqa: BLE001  # a thread's failure is its starter's to report
            self._on_failure(error)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _publish(self, messages: Iterable[Message]) -> None:
        """Hand the messages to the broker, a window at a time, until the last is acknowledged."""
        window: list[mqtt.MQTTMessageInfo] = []
        for message in messages:
            if self._stop.is_set():
                return
            if len(window) == _WINDOW:
                self._settle(window)
            window.append(self._client.publish(message.topic, message.payload, qos=1, retain=message.retain))
        self._settle(window)

    def _settle(self, window: list[mqtt.MQTTMessageInfo]) -> None:
        for sent in window:
            while not sent.is_published() and not self._stop.is_set():
                sent.wait_for_publish(timeout=0.5)
        window.clear()
