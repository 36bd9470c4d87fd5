"""Group commit: requests that come while one transaction is being synced share the next one.

Each waits for its own events to be on disk, and nobody pays for a sync alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from mqttbridge.events import Batch, Rejected


@dataclass(frozen=True, slots=True)
class _Push:
    batch: Batch | None
    rejected: Sequence[Rejected]
    done: asyncio.Future[None]


class GroupCommit:
    """Hands pushes to `append` in groups, in the order they came. Used on one event loop.

    Args:
        append: stores batches and rejected events in one synced transaction, or raises and stores nothing.
        executor: where it runs; one thread suffices.
    """

    def __init__(self, append: Callable[[Sequence[Batch], Sequence[Rejected]], None], executor: Executor) -> None:
        self._append, self._executor = append, executor
        self._waiting: list[_Push] = []
        self._task: asyncio.Task[None] | None = None

    async def push(self, batch: Batch | None, rejected: Sequence[Rejected] = ()) -> None:
        """Return once the events are synced; raise what `append` raised."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Push(batch, rejected, done))
        if self._task is None:
            self._task = asyncio.create_task(self._commit())
        await done

    async def _commit(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            batches = [push.batch for push in group if push.batch is not None]
            rejected = [one for push in group for one in push.rejected]
            try:
                await loop.run_in_executor(self._executor, self._append, batches, rejected)
            except Exception as error:  # noqa: BLE001  # each of those who wait gets it
                for push in group:
                    if not push.done.done():
                        push.done.set_exception(error)
            else:
                for push in group:
                    if not push.done.done():
                        push.done.set_result(None)
        self._task = None
