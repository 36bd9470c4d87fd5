"""The Events API, as Initial State's clients speak it: buckets and events, as JSON or URL parameters.

204 means the events are in the spool, synced to disk. Clients differ: keys come in headers or in the query,
times as numbers, strings or ISO 8601, numbers as strings; all of that is taken. docs/http-api.md has the whole.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, Final, TypeAlias

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.dashboard.access.caller import access_key_of
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.commit import GroupCommit
from mqttbridge.dashboard.events import pushed as parse
from mqttbridge.dashboard.events.pushed import Problem, Pushed
from mqttbridge.dashboard.http import (
    BodyTooLarge,
    bucket_key_of,
    has_large_body,
    in_thread,
    json_answer,
    read_body,
    refuse_body,
)
from mqttbridge.dashboard.limits import Account, Limits
from mqttbridge.dashboard.security import Security
from mqttbridge.errors import BridgeError
from mqttbridge.events import Batch, Rejected

log = logging.getLogger(__name__)

Serve: TypeAlias = Callable[[Request, bytes, Account], Awaitable[Response]]

VERSIONS: Final = ["0.0.1", "0.0.2", "0.0.3", "0.0.4"]
ILLEGAL_IN_BUCKET_KEY: Final = frozenset(":\"'")

# Where the spool keeps what has been used of the event quota, and how often at most: each time is a sync.
QUOTA_META: Final = "events_api_usage"
QUOTA_SECONDS: Final = 1.0

# A body of 1 MB is some 40,000 events, 20 MB while it is checked: few of these at once, small ones freely.
LARGE_BODY: Final = 65536
LARGE_BODIES_AT_ONCE: Final = 4

# The hosted API's words: clients show them, and none looks into them.
QUOTA_EXCEEDED: Final = "Event limit exceeded for current cycle: nothing was stored"

PROBLEMS_TOLD: Final = 20
_NOT_STREAMS: Final = frozenset({"accessKey", "bucketKey"})
_MAX_KNOWN: Final = 10_000


class EventsApi:
    """Handlers of `/api/buckets`, `/api/events` and `/api/versions`.

    Args:
        backend: the spool takes the events, the store the names of buckets.
        security: who may write.
        limits: how much; what was used of the quota before is taken from the spool.
        executor: one thread for commits.
    """

    def __init__(self, backend: Backend, security: Security, limits: Limits, executor: Executor) -> None:
        self._backend, self._security, self._executor = backend, security, executor
        self._commit = GroupCommit(self._append, executor)
        self._large = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)
        self._limits = limits
        self._limits.restore(backend.spool.meta(QUOTA_META) or "")
        self._usage_due = 0.0
        self._known: set[str] = set()  # buckets created here, where no store remembers them

    async def versions(self, _: Request) -> Response:
        """The API's versions. Any `Accept-Version` is welcome: they differ in nothing that is served here."""
        return json_answer(VERSIONS)

    async def events(self, request: Request) -> Response:
        """Take events. 204 once they are synced."""
        return await self._guarded(request, self._take_events)

    async def buckets(self, request: Request) -> Response:
        """Create a bucket: 201; 204 when it exists, and the first name wins."""
        return await self._guarded(request, self._make_bucket)

    async def _guarded(self, request: Request, serve: Serve) -> Response:
        """Serve a request whose key may write and has calls left."""
        key = access_key_of(request)
        if not self._security.may_write(key):
            # Both in the API's words; its clients give up on either without a retry.
            return json_answer("ACCESS_DENIED_KEY", 401 if key is None else 403, await refuse_body(request))
        account = self._limits.account(key)
        if not self._limits.call(account, time.time()):
            return await self._too_many(request, account)
        try:
            async with self._room_for(request):
                return await serve(request, await read_body(request), account)
        except BodyTooLarge:
            return _error(413, "TOO_LARGE", "a request's body may be 1 MB at most", {"Connection": "close"})
        except (TimeoutError, ClientDisconnect):
            return _error(408, "TIMEOUT", "the request's body did not come in time", {"Connection": "close"})
        except BridgeError as error:
            return _error(503, "UNAVAILABLE", str(error), {"Retry-After": "5"})
        except Exception:
            log.exception("a request to the Events API failed")
            return _error(500, "CORE_API_ERROR", "the bridge failed to answer; its log says why")

    async def _too_many(self, request: Request, account: Account) -> Response:
        headers = await refuse_body(request)
        now = time.time()
        wait = max(1, math.ceil(self._limits.standing(account, now).reset - now))
        text = f"nothing was stored: this key's requests are used up for now; come again in {wait} s"
        return _error(429, "RATE_LIMITED", text, {"Retry-After": str(wait), **headers})

    def _room_for(self, request: Request) -> AbstractAsyncContextManager[object]:
        return self._large if has_large_body(request, LARGE_BODY) else nullcontext()

    async def _take_events(self, request: Request, body: bytes, account: Account) -> Response:
        bucket = bucket_key_of(request)
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
        events = len(taken.events) + len(taken.rejected)
        if not self._limits.spend(account, events, now):
            return json_answer({"message": QUOTA_EXCEEDED}, 402)
        if events:
            try:
                await self._commit.push(Batch(taken.events) if taken.events else None, taken.rejected)
            except BridgeError:
                self._limits.refund(account, events)
                raise
            self._backend.metrics.received.add(events, source="http")
        return Response(status_code=204)

    async def _make_bucket(self, request: Request, body: bytes, _: Account) -> Response:
        sent: Any = {}
        if body.strip():
            try:
                sent = from_json(body)
            except ValueError as error:
                return _error(400, "INVALID_JSON", f"the body is not JSON: {error}")
            if not isinstance(sent, dict):
                return _error(400, "INVALID_JSON", "expected an object with bucketKey and bucketName")
        given = dict(request.query_params) | sent
        key, name = given.get("bucketKey") or bucket_key_of(request), given.get("bucketName")
        problem = parse.name_problem("bucketKey", key)
        if problem is None and ILLEGAL_IN_BUCKET_KEY & set(str(key)):
            problem = Problem("bucketKey must not hold : \" or '")
        if problem is None and name not in (None, ""):
            problem = parse.name_problem("bucketName", name)
        tags = parse.as_tags(sent.get("tags"))
        if problem is not None:
            return _error(400, "INVALID_BUCKET", problem.text)
        if isinstance(tags, Problem):
            return _error(400, "INVALID_BUCKET", tags.text)
        created = await in_thread(self._executor, partial(self._create, str(key), name or None, tags))
        if not created:
            return Response(status_code=204)
        return json_answer({"bucketKey": key, "bucketName": name, "tags": tags}, 201)

    def _create(self, key: str, name: str | None, tags: Sequence[str]) -> bool:
        if self._backend.dashboard is not None:
            return self._backend.dashboard.store.create_bucket(key, name, tags)
        created = key not in self._known
        if len(self._known) < _MAX_KNOWN:
            self._known.add(key)
        return created

    def _append(self, batches: Sequence[Batch], rejected: Sequence[Rejected]) -> None:
        self._backend.spool.append(batches, rejected, source="http")
        self._keep_usage()

    def _keep_usage(self) -> None:
        """Let the count of the quota outlive a restart. The events are stored: a fault here must not undo that."""
        if not self._limits.changed or time.monotonic() < self._usage_due:
            return
        self._limits.changed = False
        self._usage_due = time.monotonic() + QUOTA_SECONDS
        try:
            self._backend.spool.set_meta(QUOTA_META, self._limits.usage)
        except BridgeError as error:
            self._limits.changed = True
            log.debug("the count of the event quota could not be saved, and will be with the next events: %s", error)


def _bad_events(problems: Sequence[tuple[int, Problem]]) -> Response:
    told = [f"event {index}: {problem.text}" for index, problem in problems[:PROBLEMS_TOLD]]
    if len(problems) > PROBLEMS_TOLD:
        told.append(f"and {len(problems) - PROBLEMS_TOLD} more")
    return _error(400, "INVALID_EVENTS", "nothing was stored: " + "; ".join(told))


def _error(status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return json_answer({"message": {"error": {"type": kind, "message": text}}}, status, headers)
