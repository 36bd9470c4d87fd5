"""A live stream's other end: reads server-sent events from a real socket, one at a time."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

PATIENCE = 20.0


@dataclass(frozen=True)
class Sent:
    """One event as a browser would hand it to the page."""

    event: str
    id: str | None
    data: Any

    @property
    def points(self) -> list[tuple[str, float, Any]]:
        """Stream, epoch, value."""
        return [
            (stream, epoch, value)
            for stream, series in self.data["series"].items()
            for epoch, value in zip(series["epochs"], series["values"], strict=True)
        ]


class EventSource:
    """Connected when made; `next` waits for an event. Raises ConnectionError at the stream's end.

    Without a bucket it follows what is told of all of them.
    """

    def __init__(self, url: str, bucket: str | None, last_event_id: str | None = None, headers: str = "") -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self.socket = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)
        if last_event_id is not None:
            headers += f"Last-Event-ID: {last_event_id}\r\n"
        path = "/api/v1/live" if bucket is None else f"/api/v1/buckets/{quote(bucket, safe='')}/live"
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{headers}\r\n".encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._line().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._line().strip():
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self._text = ""

    def next(self) -> Sent:
        """The next event; comments are passed over."""
        while True:
            while "\n\n" not in self._text:
                self._text += self._chunk()
            block, self._text = self._text.split("\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in fields:
                return Sent(fields["event"], fields.get("id"), json.loads(fields["data"]))

    def until(self, event: str) -> Sent:
        """The next event of a kind."""
        while (sent := self.next()).event != event:
            pass
        return sent

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunk(self) -> str:
        size = int(self._line(), 16)
        if size == 0:
            raise ConnectionError("the stream ended")
        body = self._file.read(size)
        self._line()
        return body.decode()

    def _line(self) -> str:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the connection was closed")
        return line.decode()
