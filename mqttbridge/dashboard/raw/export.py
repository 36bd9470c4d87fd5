"""A range of a bucket as a file, sent while it is read.

Memory holds one batch. When the store fails on the way the connection is cut: the file would otherwise end early
and look whole. A client that takes nothing for a while is let go in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mqttbridge.dashboard.http import in_thread
from mqttbridge.dashboard.raw.formats import Encoder, iso_time
from mqttbridge.dashboard.raw.query import MAX_EPOCH, Range, microseconds
from mqttbridge.dashboard.store import Row
from mqttbridge.errors import StoreError

log = logging.getLogger(__name__)

SEND_SECONDS: Final = 60.0

_NAME_CHARS: Final = 80


class Exports:
    """How many downloads run: each takes a reader's thread again and again."""

    MOST: Final = 4

    def __init__(self) -> None:
        self.running = 0

    @property
    def full(self) -> bool:
        return self.running >= self.MOST


class Download(Response):
    """Sends batches as a file."""

    def __init__(
        self,
        asked: Range,
        encoder: Encoder,
        batches: Iterator[Sequence[Row]],
        executor: Executor,
        exports: Exports,
    ) -> None:
        super().__init__()
        self._asked, self._encoder, self._batches = asked, encoder, batches
        self._executor, self._exports = executor, exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the download."""
        self._exports.running += 1
        gone = asyncio.create_task(_gone(receive))
        try:
            headers = headers_of(self._asked, self._encoder)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] != "HEAD":
                await self._send_all(send, gone)
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        except (StoreError, TimeoutError) as error:
            log.warning(
                "a download was cut off: %s. bucket=%s", error or "it was not taken in time", self._asked.bucket
            )
            if (abort := scope.get("state", {}).get("abort")) is not None:
                abort()
                with suppress(TimeoutError):
                    await asyncio.wait_for(gone, 1)
        finally:
            gone.cancel()
            self._exports.running -= 1

    async def _send_all(self, send: Send, gone: asyncio.Task[None]) -> None:
        encoder = self._encoder

        def following() -> bytes | None:
            batch = next(self._batches, None)
            return None if batch is None else encoder.rows(batch)

        data: bytes | None = await in_thread(self._executor, encoder.begin)
        while data is not None and not gone.done():
            await _send(send, data)
            data = await in_thread(self._executor, following)
        await _send(send, await in_thread(self._executor, encoder.end))


async def _send(send: Send, data: bytes) -> None:
    if data:  # an empty part would end the answer
        async with asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def headers_of(asked: Range, encoder: Encoder) -> list[tuple[bytes, bytes]]:
    """The answer's headers: what it is, and the name to keep it under."""
    name = file_name(asked, encoder.suffix)
    ascii_name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    return [
        (b"content-type", encoder.media_type.encode()),
        (b"content-disposition", disposition.encode()),
        (b"cache-control", b"no-store, no-transform"),
        (b"x-accel-buffering", b"no"),
    ]


def file_name(asked: Range, suffix: str) -> str:
    """`kitchen_20260102T030405Z_20260103T030405Z.csv`: the bucket without what file systems take amiss, the range."""
    bucket = re.sub(r"[^\w.-]+", "_", asked.bucket)[:_NAME_CHARS].strip("._") or "bucket"
    times = [_compact(epoch) for epoch in (asked.after, asked.before) if 0 < epoch < MAX_EPOCH]
    return f"{'_'.join([bucket, *times])}.{suffix}"


def _compact(epoch: float) -> str:
    return re.sub(r"[-:]|\.\d+", "", iso_time(microseconds(epoch)))
