"""A real Mosquitto on free loopback ports, with a configuration of the test's choosing.

    with Mosquitto(tmp_path) as broker:
        client.connect("127.0.0.1", broker.port())

It can be stopped and started again on the same ports; with `persistence` it keeps its sessions across that.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.processes import eventually, free_port
from tests.support.tls import Certificates

SECURE = {"mqtts", "wss"}
WEB = {"ws", "wss"}


def mosquitto_path() -> str:
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("mosquitto is not installed; run: apt-get install mosquitto")
    return found


class Mosquitto:
    """One broker process; `schemes` says which listeners it has, one port each."""

    def __init__(
        self,
        directory: Path,
        *,
        schemes: Sequence[str] = ("mqtt",),
        certificates: Certificates | None = None,
        require_certificate: bool = False,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        persistence: bool = False,
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        self._directory = directory
        self._ports = {scheme: free_port() for scheme in schemes}
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.log_path = directory / "mosquitto.log"
        lines = [
            "user root",  # without effect unless root; else it could not read the test's own directory
            "per_listener_settings false",
            "set_tcp_nodelay true",
            f"allow_anonymous {str(users is None).lower()}",
        ]
        if users is not None:
            lines.append(f"password_file {self._write('passwords', _password_file(users))}")
        if acl is not None:
            lines.append(f"acl_file {self._write('acl', acl)}")
        if persistence:
            lines += ["persistence true", f"persistence_location {directory}/"]
        lines += [f"{name} {value}" for name, value in (settings or {}).items()]
        for scheme, port in self._ports.items():
            lines.append(f"listener {port} 127.0.0.1")
            if scheme in WEB:
                lines.append("protocol websockets")
            if scheme in SECURE:
                assert certificates is not None, f"{scheme} needs certificates"
                lines += [f"certfile {certificates.server_cert}", f"keyfile {certificates.server_key}"]
                lines.append(f"cafile {certificates.ca}")
                lines.append(f"require_certificate {str(require_certificate).lower()}")
        self._config = self._write("mosquitto.conf", "\n".join(lines) + "\n")

    def _write(self, name: str, content: str) -> Path:
        path = self._directory / name
        path.write_text(content)
        path.chmod(0o600)
        return path

    def port(self, scheme: str = "mqtt") -> int:
        return self._ports[scheme]

    def url(self, scheme: str = "mqtt") -> str:
        """As the bridge's configuration wants it; by name where a certificate has to match."""
        host = "localhost" if scheme in SECURE else "127.0.0.1"
        return f"{scheme}://{host}:{self._ports[scheme]}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not running"
        return self._process.pid

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            command = [mosquitto_path(), "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(lambda: all(map(self._accepts, self._ports.values())), what=f"mosquitto listens: {self._ports}")

    def _accepts(self, port: int) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"mosquitto ended at once:\n{self.log_path.read_text()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM lets it write its sessions down where persistence is on."""
        if self._process is None:
            return
        self._process.send_signal(sig)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _password_file(users: Mapping[str, str]) -> str:
    """Mosquitto's `$6$` form: base64 of the salt, base64 of SHA-512 over password and salt."""
    salt = b"twelve bytes"  # the one length it takes

    def b64(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    return "".join(
        f"{user}:$6${b64(salt)}${b64(hashlib.sha512(password.encode() + salt).digest())}\n"
        for user, password in users.items()
    )
