"""The queue between a hub, which never waits, and the task that sends to one browser."""

from __future__ import annotations

import asyncio
from collections import deque


class FrameQueue:
    """One browser's frames. Filled by a hub and awaited by the task that sends them, on the loop's thread."""

    def __init__(self, *, closed: bool = False) -> None:
        self.frames: deque[bytes] = deque()
        self.notes: dict[str, bytes] = {}
        self.closed = closed
        self._wake = asyncio.Event()

    def put(self, frame: bytes) -> None:
        self.frames.append(frame)
        self._wake.set()

    def note(self, name: str, frame: bytes) -> None:
        """Queue a frame that makes one of the same name needless, which may wait still."""
        self.notes[name] = frame
        self._wake.set()

    def close(self) -> None:
        self.closed = True
        self._wake.set()

    async def next(self, timeout: float) -> bytes:  # noqa: ASYNC109  # a ping is due then, it is no failure
        """Everything queued, joined; empty when nothing came in time or the viewer was closed."""
        if not self.frames and not self.notes and not self.closed:
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return b""
        self._wake.clear()
        joined = b"".join([*self.frames, *self.notes.values()])
        self.frames.clear()
        self.notes.clear()
        return joined
