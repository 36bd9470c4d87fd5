"""The live stream: server-sent events to one viewer, from its own queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mqttbridge.dashboard.api import no_dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.framequeue import FrameQueue
from mqttbridge.dashboard.http import bucket_of, problem
from mqttbridge.dashboard.hub import EVERYWHERE

PING_SECONDS: Final = 15.0
# Who takes nothing for so long is gone, or as good as gone; it may come back and resume.
SEND_SECONDS: Final = 30.0

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # or nginx would hold frames back
]


class Live:
    """Handlers of `/api/v1/buckets/{bucket}/live` and `/api/v1/live`."""

    def __init__(self, backend: Backend) -> None:
        self._dashboard, self._max_viewers = backend.dashboard, backend.config.http.max_viewers

    async def stream(self, request: Request) -> Response:
        """Frames of one bucket from now on, or from where the viewer was when it says so."""
        return self._follow(request, bucket_of(request))

    async def everywhere(self, request: Request) -> Response:
        """What is told of all buckets: how alerts stand."""
        return self._follow(request, EVERYWHERE)

    def _follow(self, request: Request, name: str) -> Response:
        if self._dashboard is None:
            return no_dashboard()
        hub = self._dashboard.hub
        if hub.viewers >= self._max_viewers:
            return problem(503, "too many viewers are connected: see http.max_viewers", Retry_After="30")
        if request.method == "HEAD":
            return Response(headers={name.decode(): value.decode() for name, value in _HEADERS})
        last_id = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        return EventStream(hub, name, last_id)


Queue = TypeVar("Queue", bound=FrameQueue)


class Source(Protocol[Queue]):
    """A hub: what has viewers by name, and fills their queues."""

    def subscribe(self, name: str, last_id: str | None) -> Queue:
        """A viewer, with all it needs to begin in its queue."""
        ...

    def unsubscribe(self, viewer: Queue) -> None:
        """The viewer is gone."""
        ...


class EventStream(Response, Generic[Queue]):
    """Sends a viewer's frames until it leaves, is too slow, may not any more, or the hub closes."""

    def __init__(self, hub: Source[Queue], name: str, last_id: str | None) -> None:
        super().__init__()
        self._hub, self._name, self._last_id = hub, name, last_id
        self.allowed: Callable[[], bool] = lambda: True
        """Asked before each frame: who follows for hours may have lost the right to."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream; the viewer is known to the hub exactly as long as this runs."""
        viewer = self._hub.subscribe(self._name, self._last_id)
        gone = asyncio.create_task(_closed_by_client(receive, viewer))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            viewer.write = self._writer(scope)
            while not viewer.closed and self.allowed():
                frames = await viewer.next(PING_SECONDS)
                if not viewer.closed and self.allowed():
                    async with asyncio.timeout(SEND_SECONDS):
                        await send(_body(frames or b": ping\n\n"))
            if not gone.done():
                await send(_body(b"", more=False))
        except TimeoutError:
            abort = scope.get("state", {}).get("abort")
            if abort is not None:
                abort()
                with suppress(TimeoutError):
                    await asyncio.wait_for(gone, 1)
        finally:
            gone.cancel()
            self._hub.unsubscribe(viewer)

    def _writer(self, scope: Scope) -> Callable[[bytes], bool] | None:
        """What writes a chunk past all layers; None where the answer is not in chunks, or no server offers it."""
        write: Callable[[bytes], bool] | None = scope.get("state", {}).get("write_chunk")
        if write is None or scope["http_version"] != "1.1":
            return None
        return lambda chunk: self.allowed() and write(chunk)


def _body(data: bytes, *, more: bool = True) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def _closed_by_client(receive: Receive, viewer: FrameQueue) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()
