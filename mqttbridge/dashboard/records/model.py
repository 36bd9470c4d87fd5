"""Records: small JSON documents with a version, by kind and key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol, TypeAlias

from mqttbridge.errors import StoreError

Body: TypeAlias = Mapping[str, Any]

LEASES: Final = "lease"
"""The kind of what `hold` and `release` change: who watches it is told when something was released."""

KEPT_VERSIONS: Final = 50
"""How many earlier versions of a record are kept, to go back to."""


class Conflict(Exception):  # noqa: N818  # an outcome that the caller shows, like SpoolFull
    """Somebody else changed the record first.

    Attributes:
        current: the record as it is now; None when it was deleted.
    """

    def __init__(self, current: Record | None) -> None:
        super().__init__("the record was changed meanwhile")
        self.current = current


class NotHeld(StoreError):  # noqa: N818  # an outcome, too
    """Another bridge over the same records does this now: what it has written meanwhile counts."""


class Hold(IntEnum):
    """What `Records.hold` came to; the first one is false."""

    OTHERS = 0
    TAKEN = 1
    """Ours from now on: others may have held it since we did."""
    KEPT = 2
    """Ours, and nobody else's since we took it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One document.

    Attributes:
        kind: what it is, such as `dashboard`.
        key: which one, such as a bucket's name.
        version: counts from 1; each change adds one, and a key that was deleted goes on from where it was.
        at: when this version was written, in epoch seconds.
        body: the document, as JSON values.
    """

    kind: str
    key: str
    version: int
    at: float
    body: Body


class Records(Protocol):
    """Keeps records. From any thread; StoreError when they cannot be read or written now."""

    def get(self, kind: str, key: str) -> Record | None: ...
    def all(self, kind: str) -> list[Record]:
        """Every record of a kind, by key."""
        ...

    def put(self, kind: str, key: str, body: Body, expected: int | None = None) -> Record:
        """Write a version, synced. Conflict unless it replaces version `expected` (0: none; None: any)."""
        ...

    def put_all(self, kind: str, bodies: Mapping[str, Body], *, holding: str | None = None) -> None:
        """Write many of one kind in one synced transaction, without their history: for what machines keep.

        NotHeld, and nothing is written, unless we hold what is named: see `hold`.
        """
        ...

    def delete(self, kind: str, key: str, expected: int | None = None) -> bool:
        """Whether there was one. Its history stays."""
        ...

    def drop(self, kind: str, keys: Collection[str]) -> None:
        """Delete many of one kind with all trace of them: for what machines keep."""
        ...

    def history(self, kind: str, key: str) -> list[Record]:
        """The versions that are kept, the newest first; that of now among them."""
        ...

    def watch(self, kind: str, changed: Callable[[], None]) -> None:
        """Be told, on another thread, after other bridges changed records of a kind, or may have.

        When it raises StoreError it is called again. Our own changes are not told.
        """
        ...

    def hold(self, what: str, seconds: float) -> Hold:
        """Take or renew it to be us, of the bridges over these records, who does something for so many seconds.

        Who holds it renews it by asking again; where nobody does any more, whoever asks first takes it over.
        """
        ...

    def release(self, what: str) -> None:
        """Leave it to others, if we held it."""
        ...

    def close(self) -> None: ...
