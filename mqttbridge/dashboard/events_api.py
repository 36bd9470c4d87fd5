"""The Events API, as Initial State's clients speak it: buckets and events, as JSON or URL parameters.

204 means the events are in the spool, synced to disk. Clients differ: keys come in headers or in the query,
times as numbers, strings or ISO 8601, numbers as strings; all of that is taken. docs/http-api.md has the whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.dashboard import pushed as parse
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.commit import GroupCommit
from mqttbridge.dashboard.http import BodyTooLarge, in_thread, json_answer, read_body
from mqttbridge.dashboard.pushed import Problem, Pushed
from mqttbridge.dashboard.security import Security, access_key_of
from mqttbridge.errors import BridgeError
from mqttbridge.events import Batch, Rejected

VERSIONS: Final = ["0.0.1", "0.0.2", "0.0.3", "0.0.4"]
ILLEGAL_IN_BUCKET_KEY: Final = frozenset(":\"'")

# We do not limit the rate, but some clients fail without these headers or slow down when they come near them.
RATE_LIMIT: Final = 1_000_000
RATE_WINDOW: Final = 10

# A body of 1 MB is some 40,000 events, 20 MB while it is checked: few of these at once, small ones freely.
LARGE_BODY: Final = 65536
LARGE_BODIES_AT_ONCE: Final = 4

PROBLEMS_TOLD: Final = 20
_NOT_STREAMS: Final = frozenset({"accessKey", "bucketKey"})
_MAX_KNOWN: Final = 10_000


class EventsApi:
    """Handlers of `/api/buckets`, `/api/events` and `/api/versions`.

    Args:
        backend: the spool takes the events, the store the names of buckets.
        security: who may write.
        executor: one thread for commits.
    """

    def __init__(self, backend: Backend, security: Security, executor: Executor) -> None:
        self._backend, self._security, self._executor = backend, security, executor
        self._commit = GroupCommit(self._append, executor)
        self._large = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)
        self._known: set[str] = set()  # buckets created here, where no store remembers them

    async def versions(self, _: Request) -> Response:
        """The API's versions. Any `Accept-Version` is welcome: they differ in nothing that is served here."""
        return _rated(json_answer(VERSIONS))

    async def events(self, request: Request) -> Response:
        """Take events. 204 once they are synced."""
        return _rated(await self._guarded(request, self._take_events))

    async def buckets(self, request: Request) -> Response:
        """Create a bucket: 201; 204 when it exists, and the first name wins."""
        return _rated(await self._guarded(request, self._make_bucket))

    async def _guarded(self, request: Request, serve: Any) -> Response:
        key = access_key_of(request)
        if not self._security.may_write(key):
            # Both in the API's words; its clients give up on either without a retry.
            return json_answer("ACCESS_DENIED_KEY", 401 if key is None else 403)
        try:
            async with self._room_for(request):
                answer: Response = await serve(request, await read_body(request))
                return answer
        except BodyTooLarge:
            return _error(413, "TOO_LARGE", "a request's body may be 1 MB at most", {"Connection": "close"})
        except (TimeoutError, ClientDisconnect):
            return _error(408, "TIMEOUT", "the request's body did not come in time", {"Connection": "close"})
        except BridgeError as error:
            return _error(503, "UNAVAILABLE", str(error), {"Retry-After": "5"})

    def _room_for(self, request: Request) -> AbstractAsyncContextManager[object]:
        length = request.headers.get("content-length", "")
        chunked = "transfer-encoding" in request.headers
        large = chunked or (length.isdigit() and int(length) > LARGE_BODY)
        return self._large if large else nullcontext()

    async def _take_events(self, request: Request, body: bytes) -> Response:
        bucket = _bucket_key(request)
        problem = parse.name_problem("bucketKey", bucket)
        if problem is not None or bucket is None:
            return _error(400, "INVALID_BUCKET", problem.text if problem else "")
        now = time.time()
        taken: Pushed | Problem
        if body.strip():
            taken = parse.from_body(body, bucket, now)
        else:
            streams = [(k, v) for k, v in request.query_params.multi_items() if k not in _NOT_STREAMS]
            if not streams:
                return _error(400, "INVALID_EVENTS", "nothing was stored: there is no value, as in ?temperature=21.5")
            taken = parse.from_parameters(streams, bucket, now)
        if isinstance(taken, Problem):
            return _error(400, "INVALID_JSON", taken.text)
        if taken.problems:
            return _bad_events(taken.problems)
        batch = Batch(taken.events) if taken.events else None
        if batch is not None or taken.rejected:
            await self._commit.push(batch, taken.rejected)
            self._backend.metrics.received.add(len(taken.events) + len(taken.rejected), source="http")
        return Response(status_code=204)

    async def _make_bucket(self, request: Request, body: bytes) -> Response:
        given: dict[str, Any] = dict(request.query_params)
        if body.strip():
            try:
                parsed = from_json(body)
            except ValueError as error:
                return _error(400, "INVALID_JSON", f"the body is not JSON: {error}")
            if not isinstance(parsed, dict):
                return _error(400, "INVALID_JSON", "expected an object with bucketKey and bucketName")
            given |= parsed
        key, name = given.get("bucketKey") or _bucket_key(request), given.get("bucketName")
        problem = parse.name_problem("bucketKey", key)
        if problem is None and ILLEGAL_IN_BUCKET_KEY & set(str(key)):
            problem = Problem("bucketKey must not hold : \" or '")
        if problem is None and name not in (None, ""):
            problem = parse.name_problem("bucketName", name)
        if problem is not None:
            return _error(400, "INVALID_BUCKET", problem.text)
        created = await in_thread(self._executor, lambda: self._create(str(key), name or None))
        return json_answer({"bucketKey": key, "bucketName": name}, 201) if created else Response(status_code=204)

    def _create(self, key: str, name: str | None) -> bool:
        if self._backend.dashboard is not None:
            return self._backend.dashboard.store.create_bucket(key, name)
        created = key not in self._known
        if len(self._known) < _MAX_KNOWN:
            self._known.add(key)
        return created

    def _append(self, batches: Sequence[Batch], rejected: Sequence[Rejected]) -> None:
        self._backend.spool.append(batches, rejected, source="http")


def _bucket_key(request: Request) -> str | None:
    header = next((value for name, value in request.scope["headers"] if name == b"x-is-bucketkey"), None)
    if header:
        try:
            return bytes(header).decode()
        except UnicodeDecodeError:
            return bytes(header).decode("latin-1")
    return request.query_params.get("bucketKey")


def _bad_events(problems: Sequence[tuple[int, Problem]]) -> Response:
    told = [f"event {index}: {problem.text}" for index, problem in problems[:PROBLEMS_TOLD]]
    if len(problems) > PROBLEMS_TOLD:
        told.append(f"and {len(problems) - PROBLEMS_TOLD} more")
    return _error(400, "INVALID_EVENTS", "nothing was stored: " + "; ".join(told))


def _error(status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return json_answer({"message": {"error": {"type": kind, "message": text}}}, status, headers)


def _rated(answer: Response) -> Response:
    answer.headers["X-RateLimit-Limit"] = str(RATE_LIMIT)
    answer.headers["X-RateLimit-Remaining"] = str(RATE_LIMIT - 1)
    answer.headers["X-RateLimit-Reset"] = str(int(time.time()) + RATE_WINDOW)
    return answer
