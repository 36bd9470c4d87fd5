"""Which spans of time there are, each with its file, and which of them are open for what comes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from mqttbridge.dashboard.store import files
from mqttbridge.dashboard.store.model import MICROSECONDS, StreamKey
from mqttbridge.dashboard.store.ranges import name_of, span_of
from mqttbridge.dashboard.store.span import Part, Span, View
from mqttbridge.events import Position

# Spans that take points at a time: this week's, the last one's for what comes late, and one for the odd clock. What
# is open has a connection and up to two generations of points in memory.
MAX_OPEN: Final = 3


class Spans:
    """All spans of a store. One thread at a time may change them; any number may read `all`.

    Args:
        directory: where their files are.
        length: of a new span, in microseconds, unless it lies far off.
        names: what the series of a number is called.

    Attributes:
        all: in order of time; replaced, never changed, so that readers need no lock.
    """

    def __init__(self, directory: Path, length: int, names: Callable[[int], StreamKey]) -> None:
        self._directory, self._length, self._names = directory, length, names
        self.all: Sequence[Span] = ()
        self._recent: list[Span] = []  # those that are open, the last used last

    def found(self, path: Path, start: int, end: int) -> Span:
        """A span whose file is there; not one of `all` until it is added."""
        return Span(path, start, end, self._names)

    def add(self, span: Span) -> None:
        """One more span."""
        self.all = sorted([*self.all, span], key=lambda one: one.start)

    def of(self, at: int, now: float) -> Span:
        """The span that holds a time in microseconds; made where there is none. `now` is in epoch seconds."""
        for some in (reversed(self._recent), self.all):
            for span in some:
                if span.start <= at < span.end:
                    return span
        taken = [(span.start, span.end) for span in self.all]
        start, end = span_of(at, self._length, int(now * MICROSECONDS), taken)
        span = self.found(self._directory / name_of(start, end), start, end)
        span.open()
        self.add(span)
        return span

    def append(self, span: Span, parts: list[Part], end: Position | None) -> None:
        """Store points in a span; a file that turns out to be damaged is set aside, and they go into a new one."""
        try:
            span.append(parts, end)
        except sqlite3.DatabaseError as error:
            if not files.is_damage(error):
                raise
            span.set_aside(str(error))
            span.append(parts, end)
        self.used(span)

    @property
    def sealed(self) -> bool:
        """Whether a stretch of some log waits for `release`."""
        return any(span.sealed for span in self._recent)

    def release(self) -> None:
        """The logs may go as far as they are sealed: the catalogue knows what else they said."""
        for span in self._recent:
            span.release()

    def used(self, span: Span) -> None:
        """A span was written to: it is the last to be closed."""
        self._recent = [*(one for one in self._recent if one is not span), span]

    def close_surplus(self, save: Callable[[], None]) -> None:
        """Seal and close all but the last used; `save` saves what their logs tell, and releases them."""
        while len(self._recent) > MAX_OPEN:
            span = self._recent[0]
            span.seal_all()
            save()
            span.trim()
            span.close()
            self._recent = self._recent[1:]

    def drop(self, span: Span) -> None:
        """Unlink a span's file; its time is over."""
        self.all = [one for one in self.all if one is not span]
        self._recent = [one for one in self._recent if one is not span]
        span.close()
        files.unlink(span.path)

    def set_damaged_aside(self) -> None:
        """Look all files over, and set aside those that are damaged."""
        for span in self.all:
            try:
                with span.view(()) as view:
                    files.check(view.db)
            except sqlite3.DatabaseError as error:
                if files.is_damage(error):
                    span.set_aside(str(error))
                    span.open()
                    self.used(span)

    def close(self) -> None:
        for span in self.all:
            span.close()


def view_of(stack: ExitStack, span: Span, ids: Collection[int]) -> View | None:
    """The state of a span for some series, as long as the stack lasts; None where its file has gone."""
    try:
        return stack.enter_context(span.view(ids))
    except sqlite3.OperationalError:
        if span.path.exists():
            raise
        return None  # unlinked since: its time was over
