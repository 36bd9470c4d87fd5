"""An Events API that takes everything at once and only counts: what a delivery is measured against.

Prints `{"port": ...}`, then after each line on standard input
`{"events", "requests", "first", "last"}` (counts, and times of the first and last request).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time


class Count:
    def __init__(self) -> None:
        self.events = self.requests = 0
        self.first = self.last = 0.0


async def serve(count: Count, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Cut requests by their Content-Length; nothing more of HTTP is needed."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            body = await reader.readexactly(length)
            now = time.time()
            count.first = count.first or now
            count.last = now
            count.requests += 1
            # Stream names here hold no quotes, so this is the number of events, without parsing them.
            count.events += body.count(b'"epoch":')
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    count = Count()
    server = await asyncio.start_server(
        lambda reader, writer: serve(count, reader, writer), "127.0.0.1", options.port, limit=1 << 21
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(vars(count)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
