"""Stream tokens: which trace of which figure a token writes to. Kept in `data_dir`, hashed, in one small file.

The command line changes the file, the running bridge notices. The file is written beside and moved into place,
so a reader sees the old one or the new one; a lock keeps two writers apart. Of a token only its SHA-256 is
kept: tokens that we make have 100 bits of chance in them, so there is nothing to guess.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mqttbridge.dashboard.plotly.update import DEFAULT_POINTS, MAX_POINTS
from mqttbridge.errors import DataDirError
from mqttbridge.events import MAX_NAME_CHARS

FILE: Final = "plotly-tokens.json"
MODES: Final = ("lines", "markers", "lines+markers")
MAX_TOKENS: Final = 10_000
MIN_TOKEN_CHARS, MAX_TOKEN_CHARS = 8, 128
# Small letters and digits: they are typed into the sources of microcontrollers.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_MADE_CHARS: Final = 20
_ID_CHARS: Final = 8


@dataclass(frozen=True, slots=True)
class Token:
    """What a token is for; not the token itself.

    Attributes:
        digest: SHA-256 of the token, in hexadecimal.
        figure, trace: which trace it writes; also the bucket and the stream of its points.
        maxpoints: how many points are kept on screen.
        mode: how the trace is drawn until its stream says otherwise.
        created: epoch seconds.
    """

    digest: str
    figure: str
    trace: str
    maxpoints: int = DEFAULT_POINTS
    mode: str = "lines"
    created: float = 0.0

    @property
    def id(self) -> str:
        """Enough of the digest to name the token without being able to use it."""
        return self.digest[:_ID_CHARS]


_TOKENS: Final = TypeAdapter(list[Token])


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def problem_with(figure: str, trace: str, maxpoints: int, token: str | None) -> str | None:
    """Why no such token can be made; None when it can."""
    for what, name in (("figure", figure), ("trace", trace)):
        if not name.strip() or len(name) > MAX_NAME_CHARS or name in (".", "..") or not name.isprintable():
            return f"the {what}'s name must be 1 to {MAX_NAME_CHARS} printable characters (got {name!r})"
    if not 0 <= maxpoints <= MAX_POINTS:
        return f"maxpoints must be from 0 to {MAX_POINTS} (got {maxpoints})"
    if token is not None and not _is_token(token):
        return f"a token is {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} ASCII characters without spaces"
    return None


def _is_token(text: str) -> bool:
    return MIN_TOKEN_CHARS <= len(text) <= MAX_TOKEN_CHARS and all("!" <= char <= "~" for char in text)


class TokenFile:
    """The tokens of one data directory. Not for several threads at once.

    Args:
        data_dir: where the file is, or will be.

    Raises:
        DataDirError: from every method, when the file cannot be read or written.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._seen: tuple[int, int, int] | None = None
        self._by_digest: dict[str, Token] = {}
        self.version = 0
        """Counts how often other tokens were found in the file."""

    def all(self) -> list[Token]:
        """Every token, in the order in which they were added."""
        self.refresh()
        return list(self._by_digest.values())

    def find(self, token: str) -> Token | None:
        """What this token is for; None when it is not known, or no longer. One just added is found."""
        digest = digest_of(token)
        if digest not in self._by_digest:
            self.refresh()
        return self._by_digest.get(digest)

    def refresh(self) -> bool:
        """Read the file if it changed; whether it did."""
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return False
            text = self._path.read_bytes()
        except FileNotFoundError:
            changed, self._seen, self._by_digest = bool(self._by_digest), None, {}
            self.version += changed
            return changed
        except OSError as error:
            raise DataDirError(f"cannot read {self._path}: {error.strerror}") from error
        try:
            tokens = _TOKENS.validate_json(text)
        except ValidationError as error:
            raise DataDirError(f"{self._path} is damaged: {error.errors()[0]['msg']}. Mend or remove it") from None
        self._seen = seen
        self._by_digest = {token.digest: token for token in tokens}
        self.version += 1
        return True

    def add(self, figure: str, trace: str, maxpoints: int, mode: str, token: str | None = None) -> str:
        """Add a token, or give a known one another trace; returns the token, which is kept nowhere.

        Raises:
            ValueError: see `problem_with`; or another token writes this trace.
        """
        if why := problem_with(figure, trace, maxpoints, token):
            raise ValueError(why)
        made = token or "".join(secrets.choice(_ALPHABET) for _ in range(_MADE_CHARS))
        entry = Token(digest_of(made), figure, trace, maxpoints, mode, time.time())

        def with_it(tokens: Iterable[Token]) -> list[Token]:
            others = [one for one in tokens if one.digest != entry.digest]
            if any((one.figure, one.trace) == (figure, trace) for one in others):
                raise ValueError(f"trace {trace!r} of figure {figure!r} has a token: remove that one first")
            if len(others) >= MAX_TOKENS:
                raise ValueError(f"there can be {MAX_TOKENS} tokens")
            return [*others, entry]

        self._change(with_it)
        return made

    def remove(self, token_or_id: str) -> Token | None:
        """Remove the token that this is, or is the id of; returns what it was for, None when there is none."""
        removed: list[Token] = []

        def without_it(tokens: Iterable[Token]) -> list[Token]:
            digest = digest_of(token_or_id)
            kept: list[Token] = []
            for one in tokens:
                (removed if token_or_id == one.id or digest == one.digest else kept).append(one)
            return kept

        self._change(without_it)
        return removed[0] if removed else None

    def _change(self, change: Callable[[Iterable[Token]], list[Token]]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._path.with_suffix(".lock")):
                tokens = change(self.all())
                beside = self._path.with_suffix(".new")
                with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    json.dump([asdict(one) for one in tokens], file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(self._path)
        except OSError as error:
            raise DataDirError(f"cannot write {self._path}: {error.strerror}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
