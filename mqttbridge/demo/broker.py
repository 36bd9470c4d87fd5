"""The demonstration's own broker: Mosquitto where it is installed, else amqtt, on a free loopback port.

It lives in a process of its own, tethered to ours: whichever way this process ends, the broker ends with it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, Literal, Self

from mqttbridge.demo import tether
from mqttbridge.demo.ports import free_port
from mqttbridge.errors import BridgeError

# Debian keeps daemons where a plain user's PATH does not look; Homebrew likewise.
_DAEMON_DIRS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

_READY_SECONDS: Final = 10.0
_STOP_SECONDS: Final = tether.GRACE_SECONDS + 1.0

# Another process may take the port between our finding it free and the broker's binding it.
_ATTEMPTS: Final = 3

_MOSQUITTO_CONFIG: Final = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_dest stderr
log_type error
log_type warning
set_tcp_nodelay true
# The history of two days is published in a few seconds: hold it rather than drop it.
max_inflight_messages 0
max_queued_messages 0
"""


class BrokerFailed(BridgeError):  # noqa: N818  # says what happened
    """The demonstration's broker could not be started, or ended by itself."""


class Broker:
    """A running broker. Leave the context to stop it."""

    def __init__(self, name: str, protocol: Literal["5", "3.1.1"], port: int, log: Path, command: list[str]) -> None:
        self.name, self.protocol, self.port, self._log = name, protocol, port, log
        with log.open("wb") as output:
            # A session of its own: Ctrl-C at the terminal is for us alone, who stop the broker last.
            self._process = subprocess.Popen(  # noqa: S603  # a fixed command
                [sys.executable, "-S", "-E", tether.__file__, *command],
                stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    @classmethod
    def start(cls, directory: Path) -> Self:
        """Start a broker whose files lie in `directory`, and wait until it accepts connections.

        Raises:
            BrokerFailed: there is no broker to start, or it does not start.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            port = free_port()
            name, protocol, command = _choose(directory, port)
            broker = cls(name, protocol, port, directory / "broker.log", command)
            try:
                broker._await_ready()
            except BrokerFailed:
                broker.stop()
                if attempt == _ATTEMPTS:
                    raise
            else:
                return broker
        raise AssertionError("unreachable")

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def wait(self) -> BrokerFailed:
        """Block until the broker has ended, asked to or not; returns what to say of it if it was not."""
        return self._failure(f"ended with code {self._process.wait()}")

    def stop(self) -> None:
        """End the broker; does nothing when it has ended already."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            code = self._process.poll()
            if code is not None:
                raise self._failure(f"ended with code {code} while starting")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise self._failure(f"did not listen within {_READY_SECONDS:g} s")

    def _failure(self, what: str) -> BrokerFailed:
        said = self._log.read_bytes()[-500:].decode(errors="replace").strip().splitlines()
        return BrokerFailed(f"the broker ({self.name}) {what}" + (f": {said[-1]}" if said else ""))


def _choose(directory: Path, port: int) -> tuple[str, Literal["5", "3.1.1"], list[str]]:
    mosquitto = find_mosquitto()
    if mosquitto is not None:
        config = directory / "mosquitto.conf"
        # Started by root, Mosquitto changes to a user that its package, not every system, provides.
        user = "user nobody\n" if os.geteuid() == 0 else ""
        config.write_text(_MOSQUITTO_CONFIG.format(port=port) + user, encoding="ascii")
        return "Mosquitto", "5", [mosquitto, "-c", str(config)]
    if importlib.util.find_spec("amqtt") is not None:
        return "amqtt", "3.1.1", [sys.executable, "-m", "mqttbridge.demo.embedded_broker", str(port)]
    raise BrokerFailed(
        "the demo needs a broker and found none: install Mosquitto (sudo apt-get install mosquitto) "
        "or the embedded one (pip install 'mqttbridge[demo]')"
    )


def find_mosquitto() -> str | None:
    """Mosquitto's program, if it is installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(_DAEMON_DIRS))
