"""Keeps the figures' windows over a restart: gathers on the loop what changed, and has it written beside it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from mqttbridge.dashboard.plotly.figures import Figures
from mqttbridge.dashboard.plotly.windows import Kept, Name, WindowFiles

# A crash loses so much of what is on screen, and nothing of the history. Less would wear SD cards for a picture.
KEEP_SECONDS: Final = 30.0
# Points written in one round, some 8 MiB: of very many streams at once, each is kept less often.
MOST_POINTS: Final = 250_000


class Keeper:
    """Used on one event loop.

    Args:
        figures: whose windows are kept.
        files: where.
    """

    def __init__(self, figures: Figures, files: WindowFiles) -> None:
        self._figures, self._files = figures, files
        self._names: set[Name] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def restore(self) -> None:
        """Fill the figures there are with what was kept."""
        self._names = self._figures.names()
        self._figures.restore(await asyncio.to_thread(self._files.load, self._names))

    def start(self) -> None:
        """Keep what changes, now and then."""
        self._task = asyncio.create_task(self._keep_on())

    async def stop(self) -> None:
        """Keep all that changed."""
        self._stopping.set()
        if self._task is not None:
            await self._task  # not cancelled: what it writes is written to its end
        while self._figures.changed:
            await self.keep()

    async def keep(self) -> None:
        """Write a round of what changed."""
        windows: list[Kept] = []
        points = 0
        while points < MOST_POINTS and (kept := self._figures.take_changed()) is not None:
            windows.append(kept)
            points += len(kept.points)
        names = self._figures.names()
        gone, self._names = self._names - names, names
        if windows or gone:
            await asyncio.to_thread(self._files.save, windows, gone)

    async def _keep_on(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), KEEP_SECONDS)
            await self.keep()
