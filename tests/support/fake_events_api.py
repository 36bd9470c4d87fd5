"""A server that speaks Initial State's Events API, on a free loopback port, and misbehaves as it is told.

    with FakeEventsApi() as api:
        api.script(Reply(503, headers={"Retry-After": "1"}), Reply(cut=True))   # the next two requests
        api.always(503)                                                         # all after those, until always(None)
        api.refuse_streams({"bad"})
        ...
        api.wait_for_events(10)
        assert api.events_of("kitchen") == [("temperature", 21.5, 1700000000.0), ...]

What was accepted is recorded in the order it came; a request that was answered with a script is recorded as a
request only. It is as strict as the documentation (keys, limits, body forms), so that a client's mistake shows.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

ACCESS_KEY = "ist_correct_horse_battery_staple"
MAX_BODY = 1_000_000


@dataclass(frozen=True)
class Reply:
    """What to answer instead of the usual. `cut` closes the connection unanswered, `delay` comes first."""

    status: int = 204
    body: str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False


BUCKET_REMOVED = Reply(400, '{"message":{"error":{"type":"BUCKET_REMOVED","message":"The bucket was removed"}}}')


class Recorded(NamedTuple):
    """An accepted event; `epoch` is None where the server's clock decides."""

    bucket: str
    stream: str
    value: Any
    epoch: float | None


@dataclass(frozen=True)
class Request:
    """One request as it came; `path` is without the query."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Message
    body: bytes
    at: float
    """When it came, by the monotonic clock."""


class FakeEventsApi:
    """See the module's text. Safe to use from any thread.

    Args:
        access_key: the one that is accepted; None accepts any.
        port: to listen at; 0 takes a free one.
        judge: may answer an /events request by the events in it; None means the usual answer.
    """

    def __init__(
        self,
        access_key: str | None = None,
        *,
        port: int = 0,
        judge: Callable[[list[Recorded]], Reply | None] | None = None,
    ) -> None:
        self.access_key, self.judge = access_key, judge
        self.events: list[Recorded] = []
        self.buckets: dict[str, str] = {}
        """Names by key, of the buckets that were created."""
        self.requests: list[Request] = []
        self.connections = 0
        self._always: Reply | None = None
        self._script: deque[Reply] = deque()
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fake-events-api")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/api"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def script(self, *replies: Reply) -> None:
        """Answer the next requests, of any kind, with these, in order."""
        with self._changed:
            self._script.extend(replies)

    def always(self, reply: int | Reply | None) -> None:
        """Answer everything that no script answers with this status or reply; None ends it.

        Events that are answered with a success are recorded as usual.
        """
        with self._changed:
            self._always = Reply(reply) if isinstance(reply, int) else reply

    def refuse_streams(self, streams: Collection[str], status: int = 400) -> None:
        """Answer with this status to every request that holds an event of one of these streams."""
        self.judge = lambda events: (
            Reply(status, "bad stream") if any(event.stream in streams for event in events) else None
        )

    def events_of(self, bucket: str) -> list[tuple[str, Any, float | None]]:
        with self._changed:
            return [(e.stream, e.value, e.epoch) for e in self.events if e.bucket == bucket]

    def requests_to(self, path: str) -> list[Request]:
        """The requests to `/events` or `/buckets`."""
        with self._changed:
            return [request for request in self.requests if request.path == f"/api{path}"]

    def wait_for_events(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        """Wait until so many events were accepted."""
        self._wait(lambda: len(self.events) >= count, timeout, lambda: f"{len(self.events)} of {count} events came")
        return self.events

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[Request]:
        """Wait until so many requests came, answered or not."""
        self._wait(
            lambda: len(self.requests) >= count, timeout, lambda: f"{len(self.requests)} of {count} requests came"
        )
        return self.requests

    def _wait(self, done: Callable[[], bool], timeout: float, found: Callable[[], str]) -> None:
        with self._changed:
            if not self._changed.wait_for(done, timeout):
                raise AssertionError(f"within {timeout:g} s only {found()}")

    # --- the server's side ---------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Called by the handler, in its thread."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            if self._script:
                return self._script.popleft()
            always = self._always
            if always is not None and not 200 <= always.status < 300:
                return always
            usual = self._usual(request)
            self._changed.notify_all()
            return always if always is not None and usual.status < 300 else usual

    def _usual(self, request: Request) -> Reply:
        query = dict(request.query)
        access_key = request.headers.get("X-IS-AccessKey") or query.get("accessKey")
        if not access_key or (self.access_key is not None and access_key != self.access_key):
            return Reply(401 if not access_key else 403, "ACCESS_DENIED_KEY")
        if len(request.body) > MAX_BODY:
            return Reply(413, "too large")
        match request.path.removeprefix("/api"), request.method:
            case "/buckets", "POST" | "GET":
                return self._create_bucket(request, query)
            case "/events", "POST" | "GET":
                return self._take_events(request, query)
            case "/versions", "GET":
                return Reply(200, '["0.0.1","0.0.2","0.0.3","0.0.4"]')
        return Reply(404, "not found")

    def _create_bucket(self, request: Request, query: dict[str, str]) -> Reply:
        wanted = json.loads(request.body) if request.body else query
        key, name = wanted.get("bucketKey", ""), wanted.get("bucketName", "")
        if not key or len(key) > 250 or len(name) > 250 or set(key) & set(":\"'"):
            return Reply(400, "bad bucket key")
        if key in self.buckets:
            return Reply(204)
        self.buckets[key] = name
        return Reply(201)

    def _take_events(self, request: Request, query: dict[str, str]) -> Reply:
        bucket_key = request.headers.get("X-IS-BucketKey") or query.get("bucketKey")
        if not bucket_key:
            return Reply(400, "no bucket key")
        if request.body:
            try:
                # JSON has no NaN; Python's reader would let it pass.
                found = json.loads(request.body, parse_constant=_refuse)
            except ValueError:
                return Reply(400, "not JSON")
            found = found if isinstance(found, list) else [found]
            events = [Recorded(bucket_key, one.get("key"), one.get("value"), one.get("epoch")) for one in found]
        else:
            reserved = {"accessKey", "bucketKey"}
            events = [Recorded(bucket_key, key, value, None) for key, value in request.query if key not in reserved]
        if self.judge is not None and (reply := self.judge(events)) is not None:
            return reply
        if not events or not all(map(_is_valid, events)):
            return Reply(400, "bad event")
        self.events += events
        return Reply(204)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _is_valid(event: Recorded) -> bool:
    return (
        isinstance(event.stream, str)
        and 0 < len(event.stream) <= 250
        and isinstance(event.value, str | bool | int | float)
        and (not isinstance(event.value, str) or len(event.value) <= 2000)
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a kept-alive connection may be open when the test ends
    api: FakeEventsApi

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.api.connections += 1

    def _serve(self) -> None:
        split = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = tuple(parse_qsl(split.query, keep_blank_values=True))
        api = self.server.api
        reply = api.answer(Request(self.command, split.path, query, self.headers, body, time.monotonic()))
        if reply.delay:
            time.sleep(reply.delay)
        if reply.cut:
            self.close_connection = True
            return
        content = reply.body.encode() if isinstance(reply.body, str) else reply.body
        self.send_response(reply.status)
        headers = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "29"}
        headers["X-RateLimit-Reset"] = str(int(time.time()) + 10)
        if reply.status != 204:
            headers["Content-Length"] = str(len(content))
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.status != 204:
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815  # the names http.server calls

    def log_message(self, *args: object) -> None:
        """Tests look at `requests` instead."""
