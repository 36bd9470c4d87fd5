"""Plotly streams, many at once: opens them all, says so, and on a word has each write its lines and end.

Says how many lines were answered with 200, which the bridge gives once they are synced, and how long that took.
Lines are encoded before: it must cost less than what it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

# Lines that go out at once, in one chunk: as a program's do that writes in a loop.
BURST = 20
HEAD = "POST / HTTP/1.1\r\nHost: bench\r\nTransfer-Encoding: chunked\r\nplotly-streamtoken: {token}\r\n\r\n"


def token_of(number: int) -> str:
    return f"benchmark-token-{number}"


def burst(begin: int) -> bytes:
    lines = "".join(json.dumps({"x": n, "y": n / 2}) + "\n" for n in range(begin, begin + BURST)).encode()
    return b"%x\r\n%b\r\n" % (len(lines), lines)


async def stream(number: int, port: int, lines: int, opened: asyncio.Barrier, go: asyncio.Event) -> None:
    """One stream from its head to its 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.format(token=token_of(number)).encode())
    await writer.drain()
    await opened.wait()
    await go.wait()
    for begin in range(0, lines, BURST):
        writer.write(burst(begin))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    answer = await reader.read()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not 200: {answer[:200]!r}")
    writer.close()


async def run(port: int, connections: int, lines: int) -> None:
    opened, go = asyncio.Barrier(connections + 1), asyncio.Event()
    streams = [asyncio.create_task(stream(n, port, lines, opened, go)) for n in range(connections)]
    await opened.wait()
    print(json.dumps({"opened": connections}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = time.monotonic()
    go.set()
    await asyncio.gather(*streams)
    print(json.dumps({"lines": connections * lines, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=200)
    options = parser.parse_args()
    asyncio.run(run(options.port, options.connections, options.lines))
