"""Everything that can go wrong operationally, in one tree.

    BridgeError
    +-- ConfigError        the configuration cannot be used (exit code 2)
    +-- DataDirError       the data directory cannot be used
    |   +-- DataDirInUse   another bridge holds it
    +-- ListenError        the HTTP address cannot be bound
    +-- SpoolError         the spool cannot be written now (disk full, I/O error); nothing was stored
    |   +-- SpoolFull      the spool is at its bound and its policy is `block`
    +-- StreamError        a Plotly stream is not open, or its server does not take what is written
    +-- DashboardError     a dashboard that a program asks does not answer, or refuses to
    +-- StoreError         the dashboard's store cannot be written now
    +-- BrokerError        the broker could not be listened to (a command that gives up; the bridge never does)
    +-- FileError          a file that a command was given cannot be used
    +-- ProtocolViolation  the broker sent bytes that are not MQTT

Bad data is never an exception here: a message that no model accepts is a `Rejected` value (events.py).
"""

from __future__ import annotations

from dataclasses import dataclass


class BridgeError(Exception):
    """Base of every operational failure of mqttbridge. Its text says what was wrong and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a configuration: where it stands and what is wrong, in words."""

    file: str
    line: int
    path: str
    what: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.what}" if self.path else f"{where}: {self.what}"


class ConfigError(BridgeError):
    """The configuration cannot be used.

    Attributes:
        problems: every problem found, in the order of the file; never empty.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class DataDirError(BridgeError):
    """The data directory cannot be created, written or locked."""


class DataDirInUse(DataDirError):  # noqa: N818  # a state of the directory, like SpoolFull
    """Another bridge holds the data directory."""


class ListenError(BridgeError):
    """The HTTP server cannot listen at its address."""


class SpoolError(BridgeError):
    """The spool cannot be written now. The transaction was rolled back: nothing of it was stored."""


class SpoolFull(SpoolError):  # noqa: N818  # names a state of the spool, like queue.Full
    """The spool has reached its bound and its policy is to block until there is room."""


class StreamError(BridgeError):
    """A Plotly stream is not open, or its server does not take what is written.

    Attributes:
        status: the server's status code; empty when there was none.
        unsent: writes that were not delivered.
    """

    def __init__(self, text: str, *, status: int | str = "", unsent: int = 0) -> None:
        super().__init__(text)
        self.status, self.unsent = status, unsent


class DashboardError(BridgeError):
    """A dashboard that a program asks does not answer, or refuses to."""


class StoreError(BridgeError):
    """The dashboard's store cannot be written now."""


class BrokerError(BridgeError):
    """The broker cannot be listened to: it is not there, or it refuses us."""


class FileError(BridgeError):
    """A file that a command was given, such as a recording, cannot be read or written as asked."""


class ProtocolViolation(BridgeError):  # noqa: N818  # the field's own term
    """The peer sent bytes that are not MQTT; the connection is of no more use."""
