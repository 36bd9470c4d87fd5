"""Buckets and streams that nobody wants any more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.access.links import Links
from mqttbridge.dashboard.api import no_dashboard
from mqttbridge.dashboard.backend import Backend
from mqttbridge.dashboard.boards.documents import Boards
from mqttbridge.dashboard.boards.pictures import Pictures
from mqttbridge.dashboard.http import bucket_of, in_thread, json_answer, problem, unavailable
from mqttbridge.errors import StoreError


class Deletion:
    """`DELETE` of a bucket or of one of its streams; what comes later makes it anew.

    Args:
        backend: its store, records and alerts.
        links: share links, which go with their bucket.
        executor: where files are written.
    """

    def __init__(self, backend: Backend, links: Links, executor: Executor) -> None:
        self._dashboard, self._executor = backend.dashboard, executor
        self._alerts, self._links = backend.alerts, links
        self._configured = backend.config.dashboards

    async def bucket(self, request: Request) -> Response:
        """Delete a bucket with all that people made for it alone."""
        if self._dashboard is None:
            return no_dashboard()
        dashboard, bucket = self._dashboard, bucket_of(request)

        def delete() -> bool:
            # The links first: should the rest fail, whoever had one sees nothing of a bucket that comes back.
            gone = [self._links.remove_all(bucket) > 0]
            if self._alerts is not None:
                gone.append(self._alerts.forget_bucket(bucket) > 0)
            gone.append(Boards(self._configured, dashboard.records).forget(bucket, None))
            gone.append(Pictures(dashboard.records).forget(bucket))
            gone.append(dashboard.store.delete_bucket(bucket))
            return any(gone)

        return await self._answer(delete, "there is no such bucket")

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
