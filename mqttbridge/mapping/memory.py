"""What rules remember from one message to the next and should not forget with the process: totals, last values kept.

The core has no file, so it asks and tells: `recall` looks up what an earlier run remembered, `take` gives what has
changed, to be stored in the transaction of the events that it belongs to. So a counter's growth is neither lost nor
told twice, wherever the process ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Remembering(Protocol):
    """Something that remembers."""

    def remembered(self) -> str:
        """What it remembers now, as text."""


class Memory:
    """What one rulebook remembers, for one thread; of no use before `keep`."""

    __slots__ = ("_changed", "_recall")

    def __init__(self) -> None:
        self._recall: Callable[[str], str | None] | None = None
        self._changed: dict[str, Remembering | str] = {}

    def keep(self, recall: Callable[[str], str | None]) -> None:
        """From now on there is somebody who stores what `take` gives, and gives it back by `recall`."""
        self._recall = recall

    def recall(self, key: str) -> str | None:
        """What was remembered under a key, in an earlier run or before it was forgotten for want of room."""
        if (changed := self._changed.get(key)) is not None:
            return changed if isinstance(changed, str) else changed.remembered()
        return self._recall(key) if self._recall is not None else None

    def note(self, key: str, changed: Remembering) -> None:
        """What is remembered under a key is another now."""
        if self._recall is not None:
            self._changed[key] = changed

    def freeze(self, key: str) -> None:
        """What is remembered under a key is about to be forgotten: it is taken as it is."""
        if not isinstance(changed := self._changed.get(key, ""), str):
            self._changed[key] = changed.remembered()

    def take(self) -> list[tuple[str, str]]:
        """What has changed since the last call, by key."""
        if not self._changed:
            return []
        taken = [(key, one if isinstance(one, str) else one.remembered()) for key, one in self._changed.items()]
        self._changed = {}
        return taken
