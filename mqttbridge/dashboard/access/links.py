"""Share links: whoever has one reads one bucket, without a key. Each can be revoked by itself."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mqttbridge.dashboard.access.keys import TooMany
from mqttbridge.dashboard.access.secret import digest_of, id_of, new_secret
from mqttbridge.dashboard.records import Record, Records

KIND: Final = "share-link"
PREFIX: Final = "share-"
MAX_LINKS: Final = 1000


@dataclass(frozen=True, slots=True)
class Link:
    """What a link shows; not the link itself.

    Attributes:
        digest: SHA-256 of its token, in hexadecimal.
        bucket: the one bucket that it reads.
        created: epoch seconds.
        expires: epoch seconds; None for never.
    """

    digest: str
    bucket: str
    label: str
    created: float
    expires: float | None = None

    @property
    def id(self) -> str:
        """Names the link; not enough to use it."""
        return id_of(self.digest)


_LINK: Final = TypeAdapter(Link)


def cookie_for(bucket: str) -> str:
    """A cookie of its own, so that a link does not displace a better one, nor one bucket another."""
    return f"mqttbridge_share_{hashlib.sha256(bucket.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


class Links:
    """Every link that was made.

    Args:
        records: keeps them; None where nothing can be kept.

    Raises:
        StoreError: from the constructor and whatever adds or removes, when records cannot be had now.
    """

    def __init__(self, records: Records | None, clock: Callable[[], float] = time.time) -> None:
        self._records, self._clock, self._lock = records, clock, threading.Lock()
        self._known: Mapping[str, Link] = {}
        if records is not None:
            records.watch(KIND, self._load)
        self._load()

    def find(self, token: str) -> Link | None:
        """The link whose token this is; None when it is not known, revoked or expired."""
        if not token.startswith(PREFIX):
            return None
        link = self._known.get(digest_of(token))
        expired = link is not None and link.expires is not None and link.expires <= self._clock()
        return None if expired else link

    def all(self, bucket: str | None = None) -> list[Link]:
        """Every link, or those of one bucket; the newest first. What expired is among them."""
        links = [link for link in self._known.values() if bucket is None or link.bucket == bucket]
        return sorted(links, key=lambda link: link.created, reverse=True)

    @property
    def can_add(self) -> bool:
        """Whether links can be made here: without records there is no place for them."""
        return self._records is not None

    def add(self, bucket: str, label: str, expires: float | None) -> tuple[str, Link]:
        """Make a link; it is kept when this returns.

        Returns:
            Its token, which is kept nowhere, and what is known of it.

        Raises:
            TooMany: there are MAX_LINKS that have not expired.
        """
        assert self._records is not None  # noqa: S101  # who asks looked at `can_add`
        token = new_secret(PREFIX)
        link = Link(digest_of(token), bucket, label, self._clock(), expires)
        with self._lock:
            if len(self._known) >= MAX_LINKS:
                self._forget_expired()
            if len(self._known) >= MAX_LINKS:
                raise TooMany(f"there are {MAX_LINKS} links: revoke some that nobody uses")
            self._records.put(KIND, link.id, _LINK.dump_python(link, mode="json"), 0)
            self._known = {**self._known, link.digest: link}
        return token, link

    def remove(self, link_id: str) -> bool:
        """Revoke a link; whether there was one."""
        with self._lock:
            link = next((one for one in self._known.values() if one.id == link_id), None)
            if link is None or self._records is None:
                return False
            self._remove(link)
        return True

    def remove_all(self, bucket: str) -> int:
        """Revoke every link of a bucket; how many there were."""
        with self._lock:
            self._known = self._kept()  # another bridge may have made one that we did not hear of yet
            links = [link for link in self._known.values() if link.bucket == bucket]
            for link in links:
                self._remove(link)
        return len(links)

    def _load(self) -> None:
        with self._lock:
            self._known = self._kept()

    def _kept(self) -> Mapping[str, Link]:
        kept = [] if self._records is None else self._records.all(KIND)
        return {link.digest: link for record in kept if (link := _link_in(record)) is not None}

    def _forget_expired(self) -> None:
        now = self._clock()
        for link in self._known.values():
            if link.expires is not None and link.expires <= now:
                self._remove(link)

    def _remove(self, link: Link) -> None:
        assert self._records is not None  # noqa: S101  # or there were no link
        self._records.delete(KIND, link.id)
        self._known = {digest: one for digest, one in self._known.items() if one is not link}


def _link_in(record: Record) -> Link | None:
    try:
        return _LINK.validate_python(dict(record.body))
    except ValidationError:
        return None  # of another version: it opens nothing here
