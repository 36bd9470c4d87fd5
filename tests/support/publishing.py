"""A publisher that knows what the broker has taken: every message at QoS 1, every PUBACK awaited."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.processes import PATIENCE


class Publisher:
    """Connected while the `with` block lasts."""

    def __init__(self, port: int, *, username: str | None = None, password: str | None = None) -> None:
        self._port = port
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(1000)
        if username is not None:
            self._client.username_pw_set(username, password)

    def publish(self, messages: Iterable[tuple[str, str | bytes]], *, retain: bool = False) -> None:
        """Returns when the broker has acknowledged the last of them."""
        under_way = [self._client.publish(topic, payload, qos=1, retain=retain) for topic, payload in messages]
        for message in under_way:
            message.wait_for_publish(PATIENCE)
            assert message.is_published(), "the broker did not acknowledge"

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def publish(port: int, messages: Iterable[tuple[str, str | bytes]], *, retain: bool = False) -> None:
    with Publisher(port) as publisher:
        publisher.publish(messages, retain=retain)


class Watcher:
    """Everything published below a filter, retained or live, as (topic, payload), in order."""

    def __init__(self, port: int, topic_filter: str) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self._port = port
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(topic_filter, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _userdata, m: self.seen.append((m.topic, bytes(m.payload)))

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE), "not subscribed"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
