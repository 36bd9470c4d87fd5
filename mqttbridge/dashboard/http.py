"""What all handlers share: reading bounded bodies, names from paths, answers in JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from pydantic_core import to_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.errors import BridgeError

MAX_BODY: Final = 1_000_000  # the Events API's documented bound
BODY_SECONDS: Final = 30.0

# A client that sends its whole body before it reads would see a reset connection instead of our 413 if we
# closed at once. So some more is read and thrown away, for a moment.
_DISCARDED: Final = 8 * MAX_BODY
_DISCARD_SECONDS: Final = 5.0

T = TypeVar("T")


class BodyTooLarge(Exception):  # noqa: N818  # a state of the request, not of us
    """The request's body is longer than allowed."""


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(to_json(content), status, headers, "application/json")


def problem(status: int, text: str, **headers: str) -> Response:
    """An answer of our own API that says what is wrong."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return json_answer({"error": text}, status, named)


def unavailable(error: BridgeError) -> Response:
    """Nothing was done for now: come again."""
    return problem(503, str(error), Retry_After="5")


def bucket_of(request: Request) -> str:
    """The bucket that a path names, percent-decoded.

    A browser cannot put the names `.` and `..` into a path, encoded or not: the query's `bucket` stands in.
    """
    return request.query_params.get("bucket") or unquote(request.path_params["bucket"])


def bucket_key_of(request: Request) -> str | None:
    """The bucket that a request of the Events or Read API names: by a header, or else by a parameter."""
    header = next((value for name, value in request.scope["headers"] if name == b"x-is-bucketkey"), None)
    if header:
        try:
            return bytes(header).decode()
        except UnicodeDecodeError:
            return bytes(header).decode("latin-1")
    return request.query_params.get("bucketKey")


def has_large_body(request: Request, bound: int) -> bool:
    """Whether the request's body is longer than `bound` bytes, or may be."""
    length = request.headers.get("content-length", "")
    return "transfer-encoding" in request.headers or (length.isdigit() and int(length) > bound)


async def refuse_body(request: Request) -> dict[str, str]:
    """What to do about the body of a request that is refused unread; the headers that the answer needs.

    The server itself throws away the rest of a small body after the answer. It would do so with a terabyte.
    """
    if not has_large_body(request, MAX_BODY):
        return {}
    await _discard(request)
    return {"Connection": "close"}


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: it is longer than MAX_BODY; what it holds was not kept.
        TimeoutError: it did not come in time.
        ClientDisconnect: the client went away.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        await _discard(request)
        raise BodyTooLarge
    chunks, size = [], 0
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY:
                break
            chunks.append(chunk)
    if size > MAX_BODY:
        await _discard(request)
        raise BodyTooLarge
    return b"".join(chunks)


async def _discard(request: Request) -> None:
    if request.headers.get("expect"):
        return  # it waits for our word before it sends
    left = _DISCARDED
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except (TimeoutError, ClientDisconnect):
        return


async def in_thread(executor: Executor, work: Callable[[], T]) -> T:
    """Run what reads files or computes for long beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(executor, work)
