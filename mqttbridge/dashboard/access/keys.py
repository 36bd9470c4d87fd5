"""Keys: those of the configuration, and those that were made on the page.

All are looked up by digest in one mapping that is replaced, never changed, so the event loop reads it without a lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import SecretStr, TypeAdapter, ValidationError

from mqttbridge.config.http import HttpConfig
from mqttbridge.dashboard.access.secret import digest_of, id_of, new_secret
from mqttbridge.dashboard.records import Record, Records

KIND: Final = "access-key"
MAX_KEYS: Final = 500
MAX_LABEL_CHARS: Final = 100


class Role(StrEnum):
    """What a key is good for."""

    VIEWER = "viewer"
    """Reads everything."""
    SENDER = "sender"
    """Sends events, and reads nothing: for devices."""
    ADMIN = "admin"
    """Everything. A write key of the configuration is one."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key is; not the key itself.

    Attributes:
        digest: SHA-256 of the key, in hexadecimal.
        label: whose it is, in the words of who made it.
        created: epoch seconds; None for one of the configuration.
    """

    digest: str
    role: Role
    label: str = ""
    created: float | None = None

    @property
    def id(self) -> str:
        """Names the key; not enough to use it."""
        return id_of(self.digest)

    @property
    def configured(self) -> bool:
        """Whether it stands in the configuration, and can be revoked there alone."""
        return self.created is None


_KEY: Final = TypeAdapter(Key)


class TooMany(Exception):  # noqa: N818  # a state, which the page shows
    """There can be no more of these: its text says what to do."""


class LastAdmin(Exception):  # noqa: N818  # likewise
    """Without this key nobody could change anything any more."""


class Keys:
    """Every key that is known.

    Args:
        config: has some of them.
        records: keeps the others; None where nothing can be kept.

    Raises:
        StoreError: from the constructor and whatever adds or removes, when records cannot be had now.
    """

    def __init__(self, config: HttpConfig, records: Records | None, clock: Callable[[], float] = time.time) -> None:
        self._records, self._clock, self._lock = records, clock, threading.Lock()
        self._configured = _configured(config.view_tokens, Role.VIEWER) | _configured(config.write_keys, Role.ADMIN)
        self._known: Mapping[str, Key] = {}
        if records is not None:
            records.watch(KIND, self._load)
        self._load()

    def find(self, token: str) -> Key | None:
        """The key that this is; None when it is not known, or not any more."""
        return self._known.get(digest_of(token))

    def by_id(self, key_id: str) -> Key | None:
        """The key of this name."""
        return next((key for key in self._known.values() if key.id == key_id), None)

    def all(self) -> list[Key]:
        """Every key: those of the configuration first, then the oldest."""
        return sorted(self._known.values(), key=lambda key: key.created or 0.0)

    @property
    def has_admin(self) -> bool:
        """Whether anybody at all may change things."""
        return any(key.role is Role.ADMIN for key in self._known.values())

    @property
    def can_add(self) -> bool:
        """Whether keys can be made here: without records there is no place for them."""
        return self._records is not None

    def add(self, role: Role, label: str) -> tuple[str, Key]:
        """Make a key; it is kept when this returns.

        Returns:
            The key itself, which is kept nowhere, and what is known of it.

        Raises:
            TooMany: there are MAX_KEYS.
        """
        assert self._records is not None  # noqa: S101  # who asks looked at `can_add`
        made = new_secret()
        key = Key(digest_of(made), role, label, self._clock())
        with self._lock:
            if len(self._known) >= MAX_KEYS:
                raise TooMany(f"there are {MAX_KEYS} keys: revoke some that nobody uses")
            self._records.put(KIND, key.id, _KEY.dump_python(key, mode="json"), 0)
            self._known = {**self._known, key.digest: key}
        return made, key

    def remove(self, key_id: str, *, keep_admin: bool) -> bool:
        """Revoke a key that was made on the page; whether there was one.

        Raises:
            LastAdmin: `keep_admin` is set, and it is the last one that may change things.
        """
        with self._lock:
            key = self.by_id(key_id)
            if key is None or key.configured or self._records is None:
                return False
            left = {digest: one for digest, one in self._known.items() if digest != key.digest}
            if keep_admin and key.role is Role.ADMIN and all(one.role is not Role.ADMIN for one in left.values()):
                raise LastAdmin
            self._records.delete(KIND, key_id)
            self._known = left
        return True

    def _load(self) -> None:
        with self._lock:
            kept = [] if self._records is None else self._records.all(KIND)
            made = {key.digest: key for record in kept if (key := _key_in(record)) is not None}
            self._known = made | self._configured


def _configured(secrets: tuple[SecretStr, ...], role: Role) -> dict[str, Key]:
    keys = [Key(digest_of(secret.get_secret_value()), role) for secret in secrets]
    return {key.digest: key for key in keys}


def _key_in(record: Record) -> Key | None:
    try:
        return _KEY.validate_python(dict(record.body))
    except ValidationError:
        return None  # of another version: it opens nothing here
