"""The Read API, as Initial State's clients speak it: the latest value of each stream, as a string."""

from __future__ import annotations

from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import Response

from mqttbridge.dashboard.http import bucket_key_of, in_thread, json_answer, problem, unavailable
from mqttbridge.dashboard.store import Store
from mqttbridge.errors import StoreError
from mqttbridge.events import Value


class ReadApi:
    """Handler of `/data/v1/events/latest`."""

    def __init__(self, store: Store, executor: Executor) -> None:
        self._store, self._executor = store, executor

    async def latest(self, request: Request) -> Response:
        """The latest value and its time for the keys asked for, or for all of the bucket's."""
        bucket = bucket_key_of(request)
        if not bucket:
            return problem(400, "bucketKey is missing")
        keys = set(request.query_params.getlist("key"))
        try:
            streams = await in_thread(self._executor, lambda: self._store.streams(bucket))
        except StoreError as error:
            return unavailable(error)
        return json_answer(
            {
                one.stream: {"value": _as_text(one.last.value), "epoch": one.last.epoch}
                for one in streams
                if not keys or one.stream in keys
            }
        )


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
