"""The MQTT source: a session at the broker that outlives connections.

Connects, falls back from MQTT 5 to 3.1.1 where a broker refuses it, connects again with capped and fully jittered
pauses, and says at any time how it stands. The caller polls; everything happens on the caller's thread.
"""

from __future__ import annotations

import json
import logging
import os
import random
import select
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from paho.mqtt.enums import MQTTProtocolVersion

from mqttbridge.config.mqtt import MqttConfig
from mqttbridge.errors import ConfigError, Problem, SpoolError
from mqttbridge.sources.connection import Connection
from mqttbridge.sources.endings import STABLE_SECONDS, Losses, not_reached
from mqttbridge.sources.frames import Publish
from mqttbridge.sources.outbox import Outbox

log = logging.getLogger(__name__)

_MOST_FAILURES_LOGGED: Final = 5
_PROTOCOL_NAMES: Final = {MQTTProtocolVersion.MQTTv5: "5", MQTTProtocolVersion.MQTTv311: "3.1.1"}


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """How the session stands, in words that go to the log, the status page and `/readyz`."""

    state: str
    """`connecting`, `connected` (and subscribed), `subscription refused` or `waiting`."""
    detail: str
    since: float
    url: str
    protocol: str


class MqttSource:
    """Delivers messages and acknowledges them when told to.

    Args:
        config: the `mqtt` section.
        filters: topic filters to subscribe to.
        recall: returns what `remember` was given by an earlier run, or None.
        remember: keeps a text across restarts: the filters our session at the broker has.
        properties: whether payloads come with their MQTT 5 properties.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """

    def __init__(
        self,
        config: MqttConfig,
        filters: Sequence[str],
        recall: Callable[[], str | None],
        remember: Callable[[str], None],
        *,
        properties: bool = False,
    ) -> None:
        self._config, self._filters = config, list(filters)
        self._recall, self._remember = recall, remember
        self._properties = properties
        self._tls = make_tls_context(config)
        self._protocol = _preferred(config)
        self._connection: Connection | None = None
        self._next_attempt = 0.0
        self._attempts = 0
        self._at_once = False
        self._connected_at = 0.0
        self._refused: dict[str, str] = {}
        self._kept: Sequence[str] | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.outbox = Outbox(self.wake)
        """For other threads that want to publish."""
        self._logged_failures: list[str] = []
        self._losses = Losses(config.client_id)
        self.status = BrokerStatus("connecting", "", time.time(), config.url, config.protocol)

    def poll(self, timeout: float) -> list[Publish]:
        """Messages that arrived, after waiting up to `timeout` seconds for some.

        Never raises for what a broker or a network does. Call `acknowledge` once they are durable, before the
        next `poll`; without it the broker delivers them again on the next connection.
        """
        if self._connection is None:
            if (pause := self._next_attempt - time.monotonic()) > 0:
                self.outbox.fail_all(f"no connection to the broker: {self.status.detail}")
                select.select([self._wake_read], [], [], min(timeout, pause))
                self._drain_wake()
                return []
            self._connect()
        connection = self._connection
        if connection is None:
            return []
        if not self.outbox.is_empty:
            connection.publish(self.outbox)
        messages = connection.poll(timeout, self._wake_read)
        self._drain_wake()
        self._note_progress(connection)
        return messages

    def acknowledge(self) -> None:
        """Acknowledge everything `poll` returned, in order, on the connection it came on."""
        if self._connection is not None:
            self._connection.acknowledge()

    def subscribe(self, filters: Sequence[str]) -> None:
        """From now on these filters are wanted, and no others; on this connection and on those after it."""
        self._filters = list(filters)
        if self._connection is not None:  # else, and while it still subscribes, `poll` sees to it
            self._follow_filters(self._connection)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 0, not retained, with the next poll; lost without a connection. From any thread."""
        self.outbox.leave(topic, payload)

    def keep_alive(self) -> None:
        """Call now and then while not polling: keeps the session's connection open without reading from it."""
        if self._connection is not None:
            self._connection.keep_alive()

    def wake(self) -> None:
        """End a `poll` that waits; from another thread."""
        with suppress(BlockingIOError):  # it is full of wakes already
            os.write(self._wake_write, b"\0")

    def close(self) -> None:
        """Say goodbye to the broker; our session there stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.outbox.close("the bridge stops")

    # --- connecting ----------------------------------------------------------------------------------------

    def _drain_wake(self) -> None:
        # After the wait: who woke us has said why before, and that is looked at next.
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _connect(self) -> None:
        self._set_status("connecting", self.status.detail)
        try:
            known = set(json.loads(self._recall() or "[]"))
            stale = sorted(known - set(self._filters))
            self._connection = Connection(
                self._config, self._protocol, self._tls, self._filters, stale, properties=self._properties
            )
        except (OSError, ValueError, SpoolError) as error:
            self._fail(not_reached(error, self._config.url))

    def _note_progress(self, connection: Connection) -> None:
        progress = connection.progress
        if progress.ended:
            connection.close()
            self._connection = None
            self._fall_back(connection)
            self._fail(progress.ended, without_reason=not progress.said_why)
        elif connection.subscriptions.complete:
            self._note_subscribed(connection)

    def _note_subscribed(self, connection: Connection) -> None:
        subscriptions = connection.subscriptions
        if subscriptions.filters is not self._kept:
            self._kept = subscriptions.filters
            # Where it cannot be kept now the list of the last connection stays, and the next one keeps it.
            with suppress(SpoolError):
                self._remember(json.dumps(self._kept))
        if not self._connected_at or subscriptions.refused != self._refused:
            self._connected_at = self._connected_at or time.monotonic()
            self._refused = subscriptions.refused
            self._logged_failures = []
            if subscriptions.refused:
                detail = ", ".join(f"{name!r} ({reason})" for name, reason in subscriptions.refused.items())
                log.error("the broker refused subscriptions: %s; check its access rules", detail)
                self._set_status("subscription refused", detail)
            else:
                session = "resumed" if connection.progress.session_present else "new"
                protocol = _PROTOCOL_NAMES[connection.protocol]
                log.info("connected to %s: MQTT %s, session %s", self._config.url, protocol, session)
                self._set_status("connected", "")
        self._follow_filters(connection)

    def _follow_filters(self, connection: Connection) -> None:
        if connection.subscriptions.complete and connection.subscriptions.filters is not self._filters:
            connection.subscribe(self._filters)

    def _fall_back(self, connection: Connection) -> None:
        """Try the other protocol version next, when it may be the version that the broker objects to.

        Brokers without MQTT 5 say so, or just close the connection. Where 3.1.1 was only our fall-back and fails
        in turn, 5 is tried again, since the broker may have been restarted or replaced.
        """
        if self._config.protocol != "5" or connection.progress.connected or connection.met_no_broker:
            return
        closed = "refused the connection" not in connection.progress.ended
        if connection.protocol == MQTTProtocolVersion.MQTTv5 and (connection.progress.unsupported_protocol or closed):
            self._protocol = MQTTProtocolVersion.MQTTv311
            self._at_once = True
            if not self._attempts:
                log.info("%s does not seem to speak MQTT 5; trying 3.1.1", self._config.url)
        elif connection.protocol == MQTTProtocolVersion.MQTTv311:
            self._protocol = MQTTProtocolVersion.MQTTv5

    def _fail(self, reason: str, *, without_reason: bool = False) -> None:
        lasted = time.monotonic() - self._connected_at if self._connected_at else None
        if lasted is not None and lasted > STABLE_SECONDS:
            self._attempts = 0
        reason = self._losses.explain(reason, lasted if without_reason else None)
        self._connected_at = 0.0
        self._refused, self._kept = {}, None
        if self._at_once:  # a fall-back is the second half of one attempt
            self._at_once = False
        else:
            pause = min(self._config.reconnect.max, self._config.reconnect.min * 2**self._attempts)
            # Full jitter, so that a fleet of bridges does not come back in step.
            self._next_attempt = time.monotonic() + random.uniform(0.1, 1) * pause  # noqa: S311  # no secret
            self._attempts = min(self._attempts + 1, 30)
        if reason not in self._logged_failures:
            log.warning("no connection to %s: %s; trying again", self._config.url, reason)
            # A broker, and 3.1.1 after 5, may fail in a few ways by turns: each is said once, within reason.
            self._logged_failures = [*self._logged_failures[-_MOST_FAILURES_LOGGED:], reason]
        self._set_status("waiting", reason)

    def _set_status(self, state: str, detail: str) -> None:
        if (state, detail) != (self.status.state, self.status.detail):
            protocol = _PROTOCOL_NAMES[self._protocol]
            self.status = BrokerStatus(state, detail, time.time(), self._config.url, protocol)


def _preferred(config: MqttConfig) -> MQTTProtocolVersion:
    return MQTTProtocolVersion.MQTTv5 if config.protocol == "5" else MQTTProtocolVersion.MQTTv311


def make_tls_context(config: MqttConfig) -> ssl.SSLContext | None:
    """How to speak TLS to the broker, or None for plain connections.

    Raises:
        ConfigError: a file is missing or is not what it should be.
    """
    if not config.url.startswith(("mqtts://", "wss://")):
        return None
    tls = config.tls
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise _tls_problem("ca_file", tls.ca_file, error) from error
    if tls.cert_file is not None:
        password = tls.key_password.get_secret_value() if tls.key_password else None
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file, password)
        except (OSError, ssl.SSLError) as error:
            raise _tls_problem("cert_file", tls.cert_file, error) from error
    if not tls.verify:
        log.warning("mqtt.tls.verify is false: anybody on the way can read and change what is sent")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _tls_problem(key: str, value: str | None, error: Exception) -> ConfigError:
    words = getattr(error, "reason", None) or error
    return ConfigError([Problem("configuration", 0, f"mqtt.tls.{key}", f"cannot be used: {words} (got {value!r})")])
