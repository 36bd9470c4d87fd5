"""Between a hub, which never waits, and the connection of one browser.

While a browser keeps up, the hub's frame goes straight to its connection: no task is woken, and the bytes of the
frame, with what HTTP puts around them, are the same object for all. A browser that is behind has a queue instead, which
a task of its own sends as fast as it is read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

MAX_QUEUED: Final = 16  # frames: 4 s at the slowest pace; who is further behind is quicker with a new snapshot


class FrameQueue:
    """One browser's frames, on the loop's thread.

    Attributes:
        frames: what waits for the browser's task.
        write: takes a frame as a chunk of HTTP/1.1 and says whether it did; None where only the task may send.
    """

    def __init__(self, *, closed: bool = False) -> None:
        self.frames: deque[bytes] = deque()
        self.notes: dict[str, bytes] = {}
        self.closed = closed
        self.write: Callable[[bytes], bool] | None = None
        self._wake = asyncio.Event()
        self._is_awaited = False

    def put(self, frame: bytes) -> None:
        """Have the task send a frame."""
        self.frames.append(frame)
        self._wake.set()

    def note(self, name: str, frame: bytes) -> None:
        """Queue a frame that makes one of the same name needless, which may wait still."""
        self.notes[name] = frame
        self._wake.set()

    def put_chunk(self, chunk: bytes) -> bool:
        """Send a frame at once; False when it cannot be: the order would suffer, or the browser is behind."""
        return self._is_awaited and not self.frames and self.write is not None and self.write(chunk)

    def close(self) -> None:
        self.closed = True
        self._wake.set()

    async def next(self, timeout: float) -> bytes:  # noqa: ASYNC109  # a ping is due then, it is no failure
        """Everything queued, joined; empty when nothing was put in time or the viewer was closed."""
        if not self.frames and not self.notes and not self.closed:
            self._is_awaited = True
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return b""
            finally:
                self._is_awaited = False
        self._wake.clear()
        joined = b"".join([*self.frames, *self.notes.values()])
        self.frames.clear()
        self.notes.clear()
        return joined


def broadcast(viewers: Iterable[FrameQueue], frame: bytes, instead: Callable[[], bytes]) -> int:
    """Give everybody a frame; who is too far behind loses what waits and gets what `instead` says.

    Returns:
        How many tasks have it to send.
    """
    chunk = b"%x\r\n%b\r\n" % (len(frame), frame)
    queued = 0
    for viewer in viewers:
        if viewer.put_chunk(chunk):
            continue
        queued += 1
        if len(viewer.frames) >= MAX_QUEUED:
            viewer.frames.clear()
            viewer.put(instead())
        else:
            viewer.put(frame)
    return queued
