"""Commits what streams write, in order: lines that come while one transaction is being synced share the next.

Unlike a push over HTTP, a stream has nobody to tell that the spool is full: its lines wait here until the spool
takes them, and the connections they came on are read no further. So nothing is lost, and TCP is the back-pressure.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from mqttbridge.errors import BridgeError
from mqttbridge.events import Batch, EventTuple, Rejected

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Lines:
    events: Sequence[EventTuple | Rejected]
    done: Callable[[], None]


class Committer:
    """Used on one event loop.

    Args:
        append: stores batches and rejected events in one synced transaction, or raises and stores nothing.
        executor: where it runs.
        retry: seconds between attempts while the spool takes nothing.
    """

    def __init__(
        self,
        append: Callable[[Sequence[Batch], Sequence[Rejected]], None],
        executor: Executor,
        retry: float = RETRY_SECONDS,
    ) -> None:
        self._append, self._executor, self._retry = append, executor, retry
        self._waiting: list[_Lines] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, events: Sequence[EventTuple | Rejected], done: Callable[[], None]) -> None:
        """Call `done` on the loop once these events, and all that were added before, are synced."""
        self._waiting.append(_Lines(events, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109  # not to be cancelled: it may succeed later
        """Wait for all that was added; whether it is synced."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout)
        return self._task is None

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            everything = [one for lines in group for one in lines.events]
            rejected = [one for one in everything if isinstance(one, Rejected)]
            events = [one for one in everything if not isinstance(one, Rejected)]
            if everything:
                await self._store([Batch(events)] if events else [], rejected)
            for lines in group:
                lines.done()
        self._task = None

    async def _store(self, batches: Sequence[Batch], rejected: Sequence[Rejected]) -> None:
        loop = asyncio.get_running_loop()
        told = False
        while True:
            try:
                return await loop.run_in_executor(self._executor, self._append, batches, rejected)
            except BridgeError as error:
                if not told:
                    log.warning("plotly streams wait, since the spool takes nothing: %s", error)
                told = True
                await asyncio.sleep(self._retry)
