"""A real PostgreSQL server for tests: a cluster of its own in a temporary directory, and a schema for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg

from tests.support.processes import eventually, free_port

SUPERUSER: Final = "bridge"
PASSWORD: Final = "it's a se%cret"  # with all that makes trouble in a URL
_schemas = itertools.count(1)


def _binaries() -> Path:
    """Where Debian keeps the server's programs: not on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    program = found[-1] if found else shutil.which("initdb")
    assert program, "PostgreSQL is not installed: scripts/setup system installs it"
    return Path(program).parent


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A server in a directory beside pytest's, which every other run of pytest would close to its user."""
    with TemporaryDirectory(prefix="mqttbridge-postgres-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory) / "cluster", durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.kill()


class PostgresServer:
    """One cluster. It listens on loopback alone; whoever comes by the socket needs no password, by TCP they do.

    Only one that is `durable` waits for the disk.
    """

    def __init__(self, directory: Path, *, durable: bool = False) -> None:
        self.directory, self._durable = directory, durable
        self.port = free_port()
        self._bin = _binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._as = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
        directory.mkdir(parents=True)
        if self._as is not None:
            shutil.chown(directory, self._as)
            for above in directory.parents:  # a temporary directory is its user's alone
                if above.stat().st_uid == os.getuid() and above.is_relative_to("/tmp") and above != Path("/tmp"):
                    above.chmod(above.stat().st_mode | 0o011)
        self._run(
            "initdb", "--no-sync", "--no-instructions", "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "-A", "trust"
        )
        (directory / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = [self._bin / "postgres", "-D", self.directory / "data", "-k", self.directory, "-p", str(self.port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", f"fsync={'on' if self._durable else 'off'}"]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._as, group=self._as)
        eventually(self._answers, what="PostgreSQL takes connections")

    def stop(self) -> None:
        """Stop it at once, in order: `fast`, which ends every connection."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """What a power cut does to it: no process of it gets to say or write anything."""
        self._end(signal.SIGQUIT)

    def _end(self, sig: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(sig)
            self._process.wait(20)
            self._process = None

    @property
    def url(self) -> str:
        """Over the socket."""
        return f"postgresql://{SUPERUSER}@/postgres?host={self.directory}&port={self.port}"

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as db:
            cursor = db.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_schema(self) -> str:
        """A name that no other test has."""
        return f"test_{next(_schemas)}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._bin / program, "-D", self.directory / "data", *arguments]
        done = subprocess.run(command, capture_output=True, user=self._as, group=self._as, check=False)
        assert done.returncode == 0, done.stderr.decode()
