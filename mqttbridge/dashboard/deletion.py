"""Buckets and streams that nobody wants any more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.api import no_dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.http import bucket_of, in_thread, json_answer, problem, unavailable
from mqttbridge.errors import StoreError


class Deletion:
    """`DELETE` of a bucket or of one of its streams; what comes later makes it anew."""

    def __init__(self, backend: Backend, executor: Executor) -> None:
        self._dashboard, self._executor = backend.dashboard, executor

    async def bucket(self, request: Request) -> Response:
        """Delete a bucket with its streams, name and tags."""
        if self._dashboard is None:
            return no_dashboard()
        store, bucket = self._dashboard.store, bucket_of(request)
        return await self._answer(lambda: store.delete_bucket(bucket), "there is no such bucket")

    async def streams(self, request: Request) -> Response:
        """Delete the streams that the query names, with all of their points."""
        if self._dashboard is None:
            return no_dashboard()
        store, bucket, names = self._dashboard.store, bucket_of(request), request.query_params.getlist("stream")
        if not names:
            return problem(400, "stream is missing: which to delete")
        return await self._answer(
            lambda: sum(store.delete_stream(bucket, name) for name in names) > 0, "there is no such stream"
        )

    async def _answer(self, delete: Callable[[], bool], otherwise: str) -> Response:
        try:
            deleted = await in_thread(self._executor, delete)
        except StoreError as error:
            return unavailable(error)
        return json_answer({"deleted": True}) if deleted else problem(404, otherwise)
