"""Making secrets, and knowing them again by their digest."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

# Small letters and digits: they are typed off screens and into the sources of microcontrollers.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_CHARS: Final = 32  # of 32 letters: 160 bits
_ID_CHARS: Final = 16


def new_secret(prefix: str = "") -> str:
    """A secret that nobody guesses."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))


def digest_of(secret: str) -> str:
    """SHA-256, in hexadecimal. Looked up instead of the secret, its time tells nothing of what was close."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def id_of(digest: str) -> str:
    """Enough of a digest to name the secret without being able to use it."""
    return digest[:_ID_CHARS]
