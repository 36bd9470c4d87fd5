"""The figures' live feed: a viewer gets the whole kept window, then every change, each frame encoded once for all.

A viewer that was too slow, or comes back, gets the whole figure again: with at most 10,000 points a trace that is
cheaper than a ring of everything that was. Runs on the HTTP thread's loop alone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from mqttbridge.dashboard.framequeue import FrameQueue, broadcast
from mqttbridge.dashboard.frames import encode
from mqttbridge.dashboard.plotly.figures import Figures

# As the hub of buckets paces itself: a frame at once when all was calm, then a share of 5 % of a core; but never
# more often than a page draws.
PAUSE_FACTOR: Final = 20
MIN_PAUSE, MAX_PAUSE = 0.05, 0.25


class FigureViewer(FrameQueue):
    """One browser that watches a figure."""

    def __init__(self, figure: str, *, closed: bool) -> None:
        super().__init__(closed=closed)
        self.figure = figure


class Feed:
    """Frames of the figures for those who watch them; serves `EventStream`.

    Args:
        clock: epoch seconds, for the page's clock.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.figures = Figures(self._changed)
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: dict[str, set[FigureViewer]] = {}
        self._dirty: dict[str, bool] = {}
        self._scheduled = False
        self._not_before = 0.0

    @property
    def viewers(self) -> int:
        """How many watch now."""
        return sum(map(len, self._viewers.values()))

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Frames are made and viewers served on this loop from now on."""
        self._loop = loop

    def subscribe(self, name: str, last_id: str | None) -> FigureViewer:  # noqa: ARG002  # every viewer begins anew
        """A viewer of the figure, with the whole of it in its queue."""
        viewer = FigureViewer(name, closed=self._loop is None)
        self._flush()  # or what is pending would come after a snapshot that has it
        self._viewers.setdefault(name, set()).add(viewer)
        self.figures.watch(name)
        viewer.put(b"retry: %d\n" % (2500 + secrets.randbelow(2000)) + self._whole(name))
        return viewer

    def unsubscribe(self, viewer: FigureViewer) -> None:
        """The viewer is gone."""
        others = self._viewers.get(viewer.figure, set())
        others.discard(viewer)
        if not others:
            self._viewers.pop(viewer.figure, None)
            self.figures.unwatch(viewer.figure)

    def close(self) -> None:
        """Say goodbye to every viewer; nobody is served any more."""
        self._loop = None
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.close()

    def _changed(self, name: str, whole: bool) -> None:
        if self._loop is None or name not in self._viewers:
            return
        self._dirty[name] = self._dirty.get(name, False) or whole
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_later(max(0.0, self._not_before - self._loop.time()), self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._loop is None or not self._dirty:
            return
        began = self._loop.time()
        dirty, self._dirty = self._dirty, {}
        for name, whole in dirty.items():
            self._send(name, whole=whole)
        cost = self._loop.time() - began
        self._not_before = began + min(max(PAUSE_FACTOR * cost, MIN_PAUSE), MAX_PAUSE)

    def _send(self, name: str, *, whole: bool) -> None:
        viewers = self._viewers.get(name)
        if not viewers:
            return
        if whole:
            self.figures.forget_pending(name)
            frame = self._whole(name)
        else:
            changes = self.figures.take(name)
            if changes is None:
                return
            frame = self._encoded("change", changes)
        broadcast(viewers, frame, cache(lambda: self._whole(name)))

    def _whole(self, name: str) -> bytes:
        figure = self.figures.get(name)
        shown = {"figure": name, "layout": {}, "traces": {}} if figure is None else figure.shown()
        return self._encoded("figure", shown)

    def _encoded(self, event: str, data: dict[str, Any]) -> bytes:
        return encode(event, {"now": self._clock(), **data}, None)
