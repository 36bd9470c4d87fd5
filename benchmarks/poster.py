"""Posts the same events to `/api/events` over many connections, as fast as each is answered.

Says how many it posted and how long that took. Each connection waits for its 204 before the next post, so what
is measured is what synced clients get. Raw sockets and requests that were encoded before: it must cost less than
what it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

STATUS = b"HTTP/1.1 204"
END = b"\r\n\r\n"


def request(host: str, events: int) -> bytes:
    body = json.dumps([{"key": f"stream-{n % 50}", "value": n + 0.5} for n in range(events)]).encode()
    head = (
        f"POST /api/events HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-IS-BucketKey: bench\r\n"
        f"X-IS-AccessKey: any\r\nAccept-Version: <=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One client: a post, its answer, the next post, until the time is over."""

    def __init__(self, post: bytes, until: float) -> None:
        self._post, self._until = post, until
        self._answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._post)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._answer.endswith(END):
            return
        if not self._answer.startswith(STATUS):
            self._end(RuntimeError(f"not 204: {self._answer[:200]!r}"))
            return
        self._answer = b""
        self.answered += 1
        if time.monotonic() < self._until:
            self._transport.write(self._post)
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or RuntimeError("the server closed the connection"))

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error) if error else self.done.set_result(None)
            self._transport.close()


async def post(host: str, connections: int, events: int, seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    body, began = request(host, events), time.monotonic()
    name, _, port = host.rpartition(":")
    clients = [
        (await loop.create_connection(lambda: Connection(body, began + seconds), name, int(port)))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(client.done for client in clients))
    return {"posts": sum(client.answered for client in clients), "seconds": time.monotonic() - began}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host", help="host:port")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--events", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    result = asyncio.run(post(options.host, options.connections, options.events, options.seconds))
    print(json.dumps(result), flush=True)
