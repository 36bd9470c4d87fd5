"""When each key and link was used last, to see which nobody needs any more. Kept across restarts, roughly."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pydantic import TypeAdapter, ValidationError

from mqttbridge.dashboard.records import Records

KIND: Final = "last-used"
_RECORD: Final = "all"
# An SD card is spared, and who looks for forgotten keys looks at days.
SAVE_SECONDS: Final = 300.0

_USED: Final = TypeAdapter(dict[str, float])


class LastUsed:
    """Epoch seconds by id. `note` is for every request; `save` reaches the disk."""

    def __init__(self, records: Records | None, clock: Callable[[], float] = time.time) -> None:
        self._records, self._clock = records, clock
        self._at: dict[str, float] = {}
        self._saved = 0.0
        if records is not None:
            records.watch(KIND, self._load)
            self._load()

    def note(self, name: str) -> None:
        """It was used just now."""
        self._at[name] = self._clock()

    def of(self, name: str) -> float | None:
        """When; None for never."""
        return self._at.get(name)

    def due(self) -> bool:
        """Whether it is time to save; says so once."""
        now = self._clock()
        if now - self._saved < SAVE_SECONDS:
            return False
        self._saved = now
        return True

    def save(self, known: frozenset[str]) -> None:
        """Keep it across restarts, of what is known still.

        Raises:
            StoreError: not now.
        """
        self._load()
        self._at = {name: at for name, at in list(self._at.items()) if name in known}
        if self._records is not None:
            self._records.put_all(KIND, {_RECORD: self._at})

    def _load(self) -> None:
        """Of what is kept and what is known here the later."""
        record = None if self._records is None else self._records.get(KIND, _RECORD)
        if record is not None:
            with suppress(ValidationError):
                for name, at in _USED.validate_python(dict(record.body)).items():
                    self._at[name] = max(at, self._at.get(name, at))
