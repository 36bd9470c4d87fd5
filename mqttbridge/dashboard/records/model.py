"""Records: small JSON documents with a version, by kind and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

Body: TypeAlias = Mapping[str, Any]

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

    def put_all(self, kind: str, bodies: Mapping[str, Body]) -> None:
        """Write many of one kind in one synced transaction, without their history: for what machines keep."""
        ...

    def delete(self, kind: str, key: str, expected: int | None = None) -> bool:
        """Whether there was one. Its history stays."""
        ...

    def history(self, kind: str, key: str) -> list[Record]:
        """The versions that are kept, the newest first; that of now among them."""
        ...

    def close(self) -> None: ...
