"""Many viewers of one board: connections that read the live stream and throw it away, on one loop.

Says what came in since it was last asked, as bytes and frames.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys


class Watcher(asyncio.Protocol):
    """One viewer's connection; counts what comes."""

    frames = 0
    bytes = 0
    lost = 0

    def __init__(self, request: bytes, connected: asyncio.Future[None]) -> None:
        self._request, self._connected = request, connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._connected.done():
            if not data.startswith(b"HTTP/1.1 200"):
                self._connected.set_exception(RuntimeError(f"not 200: {data[:200]!r}"))
                return
            self._connected.set_result(None)
        Watcher.bytes += len(data)
        Watcher.frames += data.count(b"event: points")

    def connection_lost(self, _: Exception | None) -> None:
        Watcher.lost += 1


async def watch(port: int, path: str, viewers: int) -> None:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    for _ in range(viewers):
        connected = loop.create_future()
        await loop.create_connection(lambda: Watcher(request, connected), "127.0.0.1", port)  # noqa: B023
        await connected
    words = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    say = {"connected": viewers}
    while True:
        print(json.dumps(say), flush=True)
        Watcher.frames = Watcher.bytes = 0
        if not await words.readline():
            return
        say = {"frames": Watcher.frames, "bytes": Watcher.bytes, "lost": Watcher.lost}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--viewers", type=int, default=500)
    options = parser.parse_args()
    asyncio.run(watch(options.port, options.path, options.viewers))
