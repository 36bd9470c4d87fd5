"""Dashboard documents over HTTP: read by who may see the bucket, changed by who may change it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mqttbridge.config.dashboards import DashboardDocument
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.boards.documents import NOTE, Boards, Unusable, first_fault
from mqttbridge.dashboard.boards.pictures import Pictures, type_of
from mqttbridge.dashboard.http import BodyTooLarge, bucket_of, in_thread, json_answer, problem, read_body, unavailable
from mqttbridge.dashboard.records import Conflict, Record
from mqttbridge.dashboard.security import Security
from mqttbridge.errors import StoreError

_FRESH: Final = {"Cache-Control": "no-store"}


class BoardsApi:
    """Handlers of `/api/v1/buckets/{bucket}/dashboard` and what belongs to it.

    Args:
        backend: the bridge.
        security: tells the page whether who looks may also change.
        executor: where files are read and written, beside the event loop.
    """

    def __init__(self, backend: Backend, security: Security, executor: Executor) -> None:
        self._security, self._executor = security, executor
        self._dashboard = dashboard = backend.dashboard
        if dashboard is not None:
            self._boards = Boards(backend.config.dashboards, dashboard.records)
            self._pictures = Pictures(dashboard.records)

    async def read(self, request: Request) -> Response:
        """The bucket's document, or one of its earlier versions by `?version=`."""
        bucket, wanted = bucket_of(request), request.query_params.get("version")
        may_edit = self._security.may_edit(request)

        def work() -> Response:
            if wanted is not None:
                return self._earlier(bucket, wanted)
            board = self._boards.of(bucket)
            return json_answer(
                {
                    "version": board.version,
                    "at": board.at,
                    "source": board.source,
                    "document": board.body,
                    "editable": may_edit and board.source != "config",
                },
                headers=_FRESH,
            )

        return await self._answer(bucket, work)

    async def save(self, request: Request) -> Response:
        """Write a version, if nobody else did since the one that `If-Match` names."""
        expected = _expected(request)
        if expected is None:
            return problem(428, 'If-Match must name the version that is replaced, as in "3"; "0" for none')
        body = await _body(request)
        if isinstance(body, Response):
            return body
        try:
            document = DashboardDocument.model_validate_json(body)
        except ValidationError as error:
            return problem(400, first_fault(error))
        bucket = bucket_of(request)

        def save() -> dict[str, Any]:
            version = self._boards.save(bucket, document, expected).version
            self._tell(bucket, version)
            return {"version": version}

        return await self._change(bucket, save)

    async def forget(self, request: Request) -> Response:
        """Back to what the page makes by itself. Earlier versions stay."""
        bucket, expected = bucket_of(request), _expected(request)

        def forget() -> dict[str, Any]:
            deleted = self._boards.forget(bucket, expected)
            self._tell(bucket, 0)
            return {"deleted": deleted}

        return await self._change(bucket, forget)

    async def versions(self, request: Request) -> Response:
        """When the versions that are kept were saved, the newest first."""
        bucket = bucket_of(request)
        return await self._answer(
            bucket,
            lambda: json_answer({"versions": [_summary(one) for one in self._boards.versions(bucket)]}, headers=_FRESH),
        )

    async def picture(self, request: Request) -> Response:
        """The picture behind the tiles."""
        bucket = bucket_of(request)

        def work() -> Response:
            content = self._pictures.get(bucket)
            type_ = type_of(content) if content is not None else None
            if content is None or type_ is None:
                return problem(404, "no picture was uploaded for this bucket")
            etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304, headers={"ETag": etag})
            return Response(content, headers={"ETag": etag, "Cache-Control": "private, no-cache"}, media_type=type_)

        return await self._answer(bucket, work)

    async def put_picture(self, request: Request) -> Response:
        """Keep the body as the picture behind the tiles: PNG, JPEG, GIF or WebP, 1 MB at most."""
        body = await _body(request)
        if isinstance(body, Response):
            return body
        if type_of(body) is None:
            return problem(415, "a picture is PNG, JPEG, GIF or WebP")
        bucket = bucket_of(request)
        return await self._change(bucket, lambda: {"size": self._pictures.put(bucket, body)})

    async def forget_picture(self, request: Request) -> Response:
        """Keep no picture for the bucket."""
        bucket = bucket_of(request)
        return await self._change(bucket, lambda: {"deleted": self._pictures.forget(bucket)})

    def _tell(self, bucket: str, version: int) -> None:
        """Those who have the board open learn that there is another version than theirs."""
        if self._dashboard is not None:
            self._dashboard.hub.note(bucket, NOTE, version)

    def _earlier(self, bucket: str, wanted: str) -> Response:
        for record in self._boards.versions(bucket):
            if str(record.version) == wanted:
                return json_answer(
                    {
                        "version": record.version,
                        "at": record.at,
                        "source": "saved",
                        "document": record.body,
                        "editable": False,
                    },
                    headers=_FRESH,
                )
        return problem(404, "this version is not kept")

    async def _change(self, bucket: str, change: Callable[[], dict[str, Any]]) -> Response:
        def work() -> Response:
            if self._boards.is_configured(bucket):
                return problem(403, "this dashboard is written in the configuration: change it there")
            try:
                return json_answer(change(), headers=_FRESH)
            except Conflict as conflict:
                return _conflict(conflict.current)

        return await self._answer(bucket, work)

    async def _answer(self, bucket: str, work: Callable[[], Response]) -> Response:
        """What `work` answers, made beside the event loop; 404 for a bucket that there is not."""
        dashboard = self._dashboard
        if dashboard is None:
            return problem(404, "this bridge keeps no history: its configuration has no destination of type embedded")

        def known() -> Response:
            if dashboard.store.bucket_name(bucket) is None:
                return problem(404, "there is no such bucket (yet)")
            return work()

        try:
            return await in_thread(self._executor, known)
        except StoreError as error:
            return unavailable(error)
        except Unusable as error:
            return problem(500, str(error))


def _expected(request: Request) -> int | None:
    """The version that `If-Match` names; None without one."""
    given = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None


def _summary(record: Record) -> dict[str, Any]:
    return {"version": record.version, "at": record.at, "tiles": len(record.body.get("tiles", ()))}


def _conflict(current: Record | None) -> Response:
    """409, with what is there now, so that the page can show it and say when it was saved."""
    if current is None:
        return json_answer({"error": "the dashboard was deleted meanwhile", "version": 0, "at": None}, 409)
    return json_answer(
        {
            "error": "the dashboard was changed meanwhile",
            "version": current.version,
            "at": current.at,
            "document": current.body,
        },
        409,
    )


async def _body(request: Request) -> bytes | Response:
    try:
        return await read_body(request)
    except BodyTooLarge:
        return problem(413, "a request's body may be 1 MB at most", Connection="close")
    except (TimeoutError, ClientDisconnect):
        return problem(408, "the request's body did not come in time", Connection="close")
